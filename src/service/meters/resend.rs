//! Sends usage that a reconciliation found missing at Stripe.

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

/// How long accepted usage may be missing from Stripe's totals. Sending it again sooner could bill
/// it twice.
const COUNTED_WITHIN: Duration = Duration::hours(1);

/// Sends Stripe the missing usage of a customer's metric in the hours of `[start, end)`: what was
/// never sent, and what was sent but is not counted. Stripe's totals follow within minutes. The
/// inner error says why usage is still missing.
///
/// # Errors
/// Stripe or the database is unavailable; what was sent is stored.
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
        return Ok(Err("no usage is sent to Stripe while [meters] is off".into()));
    }
    let now = platform.clock.now();
    store::add(&platform.db, now).await?;
    let Some(claim) = store::claim_one(&platform.db, customer, metric, now, now + TURN).await? else {
        return Ok(Err("usage of this metric is being sent: retry in some minutes".into()));
    };
    let turn = Turn { platform, settings, stripe, claim };
    let ended = turn.send_what_lacks(start, end).await;
    turn.give_up(&ended).await;
    match ended? {
        End::Done => turn.agrees(start, end, now).await,
        End::Lost => Ok(Err("another process is sending this metric: retry in some minutes".into())),
        End::Waits { until, .. } => Ok(Err(format!("Stripe has not accepted it; the next attempt is at {}", rfc3339(until)))),
    }
}

impl Turn<'_> {
    /// First by our own records, then by Stripe's.
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

    /// Marks revisions that Stripe does not count as lost, so that they are sent again; returns how
    /// many. None if the claim is lost.
    async fn strike_out(&self, start: OffsetDateTime, end: OffsetDateTime) -> Result<Option<usize>> {
        let now = self.platform.clock.now();
        let rows = store::rows(&self.platform.db, self.claim.customer, self.claim.metric, hour_of(start)).await?;
        let mut hours: BTreeMap<OffsetDateTime, Vec<Row>> = BTreeMap::new();
        // Stripe's totals are per whole hour, and a period may contain part of one.
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
        // Usage that is too old is no longer accepted.
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
                let error = Some("Stripe accepted it and does not count it".to_owned());
                let row = Row { status: Status::Cancelled, cancelled_at: Some(now), error, ..parts[at].clone() };
                if !self.keep(&row, Some(("usage.meter_lost", data))).await? {
                    return Ok(None);
                }
                struck += 1;
            }
        }
        Ok(Some(struck))
    }

    /// Checks whether Stripe counts the usage, apart from what was sent since `now`, which may not
    /// be visible yet.
    async fn agrees(&self, start: OffsetDateTime, end: OffsetDateTime, now: OffsetDateTime) -> Result<std::result::Result<(), String>> {
        let Self { platform, claim, .. } = self;
        let used: u64 = store::used(&platform.db, claim.customer, claim.metric, start, end).await?.iter().map(|(_, units)| units).sum();
        let rows = store::rows(&platform.db, claim.customer, claim.metric, start).await?;
        let (mut sent, mut fresh) = (0, 0);
        for row in rows.iter().filter(|row| row.hour >= start && row.hour < end && matches!(row.status, Status::Sent | Status::Unclear)) {
            sent += units(row.quantity);
            fresh += if row.sent_at.is_some_and(|at| at >= now) { units(row.quantity) } else { 0 };
        }
        if sent != used {
            let why = "usage older than 35 days and excess usage need a manual correction";
            return Ok(Err(format!("{sent} of {used} were sent to Stripe: {why}")));
        }
        let counted = self.stripe.metered(self.settings.event_name(claim.metric), &claim.stripe_customer_id, start, end).await?;
        Ok(if counted > used {
            // Usage from another sender can't be cancelled.
            Err(format!("Stripe counts {} more than this platform sent", counted - used))
        } else if counted + fresh < used {
            Err("Stripe accepted it and does not count it: it is sent again if that persists for an hour".into())
        } else {
            Ok(())
        })
    }
}
