//! Usage on its way to Stripe's billing meters.
//!
//! A customer's metric is one process' turn at a time. Its closed hours are compared with what Stripe counts of them (`domain::meter`), and
//! each part that follows from that is kept before Stripe is asked and after: whatever ends in between is taken up where it was, under the
//! same identifier.

mod deliver;
mod resend;

pub use resend::resend;

use super::{Error, Platform, Result, features, usage};
use crate::{
    config::Meters,
    domain::{
        meter::{Counted, Excess, Hours, Part, Periods, Plan, Status, closed_until, closes_at, identifier, is_remembered, look_back, plan},
        period::hour_of,
        subscription::{Subscription, boundaries},
    },
    store::postgres::{
        audit::{self, Entry},
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

/// How long a turn lasts unless it is held on to: longer than all that is asked of Stripe in between.
const TURN: Duration = Duration::minutes(10);
/// Customers' metrics at a time, each with at most one call in flight.
const AT_A_TIME: usize = 4;
/// Turns taken in one run, so that the job says now and then that it lives.
const MOST_TURNS: usize = 500;
/// Looks at one customer's metric within a turn: what is taken back makes another necessary, what is found out too.
const MOST_LOOKS: usize = 20;
/// After an error of our own.
const PAUSE: Duration = Duration::minutes(5);

/// Tells Stripe of the hours that have closed, and takes up what was interrupted. How many customers' metrics were looked at; nothing unless
/// `[meters]` is on and Stripe is connected.
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
        // The others would meet the same; they are due, and wait for the next run.
        if away.contains(&true) {
            break;
        }
    }
    let now = platform.clock.now();
    let behind = store::behind_since(&platform.db, now).await?.map_or(Duration::ZERO, |since| now - since);
    metrics::gauge!(telemetry::USAGE_METER_LAG_HOURS).set(behind.as_seconds_f64() / 3600.0);
    Ok(turns)
}

/// One process' turn at a customer's metric.
struct Turn<'a> {
    platform: &'a Platform,
    settings: &'a Meters,
    stripe: &'a Client,
    claim: Claim,
}

/// How a turn ended.
enum End {
    /// Everything is at Stripe that can be.
    Done,
    /// Something waits for its next try, because Stripe is away or else.
    Waits { until: OffsetDateTime, behind_since: OffsetDateTime, away: bool },
    /// Somebody else has the turn.
    Lost,
}

/// What is told besides the change itself.
type Notice = (&'static str, Value);

impl Turn<'_> {
    /// Whether Stripe is away. An error of our own is logged: the others are not to wait for what is wrong with one.
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
                tracing::error!(customer = %self.claim.customer, metric = %self.claim.metric, %error, "usage can't go to Stripe");
                (now + PAUSE, None)
            }
        };
        if let Err(error) = store::release(&self.platform.db, &self.claim, next, behind_since).await {
            tracing::error!(customer = %self.claim.customer, %error, "a turn at a meter ends by itself");
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
            // What lacks then is seen at the next look.
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
        Err(Error::Internal(anyhow::anyhow!("{customer} {metric}: no end after {MOST_LOOKS} looks")))
    }

    /// The closed hours since, with what Stripe counts of them.
    async fn hours(&self, rows: &[Row], from: OffsetDateTime, now: OffsetDateTime) -> Result<Hours> {
        let Claim { customer, metric, .. } = self.claim;
        // What was sent already stays closed, should the grace become longer.
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

    /// Keeps what can't be put right at Stripe: what came too late for it, and what is too much there. False when the turn is lost.
    async fn note(&self, plan: &Plan, subscriptions: &[Subscription], from: OffsetDateTime, now: OffsetDateTime) -> Result<bool> {
        let Claim { customer, metric, .. } = self.claim;
        let mut known = store::excess(&self.platform.db, customer, metric, subscriptions.start_of(from)).await?;
        let mut changes: Vec<(OffsetDateTime, Excess)> = Vec::new();
        for (period, excess) in &plan.excess {
            // What is about to be taken back is not too much yet.
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
            tracing::warn!(%customer, %metric, excess, carried, "Stripe counts too much and does not take it back");
            self.tell(&mut tx, ("usage.meter_excess", data)).await?;
        }
        for part in &plan.expired {
            let row = Row { error: Some("it came too late for Stripe's 35 days".into()), ..self.row(part, Status::Expired, now) };
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

    /// Keeps a part as it is, and the turn; false when that is lost, upon which nothing has changed.
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
        let entry = Entry { event_type, actor: "system", customer, data: data.clone(), ip_address: None, user_agent: None };
        audit::record(conn, entry).await?;
        Ok(outbox::publish(conn, event_type, customer, data).await?)
    }
}

/// The parts to take back, in the plan's order.
fn cancelling(plan: &Plan, rows: &[Row], now: OffsetDateTime) -> Vec<Row> {
    let find =
        |hour: OffsetDateTime, revision: u32| rows.iter().find(|row| row.hour == hour && u32::try_from(row.revision) == Ok(revision));
    let found = plan.cancels.iter().filter_map(|(hour, revision)| find(*hour, *revision));
    found.map(|row| Row { status: Status::Cancelling, attempts: 0, next_attempt_at: now, error: None, ..row.clone() }).collect()
}

/// After a try of this part that came to nothing.
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
