//! Invoices and their PDFs, with the first existing invoice: the check creates none.

use super::{
    Findings,
    client::{As, Site},
    usage::latency,
};
use crate::store::postgres::checklist as store;
use sqlx::PgPool;
use std::time::Duration;

const LIST: &str = "/api/v1/billing/invoices";
const ALL: [&str; 5] = ["invoices-answer", "invoices-pagination", "invoices-filter", "latency-invoices", "errors-friendly"];
const OF_ONE: [&str; 6] = ["invoice-recorded", "invoice-detail", "pdf-answer", "pdf-content", "pdf-time", "pdf-download-time"];
const TARGET: Duration = Duration::from_secs(1);
const PDF_TARGET: Duration = Duration::from_secs(2);
const DOWNLOAD_TARGET: Duration = Duration::from_secs(3);

/// An invoice that the pages should show.
pub struct First {
    pub id: String,
    pub number: String,
}

pub async fn check(site: &Site, db: Option<&PgPool>, findings: &mut Findings) -> Option<First> {
    match db {
        None => findings.unchecked(&["invoice-webhook"], "--database-url"),
        Some(db) => match store::webhooks_of(db, "invoice.created").await {
            Err(error) => findings.failed("invoice-webhook", error.to_string(), "is it this program's database?"),
            Ok(0) => findings.unchecked(&["invoice-webhook"], "an invoice.created event from Stripe; none has arrived yet"),
            Ok(count) => findings.passed("invoice-webhook", format!("{count} received")),
        },
    }
    // Staff see all invoices; with a customer's user, the check sees what customers see.
    let Some(who) = site.member().or(site.admin()) else {
        findings.unchecked(&ALL, "--member-cookie, --api-key or --admin-cookie");
        findings.unchecked(&OF_ONE, "--member-cookie, --api-key or --admin-cookie");
        return None;
    };
    let answer = site.get(&format!("{LIST}?limit=20"), who).await;
    let page = answer.json();
    let fix = "is the cookie or the key valid? Search the log for the request's id";
    findings.judge("invoices-answer", answer.status == 200 && page["invoices"].is_array(), answer.said(), fix);
    let pagination = &page["pagination"];
    let complete = ["page", "limit", "total", "total_pages"].iter().all(|field| pagination[field].is_u64());
    findings.judge("invoices-pagination", complete, format!("pagination is {pagination}"), "does --url point to this program?");
    filters(site, who, findings).await;
    latency(site, LIST, who, "latency-invoices", TARGET, findings).await;
    errors(site, who, findings).await;

    let invoices = page["invoices"].as_array().cloned().unwrap_or_default();
    let first = invoices.iter().find(|invoice| invoice["number"].is_string()).or(invoices.first());
    let Some(id) = first.and_then(|invoice| invoice["id"].as_str()) else {
        findings.unchecked(&OF_ONE, "an invoice that this user can see");
        return None;
    };
    findings.passed("invoice-recorded", format!("{} visible", pagination["total"]));
    let detail = site.get(&format!("{LIST}/{id}"), who).await;
    let lines = detail.json()["line_items"].as_array().map(Vec::len);
    let seen = format!("{}, {} lines", detail.said(), lines.unwrap_or_default());
    findings.judge("invoice-detail", detail.status == 200 && lines.is_some(), seen, fix);
    let number = first.and_then(|invoice| invoice["number"].as_str()).unwrap_or_default().to_owned();
    pdf(site, who, id, &number, findings).await;
    Some(First { id: id.to_owned(), number })
}

async fn filters(site: &Site, who: As<'_>, findings: &mut Findings) {
    let paid = site.get(&format!("{LIST}?status=paid&limit=5"), who).await;
    let only = paid.json()["invoices"].as_array().is_some_and(|all| all.iter().all(|invoice| invoice["status"] == "paid"));
    let nonsense = site.get(&format!("{LIST}?status=nonsense"), who).await;
    let seen = format!("status=paid {}, status=nonsense {}", paid.said(), nonsense.said());
    findings.judge("invoices-filter", only && nonsense.status == 422, seen, "does a cache ignore the query string?");
}

async fn errors(site: &Site, who: As<'_>, findings: &mut Findings) {
    let answer = site.get(&format!("{LIST}/no-such-invoice"), who).await;
    let problem = answer.json();
    let whole = answer.header("content-type").starts_with("application/problem+json")
        && ["title", "detail", "code", "request_id"].iter().all(|field| problem[field].as_str().is_some_and(|text| !text.is_empty()));
    let seen = format!("an unknown invoice {}: {}", answer.said(), problem["detail"]);
    findings.judge("errors-friendly", answer.status == 404 && whole, seen, "does a proxy replace the server's error pages?");
}

async fn pdf(site: &Site, who: As<'_>, id: &str, number: &str, findings: &mut Findings) {
    let answer = site.get(&format!("{LIST}/{id}/pdf"), who).await;
    let good = answer.status == 200 && answer.header("content-type") == "application/pdf" && !answer.header("etag").is_empty();
    findings.judge(
        "pdf-answer",
        good,
        format!("{}, {}", answer.said(), answer.header("content-type")),
        "search the log for the request's id",
    );
    let whole = answer.body.starts_with(b"%PDF-") && answer.body.trim_ascii_end().ends_with(b"%%EOF");
    let named = answer.header("content-disposition").contains(number);
    let seen = format!("{} bytes, {}", answer.body.len(), answer.header("content-disposition"));
    findings.judge("pdf-content", whole && named, seen, "does a proxy truncate or change responses?");
    let took = format!("{} ms from here", answer.took.as_millis());
    let fix = "docs/operate/runbook.md, InvoicePdfSlow";
    findings.judge("pdf-time", good && answer.took < PDF_TARGET, took.clone(), fix);
    findings.judge("pdf-download-time", good && answer.took < DOWNLOAD_TARGET, took, fix);
}
