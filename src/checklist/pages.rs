//! The console as a browser receives it: complete in the initial HTML.

use super::{
    Findings,
    client::{As, Site},
    invoices::First,
};
use crate::domain::metric::Metric;
use std::time::Duration;

const PAGES: [&str; 7] =
    ["navigation", "page-usage", "page-usage-metrics", "page-invoices", "page-invoices-filled", "page-invoice", "page-time"];
const TARGET: Duration = Duration::from_secs(2);

pub async fn check(site: &Site, first: Option<&First>, findings: &mut Findings) {
    let login = site.get("/login", As::Anonymous).await;
    let home = site.get("/", As::Anonymous).await;
    let good = login.status == 200 && login.text().contains("<form") && matches!(home.status, 302 | 303 | 307);
    let seen = format!("/ {} to {}, /login {}", home.said(), home.header("location"), login.said());
    findings.judge("homepage", good, seen, "are the site's files beside the program (LEPTOS_SITE_ROOT)?");
    let Some(person) = site.person() else { return findings.unchecked(&PAGES, "--member-cookie or --admin-cookie") };
    let fix = "is the cookie valid? Search the log for the request's id";
    let usage = site.get("/billing/usage", person).await;
    let text = usage.text();
    let linked = [r#"href="/billing/usage""#, r#"href="/billing/invoices""#].iter().all(|link| text.contains(link));
    findings.judge(
        "navigation",
        usage.status == 200 && linked,
        format!("/billing/usage {}, {} links to usage and invoices", usage.said(), if linked { "with" } else { "without" }),
        "is billing on (/api/v1/meta/features)?",
    );
    findings.judge("page-usage", usage.status == 200, usage.said(), fix);
    let shown = Metric::ALL.into_iter().filter(|metric| text.contains(metric.title())).count();
    // Staff have no usage of their own.
    if site.options.member_cookie.is_some() {
        findings.judge(
            "page-usage-metrics",
            usage.status == 200 && shown == Metric::ALL.len(),
            format!("{shown} of {} metrics", Metric::ALL.len()),
            fix,
        );
    } else {
        findings.unchecked(&["page-usage-metrics"], "--member-cookie, because staff have no usage");
    }
    let list = site.get("/billing/invoices", person).await;
    findings.judge("page-invoices", list.status == 200, list.said(), fix);
    let mut slowest = usage.took.max(list.took);
    match first {
        None => findings.unchecked(&["page-invoices-filled", "page-invoice"], "an invoice that this user can see"),
        Some(First { id, number }) => {
            findings.judge(
                "page-invoices-filled",
                list.status == 200 && list.text().contains(&format!("/billing/invoices/{id}")),
                list.said(),
                fix,
            );
            let page = site.get(&format!("/billing/invoices/{id}"), person).await;
            slowest = slowest.max(page.took);
            let good = page.status == 200 && page.text().contains(number.as_str());
            findings.judge("page-invoice", good, format!("{number} {}", page.said()), fix);
        }
    }
    let seen = format!("the slowest took {} ms, without images and scripts", slowest.as_millis());
    findings.judge("page-time", usage.status == 200 && list.status == 200 && slowest < TARGET, seen, "docs/operate/runbook.md, PagesSlow");
}
