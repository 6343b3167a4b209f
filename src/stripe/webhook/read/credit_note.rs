//! Credit notes.

use super::{Moment, currency, owned, required_amount, required_id};
use crate::{
    domain::mirror,
    stripe::webhook::{
        field::{Field, Read},
        snapshot::{Change, CreditNoteSnapshot, Snapshot},
    },
};

pub(super) fn read(credit_note: &Field<'_>, moment: &Moment<'_>) -> Read<Change> {
    let status = credit_note.get("status");
    let status = match status.need(status.text()?)? {
        known @ ("issued" | "void") => known,
        other => return Err(status.error(&format!("is `{other}`, but should be issued or void"))),
    };
    let kind = credit_note.get("type");
    let amount = required_amount(credit_note, "amount")?;
    let created = credit_note.get("created");
    let snapshot = CreditNoteSnapshot {
        id: required_id(credit_note, "id")?,
        customer: required_id(credit_note, "customer")?,
        invoice: required_id(credit_note, "invoice")?,
        number: owned(&credit_note.get("number"))?,
        status: status.to_owned(),
        kind: kind.need(kind.text()?)?.to_owned(),
        currency: currency(credit_note)?,
        amount,
        subtotal: credit_note.get("subtotal").integer()?.unwrap_or(amount),
        tax: credit_note.any([&["total_taxes"], &["tax_amounts"]]).sum("amount")?,
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
