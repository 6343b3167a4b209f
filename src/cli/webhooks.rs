//! `apex-billing webhooks`.

mod backfill;

use super::session::{Schema, Session};
use crate::{
    domain::{
        list::{Limit, ListQuery, PageNumber, Paging, Parameter, SearchText, WebhookFilter},
        webhook::{WebhookReplays, WebhookStatus, WebhookSummary},
    },
    service::{Platform, actor::By, webhooks},
};
use anyhow::bail;
use clap::Subcommand;

/// Maximum number of failed events that one run replays.
const MOST_REPLAYS: u32 = 10_000;

/// Stripe's events: list, show, replay, backfill
#[derive(Subcommand)]
#[command(
    after_help = "Examples:\n  apex-billing webhooks list --status failed\n  apex-billing webhooks list --type invoice. --json | jq -r '.events[].id'\n  apex-billing webhooks show evt_1NG8Du\n  apex-billing webhooks replay evt_1NG8Du\n  apex-billing webhooks replay --failed\n  apex-billing webhooks backfill"
)]
pub enum Webhooks {
    /// Show stored events, newest first
    #[command(after_help = "Example:\n  apex-billing webhooks list --status dead --limit 100")]
    List {
        /// received, applied, ignored, failed or dead
        #[arg(long)]
        status: Option<WebhookStatus>,
        /// The beginning of the type, e.g. `invoice.`
        #[arg(long = "type")]
        event_type: Option<SearchText>,
        /// Part of the event's id or its object's id
        #[arg(long)]
        q: Option<SearchText>,
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        page: u32,
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
    /// Show one event with its signed payload
    #[command(after_help = "Example:\n  apex-billing webhooks show evt_1NG8Du --json | jq -r .payload")]
    Show {
        /// Stripe's id, evt_…
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Apply an event again, or all failed events; fails if one fails again
    #[command(after_help = "Examples:\n  apex-billing webhooks replay evt_1NG8Du\n  apex-billing webhooks replay --failed --json")]
    Replay {
        /// Stripe's id, evt_…
        #[arg(required_unless_present = "failed", conflicts_with = "failed")]
        id: Option<String>,
        /// All failed events, including those no longer retried
        #[arg(long)]
        failed: bool,
        #[arg(long)]
        json: bool,
    },
    /// Read missed events of the last 30 days from Stripe, or all objects
    #[command(after_help = "Examples:\n  apex-billing webhooks backfill\n  apex-billing webhooks backfill --full --json")]
    Backfill {
        /// First import all customers, subscriptions, invoices, payments, credit notes, charges and
        /// refunds of the account
        #[arg(long)]
        full: bool,
        #[arg(long)]
        json: bool,
    },
}

impl Webhooks {
    pub async fn run(self) -> anyhow::Result<()> {
        Session::run(Schema::Migrate, async |platform| self.on(platform).await).await
    }

    async fn on(self, platform: &Platform) -> anyhow::Result<()> {
        let by = By::system();
        match self {
            Webhooks::List { status, event_type, q, page, limit, json } => {
                let filter = WebhookFilter { status: status.into(), event_type: event_type.into(), q: q.into() };
                let paging = Paging { page: Parameter::Given(PageNumber(page)), limit: Parameter::Given(Limit(limit)) };
                let page = webhooks::list(platform, ListQuery { filter, paging }).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&page)?);
                } else {
                    page.events.iter().for_each(print_row);
                }
            }
            Webhooks::Show { id, json } => {
                let event = webhooks::show(platform, &id).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&event)?);
                } else {
                    print_row(&event.summary);
                    println!("{}", event.payload.trim_end());
                }
            }
            Webhooks::Replay { id: Some(id), json, .. } => {
                let replay = webhooks::replay(platform, &by, &id).await?;
                if json {
                    println!("{}", serde_json::to_string_pretty(&replay)?);
                } else {
                    println!(
                        "{}\t{} -> {}\t{}",
                        replay.id,
                        replay.status_before,
                        replay.status,
                        replay.error.as_deref().unwrap_or_default()
                    );
                }
                if replay.status.is_failure() {
                    bail!("{id} still can't be applied");
                }
            }
            Webhooks::Backfill { full, json } => return backfill::run(platform, full, json).await,
            Webhooks::Replay { id: None, json, .. } => {
                let replays = webhooks::replay_failed(platform, &by, MOST_REPLAYS).await?;
                let WebhookReplays { replayed, still_failing, left } = replays;
                if json {
                    println!("{}", serde_json::to_string_pretty(&replays)?);
                } else {
                    println!("replayed\t{replayed}\nstill failing\t{still_failing}\nleft\t{left}");
                }
                if still_failing + left > 0 {
                    bail!("{} of the events still can't be applied or were not attempted", still_failing + left);
                }
            }
        }
        Ok(())
    }
}

fn print_row(event: &WebhookSummary) {
    let WebhookSummary { id, event_type, status, attempts, received_at, .. } = event;
    let about = event.object_id.as_deref().unwrap_or_default();
    println!("{id}\t{event_type}\t{status}\t{attempts}\t{received_at}\t{about}\t{}", event.error.as_deref().unwrap_or_default());
}
