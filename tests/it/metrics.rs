//! What the server tells Prometheus, and that whatever asks for it (alerts, dashboard) asks for what is told.

use crate::support::{
    database::TestDatabase,
    program::{Running, Workplace, get},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Told by Prometheus itself.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];
/// Labels that Prometheus adds.
const LABELS_OF_PROMETHEUS: [&str; 3] = ["job", "instance", "alertstate"];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `(label, operator, value)` of each selector, or of a grouping with operator and value empty; by metric, or for groupings by `""`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    metrics: BTreeMap<String, BTreeSet<(String, String)>>,
    grouped_by: BTreeSet<String>,
}

/// The metrics and labels that an expression names. Only as much of PromQL as the rules and the dashboard use.
fn asked(expr: &str) -> Asked {
    const GROUPING: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    const OPERATORS: [&str; 5] = ["and", "or", "unless", "bool", "offset"];
    let mut found = Asked::default();
    let mut rest = expr;
    while let Some(first) = rest.chars().next() {
        let word_end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '.')).unwrap_or(rest.len());
        if word_end == 0 {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(word_end);
        rest = after.trim_start();
        if first.is_ascii_digit() || first == '$' || first == '.' || OPERATORS.contains(&word) {
            continue;
        }
        if GROUPING.contains(&word) {
            let (labels, after) = rest.strip_prefix('(').unwrap().split_once(')').unwrap();
            found.grouped_by.extend(labels.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned));
            rest = after;
        } else if let Some(selector) = rest.strip_prefix('{') {
            let (labels, after) = selector.split_once('}').unwrap();
            let matched = found.metrics.entry(word.to_owned()).or_default();
            for label in labels.split(',') {
                let (name, value) = label.split_once('=').unwrap();
                // A pattern names no value; only that there is such a label can be checked.
                let value = if let Some(pattern) = value.strip_prefix('~') { pattern } else { value };
                let is_pattern = label.contains("=~") || name.ends_with('!');
                let value = if is_pattern { String::new() } else { value.trim_matches('"').to_owned() };
                matched.insert((name.trim().trim_end_matches('!').to_owned(), value));
            }
            rest = after;
        } else if !rest.starts_with('(') && !followed_by_grouping(rest, &GROUPING) {
            found.metrics.entry(word.to_owned()).or_default();
        }
    }
    found
}

/// `sum by (…)`: the word before is an operator and no metric.
fn followed_by_grouping(rest: &str, grouping: &[&str]) -> bool {
    grouping[..2].iter().any(|word| rest.strip_prefix(word).is_some_and(|after| after.trim_start().starts_with('(')))
}

#[test]
fn expressions_are_read_as_prometheus_reads_them() {
    let read = asked(
        r#"histogram_quantile(0.95, sum by (le, route) (rate(a_bucket{route="/x",m=~"y|z"}[5m]))) > 3 * b_total and on () max(c) == 1"#,
    );
    assert_eq!(read.metrics.keys().collect::<Vec<_>>(), ["a_bucket", "b_total", "c"]);
    assert_eq!(read.metrics["a_bucket"], [("m".into(), String::new()), ("route".into(), "/x".into())].into());
    assert_eq!(read.grouped_by, ["le".to_owned(), "route".to_owned()].into());
}

/// Every series of a scrape: name and labels.
fn scraped(text: &str) -> BTreeMap<&str, Vec<BTreeMap<&str, &str>>> {
    let mut series: BTreeMap<&str, Vec<BTreeMap<&str, &str>>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let (left, _value) = line.rsplit_once(' ').unwrap_or((line, ""));
        let (name, labels) = left.split_once('{').unwrap_or((left, "}"));
        let pairs = labels.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once("=\""));
        series.entry(name).or_default().push(pairs.map(|(label, value)| (label.trim(), value.trim_end_matches('"'))).collect());
    }
    series
}

/// The alerts of the rules' file, with their expressions.
fn alerts() -> Vec<(String, String)> {
    let text = file("deploy/prometheus/alerts.yml");
    let mut alerts: Vec<(String, String)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            alerts.push((name.to_owned(), String::new()));
        } else if let Some(expr) = line.strip_prefix("expr: ") {
            let plain = expr.strip_prefix('\'').and_then(|quoted| quoted.strip_suffix('\''));
            alerts.last_mut().unwrap().1 = plain.map_or_else(|| expr.to_owned(), |quoted| quoted.replace("''", "'"));
        }
    }
    alerts
}

fn panels() -> Vec<(String, String)> {
    let board: serde_json::Value = serde_json::from_str(&file("deploy/grafana/apex-billing.json")).unwrap();
    let panels = board["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    panels.map(|panel| (panel["title"].as_str().unwrap().to_owned(), panel["targets"][0]["expr"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn rules_and_dashboard_ask_for_what_the_server_tells() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    // Routes are known once they were asked for, by whomever.
    for path in ["/api/v1/billing/usage/current", "/api/v1/billing/invoices", "/billing/usage"] {
        server.get(path);
    }
    // A job's first run may still be under way.
    let text = loop {
        let text = get(&server.metrics, "/metrics");
        if text.contains("job_duration_seconds_bucket") && text.contains("webhook_inbox_events{status=\"dead\"}") {
            break text;
        }
        tokio::task::yield_now().await;
    };
    assert!(text.contains("content-type: text/plain; version=0.0.4"), "{text}");
    let text = text.split_once("\r\n\r\n").unwrap().1;
    let told = scraped(text);
    for resolution in ["fetch", "last_resort"] {
        assert!(
            text.contains(&format!("webhook_ties_total{{resolution=\"{resolution}\"}} 0")),
            "{resolution} is not at zero from the start"
        );
    }
    let wrong = |(name, expr): &(String, String)| -> Vec<String> {
        let Asked { metrics, grouped_by } = asked(expr);
        assert!(!metrics.is_empty(), "{name}: {expr}");
        let mut wrong = Vec::new();
        let mut labels: BTreeSet<&str> = LABELS_OF_PROMETHEUS.into();
        for (metric, wanted) in metrics.iter().filter(|(metric, _)| !OF_PROMETHEUS.contains(&metric.as_str())) {
            let Some(series) = told.get(metric.as_str()) else {
                wrong.push(format!("{name}: no metric {metric}"));
                continue;
            };
            labels.extend(series.iter().flat_map(BTreeMap::keys));
            for (label, value) in wanted.iter().filter(|(label, _)| !LABELS_OF_PROMETHEUS.contains(&label.as_str())) {
                if !series.iter().any(|labels| labels.get(label.as_str()).is_some_and(|known| value.is_empty() || known == value)) {
                    wrong.push(format!("{name}: no {metric}{{{label}=\"{value}\"}}"));
                }
            }
        }
        wrong.extend(grouped_by.iter().filter(|label| !labels.contains(label.as_str())).map(|label| format!("{name}: no label {label}")));
        wrong
    };
    let all: Vec<_> = alerts().into_iter().chain(panels()).collect();
    assert!(all.len() > 60, "{}", all.len());
    assert_eq!(all.iter().flat_map(wrong).collect::<Vec<_>>(), Vec::<String>::new());
    // The check can fail.
    for (nonsense, about) in
        [("nothing_total > 1", "metric"), (r#"pdf_renders_total{result="lost"}"#, "lost"), ("sum by (colour) (up)", "colour")]
    {
        let found = wrong(&("nonsense".into(), nonsense.into()));
        assert!(found.iter().any(|what| what.contains(about)), "{found:?}");
    }

    let explained: BTreeSet<&str> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    let unexplained: Vec<&&str> = told
        .keys()
        .filter(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).filter(|base| explained.contains(base));
            !explained.contains(**name) && base.is_none()
        })
        .collect();
    assert_eq!(unexplained, Vec::<&&str>::new(), "metrics without HELP");
    let of_prometheus: Vec<_> =
        told.values().flatten().filter(|labels| labels.contains_key("job") || labels.contains_key("instance")).collect();
    assert_eq!(of_prometheus, Vec::<&BTreeMap<&str, &str>>::new());
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}

#[test]
fn every_alert_is_tested_and_has_its_section_in_the_runbook() {
    let (tests, runbook, rules) =
        (file("deploy/prometheus/alerts_test.yml"), file("docs/runbook.md"), file("deploy/prometheus/alerts.yml"));
    let names: Vec<String> = alerts().into_iter().map(|(name, _)| name).collect();
    for name in &names {
        let test = tests.split_once(&format!("alertname: {name}\n")).unwrap_or_else(|| panic!("{name} is not tested")).1;
        assert!(test.trim_start().starts_with("exp_alerts:\n"), "{name} is not tested to fire");
        assert!(runbook.lines().any(|line| line == format!("### {name}")), "{name} has no section in docs/runbook.md");
        assert!(rules.contains(&format!("runbook_url: docs/runbook.md#{}\n", name.to_lowercase())), "{name}");
    }
    let sections = runbook.lines().skip_while(|line| *line != "## Alerts").skip(1).take_while(|line| !line.starts_with("## "));
    let gone: Vec<&str> =
        sections.filter_map(|line| line.strip_prefix("### ")).filter(|name| !names.iter().any(|one| one == name)).collect();
    assert!(gone.is_empty(), "docs/runbook.md has sections of no alert: {gone:?}");
    let anchors = runbook.split("](#").skip(1).map(|rest| rest.split(')').next().unwrap());
    for anchor in anchors {
        assert!(
            runbook
                .lines()
                .any(|line| line.starts_with('#') && line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-") == anchor),
            "{anchor}"
        );
    }
    let needed =
        ["WebhookSignatureFailures", "ReconciliationDiscrepancies", "InvoicePaymentFailed", "DatabaseMigrationFailed", "ApiErrors"];
    assert!(needed.iter().all(|needed| names.iter().any(|name| name == needed)));
}

#[tokio::test]
async fn a_failed_migration_is_remembered_for_those_who_still_serve() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    assert!(get(&server.metrics, "/metrics").contains("database_migration_failures_total 0"));
    // A migration that is not what this program knows it to be.
    sqlx::query("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").execute(&database.pool).await.unwrap();
    let output = place.command(&["migrate"]).env("DATABASE_URL", &database.url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(get(&server.metrics, "/metrics").contains("database_migration_failures_total 1"));
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}
