//! Invoices.

use super::Problem;
use crate::domain::{
    invoice::{InvoiceDetail, InvoicePage},
    list::{InvoiceFilter, ListQuery},
};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

/// `GET /api/v1/billing/invoices`. An error names the invalid parameter.
#[utoipa::path(
        get, path = "/api/v1/billing/invoices", tag = "Invoices",
        summary = "A page of invoices",
        params(crate::domain::list::InvoiceFilter, crate::domain::list::Paging, crate::app::calls::parameters::OfCustomer),
        responses((status = 200, description = "The page, and the amounts owed by currency", body = InvoicePage)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetInvoices, prefix = "/api/v1", endpoint = "billing/invoices", input = GetUrl, output = Json)]
pub async fn invoices(#[server(flatten)] query: ListQuery<InvoiceFilter>, customer_id: Option<String>) -> Result<InvoicePage, Problem> {
    let caller = crate::guard::caller(customer_id).await?;
    Ok(crate::service::invoices::list(&caller.platform, caller.customer, query).await?)
}

/// An invoice for its page. API clients use `GET /api/v1/billing/invoices/{id}` with the same use
/// case.
#[utoipa::path(
        get, path = "/api/v1/billing/invoice", tag = "Invoices",
        summary = "One invoice, for its page",
        description = "The same as `GET /api/v1/billing/invoices/{id}`, which API clients use.",
        params(("id" = String, Query, description = "Our id of the invoice, or Stripe's", example = "in_1QxYz")),
        responses((status = 200, description = "The invoice", body = InvoiceDetail)),
        extensions(("x-problems" = json!(["not_found", "invalid_parameter"])))
    )]
#[server(name = GetInvoice, prefix = "/api/v1", endpoint = "billing/invoice", input = GetUrl, output = Json)]
pub async fn invoice(id: String) -> Result<InvoiceDetail, Problem> {
    let reader = crate::guard::reader().await?;
    Ok(crate::service::invoices::detail(&reader.platform, reader.scope, &id).await?)
}
