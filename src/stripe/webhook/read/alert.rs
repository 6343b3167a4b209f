//! Stripe's own usage alerts.

use super::{Moment, owned, required_id};
use crate::{
    domain::mirror::snapshot::{AlertSnapshot, Change, Snapshot},
    stripe::webhook::field::{Field, Read},
};

/// Triggered is all that an alert can be.
const RANK: i16 = 1;

pub(super) fn read(triggered: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let (alert, customer) = (triggered.get("alert"), required_id(triggered, "customer")?);
    let alert_id = alert.need(alert.id()?)?.to_owned();
    let threshold = alert.get("usage_threshold");
    // Decimal text in newer API versions, since a meter may sum fractions: a whole unit is fine enough for an alert.
    let value = triggered.get("value");
    let snapshot = AlertSnapshot {
        id: format!("{alert_id}/{customer}"),
        customer,
        alert: alert_id,
        title: owned(&alert.get("title"))?,
        meter_event_name: owned(&threshold.get("meter").get("event_name"))?,
        threshold: threshold.get("gte").whole_part()?,
        value: value.need(value.whole_part()?)?,
        triggered_at: triggered.get("created").time()?.unwrap_or(moment.created),
    };
    // Usage within a period only grows.
    let progress = snapshot.value;
    Ok(moment.change(Snapshot::Alert(snapshot), true, RANK, progress))
}
