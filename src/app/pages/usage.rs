//! The current period: the summary first, then each metric, its days, and the overage. Numbers
//! update as events arrive.

use crate::{
    app::{
        Page,
        address::address,
        calls::{Problem, usage::usage_with_alerts},
        components::{
            Badge, Glyph, Icon, ProblemNotice, Relative,
            alert_table::AlertTable,
            app_breakdown::AppBreakdown,
            column_chart::ColumnChart,
            live::{Live, live_content},
            metric_card::MetricCard,
            overage_table::OverageTable,
        },
        local_path::HOME,
        now::now,
        pages::{console::Session, paused::paused_page},
        usage_comparison::Comparison,
        usage_summary::{Tone, Verdict, verdict},
    },
    domain::{
        alert::AlertStanding,
        format,
        metric::Metric,
        period::Period,
        subscription::PauseCollection,
        usage::{SubscriptionSummary, UsageCurrent},
    },
};
use leptos::{either::Either, prelude::*};
use std::time::Duration;
use time::OffsetDateTime;

/// The chart in the URL.
#[derive(Clone, Copy, PartialEq)]
struct Chosen {
    metric: Metric,
    by_app: bool,
}

impl Chosen {
    fn of_url() -> Chosen {
        let address = address();
        Chosen { metric: address.parse("metric").unwrap_or(Metric::ALL[0]), by_app: address.get("by") == Some("app") }
    }

    /// Its query.
    fn query(self) -> String {
        format!("metric={}{}", self.metric, if self.by_app { "&by=app" } else { "" })
    }
}

/// What the page shows.
struct Report {
    usage: UsageCurrent,
    alerts: Option<AlertStanding>,
    compared: Result<Comparison, Problem>,
}

/// `/billing/usage?metric=&by=app`.
pub async fn page() -> Page {
    if expect_context::<Session>().paused() {
        return paused_page();
    }
    let chosen = Chosen::of_url();
    let content = match load(chosen).await {
        Ok(loaded) => {
            let href = format!("/live{HOME}?{}", chosen.query());
            let report = report(&loaded, chosen);
            Either::Left(view! { <Live href>{report}</Live> })
        }
        Err(problem) => Either::Right(view! { <ProblemNotice problem page=true /> }),
    };
    Page::new("Usage", content)
}

/// `/live/billing/usage`: the same content.
pub async fn live() -> AnyView {
    let chosen = Chosen::of_url();
    live_content(load(chosen).await, |loaded| report(&loaded, chosen).into_any())
}

async fn load(chosen: Chosen) -> Result<Report, Problem> {
    let (usage, alerts) = usage_with_alerts().await?;
    let compared = Comparison::load(chosen.metric, chosen.by_app, usage.current_period.period).await;
    Ok(Report { usage, alerts, compared })
}

fn report(report: &Report, chosen: Chosen) -> impl IntoView + use<> {
    let Report { usage, alerts, compared } = report;
    let Chosen { metric, by_app } = chosen;
    let alerts = alerts.as_ref();
    let period = usage.current_period.period;
    let comparison = compared.as_ref().ok();
    let apps = comparison.and_then(|comparison| comparison.apps.as_ref()).map(|apps| {
        let first = period.start().replace_time(time::Time::MIDNIGHT);
        view! { <AppBreakdown metric first apps /> }
    });
    view! {
        <header class="page-head">
            <div>
                <h1>"Usage"</h1>
                <p class="page-sub">{format::period(&period)} {usage.subscription.as_ref().map(plan)}</p>
            </div>
        </header>
        {answer(usage, alerts)}
        {usage.subscription.as_ref().and_then(outstanding)}
        <h2 id="metrics-title" class="visually-hidden">"Metrics"</h2>
        <section class="metrics" aria-labelledby="metrics-title">{Metric::ALL.map(|metric| view! { <MetricCard metric usage /> }).collect_view()}</section>
        <div class="columns">
            <section class="panel" aria-labelledby="daily-title">
                <header class="panel-head">
                    <h2 id="daily-title">"Day by day"</h2>
                    <div class="files">
                        {file_link(Some(metric), by_app, &period, "Download as CSV")}
                        {file_link(None, by_app, &period, "All metrics")}
                    </div>
                    <div class="panel-tools">
                        <nav class="segments" aria-label="Metric of the chart">
                            <ul>{Metric::ALL.map(|one| chart_link(one, by_app, one.title(), one == metric)).collect_view()}</ul>
                        </nav>
                        <nav class="segments" aria-label="Apps of the chart">
                            <ul>{chart_link(metric, false, "All apps", !by_app)} {chart_link(metric, true, "By app", by_app)}</ul>
                        </nav>
                    </div>
                </header>
                <ColumnChart metric period daily=&usage.daily comparison />
                {compared.is_err().then(|| view! { <p class="notice tone-warning">"The previous period can’t be fetched just now."</p> })}
                {apps}
            </section>
            <section class="panel" aria-labelledby="overage-title">
                <header class="panel-head">
                    <h2 id="overage-title">"Overage"</h2>
                </header>
                <OverageTable usage />
            </section>
            <section class="panel whole" aria-labelledby="alerts-title">
                <header class="panel-head">
                    <h2 id="alerts-title">"Alerts and caps"</h2>
                    <a href="/billing/settings">"Change them"</a>
                </header>
                {match alerts {
                    Some(alerts) => Either::Left(view! { <AlertTable alerts usage /> }),
                    None => Either::Right(view! { <p class="notice tone-warning">"Alerts and caps can’t be fetched just now."</p> }),
                }}
            </section>
        </div>
        {freshness(usage.as_of, usage.waiting_since)}
    }
}

fn plan(subscription: &SubscriptionSummary) -> impl IntoView + use<> {
    let tone = match subscription.status.as_str() {
        "active" | "trialing" => Tone::Good,
        "past_due" | "incomplete" => Tone::Warning,
        "unpaid" | "incomplete_expired" | "canceled" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let title = match (subscription.plan_type, &subscription.plan_name) {
        (Some(plan), _) => format!("{} plan", plan.title()),
        (None, Some(name)) => format!("Plan {name}"),
        (None, None) => "Other plan".to_owned(),
    };
    let badge = |text: String| view! { <Badge tone=Tone::Warning text /> };
    view! {
        <span class="dot" aria-hidden="true">"·"</span>
        <span>{title}</span>
        <Badge tone text=format::words(&subscription.status) />
        {ending(subscription).map(badge)}
        {subscription.pause_collection.as_ref().map(paused).map(badge)}
    }
}

/// Its end date, if any.
fn ending(subscription: &SubscriptionSummary) -> Option<String> {
    match subscription.cancel_at {
        Some(at) => Some(format!("Ends on {}", format::date(at))),
        None => subscription.cancel_at_period_end.then(|| "Ends with this period".to_owned()),
    }
}

fn paused(pause: &PauseCollection) -> String {
    match pause.resumes_at {
        Some(at) => format!("Invoicing paused until {}", format::date(at)),
        None => "Invoicing paused".to_owned(),
    }
}

/// A missing payment is more important than usage.
fn outstanding(subscription: &SubscriptionSummary) -> Option<impl IntoView + use<>> {
    matches!(subscription.status.as_str(), "past_due" | "unpaid").then(|| {
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>"A payment is outstanding. " <a href="/billing/invoices?status=open">"See the open invoices"</a></span>
            </p>
        }
    })
}

/// The summary. Only the headline is announced, and only when it changes: the numbers change all
/// the time.
fn answer(usage: &UsageCurrent, alerts: Option<&AlertStanding>) -> impl IntoView + use<> {
    let days = format::days_left(&usage.current_period.period, now());
    let Verdict { tone, headline, detail, action } = verdict(usage, alerts, Some(days));
    view! {
        <section class=format!("verdict {}", tone.class()) aria-label="Summary">
            <Icon glyph=Glyph::of(tone) />
            <div>
                <div role="status">
                    <h2>{headline}</h2>
                </div>
                <p>{detail} {action.map(|(href, text)| view! { " " <a href=href>{text}</a> })}</p>
            </div>
        </section>
    }
}

/// The same page with another chart.
fn chart_link(metric: Metric, by_app: bool, text: &'static str, current: bool) -> impl IntoView {
    view! {
        <li>
            <a
                href=format!("/billing/usage?{}#daily-title", Chosen { metric, by_app }.query())
                aria-current=current.then_some("true")
            >
                {text}
            </a>
        </li>
    }
}

/// The chart's numbers for a spreadsheet, or those of all metrics.
fn file_link(metric: Option<Metric>, by_app: bool, period: &Period, text: &'static str) -> impl IntoView + use<> {
    let href = format!(
        "/api/v1/billing/usage/history.csv?{}granularity=day&from={}&to={}{}",
        metric.map(|metric| format!("metric={metric}&")).unwrap_or_default(),
        format::machine(period.start()),
        format::machine(period.end()),
        if by_app { "&group_by=app" } else { "" }
    );
    view! { <a href=href rel="external">{text}</a> }
}

/// Events normally take a second or two; after this time a note is shown.
const WAITING: Duration = Duration::from_secs(60);

fn freshness(as_of: Option<OffsetDateTime>, waiting: Option<OffsetDateTime>) -> impl IntoView {
    let now = now();
    let late = waiting.is_some_and(|since| now - since > WAITING).then_some(" · newer events have arrived and are not counted yet");
    view! {
        <p class="freshness">
            {match as_of {
                Some(at) => Either::Left(view! { {format!("Includes events up to {} · ", format::date_time_seconds(at))} <Relative at=at.min(now) /> }),
                None => Either::Right("No events have arrived in this period yet."),
            }}
            {late}
        </p>
    }
}
