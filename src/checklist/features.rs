//! Features, health, and the effect of billing off.

use super::{
    Findings,
    client::{As, Site},
};
use axum::http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

const OFF: [&str; 3] = ["off-navigation", "off-503", "off-rest"];

/// Every replica reads the switches within seconds.
const SWITCHED_WITHIN: Duration = Duration::from_secs(15);

/// Whether billing is on.
pub async fn check(site: &Site, findings: &mut Findings) -> bool {
    let answer = site.get("/api/v1/meta/features", As::Anonymous).await;
    let features = answer.json();
    let on = features["billingEnabled"] == true;
    findings.judge("features-answer", answer.status == 200, answer.said(), "is the server running, and does the proxy forward /api to it?");
    findings.judge(
        "features-on",
        on,
        format!("billingEnabled is {}", features["billingEnabled"]),
        "set BILLING_ENABLED=true and restart, or switch billing on at /admin/features",
    );
    findings.judge(
        "stripe-key",
        features["customerPortalEnabled"] == true,
        if features["customerPortalEnabled"] == true {
            "a key is set, because the customer portal is on; check in Stripe's dashboard that it is a live mode key"
        } else {
            "the customer portal is off: no key is set, or the portal is switched off"
        },
        "set STRIPE_SECRET_KEY and restart; /admin/features shows whether the portal is switched off",
    );
    let health = site.get("/api/v1/health", As::Anonymous).await;
    let body = health.json();
    let seen = format!("{}, status {}, checks {}", health.said(), body["status"], body["checks"]);
    findings.judge("health", health.status == 200 && body["status"] == "ok", seen, "see the check that is not ok, and the log");
    findings.judge(
        "usage-store",
        body["checks"]["usage_store"] == "ok",
        format!("usage_store is {}: ClickHouse, where CLICKHOUSE_URL is set", body["checks"]["usage_store"]),
        "is CLICKHOUSE_URL right, and ClickHouse up?",
    );
    on
}

/// Checks a deployment whose billing is off, or may be switched off.
pub async fn check_off(site: &Site, on: bool, findings: &mut Findings) {
    if !on {
        return look(site, findings).await;
    }
    let Some(admin) = site.admin().filter(|_| site.options.switch_billing) else {
        return findings.unchecked(&OFF, "--switch-billing with --admin-cookie, which switches billing off for some seconds");
    };
    let switched = switch(site, admin, false).await;
    if switched {
        look(site, findings).await;
    } else {
        findings.unchecked(&OFF, "a switch that an admin may move");
    }
    if !switch(site, admin, true).await {
        findings.failed("features-on", "billing could not be switched on again", "switch it on at /admin/features now");
    }
}

async fn switch(site: &Site, admin: As<'_>, on: bool) -> bool {
    let body = json!({"enabled": on, "reason": "deployment checklist"}).to_string().into_bytes();
    let headers = [("content-type", "application/json")];
    let answer = site.send(Method::PUT, "/api/v1/admin/features/billingEnabled", admin, &headers, body).await;
    let started = Instant::now();
    while answer.status == 200 && started.elapsed() < SWITCHED_WITHIN {
        if site.get("/api/v1/meta/features", As::Anonymous).await.json()["billingEnabled"] == on {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}

async fn look(site: &Site, findings: &mut Findings) {
    let paths = ["/api/v1/billing/usage/current", "/api/v1/billing/invoices"];
    let mut open = Vec::new();
    for path in paths {
        let answer = site.get(path, site.member().unwrap_or(As::Anonymous)).await;
        if answer.status != 503 || answer.code() != "billing_disabled" || answer.header("retry-after").is_empty() {
            open.push(format!("{path} {}", answer.said()));
        }
    }
    let seen = if open.is_empty() { "503 billing_disabled with Retry-After".to_owned() } else { open.join("; ") };
    findings.judge("off-503", open.is_empty(), seen, "is a proxy answering in its place?");
    match site.person() {
        None => findings.unchecked(&["off-navigation"], "--member-cookie or --admin-cookie"),
        Some(person) => {
            let page = site.get("/billing/usage", person).await;
            let gone = page.status != 0 && !page.text().contains(r#"href="/billing/invoices""#);
            findings.judge(
                "off-navigation",
                gone,
                format!("/billing/usage {}, {} links to billing", page.said(), if gone { "without" } else { "with" }),
                "does a cache store pages?",
            );
        }
    }
    let (health, login) = (site.get("/api/v1/health", As::Anonymous).await, site.get("/livez", As::Anonymous).await);
    let well = health.status == 200 && login.status == 200;
    findings.judge("off-rest", well, format!("health {}, /livez {}", health.said(), login.said()), "see the log for other problems");
}
