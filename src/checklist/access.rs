//! Access control: no unauthenticated access, staff paths for staff only, no cross-site requests.

use super::{
    Findings,
    client::{As, Site},
};
use crate::domain::metric::Metric;
use axum::http::Method;

const UNKNOWN_ID: &str = "00000000-0000-4000-8000-000000000000";

pub async fn check(site: &Site, findings: &mut Findings) {
    let usage = site.get("/api/v1/billing/usage/current", As::Anonymous).await;
    let invoices = site.get("/api/v1/billing/invoices", As::Anonymous).await;
    let fix = "does a proxy or a cache respond, or add its own credentials?";
    findings.judge("usage-401", usage.status == 401, usage.said(), fix);
    findings.judge("invoices-401", invoices.status == 401, invoices.said(), fix);
    let mut open = Vec::new();
    for path in [
        "usage/current".to_owned(),
        format!("usage/history?metric={}", Metric::ALL[0]),
        "invoices".to_owned(),
        format!("invoices/{UNKNOWN_ID}"),
        format!("invoices/{UNKNOWN_ID}/pdf"),
        "alerts".to_owned(),
        "contacts".to_owned(),
        "api-keys".to_owned(),
    ] {
        let answer = site.get(&format!("/api/v1/billing/{path}"), As::Anonymous).await;
        if answer.status != 401 || answer.header("www-authenticate").is_empty() {
            open.push(format!("{path} {}", answer.said()));
        }
    }
    let seen = if open.is_empty() { "401 on each".to_owned() } else { open.join("; ") };
    findings.judge("auth-required", open.is_empty(), seen, fix);

    match site.member() {
        None => findings.unchecked(&["auth-roles"], "--member-cookie"),
        Some(member) => {
            let answer = site.get("/api/v1/admin/webhooks", member).await;
            let mut good = answer.status == 403;
            let mut seen = format!("/api/v1/admin/webhooks {} for a customer's person", answer.said());
            if let Some(admin) = site.admin() {
                let answer = site.get("/api/v1/admin/webhooks?limit=1", admin).await;
                good &= answer.status == 200;
                seen = format!("{seen}, {} for an admin", answer.said());
            }
            findings.judge("auth-roles", good, seen, "are the cookies of the roles that they are given for, and not expired?");
        }
    }

    let own = logout_from(site, site.origin()).await;
    let foreign = logout_from(site, "https://elsewhere.invalid").await;
    findings.judge(
        "public-url",
        matches!(own.status, 200..=399),
        format!("a form from {} {}", site.origin(), own.said()),
        "set PUBLIC_URL to the public URL, and --url to the same",
    );
    findings.judge(
        "cross-site",
        foreign.status == 403 && foreign.code() == "cross_site",
        format!("a cross-site form {}", foreign.said()),
        "does a proxy remove the Origin header?",
    );
}

/// Ends no session: it has no cookie.
async fn logout_from(site: &Site, origin: &str) -> super::client::Answer {
    site.send(Method::POST, "/api/v1/auth/logout", As::Anonymous, &[("origin", origin)], Vec::new()).await
}
