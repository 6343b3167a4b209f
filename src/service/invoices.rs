//! Invoices: the list, one of them, its PDF.

use super::{
    Error, Platform, Result, features,
    parameter::{DEFAULT_LIMIT, MAX_LIMIT, given, instant, number, search},
};
use crate::{
    domain::{
        features::Feature,
        identity::CustomerId,
        invoice::{InvoiceDetail, InvoicePage, InvoiceSort, InvoiceStatus, Pagination},
    },
    pdf::{CacheKey, InvoiceDocument, Pdf, PdfError, Seller},
    store::postgres::{inbox, invoices as store},
};
use std::sync::Arc;
use time::Duration;
use uuid::Uuid;

/// Whose invoices the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Customer(CustomerId),
    /// The platform's staff.
    Everyone,
}

/// A list request as it came in.
#[derive(Clone, Debug, Default)]
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
pub async fn list(platform: &Platform, customer: CustomerId, query: Query) -> Result<InvoicePage> {
    let now = platform.clock.now();
    let page: u32 = number("page", query.page, 1, 1..=u32::MAX)?;
    let limit: u32 = number("limit", query.limit, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let from = given(query.from).map(|text| instant("from", &text, Duration::ZERO)).transpose()?;
    // A date stands for its whole day, at both ends.
    let to = given(query.to).map(|text| instant("to", &text, Duration::DAY)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Error::invalid("to", "lies before `from`"));
    }
    let search = search("q", query.q)?;
    let filter = store::Filter {
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
        limit: i64::from(limit),
        offset: i64::from(page - 1) * i64::from(limit),
    };
    let (invoices, total) = store::list(&platform.db, customer, &filter, now).await?;
    let totals = store::totals(&platform.db, customer, now).await?;
    Ok(InvoicePage { invoices, pagination: Pagination { page, limit, total, total_pages: total.div_ceil(u64::from(limit)) }, totals })
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

async fn read(platform: &Platform, scope: Scope, id: &str) -> Result<(i64, InvoiceDetail)> {
    const MISSING: Error = Error::NotFound("invoice");
    let id: Uuid = id.parse().map_err(|_| MISSING)?;
    let customer = match scope {
        Scope::Customer(customer) => customer,
        Scope::Everyone => store::owner(&platform.db, id).await?.ok_or(MISSING)?,
    };
    let (mut detail, version) = store::detail(&platform.db, customer, id, platform.clock.now()).await?.ok_or(MISSING)?;
    detail.timeline = inbox::timeline(&platform.db, customer, &detail.summary.stripe_invoice_id).await?;
    Ok((version, detail))
}
