//! Usage from ingest to the totals: one event of a marked app, corrected to 0 at the end.

use super::{
    Findings, MARK, SAMPLES,
    client::{As, Site},
    p95,
};
use crate::{
    domain::metric::{Metric, Unit},
    store::postgres::checklist as store,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::{Duration, Instant};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

const CURRENT: &str = "/api/v1/billing/usage/current";
const EVENTS: &str = "/api/v1/usage/events";
const READ: [&str; 3] = ["usage-answer", "usage-fields", "latency-usage"];
const FLOW: [&str; 3] = ["usage-sent", "usage-counted", "usage-records"];
const TARGET: Duration = Duration::from_millis(500);

/// The old checklist's limit was five minutes.
const COUNTED_WITHIN: Duration = Duration::from_secs(30);

pub async fn check(site: &Site, db: Option<&PgPool>, findings: &mut Findings) {
    match site.member() {
        None => findings.unchecked(&READ, "--member-cookie or --api-key"),
        Some(member) => read(site, member, findings).await,
    }
    match &site.options.api_key {
        None => findings.unchecked(&FLOW, "--api-key, of a customer of your own"),
        Some(key) => flow(site, As::Key(key), db, findings).await,
    }
}

async fn read(site: &Site, member: As<'_>, findings: &mut Findings) {
    let answer = site.get(CURRENT, member).await;
    let usage = answer.json();
    findings.judge(
        "usage-answer",
        answer.status == 200,
        answer.said(),
        "is the cookie or the key valid? Search the log for the request's id",
    );
    let missing: Vec<&str> =
        ["current_period", "overages", "subscription"].into_iter().filter(|field| usage.get(field).is_none()).collect();
    let seen = if missing.is_empty() { "all three metrics".to_owned() } else { format!("missing: {}", missing.join(", ")) };
    findings.judge("usage-fields", missing.is_empty(), seen, "does --url point to this program?");
    latency(site, CURRENT, member, "latency-usage", TARGET, findings).await;
}

/// The 95th percentile of some requests from here, including the network.
pub async fn latency(site: &Site, path: &str, who: As<'_>, check: &'static str, target: Duration, findings: &mut Findings) {
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let answer = site.get(path, who).await;
        if answer.status != 200 {
            return findings.failed(check, answer.said(), "see the box of the response itself");
        }
        times.push(answer.took);
    }
    let p95 = p95(times);
    let seen = format!("p95 of {SAMPLES} is {} ms, the limit is {}", p95.as_millis(), target.as_millis());
    findings.judge(
        check,
        p95 <= target,
        seen,
        "docs/operate/runbook.md says where the time may go; run it nearer to the server to leave out the network",
    );
}

async fn flow(site: &Site, key: As<'_>, db: Option<&PgPool>, findings: &mut Findings) {
    // The last metric that is counted in ones, so that the event is 1 in every figure.
    let metric = Metric::ALL.into_iter().rfind(|metric| metric.unit() == Unit::Count).unwrap_or(Metric::ALL[0]);
    let calls = |usage: &Value| usage["current_period"][metric.definition().field].as_i64();
    let before = calls(&site.get(CURRENT, key).await.json());
    let counted_before = match db {
        Some(db) => store::counted(db, MARK).await.ok(),
        None => None,
    };
    let id = format!("{MARK}_{}", Uuid::new_v4().simple());
    let timestamp = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let event = json!({"id": id, "metric": metric, "quantity": 1, "timestamp": timestamp, "app_id": MARK});
    let sent = site.post_json(EVENTS, key, &event).await;
    let taken = sent.status == 202 && sent.json()["accepted"] == 1;
    if !taken {
        let fix = "is the key valid, the customer below its cap, and this machine's clock right?";
        findings.failed("usage-sent", format!("{} {}", sent.said(), sent.json()["rejected"]), fix);
        return findings.unchecked(&FLOW[1..], "an accepted event");
    }
    findings.passed("usage-sent", format!("one event of {} of the app {MARK}, corrected to 0 at the end", metric.noun()));
    let (seen, took) = shown(site, key, before.map(|calls| calls + 1), calls).await;
    let detail = format!("after {} ms", took.as_millis());
    if seen {
        findings.passed("usage-counted", detail);
    } else {
        findings.failed(
            "usage-counted",
            format!("missing {detail}"),
            "is the usage store healthy (/api/v1/health), is the job `ship` running?",
        );
    }
    match db {
        None => findings.unchecked(&["usage-records"], "--database-url"),
        Some(db) => {
            let now = store::counted(db, MARK).await.ok();
            let more = now.zip(counted_before).is_some_and(|(now, before)| now > before);
            let seen = format!("{} events of {MARK}", now.unwrap_or_default());
            findings.judge("usage-records", more, seen, "is --database-url the server's database?");
        }
    }
    let correction =
        json!({"id": format!("{id}_back"), "corrects": id, "metric": metric, "quantity": 0, "timestamp": timestamp, "app_id": MARK});
    let back = site.post_json(EVENTS, key, &correction).await;
    if back.json()["accepted"] != 1 {
        let fix = format!("send a correction of the event {id} to 0");
        findings.failed("usage-sent", format!("the event can't be corrected: {} {}", back.said(), back.json()["rejected"]), &fix);
    }
}

/// Waits until the totals include it.
async fn shown(site: &Site, key: As<'_>, wanted: Option<i64>, calls: impl Fn(&Value) -> Option<i64>) -> (bool, Duration) {
    let started = Instant::now();
    loop {
        let now = calls(&site.get(CURRENT, key).await.json());
        if now.zip(wanted).is_some_and(|(now, wanted)| now >= wanted) {
            return (true, started.elapsed());
        }
        if started.elapsed() > COUNTED_WITHIN || wanted.is_none() {
            return (false, started.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
