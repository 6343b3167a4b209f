//! The mirror's invoices for the console and the API.

mod figures;
mod row;
mod search;

pub use search::Search;

use super::decode;
use crate::{
    domain::{
        address::Address,
        identity::CustomerId,
        invoice::{
            CreditNote, InvoiceCustomer, InvoiceDetail, InvoiceSort, InvoiceStatus, InvoiceSummary, InvoiceTotals, LineItem, Payment,
            Refund, TaxId,
            sums::{Figures, LineFigures},
        },
        language::Language,
        money::Currency,
        web_link::https_only,
    },
    text::address,
};
use figures::{parsed, with_rates};
use row::{FullRow, PageRow, Row, span};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// A validated filter and order.
#[derive(Clone, Debug)]
pub struct Filter {
    pub status: Option<InvoiceStatus>,
    /// Date of issue in `[from, to)`; for drafts, the creation date.
    pub from: Option<OffsetDateTime>,
    pub to: Option<OffsetDateTime>,
    pub search: Option<Search>,
    pub sort: InvoiceSort,
    pub limit: i64,
    pub offset: i64,
}

impl Filter {
    /// Every invoice, in the usual order: what most requests ask for.
    fn is_usual(&self) -> bool {
        let Filter { status, from, to, search, sort, limit: _, offset: _ } = self;
        status.is_none() && from.is_none() && to.is_none() && search.is_none() && *sort == InvoiceSort::default()
    }
}

/// An invoice for export.
#[derive(Clone, Debug)]
pub struct FileInvoice {
    pub summary: InvoiceSummary,
    pub customer_name: String,
    pub tax_ids: Vec<TaxId>,
    pub figures: Figures,
    pub lines_complete: bool,
}

/// A page of a customer's invoices, and the total number of matches.
pub async fn list(
    conn: &mut PgConnection,
    customer: CustomerId,
    filter: &Filter,
    now: OffsetDateTime,
) -> sqlx::Result<(Vec<InvoiceSummary>, u64)> {
    if filter.is_usual() {
        let rows = sqlx::query_file_as!(PageRow, "src/store/postgres/invoices/newest.sql", customer.0, filter.limit, filter.offset)
            .fetch_all(&mut *conn)
            .await?;
        // Beyond the last page no row has the number.
        if let Some(total) = rows.first().map(|row| row.matches) {
            let page = rows.iter().map(|row| row.summary(now)).collect::<sqlx::Result<_>>()?;
            return Ok((page, u64::try_from(total).unwrap_or(0)));
        }
    }
    let status = filter.status.map(InvoiceStatus::as_str);
    let search = Search::parameters(filter.search.as_ref());
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM invoices
           WHERE customer_id = $1 AND NOT deleted AND ($2::text IS NULL OR status = $2)
             AND ($3::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, created_at) >= $3)
             AND ($4::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, created_at) < $4)
             AND ($5::text IS NULL OR number ~ $5 OR stripe_invoice_id ~ $5
                  OR total = CASE WHEN currency = ANY($6) THEN $7 WHEN currency = ANY($8) THEN $9 ELSE $10::bigint END
                  OR EXISTS (SELECT FROM invoice_line_items item WHERE item.invoice_id = invoices.id AND item.description ~ $5))"#,
        customer.0,
        status,
        filter.from,
        filter.to,
        search.pattern,
        &Currency::ZERO_DECIMAL as &[&str],
        search.zero_decimal,
        &Currency::THREE_DECIMAL as &[&str],
        search.three_decimal,
        search.two_decimal,
    )
    .fetch_one(&mut *conn)
    .await?;
    let rows = sqlx::query_as!(
        Row,
        "SELECT invoices.id, stripe_invoice_id, number, status, invoices.currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
                  credit_notes_pre_payment, credit_notes_post_payment, invoices.created_at, due_date, paid_at,
                  CASE WHEN status <> 'draft' THEN invoice_issued_at(status, effective_at, finalized_at, created_at) END AS issued_at,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_start ELSE period_start END AS period_start,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_end ELSE period_end END AS period_end
         FROM invoices CROSS JOIN LATERAL (
               SELECT count(*) AS lines, min(item.period_start) AS cover_start, max(item.period_end) AS cover_end
               FROM invoice_line_items item WHERE item.invoice_id = invoices.id) cover
         WHERE customer_id = $1 AND NOT deleted AND ($2::text IS NULL OR status = $2)
             AND ($3::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, created_at) >= $3)
             AND ($4::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, created_at) < $4)
             AND ($5::text IS NULL OR number ~ $5 OR stripe_invoice_id ~ $5
                  OR total = CASE WHEN currency = ANY($6) THEN $7 WHEN currency = ANY($8) THEN $9 ELSE $10::bigint END
                  OR EXISTS (SELECT FROM invoice_line_items item WHERE item.invoice_id = invoices.id AND item.description ~ $5))
         ORDER BY CASE WHEN $11 IN ('-total', 'total') THEN invoices.currency END, CASE WHEN $11 = '-total' THEN total END DESC,
                  CASE WHEN $11 = 'total' THEN total END,
                  CASE WHEN $11 = 'issued' THEN invoice_issued_at(status, effective_at, finalized_at, created_at) END,
                  invoice_issued_at(status, effective_at, finalized_at, created_at) DESC, invoices.id
         LIMIT $12 OFFSET $13",
        customer.0,
        status,
        filter.from,
        filter.to,
        search.pattern,
        &Currency::ZERO_DECIMAL as &[&str],
        search.zero_decimal,
        &Currency::THREE_DECIMAL as &[&str],
        search.three_decimal,
        search.two_decimal,
        filter.sort.as_str(),
        filter.limit,
        filter.offset,
    )
    .fetch_all(conn)
    .await?;
    let rows = rows.iter().map(|row| row.summary(now)).collect::<sqlx::Result<_>>()?;
    Ok((rows, u64::try_from(total).unwrap_or(0)))
}

/// A customer's invoices after one of them in the filter's order, at most `limit`; invoices added
/// meanwhile don't shift the pages.
pub async fn list_after(
    pool: &PgPool,
    customer: CustomerId,
    filter: &Filter,
    after: Option<Uuid>,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<FileInvoice>> {
    let search = Search::parameters(filter.search.as_ref());
    let rows = sqlx::query_as!(
        FullRow,
        r#"WITH ordered AS (
               SELECT id AS ordered_id, CASE WHEN $11 IN ('-total', 'total') THEN currency ELSE '' END AS place_currency,
                      CASE $11 WHEN '-total' THEN -total::numeric WHEN 'total' THEN total
                               WHEN 'issued' THEN extract(epoch FROM invoice_issued_at(status, effective_at, finalized_at, created_at))
                               ELSE -extract(epoch FROM invoice_issued_at(status, effective_at, finalized_at, created_at)) END AS place,
                      -extract(epoch FROM invoice_issued_at(status, effective_at, finalized_at, created_at)) AS newest
               FROM invoices WHERE customer_id = $1
           )
           SELECT invoices.id, stripe_invoice_id, number, status, invoices.currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
                  credit_notes_pre_payment, credit_notes_post_payment, invoices.created_at, due_date, paid_at,
                  CASE WHEN status <> 'draft' THEN invoice_issued_at(status, effective_at, finalized_at, invoices.created_at) END AS issued_at,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_start ELSE period_start END AS period_start,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_end ELSE period_end END AS period_end,
                  coalesce(customer_name, customers.name) AS "name!", coalesce(customer_email, customers.email) AS email, customer_address,
                  customer_tax_id, customer_tax_ids, customer_tax_exempt, subtotal, discount, tax, taxes, pretax_credits, shipping, amount_overpaid,
                  starting_balance, ending_balance, paid_out_of_band, description, footer, custom_fields, lines_complete, hosted_invoice_url
           FROM ordered JOIN invoices ON invoices.id = ordered_id JOIN customers ON customers.id = customer_id CROSS JOIN LATERAL (
               SELECT count(*) AS lines, min(item.period_start) AS cover_start, max(item.period_end) AS cover_end
               FROM invoice_line_items item WHERE item.invoice_id = invoices.id) cover
           WHERE customer_id = $1 AND NOT invoices.deleted AND ($2::text IS NULL OR status = $2)
             AND ($3::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, invoices.created_at) >= $3)
             AND ($4::timestamptz IS NULL OR invoice_issued_at(status, effective_at, finalized_at, invoices.created_at) < $4)
             AND ($5::text IS NULL OR number ~ $5 OR stripe_invoice_id ~ $5
                  OR total = CASE WHEN invoices.currency = ANY($6) THEN $7 WHEN invoices.currency = ANY($8) THEN $9 ELSE $10::bigint END
                  OR EXISTS (SELECT FROM invoice_line_items item WHERE item.invoice_id = invoices.id AND item.description ~ $5))
             AND ($13::uuid IS NULL OR (place_currency, place, newest, ordered_id)
                  > (SELECT place_currency, place, newest, ordered_id FROM ordered WHERE ordered_id = $13))
           ORDER BY place_currency, place, newest, ordered_id LIMIT $12"#,
        customer.0,
        filter.status.map(InvoiceStatus::as_str),
        filter.from,
        filter.to,
        search.pattern,
        &Currency::ZERO_DECIMAL as &[&str],
        search.zero_decimal,
        &Currency::THREE_DECIMAL as &[&str],
        search.three_decimal,
        search.two_decimal,
        filter.sort.as_str(),
        filter.limit,
        after,
    )
    .fetch_all(pool)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lines = figures::of_lines(pool, &ids).await?;
    let mut invoices = Vec::with_capacity(rows.len());
    for row in rows {
        invoices.push(FileInvoice {
            figures: row.figures(lines.remove(&row.id).unwrap_or_default())?,
            customer_name: row.name.clone(),
            tax_ids: row.tax_ids(),
            lines_complete: row.lines_complete,
            summary: row.summary(now)?,
        });
    }
    let taxes = invoices.iter_mut().flat_map(|invoice| figures::taxes_of(&mut invoice.figures));
    with_rates(pool, taxes.collect()).await?;
    Ok(invoices)
}

/// An exported line, with the index of its invoice in the request.
pub struct FileLine {
    pub invoice: usize,
    /// Starting at 0.
    pub position: i32,
    pub line: LineItem,
}

/// The lines of these invoices in order, at most `limit`, after the line `after` (an invoice's
/// index and a line's position).
pub async fn lines_after(pool: &PgPool, invoices: &[Uuid], after: Option<(usize, i32)>, limit: i64) -> sqlx::Result<Vec<FileLine>> {
    let after = after.map(|(place, position)| (i64::try_from(place).unwrap_or(i64::MAX), i64::from(position)));
    let rows = sqlx::query!(
        r#"SELECT place AS "place!", position, description, quantity, quantity_decimal::text AS quantity_decimal, unit_amount, amount, discount, tax,
                  taxes, pretax_credits, transform_quantity, period_start, period_end, proration
           FROM unnest($1::uuid[]) WITH ORDINALITY AS asked(id, place) JOIN invoice_line_items ON invoice_id = asked.id
           WHERE $2::bigint IS NULL OR (place, position::bigint) > ($2, $3::bigint)
           ORDER BY place, position LIMIT $4"#,
        invoices,
        after.map(|after| after.0 + 1),
        after.map(|after| after.1),
        limit,
    )
    .fetch_all(pool)
    .await?;
    let lines = rows.into_iter().map(|row| FileLine {
        invoice: usize::try_from(row.place - 1).unwrap_or(usize::MAX),
        position: row.position,
        line: LineItem {
            description: row.description,
            quantity: row.quantity,
            quantity_decimal: row.quantity_decimal.map(figures::shortest),
            unit_amount: row.unit_amount,
            amount: row.amount,
            discount: row.discount,
            tax: row.tax,
            taxes: parsed(row.taxes.as_ref()).unwrap_or_default(),
            pretax_credits: parsed(row.pretax_credits.as_ref()).unwrap_or_default(),
            transform_quantity: parsed(row.transform_quantity.as_ref()),
            period: span(row.period_start, row.period_end),
            proration: row.proration,
        },
    });
    let mut lines: Vec<FileLine> = lines.collect();
    with_rates(pool, lines.iter_mut().flat_map(|line| &mut line.line.taxes).collect()).await?;
    Ok(lines)
}

/// A customer's name, and the dates of issue of its first and last invoice.
pub async fn extent(pool: &PgPool, customer: CustomerId) -> sqlx::Result<Option<(String, Option<OffsetDateTime>, Option<OffsetDateTime>)>> {
    let row = sqlx::query!(
        r#"SELECT name,
                  (SELECT min(invoice_issued_at(status, effective_at, finalized_at, created_at)) FROM invoices
                   WHERE customer_id = customers.id AND NOT deleted) AS first,
                  (SELECT max(invoice_issued_at(status, effective_at, finalized_at, created_at)) FROM invoices
                   WHERE customer_id = customers.id AND NOT deleted) AS last
           FROM customers WHERE id = $1"#,
        customer.0,
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.name, row.first, row.last)))
}

/// The amounts that a customer owes, per currency.
pub async fn totals(conn: &mut PgConnection, customer: CustomerId, now: OffsetDateTime) -> sqlx::Result<Vec<InvoiceTotals>> {
    let rows = sqlx::query_file!("src/store/postgres/invoices/totals.sql", customer.0, now).fetch_all(conn).await?;
    rows.into_iter().map(|row| Ok(InvoiceTotals { currency: decode(&row.currency)?, open: row.open, overdue: row.overdue })).collect()
}

/// Finds an invoice by id: of this customer, or of any if None, for staff.
pub async fn by_id(pool: &PgPool, of: Option<CustomerId>, invoice: Uuid) -> sqlx::Result<Option<(CustomerId, Uuid)>> {
    let row = sqlx::query!(
        "SELECT customer_id, id FROM invoices WHERE id = $1 AND ($2::uuid IS NULL OR customer_id = $2) AND NOT deleted",
        invoice,
        of.map(|id| id.0),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (CustomerId(row.customer_id), row.id)))
}

/// The same by Stripe's id.
pub async fn by_stripe_id(pool: &PgPool, of: Option<CustomerId>, stripe_id: &str) -> sqlx::Result<Option<(CustomerId, Uuid)>> {
    let row = sqlx::query!(
        "SELECT customer_id, id FROM invoices WHERE stripe_invoice_id = $1 AND ($2::uuid IS NULL OR customer_id = $2) AND NOT deleted",
        stripe_id,
        of.map(|id| id.0),
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (CustomerId(row.customer_id), row.id)))
}

/// A customer's invoice with all its data except the timeline and derived values.
pub async fn detail(
    pool: &PgPool,
    customer: CustomerId,
    invoice: Uuid,
    now: OffsetDateTime,
) -> sqlx::Result<Option<(InvoiceDetail, Figures)>> {
    let Some(row) = sqlx::query_as!(
        FullRow,
        r#"SELECT invoices.id, stripe_invoice_id, number, status, invoices.currency, total, amount_due, amount_paid, amount_remaining, amount_refunded,
                  credit_notes_pre_payment, credit_notes_post_payment, invoices.created_at, due_date, paid_at,
                  CASE WHEN status <> 'draft' THEN invoice_issued_at(status, effective_at, finalized_at, invoices.created_at) END AS issued_at,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_start ELSE period_start END AS period_start,
                  CASE WHEN NOT lines_complete THEN NULL WHEN lines > 0 THEN cover_end ELSE period_end END AS period_end,
                  coalesce(customer_name, customers.name) AS "name!", coalesce(customer_email, customers.email) AS email, customer_address,
                  customer_tax_id, customer_tax_ids, customer_tax_exempt, subtotal, discount, tax, taxes, pretax_credits, shipping, amount_overpaid,
                  starting_balance, ending_balance, paid_out_of_band, description, footer, custom_fields, lines_complete, hosted_invoice_url
           FROM invoices JOIN customers ON customers.id = customer_id CROSS JOIN LATERAL (
               SELECT count(*) AS lines, min(item.period_start) AS cover_start, max(item.period_end) AS cover_end
               FROM invoice_line_items item WHERE item.invoice_id = invoices.id) cover
           WHERE customer_id = $1 AND invoices.id = $2 AND NOT invoices.deleted"#,
        customer.0,
        invoice,
    )
    .fetch_optional(pool)
    .await?
    else {
        return Ok(None);
    };
    let mut line_items = Vec::new();
    loop {
        let after = line_items.last().map(|line: &FileLine| (line.invoice, line.position));
        let more = lines_after(pool, &[invoice], after, LINES_AT_ONCE).await?;
        let is_last = i64::try_from(more.len()) != Ok(LINES_AT_ONCE);
        line_items.extend(more);
        if is_last {
            break;
        }
    }
    let line_items: Vec<LineItem> = line_items.into_iter().map(|line| line.line).collect();
    let mut of_lines = LineFigures::default();
    for line in &line_items {
        of_lines.add(line.amount, line.discount, line.tax, &line.taxes, &line.pretax_credits);
    }
    let mut figures = row.figures(of_lines)?;
    with_rates(pool, figures::taxes_of(&mut figures).collect()).await?;
    let payments = sqlx::query_as!(
        Payment,
        "SELECT stripe_payment_id AS id, amount, method, status, at FROM invoice_payments WHERE customer_id = $1 AND stripe_invoice_id = $2 ORDER BY at, stripe_payment_id",
        customer.0,
        row.stripe_invoice_id,
    )
    .fetch_all(pool)
    .await?;
    // If a refund's payment paid several invoices, this invoice's part.
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
    .await?
    .into_iter()
    .map(|credit_note| CreditNote { pdf_url: https_only(credit_note.pdf_url), ..credit_note })
    .collect::<Vec<_>>();
    let tax_ids = row.tax_ids();
    let postal = row.customer_address.as_ref().map(Address::of_stripe).unwrap_or_default();
    let detail = InvoiceDetail {
        summary: row.summary(now)?,
        customer: InvoiceCustomer {
            name: row.name,
            email: row.email,
            address: address::lines(Language::English, &postal),
            postal,
            tax_id: tax_ids.first().map(|id| id.value.clone()),
            tax_ids,
            tax_exempt: row.customer_tax_exempt,
        },
        subtotal: row.subtotal,
        discount: row.discount,
        item_discount: 0,
        tax: row.tax,
        credit_applied: 0,
        sums: Vec::new(),
        taxes: figures.taxes.clone().unwrap_or_default(),
        tax_notes: Vec::new(),
        shipping: figures.shipping.clone(),
        custom_fields: parsed(row.custom_fields.as_ref()).unwrap_or_default(),
        footer: row.footer,
        description: row.description,
        line_items,
        lines_complete: row.lines_complete,
        payments,
        refunds,
        credit_notes,
        timeline: Vec::new(),
        hosted_invoice_url: https_only(row.hosted_invoice_url),
    };
    Ok(Some((detail, figures)))
}

/// Lines of an invoice per query.
const LINES_AT_ONCE: i64 = 5_000;
