//! Invoices: the list, a single invoice, its PDF, the export.

mod file;

pub use file::{FileOptions, InvoiceFile, file};

use super::{
    Error, Platform, Result, features,
    parameter::{paging, span, value},
};
use crate::{
    domain::{
        features::Feature,
        identity::CustomerId,
        invoice::{InvoiceDetail, InvoicePage, sums::Sums},
        language::Language,
        list::{InvoiceFilter, ListQuery, Pagination},
    },
    pdf::{CacheKey, InvoiceDocument, Pdf, PdfError, Seller},
    store::postgres::{customers, inbox, invoices as store},
    telemetry,
};
use std::sync::Arc;
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

/// A page of a customer's invoices.
#[tracing::instrument(name = "invoices.list", level = "debug", skip_all)]
pub async fn list(platform: &Platform, customer: CustomerId, query: ListQuery<InvoiceFilter>) -> Result<InvoicePage> {
    let now = platform.clock.now();
    let (page, limit) = paging(query.paging, u32::MAX)?;
    let filter = store::Filter { limit: i64::from(limit.0), offset: page.offset(limit), ..filter(query.filter)? };
    let mut conn = platform.db.acquire().await?;
    let (invoices, total) = store::list(&mut conn, customer, &filter, now).await?;
    let totals = store::totals(&mut conn, customer, now).await?;
    Ok(InvoicePage { invoices, pagination: Pagination::new(page, limit, total), totals })
}

/// Filter and order, with the limit of a file.
fn filter(filter: InvoiceFilter) -> Result<store::Filter> {
    let (from, to) = span(filter.from, filter.to)?;
    Ok(store::Filter {
        status: value("status", filter.status)?,
        from,
        to,
        search: value("q", filter.q)?.map(|text| store::Search::new(text.as_str())),
        sort: value("sort", filter.sort)?.unwrap_or_default(),
        limit: ROWS_AT_ONCE,
        offset: 0,
    })
}

/// One invoice; another customer's is `not_found`, like one that doesn't exist.
#[tracing::instrument(name = "invoices.detail", level = "debug", skip_all)]
pub async fn detail(platform: &Platform, scope: Scope, id: &str) -> Result<InvoiceDetail> {
    Ok(read(platform, scope, id).await?.1)
}

/// An invoice's PDF, in the language of the customer's preferred locale.
///
/// # Errors
/// `invoice_pdf_disabled` while PDFs are switched off.
#[tracing::instrument(name = "invoices.pdf", level = "debug", skip_all)]
pub async fn pdf(platform: &Platform, scope: Scope, id: &str) -> Result<(Arc<Pdf>, InvoiceDetail)> {
    features::require(platform, Feature::InvoicePdf)?;
    let (customer, detail) = read(platform, scope, id).await?;
    let locale = customers::preferred_locale(&platform.db, customer).await?;
    let language = Language::choose(None, locale.as_deref(), None);
    let document = InvoiceDocument::new(language, &detail, &Seller::apex_mediation());
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
async fn read(platform: &Platform, scope: Scope, id: &str) -> Result<(CustomerId, InvoiceDetail)> {
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
    Ok((customer, detail))
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
