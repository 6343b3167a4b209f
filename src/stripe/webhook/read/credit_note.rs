//! Credit notes.

use super::{Moment, currency, figures, owned, required_amount, required_id};
use crate::{
    domain::{
        invoice::CreditNoteLine,
        mirror::{
            self,
            snapshot::{Change, CreditNoteSnapshot, Named, Snapshot},
        },
    },
    stripe::webhook::field::{Field, Read},
};

pub(super) fn read(credit_note: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let status = credit_note.get("status");
    let status = match status.need(status.text()?)? {
        known @ ("issued" | "void") => known,
        other => return Err(status.error(&format!("is `{other}`, but should be issued or void"))),
    };
    let kind = credit_note.get("type");
    let amount = required_amount(credit_note, "amount")?;
    let kind = kind.need(kind.text()?)?;
    let created = credit_note.get("created");
    let (list, lines) = (credit_note.any([&["total_taxes"], &["tax_amounts"]]), credit_note.get("lines"));
    let mut named = Named::default();
    named.rates_of(&list)?;
    named.rates_of(&credit_note.get("shipping_cost").get("taxes"))?;
    let read_lines = lines.entries()?.iter().map(|entry| line(entry, &mut named)).collect::<Read<Vec<_>>>()?;
    let mut taxes = figures::taxes(&list)?;
    if taxes.is_empty() {
        let of_shipping = figures::shipping(credit_note)?.map(|shipping| shipping.taxes).unwrap_or_default();
        taxes = figures::of_lines(read_lines.iter().flat_map(|line| &line.taxes).chain(&of_shipping));
    }
    let discounts = credit_note.get("discount_amounts");
    let discount = match credit_note.get("discount_amount").integer()? {
        Some(discount) => discount,
        None if !discounts.entries()?.is_empty() => discounts.sum("amount")?,
        None => read_lines.iter().fold(0i64, |sum, line| sum.saturating_add(line.discount)),
    };
    // Two amounts since 2025-03-31.basil; earlier only the type.
    let part = |key: &'static str, whole: &str| -> Read<Option<i64>> {
        let by_type = match kind {
            _ if kind == whole => Some(amount),
            "pre_payment" | "post_payment" => Some(0),
            _ => None,
        };
        Ok(credit_note.get(key).integer()?.or(by_type))
    };
    let snapshot = CreditNoteSnapshot {
        id: required_id(credit_note, "id")?,
        customer: required_id(credit_note, "customer")?,
        invoice: required_id(credit_note, "invoice")?,
        number: owned(&credit_note.get("number"))?,
        status: status.to_owned(),
        kind: kind.to_owned(),
        currency: currency(credit_note)?,
        amount,
        subtotal: credit_note.get("subtotal").integer()?.unwrap_or(amount),
        discount,
        tax: figures::total(&taxes, &list)?,
        taxes,
        pre_payment_amount: part("pre_payment_amount", "pre_payment")?,
        post_payment_amount: part("post_payment_amount", "post_payment")?,
        lines: read_lines,
        lines_complete: !lines.get("has_more").boolean()?.unwrap_or(false),
        named: named.settled(),
        reason: owned(&credit_note.get("reason"))?,
        memo: owned(&credit_note.get("memo"))?,
        pdf_url: owned(&credit_note.get("pdf"))?,
        created_at: created.need(created.time()?)?,
        effective_at: credit_note.get("effective_at").time()?,
        voided_at: credit_note.get("voided_at").time()?,
    };
    let rank = mirror::credit_note_rank(status);
    Ok(moment.change(Snapshot::CreditNote(Box::new(snapshot)), true, rank, 0))
}

fn line(line: &Field<'_>, named: &mut Named) -> Read<CreditNoteLine> {
    let list = line.any([&["taxes"], &["tax_amounts"]]);
    named.rates(&line.get("tax_rates"))?;
    named.rates_of(&list)?;
    let discount = match line.get("discount_amount").integer()? {
        Some(discount) => discount,
        None => line.get("discount_amounts").sum("amount")?,
    };
    Ok(CreditNoteLine {
        description: owned(&line.get("description"))?.unwrap_or_else(|| "Item".into()),
        quantity: line.any([&["quantity_decimal"], &["quantity"]]).decimal()?,
        unit_amount: line.any([&["unit_amount_decimal"], &["unit_amount"]]).decimal()?,
        amount: required_amount(line, "amount")?,
        discount,
        taxes: figures::taxes(&list)?,
    })
}
