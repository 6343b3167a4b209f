//! `apex-billing webhooks backfill`.

use crate::service::{
    Platform, Result,
    backfill::{self, Gap, Progress, Report},
};
use anyhow::bail;
use std::io::{IsTerminal, Write};

/// Runs a backfill, with a progress line on a terminal.
pub async fn run(platform: &Platform, full: bool, json: bool) -> anyhow::Result<()> {
    let on_terminal = std::io::stderr().is_terminal();
    let listener = |Progress { stream, read, stored }: &Progress| {
        if on_terminal {
            let mut terminal = std::io::stderr().lock();
            write!(terminal, "\r\x1b[K{stream}: {read} read, {stored} new").and_then(|()| terminal.flush()).ok();
        }
    };
    let read = read(platform, full, &listener).await;
    if on_terminal {
        eprint!("\r\x1b[K");
    }
    let Some(report) = read? else { bail!("another process is running a backfill; its position is stored and nothing is lost") };
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        for Progress { stream, read, stored } in &report.streams {
            println!("{stream}\t{read} read\t{stored} new");
        }
    }
    match report.gap {
        Some(Gap { from: Some(from), to }) => {
            eprintln!("Stripe stores events for 30 days: those from {from} to {to} can no longer be read. Run it with --full once.");
        }
        Some(Gap { from: None, to }) => {
            eprintln!("Stripe stores events for 30 days: events before {to} are not included. Run it with --full once to import them.");
        }
        None => {}
    }
    Ok(())
}

/// A full import first: it takes longer, and later events contain the changes meanwhile.
async fn read(platform: &Platform, full: bool, listener: backfill::Listener<'_>) -> Result<Option<Report>> {
    let mut report = Report::default();
    if full {
        let Some(imported) = backfill::full(platform, listener).await? else { return Ok(None) };
        report = imported;
    }
    let Some(events) = backfill::events(platform, listener).await? else { return Ok(None) };
    report.streams.extend(events.streams);
    // A full import includes everything, whatever its age.
    report.gap = events.gap.filter(|_| !full);
    Ok(Some(report))
}
