//! Invoices, and the payments inside them.

use super::{Moment, Reading, currency, customer, figures, owned, owned_id, payment, price_of_unit, required_amount, required_id, span};
use crate::{
    domain::{
        invoice::{InvoiceStatus, PretaxCredit, ShippingCost, TaxAmount, TaxBehavior},
        mirror::{
            self,
            snapshot::{Change, InvoiceAmounts, InvoicePaymentSnapshot, InvoiceSnapshot, LineSnapshot, Lookup, Named, Snapshot},
        },
    },
    stripe::{
        decimal,
        webhook::field::{Field, Read},
    },
};

pub(super) fn read(invoice: &Field<'_>, moment: &Moment<'_>) -> Read<Reading> {
    let snapshot = snapshot(invoice)?;
    let mut along = Vec::new();
    // Since 2025-03-31.basil, if expanded; earlier the invoice itself has its payment.
    for entry in invoice.get("payments").entries()? {
        along.push(payment::read_invoice_payment(&entry, moment, Some(&snapshot), false)?);
    }
    if along.is_empty() {
        along.extend(payment_of_old(invoice, &snapshot, moment)?);
    }
    let attempts = invoice.get("attempt_count").integer()?.unwrap_or(0);
    let InvoiceAmounts { paid, credit_notes_pre_payment: pre, credit_notes_post_payment: post, .. } = snapshot.amounts;
    let progress = paid.saturating_add(pre).saturating_add(post).saturating_add(attempts);
    let rank = mirror::invoice_rank(snapshot.status);
    Ok(Reading::Changes { subject: Box::new(moment.change(Snapshot::Invoice(Box::new(snapshot)), true, rank, progress)), along })
}

fn snapshot(invoice: &Field<'_>) -> Read<InvoiceSnapshot> {
    let amount = |key: &'static str| invoice.get(key).integer();
    let due = required_amount(invoice, "amount_due")?;
    let paid = amount("amount_paid")?.unwrap_or(0);
    // Before 2019-03-14 `created` was named `date`, and the times of transitions were on the
    // invoice itself.
    let created = invoice.any([&["created"], &["date"]]);
    let moment_of = |key: &'static str| invoice.any([&["status_transitions", key], &[key]]).time();
    let (lines, tax_ids) = (invoice.get("lines"), figures::tax_ids(&invoice.get("customer_tax_ids"))?);
    let mut named = Named::default();
    let read_lines = lines.entries()?.iter().map(|entry| line(entry, &mut named)).collect::<Read<Vec<_>>>()?;
    let RollUps { discount, tax, taxes, pretax_credits, shipping } = roll_ups(invoice, &read_lines, &mut named)?;
    Ok(InvoiceSnapshot {
        id: required_id(invoice, "id")?,
        customer: required_id(invoice, "customer")?,
        subscription: owned_id(&invoice.any([&["parent", "subscription_details", "subscription"], &["subscription"]]))?,
        number: owned(&invoice.get("number"))?,
        status: status(&invoice.get("status"))?,
        currency: currency(invoice)?,
        amounts: InvoiceAmounts {
            subtotal: required_amount(invoice, "subtotal")?,
            discount,
            tax,
            total: required_amount(invoice, "total")?,
            due,
            paid,
            remaining: amount("amount_remaining")?.unwrap_or(due.saturating_sub(paid)),
            overpaid: amount("amount_overpaid")?.unwrap_or(0),
            starting_balance: amount("starting_balance")?.unwrap_or(0),
            ending_balance: amount("ending_balance")?,
            credit_notes_pre_payment: amount("pre_payment_credit_notes_amount")?.unwrap_or(0),
            credit_notes_post_payment: amount("post_payment_credit_notes_amount")?.unwrap_or(0),
        },
        paid_out_of_band: invoice.get("paid_out_of_band").boolean()?.unwrap_or(false) || amount("amount_paid_off_stripe")?.unwrap_or(0) > 0,
        billing_reason: owned(&invoice.get("billing_reason"))?,
        description: owned(&invoice.get("description"))?,
        customer_name: owned(&invoice.get("customer_name"))?,
        customer_email: owned(&invoice.get("customer_email"))?,
        customer_address: customer::address(&invoice.get("customer_address")),
        customer_tax_id: tax_ids.first().map(|first| first.value.clone()),
        customer_tax_ids: tax_ids,
        customer_tax_exempt: owned(&invoice.get("customer_tax_exempt"))?,
        custom_fields: figures::custom_fields(&invoice.get("custom_fields"))?,
        footer: owned(&invoice.get("footer"))?,
        // `billing` before 2019-10-17.
        collection_method: owned(&invoice.any([&["collection_method"], &["billing"]]))?,
        taxes,
        pretax_credits,
        shipping,
        period: span(&invoice.get("period_start"), &invoice.get("period_end"))?,
        created_at: created.need(created.time()?)?,
        due_date: invoice.get("due_date").time()?,
        effective_at: invoice.get("effective_at").time()?,
        finalized_at: moment_of("finalized_at")?,
        paid_at: moment_of("paid_at")?,
        voided_at: moment_of("voided_at")?,
        marked_uncollectible_at: moment_of("marked_uncollectible_at")?,
        hosted_invoice_url: owned(&invoice.get("hosted_invoice_url"))?,
        lines: read_lines,
        lines_complete: !lines.get("has_more").boolean()?.unwrap_or(false),
        named: named.settled(),
    })
}

/// The invoice's totals over all lines.
struct RollUps {
    discount: i64,
    tax: i64,
    taxes: Vec<TaxAmount>,
    pretax_credits: Vec<PretaxCredit>,
    shipping: Option<ShippingCost>,
}

/// If the invoice has no total (`null`, or an empty list while lines have amounts), it is computed
/// from the lines and the shipping cost.
fn roll_ups(invoice: &Field<'_>, lines: &[LineSnapshot], named: &mut Named) -> Read<RollUps> {
    let list = invoice.any([&["total_taxes"], &["total_tax_amounts"]]);
    named.rates(&invoice.get("default_tax_rates"))?;
    named.rates_of(&list)?;
    named.rates_of(&invoice.get("shipping_cost").get("taxes"))?;
    let shipping = figures::shipping(invoice)?;
    let mut taxes = figures::taxes(&list)?;
    if taxes.is_empty() {
        let of_shipping = shipping.iter().flat_map(|shipping| &shipping.taxes);
        taxes = figures::of_lines(lines.iter().flat_map(|line| &line.taxes).chain(of_shipping));
    }
    // The oldest versions have one tax on top of the total.
    if let Some(amount) = invoice.get("tax").integer()?.filter(|amount| taxes.is_empty() && *amount != 0) {
        taxes.push(TaxAmount { amount, behavior: TaxBehavior::Exclusive, ..TaxAmount::default() });
    }
    let discounts = invoice.get("total_discount_amounts");
    let discount = if discounts.entries()?.is_empty() {
        lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.discount))
    } else {
        discounts.sum("amount")?
    };
    let mut pretax_credits = figures::pretax_credits(&invoice.get("total_pretax_credit_amounts"))?;
    if pretax_credits.is_empty() {
        pretax_credits = figures::credits_of_lines(lines.iter().flat_map(|line| &line.pretax_credits));
    }
    Ok(RollUps { discount, tax: figures::total(&taxes, &list)?, taxes, pretax_credits, shipping })
}

fn status(field: &Field<'_>) -> Read<InvoiceStatus> {
    match field.need(field.text()?)? {
        // The status in invoice.deleted, outside the documented values. Only drafts can be deleted.
        "deleted" => Ok(InvoiceStatus::Draft),
        other => other.parse().map_err(|why: String| field.error(&format!("can't be parsed: {why}"))),
    }
}

fn line(line: &Field<'_>, named: &mut Named) -> Read<LineSnapshot> {
    // A price may be expanded (old), an id (new), or a plan (oldest).
    let price = line.any([&["pricing", "price_details", "price"], &["price"], &["plan"]]);
    let unit_amount = match price_of_unit(&line.get("pricing"))? {
        Some(unit_amount) => Some(unit_amount),
        None => price_of_unit(&price)?,
    };
    let proration =
        line.any([&["parent", "subscription_item_details", "proration"], &["parent", "invoice_item_details", "proration"], &["proration"]]);
    let description = match owned(&line.get("description"))? {
        Some(description) => description,
        None => owned(&price.get("nickname"))?.unwrap_or_else(|| "Item".into()),
    };
    let list = line.any([&["taxes"], &["tax_amounts"]]);
    named.rates(&line.get("tax_rates"))?;
    named.rates_of(&list)?;
    let taxes = figures::taxes(&list)?;
    let (quantity, exact) = quantity(line)?;
    let snapshot = LineSnapshot {
        id: required_id(line, "id")?,
        description,
        quantity,
        quantity_decimal: exact,
        unit_amount,
        transform_quantity: figures::transform_quantity(&price)?,
        amount: required_amount(line, "amount")?,
        discount: line.get("discount_amounts").sum("amount")?,
        tax: added_taxes(&taxes, &list)?,
        taxes,
        pretax_credits: figures::pretax_credits(&line.get("pretax_credit_amounts"))?,
        proration: proration.boolean()?.unwrap_or(false),
        price: owned_id(&price)?,
        period: span(&line.get("period").get("start"), &line.get("period").get("end"))?,
    };
    if let Some(price) = snapshot.price.as_ref().filter(|_| !price.is_object() && lacks_price(&snapshot)) {
        named.ids.insert((Lookup::Price, price.clone()));
    }
    Ok(snapshot)
}

/// `quantity_decimal` since 2026-03-25.dahlia; `quantity` is truncated to an integer.
fn quantity(line: &Field<'_>) -> Read<(Option<i64>, Option<String>)> {
    let (quantity, exact) = (line.get("quantity").integer()?, line.get("quantity_decimal").decimal()?);
    let cut = exact.as_deref().and_then(|exact| exact.split('.').next()?.parse().ok());
    Ok((quantity.or(cut), exact.or_else(|| quantity.map(|quantity| quantity.to_string()))))
}

/// Only the price tells how a quantity becomes packages; if quantity times unit price is the
/// amount, there are none.
fn lacks_price(line: &LineSnapshot) -> bool {
    let parts = line.quantity_decimal.as_deref().zip(line.unit_amount.as_deref());
    parts.is_some_and(|(quantity, unit_amount)| !line.proration && decimal::makes(quantity, unit_amount, line.amount) == Some(false))
}

/// The part of a line's taxes on top of its amount.
fn added_taxes(taxes: &[TaxAmount], list: &Field<'_>) -> Read<i64> {
    let added: Vec<_> = taxes.iter().filter(|tax| tax.behavior == TaxBehavior::Exclusive).cloned().collect();
    figures::total(&added, list)
}

/// Before 2025-03-31.basil an invoice had at most one payment, and named its intent or charge
/// itself. Once paid, that payment gets its own id here, and so its own position in the order: the
/// order of arrival doesn't matter.
fn payment_of_old(invoice: &Field<'_>, snapshot: &InvoiceSnapshot, moment: &Moment<'_>) -> Read<Option<Change>> {
    let out_of_band = invoice.get("paid_out_of_band").boolean()?.unwrap_or(false);
    let payment_intent = owned_id(&invoice.get("payment_intent"))?.filter(|_| !out_of_band);
    let charge = owned_id(&invoice.get("charge"))?.filter(|_| !out_of_band);
    let known = out_of_band || payment_intent.is_some() || charge.is_some();
    if !known || snapshot.status != InvoiceStatus::Paid {
        return Ok(None);
    }
    let InvoiceAmounts { paid, due, .. } = snapshot.amounts;
    let payment = InvoicePaymentSnapshot {
        id: format!("{}/payment", snapshot.id),
        invoice: snapshot.id.clone(),
        customer: Some(snapshot.customer.clone()),
        from_invoice: true,
        payment_intent,
        charge,
        // A payment outside Stripe may not count as paid there.
        amount: if out_of_band && paid == 0 { due } else { paid },
        status: "paid".to_owned(),
        method: out_of_band.then(|| payment::OUT_OF_BAND.to_owned()),
        at: snapshot.paid_at.or(snapshot.finalized_at).unwrap_or(snapshot.created_at),
    };
    let rank = mirror::payment_rank(&payment.status);
    Ok(Some(moment.change(Snapshot::Payment(payment), false, rank, 0)))
}
