//! Customers.

use super::{Moment, currency, owned, required_id};
use crate::{
    domain::mirror::snapshot::{Change, CustomerSnapshot, Snapshot},
    stripe::webhook::field::{Field, Read},
};

/// Customers have no status: snapshots of a second are only ordered by the `….created` event.
const RANK: i16 = 1;

pub(super) fn read(customer: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let snapshot = CustomerSnapshot {
        id: required_id(customer, "id")?,
        name: owned(&customer.get("name"))?,
        email: owned(&customer.get("email"))?,
        // Stripe sets a customer's currency with its first invoice.
        currency: if customer.get("currency").exists() { Some(currency(customer)?) } else { None },
        address: address(&customer.get("address")),
        tax_ids: tax_ids(&customer.get("tax_ids"))?,
        preferred_locale: match customer.get("preferred_locales").entries()?.first() {
            Some(first) => owned(first)?,
            None => None,
        },
        // `account_balance` before 2019-10-17.
        balance: customer.any([&["balance"], &["account_balance"]]).integer()?.unwrap_or(0),
        claim: owned(&customer.get("metadata").get("apex_customer"))?,
    };
    // The number of the customer's next invoice only increases.
    let progress = customer.get("next_invoice_sequence").integer()?.unwrap_or(0);
    Ok(moment.change(Snapshot::Customer(Box::new(snapshot)), true, RANK, progress))
}

/// Stripe's address object; None if all of its fields are empty.
pub(super) fn address(field: &Field<'_>) -> Option<serde_json::Value> {
    field
        .value()
        .filter(|address| address.as_object().is_some_and(|parts| parts.values().any(|part| !part.is_null())))
        .map(serde_json::Value::from)
}

fn tax_ids(field: &Field<'_>) -> Read<Option<serde_json::Value>> {
    if !field.exists() {
        return Ok(None);
    }
    let tax_id = |entry: &Field<'_>| Ok(serde_json::json!({"type": owned(&entry.get("type"))?, "value": owned(&entry.get("value"))?}));
    field.entries()?.iter().map(tax_id).collect::<Read<Vec<_>>>().map(|tax_ids| Some(tax_ids.into()))
}
