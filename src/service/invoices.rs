//! Invoices: the list, one of them, its PDF.

use super::{
    Error, Platform, Result, features,
    parameter::{DEFAULT_LIMIT, MAX_LIMIT, given, instant, number, search},
};
use crate::{
    domain::{
        csv,
        features::Feature,
        identity::CustomerId,
        invoice::{InvoiceDetail, InvoicePage, InvoiceSort, InvoiceStatus, InvoiceSummary, Pagination},
    },
    pdf::{CacheKey, InvoiceDocument, Pdf, PdfError, Seller},
    store::postgres::{inbox, invoices as store},
};
use futures::{Stream, StreamExt, stream};
use serde::Deserialize;
use std::sync::Arc;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

/// Rows of a file that are read at once.
const ROWS_AT_ONCE: i64 = 1_000;

/// Whose invoices the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Customer(CustomerId),
    /// The platform's staff.
    Everyone,
}

/// A list request as it came in.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Query {
    pub page: Option<String>,
    pub limit: Option<String>,
    pub status: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub q: Option<String>,
    pub sort: Option<String>,
}

/// One page of a customer's invoices.
#[tracing::instrument(name = "invoices.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, customer: CustomerId, mut query: Query) -> Result<InvoicePage> {
    let now = platform.clock.now();
    let page: u32 = number("page", query.page.take(), 1, 1..=u32::MAX)?;
    let limit: u32 = number("limit", query.limit.take(), DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let filter = store::Filter { limit: i64::from(limit), offset: i64::from(page - 1) * i64::from(limit), ..filter(query)? };
    let (invoices, total) = store::list(&platform.db, customer, &filter, now).await?;
    let totals = store::totals(&platform.db, customer, now).await?;
    Ok(InvoicePage { invoices, pagination: Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) }, totals })
}

/// Which invoices, in which order; as many as a file reads at once.
fn filter(query: Query) -> Result<store::Filter> {
    let from = given(query.from).map(|text| instant("from", &text, Duration::ZERO)).transpose()?;
    // A date stands for its whole day, at both ends.
    let to = given(query.to).map(|text| instant("to", &text, Duration::DAY)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Error::invalid("to", "lies before `from`"));
    }
    let search = search("q", query.q)?;
    Ok(store::Filter {
        status: given(query.status)
            .map(|text| text.parse::<InvoiceStatus>().map_err(|detail| Error::invalid("status", detail)))
            .transpose()?,
        from,
        to,
        search,
        sort: given(query.sort)
            .map(|text| text.parse::<InvoiceSort>().map_err(|detail| Error::invalid("sort", detail)))
            .transpose()?
            .unwrap_or_default(),
        limit: ROWS_AT_ONCE,
        offset: 0,
    })
}

/// All of a customer's invoices that the filter leaves as a CSV file (RFC 4180), in its order, some rows at a time. Amounts are minor units.
///
/// # Errors
/// A wrong parameter; what fails later ends the stream.
pub fn csv(platform: &Platform, customer: CustomerId, query: Query) -> Result<impl Stream<Item = Result<String>> + use<>> {
    let filter = filter(query)?;
    let (db, now) = (platform.db.clone(), platform.clock.now());
    let head = stream::once(std::future::ready(Ok(CSV_HEAD.to_owned())));
    let rows = stream::try_unfold(Some(None), move |after: Option<Option<Uuid>>| {
        let (db, filter) = (db.clone(), filter.clone());
        async move {
            let Some(after) = after else { return Ok(None) };
            let invoices = store::list_after(&db, customer, &filter, after, now).await?;
            let more =
                (i64::try_from(invoices.len()) == Ok(ROWS_AT_ONCE)).then(|| invoices.last().map(|invoice| Some(invoice.id))).flatten();
            Ok(Some((invoices.iter().map(line).collect::<String>(), more)))
        }
    });
    Ok(head.chain(rows))
}

const CSV_HEAD: &str = "id,stripe_invoice_id,number,status,currency,total,amount_due,amount_paid,amount_remaining,amount_refunded,period_start,\
period_end,created_at,due_date,paid_at,overdue\r\n";

fn line(invoice: &InvoiceSummary) -> String {
    let text = |text: &str| csv::field(text).into_owned();
    let instant = |at: Option<OffsetDateTime>| at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default();
    [
        invoice.id.to_string(),
        text(&invoice.stripe_invoice_id),
        text(invoice.number.as_deref().unwrap_or_default()),
        text(invoice.status.as_str()),
        invoice.currency.code().to_owned(),
        // Negative ones are numbers, not formulas.
        invoice.total.to_string(),
        invoice.amount_due.to_string(),
        invoice.amount_paid.to_string(),
        invoice.amount_remaining.to_string(),
        invoice.amount_refunded.to_string(),
        instant(invoice.period.as_ref().map(|period| period.start())),
        instant(invoice.period.as_ref().map(|period| period.end())),
        instant(Some(invoice.created_at)),
        instant(invoice.due_date),
        instant(invoice.paid_at),
        invoice.overdue.to_string(),
    ]
    .join(",")
        + "\r\n"
}

/// One invoice; somebody else's is as unknown as one that does not exist.
#[tracing::instrument(name = "invoices.detail", level = "debug", skip_all)]
pub async fn detail(platform: &Platform, scope: Scope, id: &str) -> Result<InvoiceDetail> {
    Ok(read(platform, scope, id).await?.1)
}

/// One invoice's PDF.
///
/// # Errors
/// `invoice_pdf_disabled` while PDFs are switched off.
#[tracing::instrument(name = "invoices.pdf", level = "debug", skip_all)]
pub async fn pdf(platform: &Platform, scope: Scope, id: &str) -> Result<(Arc<Pdf>, InvoiceDetail)> {
    features::require(platform, Feature::InvoicePdf)?;
    let (version, detail) = read(platform, scope, id).await?;
    let key = CacheKey { invoice: detail.summary.id, version };
    let pdf =
        platform.pdf.invoice(key, || InvoiceDocument::new(&detail, &Seller::apex_mediation())).await.map_err(|error| match error {
            PdfError::Busy | PdfError::TimedOut => Error::Busy,
            other => Error::Internal(other.into()),
        })?;
    Ok((pdf, detail))
}

/// Stripe's ids: `in_`, then letters, digits and underscores, 255 bytes at most.
fn is_stripe_id(id: &str) -> bool {
    id.len() <= 255 && id.strip_prefix("in_").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// By the id here, or Stripe's.
async fn read(platform: &Platform, scope: Scope, id: &str) -> Result<(i64, InvoiceDetail)> {
    const MISSING: Error = Error::NotFound("invoice");
    let of = match scope {
        Scope::Customer(customer) => Some(customer),
        Scope::Everyone => None,
    };
    let found = match id.parse::<Uuid>() {
        Ok(id) => store::by_id(&platform.db, of, id).await?,
        Err(_) if is_stripe_id(id) => store::by_stripe_id(&platform.db, of, id).await?,
        Err(_) => None,
    };
    let (customer, id) = found.ok_or(MISSING)?;
    let (mut detail, version) = store::detail(&platform.db, customer, id, platform.clock.now()).await?.ok_or(MISSING)?;
    detail.timeline = inbox::timeline(&platform.db, customer, &detail.summary.stripe_invoice_id).await?;
    Ok((version, detail))
}
