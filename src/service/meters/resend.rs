//! Usage that Stripe should count and does not: what a reconciliation has found, put right through the meters.

use super::{End, TURN, Turn, rfc3339, units};
use crate::{
    domain::{
        identity::CustomerId,
        meter::{Status, is_open, lost},
        metric::Metric,
        period::hour_of,
    },
    service::{Platform, Result},
    store::postgres::meters::{self as store, Row},
};
use serde_json::json;
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// How long what Stripe has taken may be missing from its sums. Whoever sends again sooner may have it billed twice.
const COUNTED_WITHIN: Duration = Duration::hours(1);

/// Tells Stripe of what it lacks of a customer's metric in the hours of `[start, end)`: what was never sent, and what was sent and is not
/// counted. The sums that it shows follow within minutes. The inner error says why that is not all of it.
///
/// # Errors
/// Stripe or the database is away; what was sent until then is kept.
pub async fn resend(
    platform: &Platform,
    customer: CustomerId,
    metric: Metric,
    start: OffsetDateTime,
    end: OffsetDateTime,
) -> Result<std::result::Result<(), String>> {
    let settings = &platform.config.file.meters;
    let stripe = platform.stripe()?;
    if !settings.enabled {
        return Ok(Err("Stripe is told of no usage while [meters] is off".into()));
    }
    let now = platform.clock.now();
    store::add(&platform.db, now).await?;
    let Some(claim) = store::claim_one(&platform.db, customer, metric, now, now + TURN).await? else {
        return Ok(Err("usage of this metric is on its way just now: try again in some minutes".into()));
    };
    let turn = Turn { platform, settings, stripe, claim };
    let ended = turn.send_what_lacks(start, end).await;
    turn.give_up(&ended).await;
    match ended? {
        End::Done => turn.agrees(start, end, now).await,
        End::Lost => Ok(Err("another process has taken this metric over: try again in some minutes".into())),
        End::Waits { until, .. } => Ok(Err(format!("Stripe has not taken it, and is asked again at {}", rfc3339(until)))),
    }
}

impl Turn<'_> {
    /// By our own books first, then by Stripe's.
    async fn send_what_lacks(&self, start: OffsetDateTime, end: OffsetDateTime) -> Result<End> {
        match self.work().await? {
            End::Done => {}
            other => return Ok(other),
        }
        match self.strike_out(start, end).await? {
            None => Ok(End::Lost),
            Some(0) => Ok(End::Done),
            Some(_) => self.work().await,
        }
    }

    /// Takes what Stripe does not count off our books, so that it is sent anew; how many parts that were. None when the turn is lost.
    async fn strike_out(&self, start: OffsetDateTime, end: OffsetDateTime) -> Result<Option<usize>> {
        let now = self.platform.clock.now();
        let rows = store::rows(&self.platform.db, self.claim.customer, self.claim.metric, hour_of(start)).await?;
        let mut hours: BTreeMap<OffsetDateTime, Vec<Row>> = BTreeMap::new();
        // Stripe's sums are by whole hours, of which a period may have a part.
        let (start, end) = (hour_of(start), hour_of(end + Duration::HOUR - Duration::NANOSECOND));
        for row in rows.into_iter().filter(|row| row.hour >= start && row.hour < end && row.status != Status::Cancelled) {
            hours.entry(hour_of(row.hour)).or_default().push(row);
        }
        let event_name = self.settings.event_name(self.claim.metric);
        let settled = |row: &Row| {
            row.status == Status::Sent
                && row.sent_at.is_some_and(|at| at <= now - COUNTED_WITHIN)
                && (row.event_name.as_str(), &row.stripe_customer_id) == (event_name, &self.claim.stripe_customer_id)
        };
        // What is too old is not taken any more.
        hours.retain(|hour, parts| is_open(*hour, now) && parts.iter().all(settled));
        if hours.is_empty() {
            return Ok(Some(0));
        }
        let counted = self.stripe.metered_by_hour(event_name, &self.claim.stripe_customer_id, start, end).await?;
        let mut struck = 0;
        for (hour, parts) in hours {
            let quantities: Vec<u64> = parts.iter().map(|part| units(part.quantity)).collect();
            let counted = counted.get(&hour).copied().unwrap_or(0);
            for at in lost(&quantities, counted) {
                let data = json!({"metric": self.claim.metric, "hour": rfc3339(hour), "identifier": parts[at].identifier,
                    "quantity": parts[at].quantity, "counted": counted});
                let error = Some("Stripe has taken it and does not count it".to_owned());
                let row = Row { status: Status::Cancelled, cancelled_at: Some(now), error, ..parts[at].clone() };
                if !self.keep(&row, Some(("usage.meter_lost", data))).await? {
                    return Ok(None);
                }
                struck += 1;
            }
        }
        Ok(Some(struck))
    }

    /// Whether Stripe counts what was used, but for what it was told since `now`, which may not show yet.
    async fn agrees(&self, start: OffsetDateTime, end: OffsetDateTime, now: OffsetDateTime) -> Result<std::result::Result<(), String>> {
        let Self { platform, claim, .. } = self;
        let used: u64 = store::used(&platform.db, claim.customer, claim.metric, start, end).await?.iter().map(|(_, units)| units).sum();
        let rows = store::rows(&platform.db, claim.customer, claim.metric, start).await?;
        let (mut told, mut fresh) = (0, 0);
        for row in rows.iter().filter(|row| row.hour >= start && row.hour < end && matches!(row.status, Status::Sent | Status::Unclear)) {
            told += units(row.quantity);
            fresh += if row.sent_at.is_some_and(|at| at >= now) { units(row.quantity) } else { 0 };
        }
        if told != used {
            let why = "what is older than 35 days, or was counted too much, is for a person to settle";
            return Ok(Err(format!("Stripe is told of {told} of {used}: {why}")));
        }
        let counted = self.stripe.metered(self.settings.event_name(claim.metric), &claim.stripe_customer_id, start, end).await?;
        Ok(if counted > used {
            // What is not of our making can't be taken back.
            Err(format!("Stripe counts {} more than it was told from here", counted - used))
        } else if counted + fresh < used {
            Err("Stripe has taken it and does not count it: it is sent anew if that is still so an hour after".into())
        } else {
            Ok(())
        })
    }
}
