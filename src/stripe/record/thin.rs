//! Parses only the compared members of JSON. An invoice has some 150 members, a comparison needs
//! thirty, and a run reads a million invoices.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The members of an invoice and its lines that a record needs, in any API version, sorted.
const OF_INVOICES: [&str; 56] = [
    "amount",
    "amount_due",
    "amount_overpaid",
    "amount_paid",
    "amount_remaining",
    "amount_subtotal",
    "amount_tax",
    "amount_total",
    "created",
    "currency",
    "customer",
    "data",
    "date",
    "discount_amounts",
    "end",
    "ending_balance",
    "finalized_at",
    "has_more",
    "id",
    "inclusive",
    "lines",
    "marked_uncollectible_at",
    "object",
    "paid_at",
    "parent",
    "period",
    "plan",
    "post_payment_credit_notes_amount",
    "pre_payment_credit_notes_amount",
    "pretax_credit_amounts",
    "price",
    "price_details",
    "pricing",
    "proration",
    "quantity",
    "quantity_decimal",
    "shipping_cost",
    "start",
    "starting_balance",
    "status",
    "status_transitions",
    "subscription",
    "subscription_details",
    "subscription_item_details",
    "subtotal",
    "tax",
    "tax_amounts",
    "tax_behavior",
    "tax_rate",
    "taxes",
    "total",
    "total_discount_amounts",
    "total_pretax_credit_amounts",
    "total_tax_amounts",
    "total_taxes",
    "voided_at",
];

/// Parses an invoice, or a line of one.
///
/// # Errors
/// Invalid JSON.
pub fn invoice(text: &str) -> serde_json::Result<Value> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Kept.deserialize(&mut json)?;
    json.end()?;
    Ok(value)
}

struct Kept;

impl<'de> DeserializeSeed<'de> for Kept {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Kept {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut kept = Vec::new();
        while let Some(entry) = entries.next_element_seed(Kept)? {
            kept.push(entry);
        }
        Ok(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key_seed(Name)? {
            match name {
                Some(name) => {
                    // Absent and null are the same for the readers.
                    let value = members.next_value_seed(Kept)?;
                    if !value.is_null() {
                        kept.insert(name.to_owned(), value);
                    }
                }
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(Value::Object(kept))
    }
}

/// A member's name, if it is needed.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(OF_INVOICES.binary_search(&name).ok().map(|at| OF_INVOICES[at]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::mirror::Kind, stripe::record::read};
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    fn canonical() -> Value {
        let fixtures: Value = serde_json::from_str(include_str!("../../stripe_stand_in/fixtures.json")).unwrap();
        let invoice = fixtures["invoice"].clone();
        assert_eq!(invoice["object"], "invoice");
        invoice
    }

    /// Shapes of all API versions, each as members that replace those of the canonical invoice.
    fn shapes() -> [Value; 9] {
        let lines = |lines: Value| json!({"object": "list", "has_more": false, "data": lines});
        [
            json!({}),
            json!({"total_taxes": [{"amount": 70}, {"amount": 3}], "parent": {"subscription_details": {"subscription": "sub_new"}}}),
            json!({"tax": 12, "total_tax_amounts": [{"amount": 11}], "subscription": "sub_old", "date": 5, "paid_at": 9}),
            json!({"total_discount_amounts": [{"amount": 4, "discount": "di_1"}], "ending_balance": -7, "currency": "jpy", "customer": {"id": "cus_expanded", "name": "x"}}),
            json!({"lines": lines(json!([
                {"id": "il_1", "amount": 5, "quantity": 2, "pricing": {"price_details": {"price": "price_1"}, "unit_amount_decimal": "2.5"}},
                {"id": "il_2", "amount": 7, "price": {"id": "price_2", "unit_amount": 7}, "period": {"start": 1, "end": 2}, "taxes": [{"amount": 1}]},
                {"id": "il_3", "amount": -2, "plan": {"id": "plan_3"}, "proration": true, "tax_amounts": [{"amount": 1, "inclusive": true}]},
            ]))}),
            json!({"total_taxes": [], "total_pretax_credit_amounts": null, "lines": lines(json!([
                {"id": "il_1", "amount": 5, "quantity": 2, "quantity_decimal": "2.5", "pretax_credit_amounts": [{"amount": 3, "type": "discount"}],
                 "taxes": [{"amount": 2, "tax_behavior": "inclusive", "tax_rate_details": {"tax_rate": "txr_1"}}]},
                {"id": "il_2", "amount": 5, "tax_amounts": [{"amount": 2, "tax_rate": {"id": "txr_1", "inclusive": true}}]},
            ]))}),
            json!({"total_pretax_credit_amounts": [{"amount": 9, "type": "credit_balance_transaction"}]}),
            json!({"shipping_cost": {"amount_subtotal": 5, "amount_tax": 1, "amount_total": 6, "taxes": [{"amount": 1, "tax_behavior": "inclusive"}]}}),
            json!({"amount_due": "a text", "lines": {"has_more": true, "data": []}}),
        ]
    }

    proptest! {
        #[test]
        fn records_are_equal_with_and_without_other_members(picks in prop::collection::vec(0_usize..9, 0..4), amount in any::<i64>(), status in "paid|open|void|draft|lost") {
            let mut invoice = canonical();
            for pick in picks {
                invoice.as_object_mut().unwrap().extend(shapes()[pick].as_object().unwrap().clone());
            }
            invoice["total"] = json!(amount);
            invoice["status"] = json!(status);
            let at = datetime!(2026-11-22 15:50 UTC);
            let thin = super::invoice(&invoice.to_string()).unwrap();
            prop_assert_eq!(read(Kind::Invoice, &thin, at).unwrap(), read(Kind::Invoice, &invoice, at).unwrap());
            prop_assert!(thin.to_string().len() < invoice.to_string().len());
        }
    }

    #[test]
    fn names_are_found_and_invalid_json_is_an_error() {
        assert!(OF_INVOICES.is_sorted());
        for wrong in ["", "{", "{\"id\":\"in_1\"} {}", "{\"metadata\":{\"a\":tru}}"] {
            assert!(invoice(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            invoice(r#"{"id":"in_\u0031","metadata":{"total":1},"tax":null,"total":1.5}"#).unwrap(),
            json!({"id": "in_1", "total": 1.5})
        );
    }
}
