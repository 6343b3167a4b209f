//! Stripe's usage alerts.

use super::{Moment, owned, required_id};
use crate::{
    domain::mirror::snapshot::{AlertSnapshot, Change, Snapshot},
    stripe::webhook::field::{Field, Read},
};

/// An alert event always means triggered.
const RANK: i16 = 1;

pub(super) fn read(triggered: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let (alert, customer) = (triggered.get("alert"), required_id(triggered, "customer")?);
    let alert_id = alert.need(alert.id()?)?.to_owned();
    let threshold = alert.get("usage_threshold");
    // Newer API versions send decimal text, because a meter may sum fractions; whole units are
    // precise enough here.
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
    // Within a period usage only increases.
    let progress = snapshot.value;
    Ok(moment.change(Snapshot::Alert(snapshot), true, RANK, progress))
}
