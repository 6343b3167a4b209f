//! A reconciliation without repair, requested twice with one idempotency key, and by a user without
//! permission.

use super::{
    Findings,
    client::{As, Site},
};
use crate::store::postgres::checklist as store;
use axum::http::Method;
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

const PATH: &str = "/api/v1/billing/reconcile";
const AS_ADMIN: [&str; 4] = ["reconcile-answer", "reconcile-audited", "reconcile-replayed", "reconcile-rate"];

/// Tolerated share: one in a hundred.
const RATE: f64 = 0.01;

pub async fn check(site: &Site, db: Option<&PgPool>, findings: &mut Findings) {
    match site.member() {
        None => findings.unchecked(&["reconcile-forbidden"], "--member-cookie or --api-key"),
        Some(member) => {
            let answer = post(site, member, &key()).await;
            findings.judge("reconcile-forbidden", answer.status == 403, answer.said(), "is --member-cookie valid, and not an admin's?");
        }
    }
    let Some(admin) = site.admin() else { return findings.unchecked(&AS_ADMIN, "--admin-cookie") };
    let (key, since) = (key(), OffsetDateTime::now_utc());
    let first = post(site, admin, &key).await;
    let result = first.json();
    let good = first.status == 200 && result["success"] == true && result["discrepancies"].is_array();
    findings.judge(
        "reconcile-answer",
        good,
        first.said(),
        "is STRIPE_SECRET_KEY set, and does Stripe respond? Search the log for the request's id",
    );
    if !good {
        return findings.unchecked(&AS_ADMIN[1..], "a reconciliation that ends");
    }
    rate(&result, findings);
    let again = post(site, admin, &key).await;
    let same = again.status == 200 && again.header("idempotent-replayed") == "true" && again.body == first.body;
    findings.judge("reconcile-replayed", same, format!("the same key {}", again.said()), "do all servers use the same database?");
    match db {
        None => findings.unchecked(&["reconcile-audited"], "--database-url"),
        Some(db) => match store::reconciliations_audited(db, since - time::Duration::MINUTE).await {
            Ok(rows) => findings.judge("reconcile-audited", rows > 0, format!("{rows} rows"), "is --database-url the server's database?"),
            Err(error) => findings.failed("reconcile-audited", error.to_string(), "is it this program's database?"),
        },
    }
}

fn rate(result: &Value, findings: &mut Findings) {
    let found = result["discrepancies"].as_array().map_or(0, Vec::len);
    let checked: u64 = result["checked"].as_object().map_or(0, |counts| counts.values().filter_map(Value::as_u64).sum());
    let good = found as f64 <= RATE * checked as f64;
    findings.judge(
        "reconcile-rate",
        good,
        format!("{found} discrepancies among {checked}"),
        "docs/operate/runbook.md, ReconciliationDiscrepancies",
    );
}

fn key() -> String {
    format!("{}-{}", super::MARK, Uuid::new_v4().simple())
}

async fn post(site: &Site, who: As<'_>, key: &str) -> super::client::Answer {
    let headers = [("content-type", "application/json"), ("idempotency-key", key)];
    site.send(Method::POST, PATH, who, &headers, br#"{"repair":false}"#.to_vec()).await
}
