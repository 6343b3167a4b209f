//! Rows of invoices, as the statements select them.

use super::{super::decode, figures::parsed};
use crate::domain::{
    invoice::{
        InvoiceStatus, InvoiceSummary, TaxId,
        sums::{Figures, LineFigures},
    },
    period::Period,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// A row with the columns of a list first, and further columns.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($column:ident: $type:ty,)* }) => {
        $(#[$doc])*
        pub struct $name {
            pub id: Uuid,
            pub stripe_invoice_id: String,
            pub number: Option<String>,
            pub status: String,
            pub currency: String,
            pub total: i64,
            pub amount_due: i64,
            pub amount_paid: i64,
            pub amount_remaining: i64,
            pub amount_refunded: i64,
            pub credit_notes_pre_payment: i64,
            pub credit_notes_post_payment: i64,
            pub created_at: OffsetDateTime,
            pub due_date: Option<OffsetDateTime>,
            pub paid_at: Option<OffsetDateTime>,
            pub issued_at: Option<OffsetDateTime>,
            pub period_start: Option<OffsetDateTime>,
            pub period_end: Option<OffsetDateTime>,
            $(pub $column: $type,)*
        }

        impl $name {
            pub fn summary(&self, now: OffsetDateTime) -> sqlx::Result<InvoiceSummary> {
                let status: InvoiceStatus = decode(&self.status)?;
                Ok(InvoiceSummary {
                    id: self.id,
                    stripe_invoice_id: self.stripe_invoice_id.clone(),
                    number: self.number.clone(),
                    status,
                    currency: decode(&self.currency)?,
                    total: self.total,
                    amount_due: self.amount_due,
                    amount_paid: self.amount_paid,
                    amount_remaining: self.amount_remaining,
                    amount_refunded: self.amount_refunded,
                    amount_credited: self.credit_notes_pre_payment.saturating_add(self.credit_notes_post_payment),
                    period: span(self.period_start, self.period_end),
                    created_at: self.created_at,
                    issued_at: self.issued_at,
                    due_date: self.due_date,
                    paid_at: self.paid_at,
                    overdue: status == InvoiceStatus::Open && self.due_date.is_some_and(|due| due < now),
                })
            }
        }
    };
}

row! {
    /// The columns of a list.
    Row {}
}

row! {
    /// The same, with the number of all invoices.
    PageRow {
        matches: i64,
    }
}

row! {
    /// All columns for the page, the PDF, the API and the CSV.
    FullRow {
        name: String,
        email: Option<String>,
        customer_address: Option<serde_json::Value>,
        customer_tax_id: Option<String>,
        customer_tax_ids: Option<serde_json::Value>,
        customer_tax_exempt: Option<String>,
        subtotal: i64,
        discount: i64,
        tax: i64,
        taxes: Option<serde_json::Value>,
        pretax_credits: Option<serde_json::Value>,
        shipping: Option<serde_json::Value>,
        amount_overpaid: i64,
        starting_balance: i64,
        ending_balance: Option<i64>,
        paid_out_of_band: bool,
        description: Option<String>,
        footer: Option<String>,
        custom_fields: Option<serde_json::Value>,
        lines_complete: bool,
        hosted_invoice_url: Option<String>,
    }
}

impl FullRow {
    /// All tax ids; for rows stored before their types were, the first one.
    pub fn tax_ids(&self) -> Vec<TaxId> {
        let first = || self.customer_tax_id.iter().map(|value| TaxId { kind: String::new(), value: value.clone() }).collect();
        let mut ids: Vec<TaxId> = parsed(self.customer_tax_ids.as_ref()).unwrap_or_else(first);
        ids.retain(|id| !id.value.trim().is_empty());
        ids
    }

    pub fn figures(&self, lines: LineFigures) -> sqlx::Result<Figures> {
        Ok(Figures {
            status: decode(&self.status)?,
            currency: decode(&self.currency)?,
            subtotal: self.subtotal,
            discount: self.discount,
            tax: self.tax,
            taxes: parsed(self.taxes.as_ref()),
            pretax_credits: parsed(self.pretax_credits.as_ref()),
            shipping: parsed(self.shipping.as_ref()),
            total: self.total,
            credit_notes_before_payment: self.credit_notes_pre_payment,
            credit_notes_after_payment: self.credit_notes_post_payment,
            due: self.amount_due,
            paid: self.amount_paid,
            remaining: self.amount_remaining,
            overpaid: self.amount_overpaid,
            refunded: self.amount_refunded,
            starting_balance: self.starting_balance,
            ending_balance: self.ending_balance,
            paid_out_of_band: self.paid_out_of_band,
            tax_exempt: self.customer_tax_exempt.clone(),
            lines: self.lines_complete.then_some(lines),
        })
    }
}

pub fn span(start: Option<OffsetDateTime>, end: Option<OffsetDateTime>) -> Option<Period> {
    start.zip(end).and_then(|(start, end)| Period::new(start, end))
}
