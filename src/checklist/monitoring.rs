//! A server's metrics, and the alerts loaded in Prometheus.

use super::{Findings, client::Site};

/// The checklist's five: check and alert.
const ALERTS: [(&str, &str); 5] = [
    ("alert-webhooksignaturefailures", "WebhookSignatureFailures"),
    ("alert-reconciliationdiscrepancies", "ReconciliationDiscrepancies"),
    ("alert-invoicepaymentfailed", "InvoicePaymentFailed"),
    ("alert-databasemigrationfailed", "DatabaseMigrationFailed"),
    ("alert-apierrors", "ApiErrors"),
];

/// Metrics that each server exports from its start.
const METRICS: [&str; 5] = [
    "http_request_duration_seconds",
    "webhook_events_total",
    "invoice_payment_failures_total",
    "job_runs_total",
    "database_schema_version",
];

pub async fn check(site: &Site, findings: &mut Findings) {
    match &site.options.metrics_url {
        None => findings.unchecked(&["metrics", "webhook-success-rate"], "--metrics-url"),
        Some(url) => metrics(site, url, findings).await,
    }
    match &site.options.prometheus_url {
        None => findings.unchecked(&ALERTS.map(|(check, _)| check), "--prometheus-url"),
        Some(url) => alerts(site, url, findings).await,
    }
}

async fn metrics(site: &Site, url: &str, findings: &mut Findings) {
    let answer = site.elsewhere(url).await;
    let text = answer.text();
    let missing: Vec<&str> = METRICS.into_iter().filter(|name| !text.contains(&format!("# TYPE {name} "))).collect();
    let seen = if missing.is_empty() { answer.said() } else { format!("{}, missing: {}", answer.said(), missing.join(", ")) };
    let fix = "--metrics-url is METRICS_ADDR of the server with /metrics; can this machine reach it?";
    findings.judge("metrics", answer.status == 200 && missing.is_empty(), seen, fix);
    let of = |result: &str| -> f64 {
        let wanted = format!("result=\"{result}\"");
        let lines = text.lines().filter(|line| line.starts_with("webhook_events_total{") && line.contains(&wanted));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    };
    let (applied, failed) = (of("applied"), of("failed") + of("dead"));
    if answer.status == 200 && applied + failed == 0.0 {
        // Without an attempt, the result is unknown.
        return findings.unchecked(&["webhook-success-rate"], "an event that this server has applied since its start");
    }
    let seen = format!("since this server's start {applied} were applied and {failed} failed");
    findings.judge(
        "webhook-success-rate",
        answer.status == 200 && failed <= 0.01 * (applied + failed),
        seen,
        "apex-billing webhooks list --status failed",
    );
}

async fn alerts(site: &Site, url: &str, findings: &mut Findings) {
    let answer = site.elsewhere(&format!("{}/api/v1/rules?type=alert", url.trim_end_matches('/'))).await;
    let rules = answer.json();
    let groups = rules["data"]["groups"].as_array().cloned().unwrap_or_default();
    let rules: Vec<&serde_json::Value> = groups.iter().filter_map(|group| group["rules"].as_array()).flatten().collect();
    for (check, alert) in ALERTS {
        let rule = rules.iter().find(|rule| rule["name"] == alert);
        let health = rule.map_or("not loaded".to_owned(), |rule| format!("loaded, health {}", rule["health"]));
        let good = rule.is_some_and(|rule| rule["health"] != "err");
        findings.judge(
            check,
            good,
            format!("{}: {alert} is {health}", answer.said()),
            "load deploy/prometheus/alerts.yml under rule_files",
        );
    }
}
