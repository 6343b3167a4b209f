//! The mirror's objects in Stripe's shape: each from its latest stored event, with the objects that
//! they reference.

use crate::{
    service::Platform,
    store::postgres::mirror::originals::{self, Customer, Original},
    stripe_stand_in::{
        StandIn,
        store::{Store, built, integer, set, text},
    },
};
use anyhow::Context;
use serde_json::{Value, json};
use std::collections::HashMap;
use time::Duration;

/// Stripe's retention of events ("List all events").
const EVENTS_SINCE: Duration = Duration::days(30);

/// Only the latest, in case a load test has filled the inbox.
const MOST_EVENTS: i64 = 5_000;

/// Adds everything to the stand-in, without events.
pub async fn fill(stand_in: &StandIn, platform: &Platform) -> anyhow::Result<()> {
    let db = &platform.db;
    let customers = originals::customers(db).await?;
    let mut objects = Vec::new();
    for Original { object_id, payload } in originals::originals(db).await? {
        let object = object_of(&payload)?;
        // An event may have written this row along with its own object's.
        if object["id"] == object_id {
            objects.push(object);
        }
    }
    let mut events = Vec::new();
    for payload in originals::events_since(db, platform.clock.now() - EVENTS_SINCE, MOST_EVENTS).await? {
        events.push(serde_json::from_str(&payload).context("a stored event is not JSON")?);
    }
    stand_in.work(|store| put(store, customers, objects, events))
}

fn put(store: &mut Store, customers: Vec<Customer>, objects: Vec<Value>, events: Vec<Value>) -> anyhow::Result<()> {
    let numbers = numbers(&objects);
    for customer in customers {
        let (prefix, next) = numbers.get(&customer.stripe_customer_id).cloned().unwrap_or_else(|| ("DEMO".to_owned(), 1));
        let mut object = customer_object(&customer)?;
        set(&mut object, json!({"invoice_prefix": prefix, "next_invoice_sequence": next}));
        store.put("customer", object);
    }
    // Those within subscriptions are complete.
    let (subscriptions, others): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| object["object"] == "subscription");
    for object in subscriptions.into_iter().chain(others) {
        put_named(store, &object, integer(&object, "created"));
        let kind = text(&object, "object").to_owned();
        store.put(&kind, object);
    }
    for event in events {
        store.put("event", event);
    }
    Ok(())
}

/// The object of an event.
fn object_of(payload: &str) -> anyhow::Result<Value> {
    let mut event: Value = serde_json::from_str(payload).context("a stored event is not JSON")?;
    Ok(event["data"]["object"].take())
}

fn customer_object(customer: &Customer) -> anyhow::Result<Value> {
    if let Some(payload) = &customer.payload {
        return object_of(payload);
    }
    Ok(built(
        "customer",
        json!({
            "id": customer.stripe_customer_id, "name": customer.name, "email": customer.email, "currency": customer.currency,
            "balance": customer.balance, "created": customer.created_at.unix_timestamp(),
        }),
    ))
}

/// The prefix of each customer's invoices, and its next number.
fn numbers(objects: &[Value]) -> HashMap<String, (String, u32)> {
    let mut numbers: HashMap<String, (String, u32)> = HashMap::new();
    for invoice in objects.iter().filter(|object| object["object"] == "invoice") {
        let number = text(invoice, "number").rsplit_once('-').and_then(|(prefix, number)| Some((prefix, number.parse::<u32>().ok()?)));
        if let Some((prefix, number)) = number {
            let (_, next) = numbers.entry(text(invoice, "customer").to_owned()).or_insert_with(|| (prefix.to_owned(), 1));
            *next = (*next).max(number.saturating_add(1));
        }
    }
    numbers
}

/// The prices and tax rates within an object, which the platform looks up by id.
pub(super) fn put_named(store: &mut Store, value: &Value, created: i64) {
    match value {
        Value::Array(entries) => entries.iter().for_each(|entry| put_named(store, entry, created)),
        Value::Object(members) => {
            for kind in ["price", "tax_rate"] {
                if members.get("object").is_some_and(|object| object == kind) {
                    put_if_absent(store, kind, value.clone(), created);
                }
            }
            if let Some(price) = price_of_line(value) {
                put_if_absent(store, "price", price, created);
            }
            members.values().for_each(|member| put_named(store, member, created));
        }
        _ => {}
    }
}

/// The price of an invoice's line, if the line has it.
fn price_of_line(line: &Value) -> Option<Value> {
    let details = &line["pricing"]["price_details"];
    let unit_amount = &line["pricing"]["unit_amount_decimal"];
    Some(json!({
        "id": details["price"].as_str()?, "product": details["product"], "currency": line["currency"], "unit_amount_decimal": unit_amount,
        "unit_amount": unit_amount.as_str().and_then(|amount| amount.parse::<i64>().ok()), "nickname": line["description"],
    }))
}

fn put_if_absent(store: &mut Store, kind: &str, members: Value, created: i64) {
    if store.get(kind, text(&members, "id")).is_some() {
        return;
    }
    let mut object = built(kind, json!({ "created": created }));
    set(&mut object, members);
    store.put(kind, object);
}
