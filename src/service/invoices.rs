//! Invoices: the list, a single invoice, its PDF, the export.

mod file;

pub use file::{FileQuery, InvoiceFile, file};

use super::{
    Error, Platform, Result, features,
    parameter::{DEFAULT_LIMIT, MAX_LIMIT, given, instant, number, search},
};
use crate::{
    domain::{
        features::Feature,
        identity::CustomerId,
        invoice::{InvoiceDetail, InvoicePage, InvoiceSort, InvoiceStatus, Pagination, sums::Sums},
    },
    pdf::{CacheKey, InvoiceDocument, Pdf, PdfError, Seller},
    store::postgres::{inbox, invoices as store},
    telemetry,
};
use serde::Deserialize;
use std::sync::Arc;
use time::Duration;
use uuid::Uuid;

/// Rows of a file per query.
const ROWS_AT_ONCE: i64 = 1_000;

/// The invoices that a caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Customer(CustomerId),
    /// The platform's staff.
    Everyone,
}

/// A list request's unparsed parameters.
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

/// A page of a customer's invoices.
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

/// Parses filter and order, with the limit of a file.
fn filter(query: Query) -> Result<store::Filter> {
    let from = given(query.from).map(|text| instant("from", &text, Duration::ZERO)).transpose()?;
    // A date means its whole day, at both ends.
    let to = given(query.to).map(|text| instant("to", &text, Duration::DAY)).transpose()?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Error::invalid("to", "is before `from`"));
    }
    let search = search("q", query.q)?.as_deref().map(store::Search::new);
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

/// One invoice; another customer's is `not_found`, like one that doesn't exist.
#[tracing::instrument(name = "invoices.detail", level = "debug", skip_all)]
pub async fn detail(platform: &Platform, scope: Scope, id: &str) -> Result<InvoiceDetail> {
    read(platform, scope, id).await
}

/// An invoice's PDF.
///
/// # Errors
/// `invoice_pdf_disabled` while PDFs are switched off.
#[tracing::instrument(name = "invoices.pdf", level = "debug", skip_all)]
pub async fn pdf(platform: &Platform, scope: Scope, id: &str) -> Result<(Arc<Pdf>, InvoiceDetail)> {
    features::require(platform, Feature::InvoicePdf)?;
    let detail = read(platform, scope, id).await?;
    let document = InvoiceDocument::new(&detail, &Seller::apex_mediation());
    // Keyed by the printed content: a tax rate or a credit note may arrive without a change of the
    // invoice.
    let key = CacheKey { invoice: detail.summary.id, version: document.fingerprint() };
    let pdf = platform.pdf.invoice(key, || document).await.map_err(|error| match error {
        PdfError::Busy | PdfError::TimedOut => Error::Busy,
        other => Error::Internal(other.into()),
    })?;
    Ok((pdf, detail))
}

/// Stripe's ids: `in_`, then letters, digits and underscores, at most 255 bytes.
fn is_stripe_id(id: &str) -> bool {
    id.len() <= 255 && id.strip_prefix("in_").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// By our id or Stripe's.
async fn read(platform: &Platform, scope: Scope, id: &str) -> Result<InvoiceDetail> {
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
    let (detail, figures) = store::detail(&platform.db, customer, id, platform.clock.now()).await?.ok_or(MISSING)?;
    let (mut detail, sums) = detail.with_sums(&figures);
    count_unexplained(&detail.summary.stripe_invoice_id, &sums);
    detail.timeline = inbox::timeline(&platform.db, customer, &detail.summary.stripe_invoice_id).await?;
    if scope != Scope::Everyone {
        hide_suspicions(&mut detail);
    }
    Ok(detail)
}

/// Counts sums with an unexplained difference, so that staff can check Stripe's data.
fn count_unexplained(stripe_invoice_id: &str, sums: &Sums) {
    if sums.unexplained {
        metrics::counter!(telemetry::INVOICE_SUMS_UNEXPLAINED).increment(1);
        tracing::warn!(stripe_invoice_id, "invoice sums have an unexplained difference");
    }
}

/// Stripe's reason `fraudulent` is only shown to staff.
fn hide_suspicions(detail: &mut InvoiceDetail) {
    let refunds = detail.refunds.iter_mut().map(|refund| &mut refund.reason);
    let credit_notes = detail.credit_notes.iter_mut().map(|credit_note| &mut credit_note.reason);
    for reason in refunds.chain(credit_notes).filter(|reason| reason.as_deref() == Some("fraudulent")) {
        *reason = None;
    }
}
