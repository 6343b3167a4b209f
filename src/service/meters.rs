//! Sends usage to Stripe's billing meters.
//!
//! A worker claims a customer's metric. Its closed hours are compared with what Stripe counts
//! (`domain::meter`), and each resulting revision is stored before and after the call to Stripe:
//! after a crash it is resumed with the same identifier.

mod deliver;
mod resend;

pub use resend::resend;

use super::{Error, Platform, Result, actor::system_entry, features, usage};
use crate::{
    config::Meters,
    domain::{
        meter::{Counted, Excess, Hours, Part, Periods, Plan, Status, closed_until, closes_at, identifier, is_remembered, look_back, plan},
        period::hour_of,
        subscription::{Subscription, boundaries},
    },
    store::postgres::{
        audit,
        meters::{self as store, Claim, Row},
        outbox,
    },
    stripe::client::Client,
    telemetry,
};
use deliver::Delivered;
use serde_json::{Value, json};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

/// How long a claim lasts without an extension: longer than all calls in between.
const TURN: Duration = Duration::minutes(10);
/// Customers' metrics processed concurrently, each with at most one call in flight.
const AT_A_TIME: usize = 4;
/// Claims per run, so that the job's heartbeat is not delayed.
const MOST_TURNS: usize = 500;
/// Comparisons within a claim: a cancellation makes another one necessary, and so does a new
/// finding.
const MOST_LOOKS: usize = 20;
/// Delay after an internal error.
const PAUSE: Duration = Duration::minutes(5);

/// Sends the usage of closed hours to Stripe, and resumes interrupted calls. Returns how many
/// customers' metrics were processed; does nothing unless `[meters]` is on and a Stripe key is set.
pub async fn run(platform: &Platform) -> Result<usize> {
    let settings = &platform.config.file.meters;
    let Some(stripe) = platform.stripe.as_ref().filter(|_| settings.enabled && features::current(platform).billing_enabled) else {
        return Ok(0);
    };
    store::add(&platform.db, platform.clock.now()).await?;
    let mut turns = 0;
    while turns < MOST_TURNS {
        let now = platform.clock.now();
        let claims = store::claim(&platform.db, now, now + TURN, AT_A_TIME as i64).await?;
        if claims.is_empty() {
            break;
        }
        turns += claims.len();
        let work = |claim| Turn { platform, settings, stripe, claim }.take();
        let away = futures::future::join_all(claims.into_iter().map(work)).await;
        // The others would fail too; they stay due for the next run.
        if away.contains(&true) {
            break;
        }
    }
    let now = platform.clock.now();
    let behind = store::behind_since(&platform.db, now).await?.map_or(Duration::ZERO, |since| now - since);
    metrics::gauge!(telemetry::USAGE_METER_LAG_HOURS).set(behind.as_seconds_f64() / 3600.0);
    Ok(turns)
}

/// A worker's claim of a customer's metric.
struct Turn<'a> {
    platform: &'a Platform,
    settings: &'a Meters,
    stripe: &'a Client,
    claim: Claim,
}

/// How the processing of a claim ended.
enum End {
    /// All usage that can be sent is sent.
    Done,
    /// A retry is due later, because Stripe is unavailable or refused a call.
    Waits { until: OffsetDateTime, behind_since: OffsetDateTime, away: bool },
    /// Another worker has claimed it.
    Lost,
}

/// Details of a change for the audit log.
type Notice = (&'static str, Value);

impl Turn<'_> {
    /// Returns whether Stripe is unavailable. An internal error is logged and doesn't block the
    /// others.
    async fn take(self) -> bool {
        let end = self.work().await;
        self.give_up(&end).await
    }

    async fn give_up(&self, end: &Result<End>) -> bool {
        let now = self.platform.clock.now();
        let (next, behind_since) = match end {
            Ok(End::Lost) => return false,
            Ok(End::Done) => (closes_at(closed_until(now, self.settings.grace()), self.settings.grace()), None),
            Ok(End::Waits { until, behind_since, .. }) => (*until, Some(*behind_since)),
            Err(error) => {
                tracing::error!(customer = %self.claim.customer, metric = %self.claim.metric, %error, "usage can't be sent to Stripe");
                (now + PAUSE, None)
            }
        };
        if let Err(error) = store::release(&self.platform.db, &self.claim, next, behind_since).await {
            tracing::error!(customer = %self.claim.customer, %error, "the claim of a meter expires");
        }
        matches!(end, Ok(End::Waits { away: true, .. }))
    }

    async fn work(&self) -> Result<End> {
        let Claim { customer, metric, .. } = self.claim;
        let subscriptions = usage::subscriptions(self.platform, customer).await?;
        let subscriptions = subscriptions.as_slice();
        for _ in 0..MOST_LOOKS {
            let now = self.platform.clock.now();
            let from = look_back(subscriptions, now, self.settings.since);
            self.platform.usage.split(customer, &boundaries(subscriptions, from, now)).await?;
            let mut rows = store::rows(&self.platform.db, customer, metric, from).await?;
            if let Some(at) = rows.iter().position(|row| row.status.is_in_flight()) {
                let head = rows.swap_remove(at);
                if head.next_attempt_at > now {
                    return Ok(End::Waits { until: head.next_attempt_at, behind_since: head.hour, away: false });
                }
                match self.deliver(head, &rows).await? {
                    Delivered::Settled => continue,
                    Delivered::Waits(head) => return Ok(waits(&head)),
                    Delivered::Lost => return Ok(End::Lost),
                }
            }
            let hours = self.hours(&rows, from, now).await?;
            let plan = plan(&hours, subscriptions, now);
            if !self.note(&plan, subscriptions, from, now).await? {
                return Ok(End::Lost);
            }
            // The next comparison finds what is missing then.
            let again = !plan.cancels.is_empty();
            let parts: Vec<Row> = if again { cancelling(&plan, &rows, now) } else { self.sending(&plan.sends, now) };
            for part in parts {
                match self.deliver(part, &rows).await? {
                    Delivered::Settled => {}
                    Delivered::Waits(part) => return Ok(waits(&part)),
                    Delivered::Lost => return Ok(End::Lost),
                }
            }
            if !again {
                return Ok(End::Done);
            }
        }
        Err(Error::Internal(anyhow::anyhow!("{customer} {metric}: unfinished after {MOST_LOOKS} comparisons")))
    }

    /// The closed hours since then, with what Stripe counts.
    async fn hours(&self, rows: &[Row], from: OffsetDateTime, now: OffsetDateTime) -> Result<Hours> {
        let Claim { customer, metric, .. } = self.claim;
        // Already sent hours stay closed, even if the grace period becomes longer.
        let sent_until = rows.last().map_or(from, |row| hour_of(row.hour) + Duration::HOUR);
        let until = closed_until(now, self.settings.grace()).max(sent_until);
        let mut hours = Hours::new();
        for (start, used) in store::used(&self.platform.db, customer, metric, from, until).await? {
            hours.entry(start).or_default().truth = used;
        }
        for row in rows {
            let hour = hours.entry(row.hour).or_default();
            let (revision, quantity) = (u32::try_from(row.revision).unwrap_or(0), units(row.quantity));
            hour.last_revision = hour.last_revision.max(revision);
            match row.status {
                Status::Cancelled => {}
                Status::Expired => hour.expired += quantity,
                _ => {
                    let can_cancel = row.status == Status::Sent && !row.kept && is_remembered(row.first_tried_at, now);
                    hour.counted.push(Counted { revision, quantity, can_cancel });
                }
            }
        }
        Ok(hours)
    }

    fn sending(&self, parts: &[Part], now: OffsetDateTime) -> Vec<Row> {
        parts.iter().map(|part| self.row(part, Status::Sending, now)).collect()
    }

    fn row(&self, part: &Part, status: Status, now: OffsetDateTime) -> Row {
        let Claim { customer, metric, .. } = self.claim;
        Row {
            hour: part.hour,
            revision: i32::try_from(part.revision).unwrap_or(i32::MAX),
            identifier: identifier(customer, metric, part.hour, part.revision),
            event_name: self.settings.event_name(metric).to_owned(),
            stripe_customer_id: self.claim.stripe_customer_id.clone(),
            quantity: i64::try_from(part.quantity).unwrap_or(i64::MAX),
            status,
            kept: false,
            attempts: 0,
            next_attempt_at: now,
            first_tried_at: now,
            sent_at: None,
            cancelled_at: None,
            error: None,
        }
    }

    /// Stores what can't be corrected at Stripe: late usage and excess. False if the claim is lost.
    async fn note(&self, plan: &Plan, subscriptions: &[Subscription], from: OffsetDateTime, now: OffsetDateTime) -> Result<bool> {
        let Claim { customer, metric, .. } = self.claim;
        let mut known = store::excess(&self.platform.db, customer, metric, subscriptions.start_of(from)).await?;
        let mut changes: Vec<(OffsetDateTime, Excess)> = Vec::new();
        for (period, excess) in &plan.excess {
            // Revisions about to be cancelled are not excess yet.
            if known.remove(period) != Some(*excess) {
                changes.push((*period, *excess));
            }
        }
        changes.extend(known.into_iter().filter(|(_, excess)| *excess != Excess::default()).map(|(period, _)| (period, Excess::default())));
        if !plan.cancels.is_empty() || (changes.is_empty() && plan.expired.is_empty()) {
            return Ok(true);
        }
        let mut tx = self.platform.db.begin().await?;
        if !store::hold(&mut tx, &self.claim, now + TURN).await? {
            return Ok(false);
        }
        for (period, excess) in changes {
            store::put_excess(&mut tx, customer, metric, period, excess, now).await?;
            let Excess { excess, carried } = excess;
            let data =
                json!({"metric": metric, "period_start": rfc3339(period), "excess": excess, "carried": carried, "owed": excess - carried});
            tracing::warn!(%customer, %metric, excess, carried, "Stripe counts excess usage that can't be cancelled");
            self.tell(&mut tx, ("usage.meter_excess", data)).await?;
        }
        for part in &plan.expired {
            let row = Row { error: Some("it arrived after Stripe's 35 days".into()), ..self.row(part, Status::Expired, now) };
            store::put(&mut tx, customer, metric, &row).await?;
        }
        if let (Some(first), Some(last)) = (plan.expired.first(), plan.expired.last()) {
            let quantity: u64 = plan.expired.iter().map(|part| part.quantity).sum();
            tracing::warn!(%customer, %metric, hours = plan.expired.len(), quantity, "usage is older than Stripe's 35 days and is not sent");
            let data = json!({"metric": metric, "hours": plan.expired.len(), "quantity": quantity,
                "first_hour": rfc3339(first.hour), "last_hour": rfc3339(last.hour)});
            self.tell(&mut tx, ("usage.meter_expired", data)).await?;
        }
        tx.commit().await?;
        count(Status::Expired, plan.expired.len());
        Ok(true)
    }

    /// Stores a revision and extends the claim; false if the claim is lost, which changes nothing.
    async fn keep(&self, row: &Row, notice: Option<Notice>) -> Result<bool> {
        let mut tx = self.platform.db.begin().await?;
        if !store::hold(&mut tx, &self.claim, self.platform.clock.now() + TURN).await? {
            return Ok(false);
        }
        store::put(&mut tx, self.claim.customer, self.claim.metric, row).await?;
        if let Some(notice) = notice {
            self.tell(&mut tx, notice).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn tell(&self, conn: &mut PgConnection, (event_type, data): Notice) -> Result<()> {
        let customer = Some(self.claim.customer);
        audit::record(conn, system_entry(event_type, customer, data.clone())).await?;
        Ok(outbox::publish(conn, event_type, customer, data).await?)
    }
}

/// The revisions to cancel, in the plan's order.
fn cancelling(plan: &Plan, rows: &[Row], now: OffsetDateTime) -> Vec<Row> {
    let find =
        |hour: OffsetDateTime, revision: u32| rows.iter().find(|row| row.hour == hour && u32::try_from(row.revision) == Ok(revision));
    let found = plan.cancels.iter().filter_map(|(hour, revision)| find(*hour, *revision));
    found.map(|row| Row { status: Status::Cancelling, attempts: 0, next_attempt_at: now, error: None, ..row.clone() }).collect()
}

/// After a failed attempt of this revision.
fn waits(row: &Row) -> End {
    End::Waits { until: row.next_attempt_at, behind_since: row.hour, away: row.status != Status::Failed }
}

fn units(quantity: i64) -> u64 {
    u64::try_from(quantity).unwrap_or(0)
}

fn rfc3339(at: OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

fn count(result: Status, parts: usize) {
    metrics::counter!(telemetry::USAGE_METER_EVENTS, "result" => result.as_str()).increment(parts as u64);
}
