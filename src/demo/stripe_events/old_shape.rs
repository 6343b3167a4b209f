//! The same events in an older API version ("Basil changelog", 2025-03-31, lists later moves).

use super::{base_fee, id, price};
use crate::domain::{money::Currency, plan::PlanType};
use serde_json::{Map, Value, json};

const OLD_API_VERSION: &str = "2024-06-20";

/// The event of an invoice, subscription, charge, refund, credit note or customer in version
/// 2024-06-20; None for objects that did not exist then.
pub fn in_old_shape(event: &Value) -> Option<Value> {
    let mut event = event.clone();
    event["api_version"] = json!(OLD_API_VERSION);
    let object = event.get_mut("data")?.get_mut("object")?.as_object_mut()?;
    match object.get("object")?.as_str()? {
        "invoice" => invoice(object)?,
        "subscription" => subscription(object)?,
        "charge" | "refund" | "customer" => {}
        "credit_note" => {
            object.remove("total_taxes")?;
            object.insert("tax_amounts".into(), json!([]));
            for line in object.get_mut("lines")?.get_mut("data")?.as_array_mut()? {
                let line = line.as_object_mut()?;
                line.remove("taxes")?;
                line.insert("tax_amounts".into(), json!([]));
            }
        }
        _ => return None,
    }
    Some(event)
}

fn invoice(invoice: &mut Map<String, Value>) -> Option<()> {
    let invoice_id = invoice.get("id")?.as_str()?.to_owned();
    let status = invoice.get("status")?.as_str()?.to_owned();
    let attempted = invoice.get("attempt_count")?.as_i64()? > 0;
    let charged = status != "draft" && invoice.get("amount_due")?.as_i64()? > 0;
    let parent = invoice.remove("parent")?;
    invoice.insert("subscription".into(), parent["subscription_details"]["subscription"].clone());
    invoice.insert("paid".into(), json!(status == "paid"));
    invoice.insert("paid_out_of_band".into(), json!(status == "paid" && !attempted && charged));
    invoice.insert("payment_intent".into(), if charged { json!(id("pi_3", &invoice_id)) } else { Value::Null });
    invoice.insert("charge".into(), if attempted && status == "paid" { json!(id("ch_3", &invoice_id)) } else { Value::Null });
    invoice.remove("amount_overpaid");
    invoice.insert("discount".into(), Value::Null);
    let taxes = invoice.remove("total_taxes")?;
    let sum: i64 = taxes.as_array()?.iter().filter_map(|tax| tax["amount"].as_i64()).sum();
    invoice.insert("total_tax_amounts".into(), taxes.as_array()?.iter().map(old_tax).collect());
    invoice.insert("tax".into(), if sum == 0 { Value::Null } else { json!(sum) });
    for line in invoice.get_mut("lines")?.get_mut("data")?.as_array_mut()? {
        let line = line.as_object_mut()?;
        let parent = line.remove("parent")?;
        let of_subscription = parent["type"] == "subscription_item_details";
        let details = parent[if of_subscription { "subscription_item_details" } else { "invoice_item_details" }].clone();
        let pricing = line.remove("pricing")?;
        line.insert("type".into(), json!(if of_subscription { "subscription" } else { "invoiceitem" }));
        for key in ["proration", "proration_details", "subscription", "subscription_item"] {
            line.insert(key.into(), details[key].clone());
        }
        let taxes = line.remove("taxes")?;
        line.insert("tax_amounts".into(), taxes.as_array()?.iter().map(old_tax).collect());
        line.insert("tax_rates".into(), json!([]));
        let currency = line.get("currency")?.clone();
        let price = json!({
            "id": pricing["price_details"]["price"], "object": "price", "currency": currency, "product": pricing["price_details"]["product"],
            "unit_amount": pricing["unit_amount_decimal"].as_str()?.parse::<i64>().ok(), "unit_amount_decimal": pricing["unit_amount_decimal"],
        });
        line.insert("price".into(), price);
    }
    Some(())
}

fn old_tax(tax: &Value) -> Value {
    json!({
        "amount": tax["amount"], "inclusive": tax["tax_behavior"] == "inclusive", "tax_rate": tax["tax_rate_details"]["tax_rate"],
        "taxability_reason": tax["taxability_reason"], "taxable_amount": tax["taxable_amount"],
    })
}

fn subscription(subscription: &mut Map<String, Value>) -> Option<()> {
    let plan: PlanType = subscription.get("metadata")?.get("plan_type")?.as_str()?.parse().ok()?;
    let currency: Currency = subscription.get("currency")?.as_str()?.parse().ok()?;
    let item = subscription.get_mut("items")?.get_mut("data")?.get_mut(0)?.as_object_mut()?;
    let (start, end) = (item.remove("current_period_start")?, item.remove("current_period_end")?);
    let mut plan = price(plan, currency, base_fee(plan, currency));
    plan["object"] = json!("plan");
    item.insert("plan".into(), plan);
    subscription.insert("current_period_start".into(), start);
    subscription.insert("current_period_end".into(), end);
    subscription.insert("discount".into(), Value::Null);
    // Here only the price names the plan.
    subscription.insert("metadata".into(), json!({}));
    Some(())
}
