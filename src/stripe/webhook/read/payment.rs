//! Charges, refunds and payments of invoices.

use super::{Moment, Reading, currency, owned, owned_id, required_amount, required_id};
use crate::{
    domain::mirror::{
        self,
        snapshot::{Change, ChargeSnapshot, InvoicePaymentSnapshot, InvoiceSnapshot, RefundSnapshot, Snapshot},
    },
    stripe::webhook::field::{Field, Read},
};

/// The method of a payment outside Stripe.
pub(super) const OUT_OF_BAND: &str = "out_of_band";

pub(super) fn read_charge(charge: &Field<'_>, moment: &Moment<'_>) -> Read<Reading> {
    let status = match charge.get("status").text()? {
        // Before 2015 a charge only had `paid`.
        None if charge.get("paid").boolean()? == Some(false) => "failed",
        // The field's name at that time.
        None | Some("paid") => "succeeded",
        Some(status) => status,
    };
    let snapshot = ChargeSnapshot {
        id: required_id(charge, "id")?,
        customer: owned_id(&charge.get("customer"))?,
        invoice: owned_id(&charge.get("invoice"))?,
        payment_intent: owned_id(&charge.get("payment_intent"))?,
        currency: currency(charge)?,
        amount: required_amount(charge, "amount")?,
        amount_refunded: charge.get("amount_refunded").integer()?.unwrap_or(0),
        status: status.to_owned(),
        method: owned(&charge.any([&["payment_method_details", "type"], &["source", "object"]]))?,
        created_at: charge.get("created").need(charge.get("created").time()?)?,
    };
    // Before 2022-11-15 a charge contained its refunds, newest first; later ones have their own
    // events.
    let mut along = Vec::new();
    for refund in charge.get("refunds").entries()? {
        along.push(read_refund(&refund, moment, Some(&snapshot), false)?);
    }
    let captured = charge.get("amount_captured").integer()?.unwrap_or(0);
    let (rank, progress) = (mirror::charge_rank(status), snapshot.amount_refunded.saturating_add(captured));
    Ok(Reading::Changes { subject: Box::new(moment.change(Snapshot::Charge(snapshot), true, rank, progress)), along })
}

/// A refund, alone or within its charge.
pub(super) fn read_refund(refund: &Field<'_>, moment: &Moment<'_>, charge: Option<&ChargeSnapshot>, subject: bool) -> Read<Change> {
    // Before 2016 refunds had no status: all had succeeded.
    let status = refund.get("status").text()?.unwrap_or("succeeded");
    let snapshot = RefundSnapshot {
        id: required_id(refund, "id")?,
        customer: owned_id(&refund.get("customer"))?.or_else(|| charge?.customer.clone()),
        charge: owned_id(&refund.get("charge"))?.or_else(|| Some(charge?.id.clone())),
        payment_intent: owned_id(&refund.get("payment_intent"))?.or_else(|| charge?.payment_intent.clone()),
        currency: currency(refund)?,
        amount: required_amount(refund, "amount")?,
        status: status.to_owned(),
        reason: owned(&refund.get("reason"))?,
        created_at: refund.get("created").need(refund.get("created").time()?)?,
    };
    Ok(moment.change(Snapshot::Refund(snapshot), subject, mirror::refund_rank(status), 0))
}

/// An InvoicePayment, alone or within its invoice.
pub(super) fn read_invoice_payment(
    payment: &Field<'_>,
    moment: &Moment<'_>,
    invoice: Option<&InvoiceSnapshot>,
    subject: bool,
) -> Read<Change> {
    let status = payment.get("status").need(payment.get("status").text()?)?;
    let amount = payment.any([&["amount_paid"], &["amount_requested"]]);
    let at = payment.any([&["status_transitions", "paid_at"], &["status_transitions", "canceled_at"], &["created"]]);
    let means = payment.get("payment");
    // A payment record describes money moved by another processor ("Payment Records").
    let out_of_band = means.get("type").text()? == Some("payment_record");
    let invoice_id = match invoice {
        Some(invoice) => invoice.id.clone(),
        None => required_id(payment, "invoice")?,
    };
    let snapshot = InvoicePaymentSnapshot {
        id: required_id(payment, "id")?,
        invoice: invoice_id,
        customer: invoice.map(|invoice| invoice.customer.clone()),
        from_invoice: false,
        payment_intent: owned_id(&means.get("payment_intent"))?,
        charge: owned_id(&means.get("charge"))?,
        amount: amount.need(amount.integer()?)?,
        status: status.to_owned(),
        method: out_of_band.then(|| OUT_OF_BAND.to_owned()),
        at: at.need(at.time()?)?,
    };
    Ok(moment.change(Snapshot::Payment(snapshot), subject, mirror::payment_rank(status), 0))
}
