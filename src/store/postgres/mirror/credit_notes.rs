//! Credit notes of the mirror.

use crate::{
    domain::{identity::CustomerId, mirror::Stamp},
    stripe::webhook::snapshot::CreditNoteSnapshot,
};
use sqlx::PgConnection;

/// Writes a credit note. What it comes to on the invoice is the invoice's own snapshot to say.
pub async fn put_credit_note(
    conn: &mut PgConnection,
    customer: CustomerId,
    credit_note: &CreditNoteSnapshot,
    stamp: &Stamp,
) -> sqlx::Result<bool> {
    let written = sqlx::query!(
        r#"INSERT INTO credit_notes AS kept (stripe_credit_note_id, customer_id, stripe_invoice_id, number, status, type, currency, amount, subtotal, tax,
               reason, memo, pdf_url, created_at, effective_at, voided_at, event_created_at, event_rank, event_progress, event_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
           ON CONFLICT (stripe_credit_note_id) DO UPDATE SET
               customer_id = excluded.customer_id, stripe_invoice_id = excluded.stripe_invoice_id, number = excluded.number,
               status = excluded.status, type = excluded.type, currency = excluded.currency, amount = excluded.amount,
               subtotal = excluded.subtotal, tax = excluded.tax, reason = excluded.reason, memo = excluded.memo, pdf_url = excluded.pdf_url,
               created_at = excluded.created_at, effective_at = excluded.effective_at, voided_at = excluded.voided_at,
               event_created_at = excluded.event_created_at, event_rank = excluded.event_rank, event_progress = excluded.event_progress,
               event_id = excluded.event_id
           WHERE (excluded.event_created_at, excluded.event_rank, excluded.event_progress, excluded.event_id)
               > (kept.event_created_at, kept.event_rank, kept.event_progress, kept.event_id)"#,
        credit_note.id,
        customer.0,
        credit_note.invoice,
        credit_note.number,
        credit_note.status,
        credit_note.kind,
        credit_note.currency.code(),
        credit_note.amount,
        credit_note.subtotal,
        credit_note.tax,
        credit_note.reason,
        credit_note.memo,
        credit_note.pdf_url,
        credit_note.created_at,
        credit_note.effective_at,
        credit_note.voided_at,
        stamp.created,
        stamp.rank,
        stamp.progress,
        stamp.event_id,
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() > 0)
}
