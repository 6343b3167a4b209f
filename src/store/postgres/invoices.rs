//! Invoices of the mirror, as the console and the API read them.

use super::decode;
use crate::domain::{
    identity::CustomerId,
    invoice::{
        CreditNote, InvoiceCustomer, InvoiceDetail, InvoiceSort, InvoiceStatus, InvoiceSummary, InvoiceTotals, LineItem, Payment, Refund,
    },
    period::Period,
};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// Which invoices, in which order; all of it checked.
#[derive(Clone, Debug)]
pub struct Filter {
    pub status: Option<InvoiceStatus>,
    /// Created in the half-open span `[from, to)`.
    pub from: Option<OffsetDateTime>,
    pub to: Option<OffsetDateTime>,
    /// Part of the number or of Stripe's id.
    pub search: Option<String>,
    pub sort: InvoiceSort,
    pub limit: i64,
    pub offset: i64,
}

struct Row {
    id: Uuid,
    stripe_invoice_id: String,
    number: Option<String>,
    status: String,
    currency: String,
    total: i64,
    amount_due: i64,
    amount_paid: i64,
    amount_remaining: i64,
    amount_refunded: i64,
    period_start: Option<OffsetDateTime>,
    period_end: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    due_date: Option<OffsetDateTime>,
    paid_at: Option<OffsetDateTime>,
}

impl Row {
    fn summary(self, now: OffsetDateTime) -> sqlx::Result<InvoiceSummary> {
        let status: InvoiceStatus = decode(&self.status)?;
        Ok(InvoiceSummary {
            id: self.id,
            stripe_invoice_id: self.stripe_invoice_id,
            number: self.number,
            status,
            currency: decode(&self.currency)?,
            total: self.total,
            amount_due: self.amount_due,
            amount_paid: self.amount_paid,
            amount_remaining: self.amount_remaining,
            amount_refunded: self.amount_refunded,
            period: span(self.period_start, self.period_end),
            created_at: self.created_at,
            due_date: self.due_date,
            paid_at: self.paid_at,
            overdue: status == InvoiceStatus::Open && self.due_date.is_some_and(|due| due < now),
        })
    }
}

fn span(start: Option<OffsetDateTime>, end: Option<OffsetDateTime>) -> Option<Period> {
    start.zip(end).and_then(|(start, end)| Period::new(start, end))
}

/// One page of a customer's invoices and how many match in all.
pub async fn list(pool: &PgPool, customer: CustomerId, filter: &Filter, now: OffsetDateTime) -> sqlx::Result<(Vec<InvoiceSummary>, u64)> {
    let status = filter.status.map(InvoiceStatus::as_str);
    let pattern = filter.search.as_deref().map(contains_pattern);
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM invoices
           WHERE customer_id = $1 AND NOT deleted
             AND ($2::text IS NULL OR status = $2) AND ($3::timestamptz IS NULL OR created_at >= $3) AND ($4::timestamptz IS NULL OR created_at < $4)
             AND ($5::text IS NULL OR number ILIKE $5 OR stripe_invoice_id ILIKE $5)"#,
        customer.0,
        status,
        filter.from,
        filter.to,
        pattern,
    )
    .fetch_one(pool)
    .await?;
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, stripe_invoice_id, number, status, currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
                period_start, period_end, created_at, due_date, paid_at
         FROM invoices
         WHERE customer_id = $1 AND NOT deleted
           AND ($2::text IS NULL OR status = $2) AND ($3::timestamptz IS NULL OR created_at >= $3) AND ($4::timestamptz IS NULL OR created_at < $4)
           AND ($5::text IS NULL OR number ILIKE $5 OR stripe_invoice_id ILIKE $5)
         ORDER BY CASE WHEN $6 = '-total' THEN total END DESC, CASE WHEN $6 = 'total' THEN total END,
                  CASE WHEN $6 = 'created' THEN created_at END, created_at DESC, id
         LIMIT $7 OFFSET $8",
        customer.0,
        status,
        filter.from,
        filter.to,
        pattern,
        filter.sort.as_str(),
        filter.limit,
        filter.offset,
    )
    .fetch_all(pool)
    .await?;
    let rows = rows.into_iter().map(|row| row.summary(now)).collect::<sqlx::Result<_>>()?;
    Ok((rows, u64::try_from(total).unwrap_or(0)))
}

/// A customer's invoices in the filter's order after one of them, `limit` at most; invoices that come meanwhile shift nothing.
pub async fn list_after(
    pool: &PgPool,
    customer: CustomerId,
    filter: &Filter,
    after: Option<Uuid>,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<InvoiceSummary>> {
    let rows = sqlx::query_as!(
        Row,
        r#"WITH ordered AS (
               SELECT *, CASE $6 WHEN '-total' THEN -total::numeric WHEN 'total' THEN total WHEN 'created' THEN extract(epoch FROM created_at)
                              ELSE -extract(epoch FROM created_at) END AS place
               FROM invoices WHERE customer_id = $1
           )
           SELECT id AS "id!", stripe_invoice_id AS "stripe_invoice_id!", number, status AS "status!", currency AS "currency!", total AS "total!",
                  amount_due AS "amount_due!", amount_paid AS "amount_paid!", amount_remaining AS "amount_remaining!",
                  amount_refunded AS "amount_refunded!", period_start, period_end, created_at AS "created_at!", due_date, paid_at
           FROM ordered
           WHERE NOT deleted
             AND ($2::text IS NULL OR status = $2) AND ($3::timestamptz IS NULL OR created_at >= $3) AND ($4::timestamptz IS NULL OR created_at < $4)
             AND ($5::text IS NULL OR number ILIKE $5 OR stripe_invoice_id ILIKE $5)
             AND ($8::uuid IS NULL OR (place, -extract(epoch FROM created_at), id)
                  > (SELECT place, -extract(epoch FROM created_at), id FROM ordered WHERE id = $8))
           ORDER BY place, -extract(epoch FROM created_at), id LIMIT $7"#,
        customer.0,
        filter.status.map(InvoiceStatus::as_str),
        filter.from,
        filter.to,
        filter.search.as_deref().map(contains_pattern),
        filter.sort.as_str(),
        filter.limit,
        after,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| row.summary(now)).collect()
}

/// `%text%` for ILIKE, with its wildcards taken literally.
fn contains_pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// What a customer owes, per currency.
pub async fn totals(pool: &PgPool, customer: CustomerId, now: OffsetDateTime) -> sqlx::Result<Vec<InvoiceTotals>> {
    let rows = sqlx::query!(
        r#"SELECT currency, sum(amount_remaining)::bigint AS "open!", coalesce(sum(amount_remaining) FILTER (WHERE due_date < $2), 0)::bigint AS "overdue!"
           FROM invoices WHERE customer_id = $1 AND status = 'open' AND NOT deleted GROUP BY currency ORDER BY currency"#,
        customer.0,
        now,
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(|row| Ok(InvoiceTotals { currency: decode(&row.currency)?, open: row.open, overdue: row.overdue })).collect()
}

/// Whose invoice it is; for staff, who may see any.
pub async fn owner(pool: &PgPool, invoice: Uuid) -> sqlx::Result<Option<CustomerId>> {
    let id = sqlx::query_scalar!("SELECT customer_id FROM invoices WHERE id = $1 AND NOT deleted", invoice).fetch_optional(pool).await?;
    Ok(id.map(CustomerId))
}

/// One of a customer's invoices with everything that belongs to it but the timeline, and its version.
pub async fn detail(pool: &PgPool, customer: CustomerId, invoice: Uuid, now: OffsetDateTime) -> sqlx::Result<Option<(InvoiceDetail, i64)>> {
    let Some(row) = sqlx::query_as!(
        Row,
        "SELECT id, stripe_invoice_id, number, status, currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
                period_start, period_end, created_at, due_date, paid_at
         FROM invoices WHERE customer_id = $1 AND id = $2 AND NOT deleted",
        customer.0,
        invoice,
    )
    .fetch_optional(pool)
    .await?
    else {
        return Ok(None);
    };
    let rest = sqlx::query!(
        r#"SELECT coalesce(customer_name, customers.name) AS "name!", coalesce(customer_email, customers.email) AS email, customer_address, customer_tax_id,
                  subtotal, discount, tax, starting_balance, ending_balance, description, lines_complete, hosted_invoice_url, version
           FROM invoices JOIN customers ON customers.id = customer_id WHERE customer_id = $1 AND invoices.id = $2"#,
        customer.0,
        invoice,
    )
    .fetch_one(pool)
    .await?;
    let line_items = sqlx::query!(
        "SELECT description, quantity, unit_amount, amount, discount, tax, period_start, period_end, proration FROM invoice_line_items WHERE invoice_id = $1 ORDER BY position",
        invoice,
    )
    .fetch_all(pool)
    .await?
    .into_iter()
    .map(|line| LineItem {
        description: line.description,
        quantity: line.quantity,
        unit_amount: line.unit_amount,
        amount: line.amount,
        discount: line.discount,
        tax: line.tax,
        period: span(line.period_start, line.period_end),
        proration: line.proration,
    })
    .collect();
    let payments = sqlx::query_as!(
        Payment,
        "SELECT stripe_payment_id AS id, amount, method, status, at FROM invoice_payments WHERE customer_id = $1 AND stripe_invoice_id = $2 ORDER BY at, stripe_payment_id",
        customer.0,
        row.stripe_invoice_id,
    )
    .fetch_all(pool)
    .await?;
    // Of a refund of what paid several invoices, this one's part.
    let shares = super::mirror::refunds::shares(pool, &[&row.stripe_invoice_id]).await?;
    let (ids, parts): (Vec<&str>, Vec<i64>) =
        shares.of(customer, &row.stripe_invoice_id).filter_map(|share| Some((share.refund.as_deref()?, share.amount))).unzip();
    let refunds = sqlx::query_as!(
        Refund,
        r#"SELECT stripe_refund_id AS id, part.amount AS "amount!", status, reason, created_at AS at
           FROM refunds JOIN unnest($2::text[], $3::bigint[]) AS part(id, amount) ON part.id = stripe_refund_id
           WHERE customer_id = $1 ORDER BY created_at, stripe_refund_id"#,
        customer.0,
        &ids as &[&str],
        &parts,
    )
    .fetch_all(pool)
    .await?;
    let credit_notes = sqlx::query_as!(
        CreditNote,
        r#"SELECT stripe_credit_note_id AS id, number, amount, status, type AS kind, reason, memo, pdf_url, coalesce(effective_at, created_at) AS "at!"
           FROM credit_notes WHERE customer_id = $1 AND stripe_invoice_id = $2 ORDER BY created_at, stripe_credit_note_id"#,
        customer.0,
        row.stripe_invoice_id,
    )
    .fetch_all(pool)
    .await?;
    let detail = InvoiceDetail {
        summary: row.summary(now)?,
        customer: InvoiceCustomer {
            name: rest.name,
            email: rest.email,
            address: rest.customer_address.as_ref().map(address_lines).unwrap_or_default(),
            tax_id: rest.customer_tax_id,
        },
        subtotal: rest.subtotal,
        discount: rest.discount,
        tax: rest.tax,
        // A negative balance is credit; what of it the invoice used up is the way from the starting to the ending balance.
        credit_applied: rest.ending_balance.map_or(0, |ending| (ending - rest.starting_balance).max(0)),
        description: rest.description,
        line_items,
        lines_complete: rest.lines_complete,
        payments,
        refunds,
        credit_notes,
        timeline: Vec::new(),
        hosted_invoice_url: rest.hosted_invoice_url,
    };
    Ok(Some((detail, rest.version)))
}

/// Stripe's address object as the lines of a letter.
fn address_lines(address: &serde_json::Value) -> Vec<String> {
    let part =
        |key: &str| address.get(key).and_then(|value| value.as_str()).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let city = [part("postal_code"), part("city"), part("state")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    [part("line1"), part("line2"), (!city.is_empty()).then_some(city), part("country")].into_iter().flatten().collect()
}
