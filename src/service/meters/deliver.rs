//! Sends or cancels one revision of an hour, and stores its state.

use super::{Notice, Turn, count, rfc3339, units};
use crate::{
    domain::{
        meter::{Retry, Status, Verdict, is_open, pause, retry, verdict},
        period::hour_of,
    },
    service::Result,
    store::postgres::meters::Row,
    stripe::client::{MeterEvent, StripeError},
};
use serde_json::json;
use time::{Duration, OffsetDateTime};

/// Maximum delays: short after an outage, long after a refusal, until its cause is fixed.
const OUTAGE: Duration = Duration::minutes(10);
const REFUSAL: Duration = Duration::hours(6);

/// The result for a revision.
pub enum Delivered {
    /// It is finished.
    Settled,
    /// It is retried later.
    Waits(Row),
    /// Another worker has claimed it.
    Lost,
}

impl Turn<'_> {
    /// Stores a revision, calls Stripe, and stores the result. `rows`: the other revisions.
    pub(super) async fn deliver(&self, mut row: Row, rows: &[Row]) -> Result<Delivered> {
        // The cause of an earlier refusal may have been fixed.
        let refused = row.status == Status::Failed;
        if refused {
            row.event_name = self.settings.event_name(self.claim.metric).to_owned();
            row.stripe_customer_id.clone_from(&self.claim.stripe_customer_id);
            row.status = Status::Sending;
        }
        if !self.keep(&row, None).await? {
            return Ok(Delivered::Lost);
        }
        let row = if row.status == Status::Cancelling {
            self.cancel(row, rows).await
        } else {
            match self.send(row, refused, rows).await? {
                Some(row) => row,
                None => return Ok(Delivered::Lost),
            }
        };
        let (notice, status) = (self.notice(&row, refused), row.status);
        if !self.keep(&row, notice).await? {
            return Ok(Delivered::Lost);
        }
        if status != Status::Sending && status != Status::Cancelling {
            count(status, 1);
        }
        Ok(if status.is_in_flight() { Delivered::Waits(row) } else { Delivered::Settled })
    }

    /// None if the claim is lost. `refused`: Stripe's last response was a refusal.
    async fn send(&self, mut row: Row, refused: bool, rows: &[Row]) -> Result<Option<Row>> {
        let now = self.platform.clock.now();
        if retry(row.hour, row.first_tried_at, now) == Retry::Look {
            match self.look(&row, rows).await {
                Ok(Verdict::There) => return Ok(Some(sent(row, self.platform.clock.now()))),
                Ok(Verdict::Unclear) => return Ok(Some(unclear(row, "Stripe's total of this hour is unexpected"))),
                Ok(Verdict::Missing) if is_open(row.hour, now) => {
                    // Its identifier can be used as if it were new.
                    row.first_tried_at = now;
                    if !self.keep(&row, None).await? {
                        return Ok(None);
                    }
                }
                Ok(Verdict::Missing) => return Ok(Some(expired(row))),
                Err(error) if !is_refusal(&error) => return Ok(Some(self.later(row, &error))),
                Err(error) if is_open(row.hour, now) => return Ok(Some(self.failed(row, &error))),
                Err(_) if refused => return Ok(Some(expired(row))),
                Err(error) => return Ok(Some(unclear(row, &error.to_string()))),
            }
        }
        let event = MeterEvent {
            event_name: &row.event_name,
            stripe_customer_id: &row.stripe_customer_id,
            value: row.quantity,
            timestamp: row.hour,
            identifier: &row.identifier,
        };
        Ok(Some(match self.stripe.meter_event(&event, row.attempts).await {
            Ok(()) => sent(row, self.platform.clock.now()),
            Err(error) if is_refusal(&error) => self.failed(row, &error),
            Err(error) => self.later(row, &error),
        }))
    }

    async fn cancel(&self, row: Row, rows: &[Row]) -> Row {
        let error = match self.stripe.cancel_meter_event(&row.event_name, &row.identifier, row.attempts).await {
            Ok(()) => return cancelled(row, self.platform.clock.now()),
            Err(error) if !is_refusal(&error) => return self.later(row, &error),
            Err(error) => error,
        };
        // Refused because it is too late, or because an earlier attempt succeeded.
        match self.look(&row, rows).await {
            Ok(Verdict::Missing) => cancelled(row, self.platform.clock.now()),
            Ok(Verdict::Unclear) => unclear(row, &error.to_string()),
            Err(later) if !is_refusal(&later) => self.later(row, &later),
            Ok(Verdict::There) | Err(_) => Row { status: Status::Sent, kept: true, attempts: 0, error: Some(error.to_string()), ..row },
        }
    }

    /// Whether Stripe counts a revision, judged by its total of the hour.
    async fn look(&self, row: &Row, rows: &[Row]) -> std::result::Result<Verdict, StripeError> {
        let hour = hour_of(row.hour);
        let counted = self.stripe.metered(&row.event_name, &row.stripe_customer_id, hour, hour + Duration::HOUR).await?;
        let same = |other: &&Row| {
            hour_of(other.hour) == hour
                && (other.hour, other.revision) != (row.hour, row.revision)
                && matches!(other.status, Status::Sent | Status::Unclear)
                && (&other.event_name, &other.stripe_customer_id) == (&row.event_name, &row.stripe_customer_id)
        };
        let others = rows.iter().filter(same).map(|other| units(other.quantity)).sum();
        Ok(verdict(counted, others, units(row.quantity)))
    }

    /// No response: it is retried unchanged.
    fn later(&self, row: Row, error: &StripeError) -> Row {
        self.again(row, error, OUTAGE)
    }

    fn again(&self, mut row: Row, error: &StripeError, longest: Duration) -> Row {
        row.attempts = row.attempts.saturating_add(1);
        row.next_attempt_at = self.platform.clock.now() + pause(row.attempts.unsigned_abs(), longest);
        row.error = Some(error.to_string());
        row
    }

    /// Refused: it is retried, because the cause may be fixed.
    fn failed(&self, row: Row, error: &StripeError) -> Row {
        Row { status: Status::Failed, ..self.again(row, error, REFUSAL) }
    }

    /// Logs what staff should know. A refusal is logged when it is new, not at every attempt.
    fn notice(&self, row: &Row, refused: bool) -> Option<Notice> {
        let event_type = match row.status {
            Status::Failed if !refused => "usage.meter_failed",
            Status::Cancelled => "usage.meter_cancelled",
            Status::Expired => "usage.meter_expired",
            Status::Unclear => "usage.meter_unclear",
            _ => return None,
        };
        let data = json!({"metric": self.claim.metric, "hour": rfc3339(row.hour), "revision": row.revision, "identifier": row.identifier,
            "quantity": row.quantity, "reason": row.error});
        if row.status != Status::Cancelled {
            tracing::warn!(customer = %self.claim.customer, metric = %self.claim.metric, identifier = row.identifier, status = row.status.as_str(),
                reason = row.error, "usage at Stripe is not correct");
        }
        Some((event_type, data))
    }
}

/// Stripe refuses this revision, rather than any request at this time or with this key.
const fn is_refusal(error: &StripeError) -> bool {
    matches!(error, StripeError::Rejected { status, .. } if !matches!(status, 401 | 403 | 409))
}

fn sent(row: Row, at: OffsetDateTime) -> Row {
    Row { status: Status::Sent, sent_at: Some(at), attempts: 0, error: None, ..row }
}

fn cancelled(row: Row, at: OffsetDateTime) -> Row {
    Row { status: Status::Cancelled, cancelled_at: Some(at), attempts: 0, error: None, ..row }
}

fn expired(row: Row) -> Row {
    let why = row.error.as_deref().unwrap_or("it was not accepted");
    let error = Some(format!("too late for Stripe's 35 days: {why}"));
    Row { status: Status::Expired, error, ..row }
}

fn unclear(row: Row, why: &str) -> Row {
    Row { status: Status::Unclear, error: Some(why.to_owned()), ..row }
}
