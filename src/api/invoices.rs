//! A single invoice, its PDF, and the export.

use crate::{
    domain::{file_name::content_disposition, invoice::InvoiceDetail, list::InvoiceFilter},
    http::{
        conditional::{known_tags, not_modified},
        extract::{Path, Query},
        problem::ApiError,
        state::Server,
    },
    service::{
        Error,
        caller::{Caller, Reader},
        invoices,
    },
};
use axum::{
    Json,
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(csv)).routes(routes!(detail)).routes(routes!(pdf))
}

/// `GET /billing/invoices/{id}`.
#[utoipa::path(
    get, path = "/api/v1/billing/invoices/{id}", tag = "Invoices",
    summary = "One invoice",
    params(("id" = String, Path, description = "Our id of the invoice, or Stripe's", example = "in_1QxYz")),
    responses((status = 200, description = "The invoice with its lines, payments, refunds and timeline", body = InvoiceDetail)),
    extensions(("x-problems" = json!(["not_found", "bad_request"])))
)]
pub async fn detail(reader: Reader, Path(id): Path<String>) -> Result<Json<InvoiceDetail>, ApiError> {
    Ok(Json(invoices::detail(&reader.platform, reader.scope, &id).await?))
}

/// The list's filters, and what the file has.
#[derive(Deserialize)]
pub struct CsvParameters {
    #[serde(flatten)]
    query: InvoiceFilter,
    #[serde(flatten)]
    options: invoices::FileOptions,
}

/// `GET /billing/invoices.csv`: all invoices that match the filters of `GET /billing/invoices`.
#[utoipa::path(
    get, path = "/api/v1/billing/invoices.csv", tag = "Invoices",
    summary = "Invoices as a CSV file",
    description = "For accounting. Amounts are decimals with the currency beside them, or integers in its minor unit with `units=minor`. \
        `issue_date` is empty on a draft. `period_start` and `period_end` are the first and the last day that the lines cover. \
        `subtotal - discount - credits_before_tax + shipping + (tax - tax_included) + other_adjustments = total`, \
        `total - (credited - credited_after_payment) + balance = amount_due`, and `net` is the total without taxes. `tax_by_rate` names each \
        rate. With `rows=lines` there is a row for each line instead. UTF-8 with a byte order mark, so that spreadsheets read every name.",
    params(InvoiceFilter, invoices::FileOptions, crate::app::calls::parameters::OfCustomer),
    responses((status = 200, description = "A header and a row per invoice or line (RFC 4180)", body = String,
        content_type = "text/csv; charset=utf-8; header=present",
        headers(("Content-Disposition" = String, description = "`attachment` with a file name: the customer, and the first and last date")))),
    extensions(("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn csv(caller: Caller, Query(CsvParameters { query, options }): Query<CsvParameters>) -> Result<Response, ApiError> {
    let file = invoices::file(&caller.platform, caller.customer, query, options).await?;
    let rows = file.rows.map_err(|error| {
        tracing::error!(%error, "invoices file ends early");
        error
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, content_disposition(&file.name)),
    ];
    Ok((headers, Body::from_stream(rows)).into_response())
}

/// `GET /billing/invoices/{id}/pdf`: with a strong `ETag`, so that a repeated download is a 304.
#[utoipa::path(
    get, path = "/api/v1/billing/invoices/{id}/pdf", tag = "Invoices",
    summary = "An invoice as PDF",
    params(
        ("id" = String, Path, description = "Our id of the invoice, or Stripe's", example = "in_1QxYz"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of a cached file"),
    ),
    responses(
        (status = 200, description = "The PDF", body = [u8], content_type = "application/pdf", headers(
            ("ETag" = String, description = "Strong; changes with the file"),
            ("Content-Disposition" = String, description = "A file name with the invoice's number"),
            ("Cache-Control" = String, description = "`private, no-cache`"),
        )),
        (status = 304, description = "The file matches `If-None-Match`", headers(("ETag" = String, description = "Its tag"))),
    ),
    extensions(("x-problems" = json!(["not_found", "bad_request", "invoice_pdf_disabled"])))
)]
pub async fn pdf(reader: Reader, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, ApiError> {
    let (pdf, detail) = invoices::pdf(&reader.platform, reader.scope, &id).await?;
    let etag = HeaderValue::from_str(&pdf.etag).map_err(|error| Error::Internal(error.into()))?;
    let known = known_tags(&headers).contains(&etag);
    let mut response = if known { not_modified() } else { pdf.bytes.clone().into_response() };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::ETAG, etag);
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
        let name = detail.summary.number.as_deref().unwrap_or(&detail.summary.stripe_invoice_id);
        if let Ok(disposition) = HeaderValue::from_str(&content_disposition(&format!("invoice-{name}.pdf"))) {
            headers.insert(header::CONTENT_DISPOSITION, disposition);
        }
    }
    Ok(response)
}
