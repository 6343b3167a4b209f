//! `apex-billing reconcile`.

use super::session::{Schema, Session};
use crate::{
    domain::{
        money::Money,
        reconcile::{FoundDiscrepancy, ReconciliationStatus, ReconciliationSummary},
    },
    service::{
        Platform,
        actor::By,
        reconcile::{self, Asked, Begun, Listener, Progress},
    },
};
use anyhow::bail;
use clap::Args;
use serde::Serialize;
use std::{
    io::{IsTerminal, Write},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

/// Compare the mirror, the usage and the inbox with Stripe; fails unless everything was compared
/// and within tolerance
#[derive(Args)]
#[command(
    after_help = "Examples:\n  apex-billing reconcile\n  apex-billing reconcile --dry-run --json | jq '.discrepancies[]'\n  apex-billing reconcile --from 2026-11-01 --to 2026-11-30\n  apex-billing reconcile --customer 6f1c6f0e-…  --repair\n\nExit codes:\n  0  everything was compared and is within tolerance\n  1  a discrepancy exceeds the tolerance, or the run failed or was interrupted\n  2  bad usage"
)]
pub struct Reconcile {
    /// Store no run, audit rows or events; repair nothing
    #[arg(long, conflicts_with = "repair")]
    dry_run: bool,
    #[arg(long)]
    json: bool,
    /// Compare only this customer; this platform's customer id
    #[arg(long)]
    customer: Option<String>,
    /// Only objects created from then on: a date or an RFC 3339 instant
    #[arg(long)]
    from: Option<String>,
    /// Only objects created until then: a date (inclusive) or an RFC 3339 instant
    #[arg(long)]
    to: Option<String>,
    /// Fetch differing objects again, and apply missed events
    #[arg(long)]
    repair: bool,
}

/// The output of `--json`.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    summary: &'a ReconciliationSummary,
    discrepancies: &'a [FoundDiscrepancy],
}

impl Reconcile {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        let by = By::system();
        let asked = Asked { customer_id: self.customer, from: self.from, to: self.to, repair: self.repair };
        let cancel = CancellationToken::new();
        let interrupted = cancel.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                interrupted.cancel();
            }
        });
        let on_terminal = std::io::stderr().is_terminal();
        let listener: Listener = Arc::new(move |progress| {
            if on_terminal {
                show(progress);
            }
        });
        let Begun::Ours(work) = reconcile::begin(platform, &by, &asked, None, self.dry_run).await? else {
            bail!("the run has already ended");
        };
        let id = work.id().to_string();
        let done = if self.dry_run {
            work.rehearse(&listener, &cancel).await
        } else {
            let summary = work.carry_out(&listener, &cancel).await;
            match summary {
                Ok(summary) => reconcile::first_found(platform, &id).await.map(|found| (summary, found)),
                Err(error) => Err(error),
            }
        };
        if on_terminal {
            eprint!("\r\x1b[K");
        }
        let (summary, discrepancies) = done?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&Printed { summary: &summary, discrepancies: &discrepancies })?);
        } else {
            print(&summary, &discrepancies);
        }
        match (summary.status, summary.within_tolerance) {
            (ReconciliationStatus::Completed, Some(true)) => Ok(()),
            (ReconciliationStatus::Completed, _) => bail!("{}, not all within tolerance", counted(summary.discrepancies)),
            _ => bail!("the reconciliation {}: {}", ending(summary.status), summary.error.unwrap_or_default()),
        }
    }
}

fn counted(discrepancies: i64) -> String {
    if discrepancies == 1 { "1 discrepancy".to_owned() } else { format!("{discrepancies} discrepancies") }
}

/// How a run without a verdict ended, as a sentence.
const fn ending(status: ReconciliationStatus) -> &'static str {
    match status {
        ReconciliationStatus::Cancelled => "was cancelled",
        ReconciliationStatus::Failed => "failed",
        ReconciliationStatus::Running | ReconciliationStatus::Completed => "has no verdict",
    }
}

fn show(Progress { stage, rows_checked, rows_total }: &Progress) {
    let total = rows_total.map(|total| format!(" of about {total}")).unwrap_or_default();
    let mut terminal = std::io::stderr().lock();
    write!(terminal, "\r\x1b[K{}: {rows_checked}{total} compared", stage.replace('_', " ")).and_then(|()| terminal.flush()).ok();
}

fn print(summary: &ReconciliationSummary, discrepancies: &[FoundDiscrepancy]) {
    for found in discrepancies {
        let said = |side: &Option<crate::domain::reconcile::Said>| side.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let it = &found.discrepancy;
        let amount = it.currency.map(|currency| Money::new(it.amount, currency).to_string()).unwrap_or_default();
        println!(
            "{}\t{}\t{}\t{}\t{}\t{}\t{amount}",
            it.kind,
            it.object,
            it.object_id,
            it.field.as_deref().unwrap_or("–"),
            said(&it.internal_value),
            said(&it.stripe_value)
        );
    }
    let totals: Vec<String> = summary.currency_totals.iter().map(|(currency, amount)| Money::new(*amount, *currency).to_string()).collect();
    let checked = summary.checked;
    println!(
        "{}: {} objects compared ({} customers, {} subscriptions, {} invoices, {} metrics); {} discrepancies, {} at stake; {} repaired",
        summary.status,
        summary.rows_checked,
        checked.customers,
        checked.subscriptions,
        checked.invoices,
        checked.metrics,
        summary.discrepancies,
        if totals.is_empty() { "nothing".to_owned() } else { totals.join(" and ") },
        summary.repaired
    );
}
