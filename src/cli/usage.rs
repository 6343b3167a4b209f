//! `apex-billing usage`.

use super::session::{Schema, Session};
use crate::{
    domain::{
        period::{Period, hour_of},
        usage_hour::HourDifference,
    },
    service::{Platform, usage_check, usage_move},
    store::clickhouse::transfer::Step,
};
use anyhow::{Context, bail};
use clap::Subcommand;
use std::io::IsTerminal;
use time::Duration;

/// Maximum number of printed hours.
const SHOWN: usize = 100;

/// Raw usage events: move them to ClickHouse, compare them with billed usage
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  CLICKHOUSE_URL=http://billing:secret@clickhouse:8123/billing apex-billing usage move\n  apex-billing usage check --days 35"
)]
pub enum Usage {
    /// Move PostgreSQL's raw events to ClickHouse; fails and removes nothing if the sums differ
    #[command(
        after_help = "Resumes where an earlier run ended. The server may run meanwhile.\n\nExample:\n  CLICKHOUSE_URL=http://billing:secret@clickhouse:8123/billing apex-billing usage move"
    )]
    Move {
        /// Events per step; a killed move resumes at the last step
        #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
        batch: u64,
        #[arg(long)]
        json: bool,
    },
    /// Compare the raw events of closed hours with billed usage; fails if they differ
    #[command(after_help = "Example:\n  apex-billing usage check --days 35 --json")]
    Check {
        /// Number of past days to compare
        #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=366))]
        days: u16,
        #[arg(long)]
        json: bool,
    },
}

impl Usage {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        match self {
            Usage::Move { batch, json } => {
                let shown = std::io::stderr().is_terminal();
                let moved = usage_move::run(platform, batch, |step| {
                    if shown {
                        show(step);
                    }
                })
                .await?;
                if json {
                    let data = serde_json::json!({"events": moved.events, "months": moved.months, "differences": moved.differences});
                    println!("{}", serde_json::to_string_pretty(&data)?);
                } else {
                    moved.differences.iter().take(SHOWN).for_each(print);
                    println!("{} events copied, {} months moved", moved.events, moved.months);
                }
                if !moved.differences.is_empty() {
                    bail!("{} hours in ClickHouse differ from billed usage; their months stay in PostgreSQL", moved.differences.len());
                }
            }
            Usage::Check { days, json } => {
                let until = hour_of(platform.clock.now());
                let span = Period::new(until - Duration::days(days.into()), until).context("no hours")?;
                let (found, _) = usage_check::check(platform, span).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&found)?);
                } else {
                    found.iter().take(SHOWN).for_each(print);
                }
                if !found.is_empty() {
                    bail!("the raw events of {} hours differ from billed usage", found.len());
                }
            }
        }
        Ok(())
    }
}

fn show(step: Step) {
    match step {
        Step::Copied { month, until, events } => {
            eprintln!("{}-{:02}: {events} events, up to {until}", month.year(), u8::from(month.month()))
        }
        Step::Moved { month } => eprintln!("{}-{:02}: moved", month.year(), u8::from(month.month())),
    }
}

fn print(difference: &HourDifference) {
    let HourDifference { hour, raw, recorded } = difference;
    println!("{hour}\traw {} in {} events\tbilled {} in {} events", raw.quantity, raw.events, recorded.quantity, recorded.events);
}
