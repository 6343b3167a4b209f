//! The exported metrics, and that alerts and dashboard only use exported ones.

use crate::support::{
    database::TestDatabase,
    program::{Running, Workplace, get},
};
use apex_billing::stripe::webhook::event::Event;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Exported by Prometheus itself.
const OF_PROMETHEUS: [&str; 2] = ["up", "ALERTS"];
/// Labels that Prometheus adds.
const LABELS_OF_PROMETHEUS: [&str; 3] = ["job", "instance", "alertstate"];

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `(label, operator, value)` of each selector, or of a grouping with empty operator and value; by
/// metric, or for groupings by `""`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    metrics: BTreeMap<String, BTreeSet<(String, String)>>,
    grouped_by: BTreeSet<String>,
}

/// The metrics and labels in an expression. Only the parts of PromQL that the rules and the
/// dashboard use.
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
                // A pattern has no value; only the label's existence can be checked.
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

/// `sum by (…)`: the word before is an operator and not a metric.
fn followed_by_grouping(rest: &str, grouping: &[&str]) -> bool {
    grouping[..2].iter().any(|word| rest.strip_prefix(word).is_some_and(|after| after.trim_start().starts_with('(')))
}

#[test]
fn expressions_parse_as_in_prometheus() {
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
async fn rules_and_dashboard_use_exported_metrics() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    // Routes exist after their first request.
    for path in ["/api/v1/billing/usage/current", "/api/v1/billing/invoices", "/billing/usage"] {
        server.get(path);
    }
    // A job's first run may still be in progress.
    let text = loop {
        let text = get(&server.metrics, "/metrics");
        if text.contains("job_duration_seconds_bucket") && text.contains("webhook_inbox_events{status=\"dead\"}") {
            break text;
        }
        tokio::task::yield_now().await;
    };
    assert!(text.contains("content-type: text/plain; version=0.0.4"), "{text}");
    let text = text.split_once("\r\n\r\n").unwrap().1;
    let exported = scraped(text);
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
            let Some(series) = exported.get(metric.as_str()) else {
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
    let unexplained: Vec<&&str> = exported
        .keys()
        .filter(|name| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).filter(|base| explained.contains(base));
            !explained.contains(**name) && base.is_none()
        })
        .collect();
    assert_eq!(unexplained, Vec::<&&str>::new(), "metrics without HELP");
    let of_prometheus: Vec<_> =
        exported.values().flatten().filter(|labels| labels.contains_key("job") || labels.contains_key("instance")).collect();
    assert_eq!(of_prometheus, Vec::<&BTreeMap<&str, &str>>::new());
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}

/// A selector inside `increase()` or `rate()`: the metric, and the values per label. None: a
/// pattern without values.
type Counted = (String, Vec<(String, Option<Vec<String>>)>);

/// The counters in an expression.
fn counted(expr: &str) -> Vec<Counted> {
    let functions = ["increase(", "rate("].map(|function| expr.split(function).skip(1));
    let inside = functions.into_iter().flatten().map(|rest| rest.split_once('[').expect("a range").0);
    let labels = |text: &str| -> Vec<(String, Option<Vec<String>>)> {
        text.split(',')
            .filter_map(|matcher| {
                let (label, value) = matcher.split_once('=')?;
                let pattern = value.strip_prefix('~');
                let value = pattern.unwrap_or(value).trim_matches('"');
                let named = pattern.is_none() || value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '|');
                Some((label.trim().to_owned(), named.then(|| value.split('|').map(str::to_owned).collect())))
            })
            .collect()
    };
    inside
        .map(|selector| {
            let (name, matchers) = selector.split_once('{').unwrap_or((selector, ""));
            (name.to_owned(), labels(matchers.trim_end_matches('}')))
        })
        .collect()
}

#[test]
fn counters_of_expressions_are_found() {
    let read = counted(
        r#"sum(increase(a_total{result=~"failed|dead"}[1h])) / sum by (le) (rate(b_bucket{route=~"/x/.*",m="y"}[5m])) + increase(c_total[1m])"#,
    );
    let of = |name: &str| read.iter().find(|(metric, _)| metric == name).unwrap().1.clone();
    assert_eq!(read.len(), 3);
    assert_eq!(of("a_total"), [("result".to_owned(), Some(vec!["failed".to_owned(), "dead".to_owned()]))]);
    assert_eq!(of("b_bucket"), [("route".to_owned(), None), ("m".to_owned(), Some(vec!["y".to_owned()]))]);
    assert_eq!(of("c_total"), []);
}

/// Counted in the database over all servers, so a server starts with the stored number.
const FROM_THE_DATABASE: &str = "database_migration_failures_total";

/// Prometheus counts from a series' second sample on. So every counter of an alert must exist
/// before its first increase, with each value of each label, or the alert misses the first failure.
#[tokio::test]
async fn each_counter_of_an_alert_exists_at_zero_from_start() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    let answer = get(&server.metrics, "/metrics");
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
    let text = answer.split_once("\r\n\r\n").unwrap().1;
    let zero: String = text.lines().filter(|line| line.ends_with(" 0")).map(|line| format!("{line}\n")).collect();
    let (exported, at_zero) = (scraped(text), scraped(&zero));
    let has = |name: &str, wanted: &[(String, Option<String>)]| {
        at_zero.get(name).is_some_and(|series| {
            series.iter().any(|labels| {
                wanted.iter().all(|(label, value)| {
                    labels.get(label.as_str()).is_some_and(|known| value.as_deref().is_none_or(|value| value == *known))
                })
            })
        })
    };
    let mut asked = 0;
    let mut missing = Vec::new();
    for (alert, expr) in alerts() {
        for (name, matchers) in counted(&expr) {
            asked += 1;
            // Every combination of the requested values with the values of other labels.
            let mut combinations: Vec<Vec<(String, Option<String>)>> = vec![Vec::new()];
            let others = exported.get(name.as_str()).into_iter().flatten().flat_map(BTreeMap::iter);
            let mut values: BTreeMap<String, BTreeSet<Option<String>>> = BTreeMap::new();
            for (label, value) in others.filter(|(label, _)| !matchers.iter().any(|(matched, _)| matched == **label)) {
                values.entry((*label).to_owned()).or_default().insert(Some((*value).to_owned()));
            }
            for (label, named) in matchers {
                let named = named.map_or_else(|| BTreeSet::from([None]), |named| named.into_iter().map(Some).collect());
                values.insert(label, named);
            }
            for (label, values) in values {
                combinations = combinations
                    .iter()
                    .flat_map(|known| values.iter().map(|value| [known.clone(), vec![(label.clone(), value.clone())]].concat()))
                    .collect();
            }
            missing.extend(combinations.iter().filter(|wanted| !has(&name, wanted)).map(|wanted| format!("{alert}: {name} {wanted:?}")));
        }
    }
    assert!(asked > 15, "{asked}");
    assert_eq!(missing, Vec::<String>::new());
    // Every type of event has its own series.
    for label in Event::labels() {
        assert!(has("webhook_events_total", &[("type".into(), Some(label.into())), ("result".into(), Some("failed".into()))]), "{label}");
    }
    assert!(!has("pdf_renders_total", &[("result".into(), Some("lost".into()))]), "the check can fail");

    // The rules' tests count nothing else.
    let counters: BTreeSet<String> = alerts().iter().flat_map(|(_, expr)| counted(expr)).map(|(name, _)| name).collect();
    for (_, series) in rule_tests() {
        for (series, _) in series {
            let line = format!("{series} 0");
            let Some((name, labels)) = scraped(&line).into_iter().next() else { panic!("{series}") };
            if counters.contains(name) {
                let wanted: Vec<_> = labels[0].iter().map(|(label, value)| ((*label).to_owned(), Some((*value).to_owned()))).collect();
                assert!(has(name, &wanted), "alerts_test.yml: {series}");
            }
        }
    }
}

/// Per test in alerts_test.yml: milliseconds between samples, and the series with their values.
fn rule_tests() -> Vec<(u64, Vec<(String, String)>)> {
    let text = file("deploy/prometheus/alerts_test.yml");
    text.split("  - interval: ")
        .skip(1)
        .map(|test| {
            let (interval, rest) = test.split_once('\n').unwrap();
            let series = rest.lines().filter_map(|line| {
                let (series, values) = line.trim().strip_prefix("- {series: '")?.strip_suffix("'}")?.split_once("', values: '")?;
                Some((series.to_owned(), values.to_owned()))
            });
            (milliseconds(interval), series.collect())
        })
        .collect()
}

/// A duration in Prometheus's format, in minutes, seconds and milliseconds.
fn milliseconds(text: &str) -> u64 {
    let (minutes, rest) = match text.split_once('m') {
        Some((minutes, rest)) if !rest.starts_with('s') => (minutes, rest),
        _ => ("0", text),
    };
    let (seconds, rest) = rest.split_once('s').filter(|(seconds, _)| !seconds.ends_with('m')).unwrap_or(("0", rest));
    let rest = rest.strip_suffix("ms").unwrap_or("0");
    let number = |text: &str| text.parse::<u64>().unwrap();
    number(minutes) * 60_000 + number(seconds) * 1_000 + number(rest)
}

/// Prometheus 2 counts a sample on the left edge of a window, Prometheus 3 does not ("Migration
/// guide", range selectors): without one, the rules' tests pass in both.
#[test]
fn rule_tests_hold_in_prometheus_2_and_3() {
    assert_eq!(["14s999ms", "1m", "1m30s", "500ms", "2s"].map(milliseconds), [14_999, 60_000, 90_000, 500, 2_000]);
    let counters: BTreeSet<String> = alerts().iter().flat_map(|(_, expr)| counted(expr)).map(|(name, _)| name).collect();
    assert!(file("deploy/prometheus/alerts_test.yml").contains("\nevaluation_interval: 1m\n"));
    for window in file("deploy/prometheus/alerts.yml").split('[').skip(1).map(|rest| rest.split_once(']').unwrap().0) {
        assert!(window.ends_with(['m', 'h']), "{window}: the edges of windows are whole minutes");
    }
    let mut of_counters = 0;
    for (interval, series) in rule_tests() {
        for (name, values) in series.iter().filter(|(name, _)| counters.contains(name.split('{').next().unwrap())) {
            of_counters += 1;
            // As a server does: absent, then 0.
            let (absent, first) = values.split_once(' ').unwrap();
            assert!(absent.starts_with("_x"), "{name}: {values}");
            assert!(first.starts_with('0') || name == FROM_THE_DATABASE, "{name}: {values}");
            let samples: u64 =
                values.split(' ').map(|part| part.split_once('x').map_or(1, |(_, times)| times.parse::<u64>().unwrap() + 1)).sum();
            let on_an_edge: Vec<u64> = (1..=samples).filter(|sample| (sample * interval).is_multiple_of(60_000)).collect();
            assert_eq!(on_an_edge, Vec::<u64>::new(), "{name}");
        }
    }
    assert!(of_counters > 40, "{of_counters}");
}

#[test]
fn every_alert_is_tested_and_has_its_section_in_the_runbook() {
    let (tests, runbook, rules) =
        (file("deploy/prometheus/alerts_test.yml"), file("docs/operate/runbook.md"), file("deploy/prometheus/alerts.yml"));
    let names: Vec<String> = alerts().into_iter().map(|(name, _)| name).collect();
    for name in &names {
        let test = tests.split_once(&format!("alertname: {name}\n")).unwrap_or_else(|| panic!("{name} is not tested")).1;
        assert!(test.trim_start().starts_with("exp_alerts:\n"), "{name} is not tested to fire");
        assert!(runbook.lines().any(|line| line == format!("### {name}")), "{name} has no section in docs/operate/runbook.md");
        assert!(rules.contains(&format!("runbook_url: docs/operate/runbook.md#{}\n", name.to_lowercase())), "{name}");
    }
    let sections = runbook.lines().skip_while(|line| *line != "## Alerts").skip(1).take_while(|line| !line.starts_with("## "));
    let gone: Vec<&str> =
        sections.filter_map(|line| line.strip_prefix("### ")).filter(|name| !names.iter().any(|one| one == name)).collect();
    assert!(gone.is_empty(), "docs/operate/runbook.md has sections of no alert: {gone:?}");
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
async fn failed_migrations_are_visible_on_running_servers() {
    let database = TestDatabase::new().await;
    let place = Workplace::new();
    let mut server = Running::start(place.command(&["serve"]).env("DATABASE_URL", &database.url).env("STRIPE_WEBHOOK_SECRET", "whsec_x"));
    assert!(get(&server.metrics, "/metrics").contains("database_migration_failures_total 0"));
    // A migration that differs from the program's.
    sqlx::query("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 1").execute(&database.pool).await.unwrap();
    let output = place.command(&["migrate"]).env("DATABASE_URL", &database.url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(get(&server.metrics, "/metrics").contains("database_migration_failures_total 1"));
    assert_eq!(server.signal(libc::SIGTERM), Some(0));
}
