//! Billing meters: reporting usage to Stripe, cancelling it, and asking what Stripe counts.
//!
//! Parameters have a fixed order: the same idempotency key requires the same body.

use super::{
    Answer, Caller, Client, Page, StripeError,
    page::LIMIT,
    request::{List, NoParameters, Request},
};
use crate::stripe::fetched::is_askable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stripe::IdempotencyKey;
use time::OffsetDateTime;

/// A customer's usage, with Stripe's event name and identifier.
#[derive(Clone, Copy, Debug)]
pub struct MeterEvent<'a> {
    pub event_name: &'a str,
    pub stripe_customer_id: &'a str,
    /// In the metric's own unit.
    pub value: i64,
    pub timestamp: OffsetDateTime,
    pub identifier: &'a str,
}

#[derive(Serialize)]
struct Payload<'a> {
    stripe_customer_id: &'a str,
    value: i64,
}

#[derive(Serialize)]
struct CreateEvent<'a> {
    event_name: &'a str,
    identifier: &'a str,
    payload: Payload<'a>,
    timestamp: i64,
}

#[derive(Serialize)]
struct Cancel<'a> {
    identifier: &'a str,
}

#[derive(Serialize)]
struct CreateAdjustment<'a> {
    cancel: Cancel<'a>,
    event_name: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct ListSummaries<'a> {
    customer: &'a str,
    end_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<i64>,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_grouping_window: Option<&'static str>,
}

impl<'a> ListSummaries<'a> {
    const fn whole(customer: &'a str, start_time: i64, end_time: i64) -> ListSummaries<'a> {
        ListSummaries { customer, end_time, limit: None, start_time, starting_after: None, value_grouping_window: None }
    }

    const fn by_hour(customer: &'a str, start_time: i64, end_time: i64, starting_after: Option<&'a str>) -> ListSummaries<'a> {
        let whole = ListSummaries::whole(customer, start_time, end_time);
        ListSummaries { limit: Some(LIMIT), starting_after, value_grouping_window: Some("hour"), ..whole }
    }

    fn of_meter(self, meter: &str) -> Request<ListSummaries<'a>> {
        Request::get(format!("/billing/meters/{meter}/event_summaries"), self)
    }
}

fn active_meters(after: Option<&str>) -> Request<List<'_>> {
    Request::get("/billing/meters", List { status: Some("active"), ..List::after(after) })
}

fn retrieve_meter(id: &str) -> Request<NoParameters> {
    Request::get(format!("/billing/meters/{id}"), NoParameters {})
}

#[derive(Deserialize)]
struct Meter {
    id: String,
    event_name: String,
}

#[derive(Deserialize)]
struct Summary {
    id: String,
    aggregated_value: f64,
    start_time: i64,
}

impl Summary {
    /// Integers are exact below 2^53.
    fn units(sum: f64) -> Result<u64, StripeError> {
        if sum >= 0.0 && sum.fract() == 0.0 && sum < 9_007_199_254_740_992.0 {
            Ok(sum as u64)
        } else {
            Err(StripeError::Unreadable(format!("{sum} is not a sum of quantities")))
        }
    }
}

#[derive(Deserialize)]
struct Price {
    recurring: Option<Recurring>,
}

#[derive(Deserialize)]
struct Recurring {
    meter: Option<String>,
}

impl Client {
    /// Sends usage. A known identifier was accepted before, which counts as success. `attempt` is
    /// part of the idempotency key, because Stripe repeats the response of a failed attempt.
    pub async fn meter_event(&self, event: &MeterEvent<'_>, attempt: i32) -> Result<(), StripeError> {
        let &MeterEvent { event_name, stripe_customer_id, value, timestamp, identifier } = event;
        let payload = Payload { stripe_customer_id, value };
        let event = CreateEvent { event_name, identifier, payload, timestamp: timestamp.unix_timestamp() };
        let request = Request::post("/billing/meter_events", event);
        let sent = self.post("meter_events.create", Caller::Job, &request, &key(identifier, attempt)?).await;
        match sent {
            Err(StripeError::Rejected { code, message, .. }) if is_known(code.as_deref(), &message, identifier) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Cancels usage, which Stripe allows for a day after its arrival.
    pub async fn cancel_meter_event(&self, event_name: &str, identifier: &str, attempt: i32) -> Result<(), StripeError> {
        let adjustment = CreateAdjustment { cancel: Cancel { identifier }, event_name, r#type: "cancel" };
        let request = Request::post("/billing/meter_event_adjustments", adjustment);
        let key = key(&format!("{identifier}-cancel"), attempt)?;
        self.post("meter_event_adjustments.create", Caller::Job, &request, &key).await.map(drop)
    }

    /// Stripe's total for a customer in `[start, end)`, both rounded down to the minute, because
    /// Stripe sums by whole minutes. Events of the first part of an hour in a period have the
    /// period's start as their timestamp.
    ///
    /// # Errors
    /// `Rejected`, also if no active meter has this event name.
    pub async fn metered(
        &self,
        event_name: &str,
        stripe_customer_id: &str,
        start: OffsetDateTime,
        end: OffsetDateTime,
    ) -> Result<u64, StripeError> {
        let meter = self.meter(event_name).await?;
        let minute = |at: OffsetDateTime| at.unix_timestamp() - at.unix_timestamp().rem_euclid(60);
        let (start, end) = (minute(start), minute(end));
        if start >= end {
            return Ok(0);
        }
        let request = ListSummaries::whole(stripe_customer_id, start, end).of_meter(&meter);
        let answer = self.get("meter_event_summaries.list", Caller::Job, &request).await?;
        let sums: Vec<Summary> = objects(&answer)?;
        Summary::units(sums.iter().map(|summary| summary.aggregated_value).sum())
    }

    /// The same by hour; hours without usage are left out.
    pub async fn metered_by_hour(
        &self,
        event_name: &str,
        stripe_customer_id: &str,
        start: OffsetDateTime,
        end: OffsetDateTime,
    ) -> Result<BTreeMap<OffsetDateTime, u64>, StripeError> {
        let meter = self.meter(event_name).await?;
        let (start, end) = (start.unix_timestamp(), end.unix_timestamp());
        let (mut hours, mut after) = (BTreeMap::new(), None::<String>);
        loop {
            let request = ListSummaries::by_hour(stripe_customer_id, start, end, after.as_deref()).of_meter(&meter);
            let answer = self.get("meter_event_summaries.list", Caller::Job, &request).await?;
            let more = Page::read(&answer)?.has_more;
            let sums: Vec<Summary> = objects(&answer)?;
            for sum in &sums {
                let hour =
                    OffsetDateTime::from_unix_timestamp(sum.start_time).map_err(|error| StripeError::Unreadable(error.to_string()))?;
                hours.insert(hour, Summary::units(sum.aggregated_value)?);
            }
            let last = sums.last().map(|sum| sum.id.clone());
            if !more || last.is_none() || last == after {
                return Ok(hours);
            }
            after = last;
        }
    }

    /// The event name of the meter whose usage a price bills; None if it bills none or doesn't
    /// exist.
    pub async fn metered_by(&self, price: &str) -> Result<Option<String>, StripeError> {
        if !is_askable(price) {
            return Ok(None);
        }
        let found: Price = match self.get("prices.retrieve", Caller::Job, &Request::get(format!("/prices/{price}"), NoParameters {})).await
        {
            Ok(answer) => answer.read()?,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(meter) = found.recurring.and_then(|recurring| recurring.meter) else { return Ok(None) };
        let answer = self.get("meters.retrieve", Caller::Job, &retrieve_meter(&meter)).await?;
        answer.read::<Meter>().map(|meter| Some(meter.event_name))
    }

    async fn meter(&self, event_name: &str) -> Result<String, StripeError> {
        let mut after: Option<String> = None;
        loop {
            let answer = self.get("meters.list", Caller::Job, &active_meters(after.as_deref())).await?;
            let more = Page::read(&answer)?.has_more;
            let mut meters: Vec<Meter> = objects(&answer)?;
            if let Some(meter) = meters.iter().find(|meter| meter.event_name == event_name) {
                return Ok(meter.id.clone());
            }
            after = meters.pop().map(|meter| meter.id);
            if !more || after.is_none() {
                return Err(StripeError::Rejected {
                    status: 404,
                    code: None,
                    message: format!("no active meter has the event name {event_name}"),
                });
            }
        }
    }
}

fn objects<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<Vec<T>, StripeError> {
    let unreadable = |error: serde_json::Error| StripeError::Unreadable(error.to_string());
    Page::read(answer)?.data.iter().map(|object| serde_json::from_str(object.get()).map_err(unreadable)).collect()
}

fn key(identifier: &str, attempt: i32) -> Result<IdempotencyKey, StripeError> {
    IdempotencyKey::new(format!("{identifier}-{attempt}")).map_err(|error| StripeError::Unreadable(error.to_string()))
}

/// Stripe has no error code for this.
fn is_known(code: Option<&str>, message: &str, identifier: &str) -> bool {
    code == Some("duplicate_meter_event") || (message.contains("already exists") && message.contains(identifier))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stripe::StripeRequest;
    use stripe_billing::{
        BillingMeterStatus,
        billing_meter::{ListBillingMeter, RetrieveBillingMeter},
        billing_meter_event_summary::{ListIdBillingMeterEventSummary, ListIdBillingMeterEventSummaryValueGroupingWindow},
    };

    #[test]
    fn requests_are_those_of_the_library() {
        let sent = |built: stripe_client_core::RequestBuilder| (built.path, built.query.unwrap_or_default());
        assert_eq!(
            sent(active_meters(Some("mtr_1")).build()),
            sent(ListBillingMeter::new().status(BillingMeterStatus::Active).limit(100).starting_after("mtr_1").build())
        );
        assert_eq!(sent(retrieve_meter("mtr_1").build()), sent(RetrieveBillingMeter::new("mtr_1").build()));
        let summaries = || ListIdBillingMeterEventSummary::new("mtr_1", "cus_1", 7200, 3600);
        assert_eq!(sent(ListSummaries::whole("cus_1", 3600, 7200).of_meter("mtr_1").build()), sent(summaries().build()));
        let by_hour = summaries().value_grouping_window(ListIdBillingMeterEventSummaryValueGroupingWindow::Hour).limit(100);
        assert_eq!(
            sent(ListSummaries::by_hour("cus_1", 3600, 7200, Some("mtrsum_1")).of_meter("mtr_1").build()),
            sent(by_hour.starting_after("mtrsum_1").build())
        );
    }

    #[test]
    fn duplicate_identifiers_are_recognised() {
        assert!(is_known(None, "An event already exists with identifier a-1.", "a-1"));
        assert!(is_known(Some("duplicate_meter_event"), "", "a-1"));
        assert!(!is_known(None, "A meter already exists.", "a-1"));
        assert!(!is_known(Some("resource_missing"), "No such customer: 'cus_a-1'", "a-1"));
    }
}
