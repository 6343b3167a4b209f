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
        language,
        local_path::{HOME, SETTINGS},
        now::now,
        pages::{console::Session, paused::paused_page},
        usage_comparison::Comparison,
        usage_summary::{Tone, Verdict, verdict},
    },
    domain::{
        alert::AlertStanding,
        format::{days_left, machine},
        metric::Metric,
        period::Period,
        subscription::PauseCollection,
        usage::{SubscriptionSummary, UsageCurrent},
    },
    guard::platform,
    text::{common, format, usage as words},
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
    Page::new(words::title(language()), content)
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
    let language = language();
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
                <h1>{words::title(language)}</h1>
                <p class="page-sub">{format::period(language, &period)} {usage.subscription.as_ref().map(plan)}</p>
            </div>
        </header>
        {answer(usage, alerts)}
        {usage.subscription.as_ref().and_then(outstanding)}
        <h2 id="metrics-title" class="visually-hidden">{words::metrics(language)}</h2>
        <section class="metrics" aria-labelledby="metrics-title">{Metric::ALL.map(|metric| view! { <MetricCard metric usage /> }).collect_view()}</section>
        <div class="columns">
            <section class="panel" aria-labelledby="daily-title">
                <header class="panel-head">
                    <h2 id="daily-title">{words::day_by_day(language)}</h2>
                    <div class="files">
                        {file_link(Some(metric), by_app, &period, words::download_csv(language))}
                        {file_link(None, by_app, &period, words::all_metrics(language))}
                    </div>
                    <div class="panel-tools">
                        <nav class="segments" aria-label=words::metric_of_chart(language)>
                            <ul>{Metric::ALL.map(|one| chart_link(one, by_app, common::metric(language, one), one == metric)).collect_view()}</ul>
                        </nav>
                        <nav class="segments" aria-label=words::apps_of_chart(language)>
                            <ul>{chart_link(metric, false, words::all_apps(language), !by_app)} {chart_link(metric, true, words::by_app(language), by_app)}</ul>
                        </nav>
                    </div>
                </header>
                {if is_empty(usage, comparison) {
                    Either::Left(first_steps())
                } else {
                    Either::Right(view! { <ColumnChart metric period daily=&usage.daily comparison /> })
                }}
                {compared.is_err().then(|| view! { <p class="notice tone-warning">{words::earlier_unavailable(language)}</p> })}
                {apps}
            </section>
            <section class="panel" aria-labelledby="overage-title">
                <header class="panel-head">
                    <h2 id="overage-title">{words::overage(language)}</h2>
                </header>
                <OverageTable usage />
            </section>
            <section class="panel whole" aria-labelledby="alerts-title">
                <header class="panel-head">
                    <h2 id="alerts-title">{words::alerts_and_caps(language)}</h2>
                    <a href="/billing/settings">{words::edit_alerts(language)}</a>
                </header>
                {match alerts {
                    Some(alerts) => Either::Left(view! { <AlertTable alerts usage /> }),
                    None => Either::Right(view! { <p class="notice tone-warning">{words::alerts_unavailable(language)}</p> }),
                }}
            </section>
        </div>
        {freshness(usage.as_of, usage.waiting_since)}
    }
}

/// Whether neither this period nor the previous one has any event.
fn is_empty(usage: &UsageCurrent, comparison: Option<&Comparison>) -> bool {
    usage.as_of.is_none() && comparison.is_some_and(|comparison| comparison.days_before.iter().all(|quantity| *quantity == 0))
}

/// How to send the first event.
fn first_steps() -> impl IntoView {
    let language = language();
    let origin = platform().map(|platform| platform.config.public_url.origin().to_owned()).unwrap_or_default();
    let (metric, at) = (Metric::ALL[0], machine(now().replace_time(time::Time::MIDNIGHT)));
    let curl = format!(
        "curl {origin}/api/v1/usage/events \\\n  -H 'Authorization: Bearer API_KEY' \\\n  -H 'Content-Type: application/json' \\\n  \
         -d '{{\"id\": \"1\", \"metric\": \"{metric}\", \"quantity\": 1, \"timestamp\": \"{at}\", \"app_id\": \"my_app\"}}'"
    );
    view! {
        <h3>{words::no_events(language)}</h3>
        <p class="quiet">{words::no_events_intro(language)}</p>
        <ol class="entries">
            <li><div><strong>{words::step_key(language)}</strong> <a href=SETTINGS>{words::step_key_link(language)}</a></div></li>
            <li>
                <div>
                    <strong>{words::step_send(language)}</strong>
                    <pre class="payload" tabindex="0"><code>{curl}</code></pre>
                </div>
            </li>
            <li><div><strong>{words::step_docs(language)}</strong> <a href="/api/v1/docs">{words::step_docs_link(language)}</a></div></li>
        </ol>
    }
}

fn plan(subscription: &SubscriptionSummary) -> impl IntoView + use<> {
    let language = language();
    let tone = match subscription.status.as_str() {
        "active" | "trialing" => Tone::Good,
        "past_due" | "incomplete" => Tone::Warning,
        "unpaid" | "incomplete_expired" | "canceled" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let title = words::plan_title(language, subscription.plan_type, subscription.plan_name.as_deref());
    let badge = |text: String| view! { <Badge tone=Tone::Warning text /> };
    view! {
        <span class="dot" aria-hidden="true">"·"</span>
        <span>{title}</span>
        <Badge tone text=common::subscription_status(language, &subscription.status) />
        {ending(subscription).map(badge)}
        {subscription.pause_collection.as_ref().map(paused).map(badge)}
    }
}

/// Its end date, if any.
fn ending(subscription: &SubscriptionSummary) -> Option<String> {
    let language = language();
    match subscription.cancel_at {
        Some(at) => Some(words::ends_on(language, &format::date(language, at))),
        None => subscription.cancel_at_period_end.then(|| words::ends_with_period(language).to_owned()),
    }
}

fn paused(pause: &PauseCollection) -> String {
    let language = language();
    match pause.resumes_at {
        Some(at) => words::paused_until(language, &format::date(language, at)),
        None => words::paused(language).to_owned(),
    }
}

/// A missing payment is more important than usage.
fn outstanding(subscription: &SubscriptionSummary) -> Option<impl IntoView + use<>> {
    let language = language();
    matches!(subscription.status.as_str(), "past_due" | "unpaid").then(|| {
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>{words::payment_outstanding(language)} " " <a href="/billing/invoices?status=open">{words::see_open_invoices(language)}</a></span>
            </p>
        }
    })
}

/// The summary. Only the headline is announced, and only when it changes: the numbers change all
/// the time.
fn answer(usage: &UsageCurrent, alerts: Option<&AlertStanding>) -> impl IntoView + use<> {
    let language = language();
    let days = days_left(&usage.current_period.period, now());
    let Verdict { tone, headline, detail, action } = verdict(language, usage, alerts, Some(days));
    view! {
        <section class=format!("verdict {}", tone.class()) aria-label=words::summary(language)>
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
        machine(period.start()),
        machine(period.end()),
        if by_app { "&group_by=app" } else { "" }
    );
    view! { <a href=href rel="external">{text}</a> }
}

/// Events normally take a second or two; after this time a note is shown.
const WAITING: Duration = Duration::from_secs(60);

fn freshness(as_of: Option<OffsetDateTime>, waiting: Option<OffsetDateTime>) -> impl IntoView {
    let language = language();
    let now = now();
    let late = waiting.is_some_and(|since| now - since > WAITING).then_some(format!(" · {}", words::events_waiting(language)));
    view! {
        <p class="freshness">
            {match as_of {
                Some(at) => Either::Left(view! {
                    {words::includes_events(language, &format::date_time_seconds(language, at))}
                    // Of an event from the future, the distance would change with every request.
                    {(at <= now).then(|| view! { " · " <Relative at /> })}
                }),
                None => Either::Right(words::no_events_in_period(language)),
            }}
            {late}
        </p>
    }
}
