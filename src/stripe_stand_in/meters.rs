//! Billing meters: meter events and their summaries.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::{fits, in_order, newest_first},
    metered::{Metered, Usage},
    store::{Store, built, set, text},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
/// Maximum age of usage.
const OLDEST: i64 = 35 * DAY;
/// Maximum time in the future.
const AHEAD: i64 = 5 * 60;
/// Stripe deduplicates identifiers for this long.
const REMEMBERED: i64 = DAY;

impl Store {
    pub fn create_meter(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["display_name", "event_name", "default_aggregation", "customer_mapping", "value_settings", "event_time_window"])?;
        let (name, event_name) = (params.need("display_name")?, params.need("event_name")?);
        params.need("default_aggregation[formula]")?;
        let formula = params.word("default_aggregation[formula]", &["sum", "count", "last"])?;
        if self.active_meter(event_name).is_some() {
            let message = format!("A meter with the event name {event_name} is already active.");
            return Err(ApiError::invalid(&message, "event_name"));
        }
        let customer_key = params.text("customer_mapping[event_payload_key]").unwrap_or("stripe_customer_id");
        let value_key = params.text("value_settings[event_payload_key]").unwrap_or("value");
        let mut meter =
            built("billing.meter", json!({"id": self.id("mtr_test_"), "created": self.now, "updated": self.now, "status": "active"}));
        set(
            &mut meter,
            json!({
                "display_name": name, "event_name": event_name, "default_aggregation": {"formula": formula},
                "customer_mapping": {"type": "by_id", "event_payload_key": customer_key}, "value_settings": {"event_payload_key": value_key},
            }),
        );
        Ok(self.add("billing.meter", meter, "billing.meter.created"))
    }

    pub fn update_meter(&mut self, id: &str, params: &Params) -> Checked<Value> {
        params.only(&["display_name"])?;
        let (name, now) = (params.need("display_name")?.to_owned(), self.now);
        self.change("billing.meter", id, &["billing.meter.updated"], |meter| set(meter, json!({"display_name": name, "updated": now})))
    }

    pub fn switch_meter(&mut self, id: &str, active: bool, params: &Params) -> Checked<Value> {
        params.only(&[])?;
        let (status, event) = if active { ("active", "billing.meter.reactivated") } else { ("inactive", "billing.meter.deactivated") };
        if self.find("billing.meter", id)?["status"] == status {
            return Err(ApiError::invalid(&format!("The meter is already {status}."), ""));
        }
        let now = self.now;
        self.change("billing.meter", id, &[event], |meter| {
            let deactivated = (!active).then_some(now);
            set(meter, json!({"status": status, "updated": now, "status_transitions": {"deactivated_at": deactivated}}));
        })
    }

    /// Stores usage that was received at an earlier time, once per identifier. `metered`: its event
    /// name and customer.
    pub fn put_usage(&mut self, metered: (&str, &str), identifier: &str, timestamp: i64, value: i64, came_at: i64) {
        let key = (metered.0.to_owned(), metered.1.to_owned());
        if self.meters.identifiers.contains_key(identifier) {
            return;
        }
        self.meters.identifiers.insert(identifier.to_owned(), (came_at, key.clone()));
        self.meters.usage.entry(key).or_default().push(Usage { identifier: identifier.to_owned(), timestamp, value });
    }

    /// Forgets a quantity; its identifier stays known.
    pub fn lose_usage(&mut self, identifier: &str) {
        let Some((_, key)) = self.meters.identifiers.get(identifier) else { return };
        if let Some(usage) = self.meters.usage.get_mut(key) {
            usage.retain(|usage| usage.identifier != identifier);
        }
    }

    pub fn list_meters(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["status"])?;
        let status = params.word("status", &["active", "inactive"])?;
        newest_first(self.all("billing.meter"), "billing.meter", params, "/v1/billing/meters", |meter| fits(meter, "status", status))
    }

    fn active_meter(&self, event_name: &str) -> Option<&Value> {
        self.all("billing.meter").objects.values().find(|meter| meter["event_name"] == event_name && meter["status"] == "active")
    }

    pub fn create_meter_event(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["event_name", "payload", "identifier", "timestamp"])?;
        let event_name = params.need("event_name")?;
        let meter = self.active_meter(event_name);
        let meter = meter.ok_or_else(|| ApiError::invalid(&format!("No active meter found for event name {event_name}."), "event_name"))?;
        let customer_key = format!("payload[{}]", text(&meter["customer_mapping"], "event_payload_key"));
        let value_key = format!("payload[{}]", text(&meter["value_settings"], "event_payload_key"));
        let customer = params.need(&customer_key)?;
        self.named("customer", customer, &customer_key)?;
        let counts = meter["default_aggregation"]["formula"] == "count";
        let value = match params.integer(&value_key)? {
            Some(value) => value,
            None if counts => 1,
            None => return Err(ApiError::missing(&value_key)),
        };
        let timestamp = params.integer("timestamp")?.unwrap_or(self.now);
        if timestamp < self.now - OLDEST {
            return Err(ApiError::invalid("The timestamp must be within the past 35 days.", "timestamp"));
        }
        if timestamp > self.now + AHEAD {
            return Err(ApiError::invalid("The timestamp must not be more than 5 minutes in the future.", "timestamp"));
        }
        let identifier = match params.text("identifier") {
            Some(long) if long.len() > 100 => return Err(ApiError::invalid("Invalid string: at most 100 characters", "identifier")),
            Some(identifier) => identifier.to_owned(),
            None => self.id(""),
        };
        let known = self.meters.identifiers.get(&identifier);
        if known.is_some_and(|(at, _)| *at > self.now - REMEMBERED) {
            return Err(ApiError::invalid(&format!("An event already exists with identifier {identifier}."), "identifier"));
        }
        let key = (event_name.to_owned(), customer.to_owned());
        self.meters.identifiers.insert(identifier.clone(), (self.now, key.clone()));
        self.meters.usage.entry(key).or_default().push(Usage { identifier: identifier.clone(), timestamp, value });
        let payload = params.object("payload").cloned().unwrap_or_default();
        Ok(built(
            "billing.meter_event",
            json!({"created": self.now, "event_name": event_name, "identifier": identifier, "payload": payload, "timestamp": timestamp}),
        ))
    }

    /// The meter and customer of a call.
    pub fn metered(&self, method: &str, path: &str, params: &Params) -> Option<Metered> {
        match (method, path) {
            ("POST", "/v1/billing/meter_events") => {
                let event_name = params.text("event_name")?;
                let customer_key = text(&self.active_meter(event_name)?["customer_mapping"], "event_payload_key");
                Some((event_name.to_owned(), params.text(&format!("payload[{customer_key}]"))?.to_owned()))
            }
            ("POST", "/v1/billing/meter_event_adjustments") => {
                let (_, whose) = self.meters.identifiers.get(params.text("cancel[identifier]")?)?;
                Some(whose.clone())
            }
            _ => None,
        }
    }

    /// Cancels an event of the last 24 hours.
    pub fn create_meter_event_adjustment(&mut self, params: &Params) -> Checked<Value> {
        params.only(&["event_name", "type", "cancel"])?;
        params.need("type")?;
        params.word("type", &["cancel"])?;
        let (event_name, identifier) = (params.need("event_name")?, params.need("cancel[identifier]")?);
        let came = self.meters.identifiers.get(identifier).filter(|(_, key)| key.0 == event_name);
        let Some((at, key)) = came.cloned() else {
            return Err(ApiError::no_such("meter event", identifier, "cancel[identifier]"));
        };
        if at <= self.now - DAY {
            return Err(ApiError::invalid("Only meter events of the last 24 hours can be canceled.", "cancel[identifier]"));
        }
        if let Some(usage) = self.meters.usage.get_mut(&key) {
            usage.retain(|usage| usage.identifier != identifier);
        }
        let members = json!({"event_name": event_name, "cancel": {"identifier": identifier}, "status": "complete", "type": "cancel"});
        Ok(built("billing.meter_event_adjustment", members))
    }

    /// Sums of a customer's usage: of the whole span, or of each hour or day with usage; newest
    /// first.
    pub fn list_summaries(&self, id: &str, params: &Params) -> Checked<Value> {
        params.only_filters(&["customer", "start_time", "end_time", "value_grouping_window"])?;
        let meter = self.find("billing.meter", id)?;
        let customer = params.need("customer")?;
        self.named("customer", customer, "customer")?;
        let time = |name: &str| params.integer(name)?.ok_or_else(|| ApiError::missing(name));
        let (start, end) = (time("start_time")?, time("end_time")?);
        let window = match params.word("value_grouping_window", &["hour", "day"])? {
            Some("hour") => Some(3600),
            Some(_) => Some(DAY),
            None => None,
        };
        for (name, at) in [("start_time", start), ("end_time", end)] {
            if at % window.unwrap_or(60) != 0 {
                return Err(ApiError::invalid(&format!("{name} must be aligned with the boundaries of the window."), name));
            }
        }
        if start >= end {
            return Err(ApiError::invalid("end_time must be after start_time.", "end_time"));
        }
        let mut buckets: BTreeMap<i64, Vec<&Usage>> = BTreeMap::new();
        if window.is_none() {
            buckets.insert(start, Vec::new());
        }
        let key = (text(meter, "event_name").to_owned(), customer.to_owned());
        let usage = self.meters.usage.get(&key).map_or(&[][..], Vec::as_slice);
        for usage in usage.iter().filter(|usage| (start..end).contains(&usage.timestamp)) {
            let bucket = window.map_or(start, |window| usage.timestamp - usage.timestamp.rem_euclid(window));
            buckets.entry(bucket).or_default().push(usage);
        }
        let formula = text(&meter["default_aggregation"], "formula");
        let summaries: Vec<Value> = buckets
            .iter()
            .rev()
            .map(|(from, usage)| {
                let to = window.map_or(end, |window| from + window);
                built(
                    "billing.meter_event_summary",
                    json!({
                        "id": format!("mtrusg_test_{customer}_{from}_{to}"), "aggregated_value": aggregated(formula, usage), "start_time": from,
                        "end_time": to, "meter": id,
                    }),
                )
            })
            .collect();
        in_order(&summaries, "meter_event_summary", params, &format!("/v1/billing/meters/{id}/event_summaries"))
    }
}

fn aggregated(formula: &str, usage: &[&Usage]) -> i64 {
    match formula {
        "count" => i64::try_from(usage.len()).unwrap_or(i64::MAX),
        "last" => usage.iter().max_by_key(|usage| usage.timestamp).map_or(0, |usage| usage.value),
        _ => usage.iter().map(|usage| usage.value).sum(),
    }
}
