//! The current period: the summary first, then each metric, its days, and the overage. Numbers
//! update as events arrive.

use crate::{
    app::{
        calls::{Problem, settings::alert_standing, usage::usage_current},
        clock::{browser_clock, every},
        components::{
            Badge, Glyph, Icon, ProblemNotice, alert_table::AlertTable, app_breakdown::AppBreakdown, column_chart::ColumnChart,
            metric_card::MetricCard, overage_table::OverageTable, skeleton::Skeleton,
        },
        pages::{console::Session, paused::PausedPage},
        usage_comparison::Comparison,
        usage_summary::{Tone, verdict},
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
use leptos::{
    either::{Either, EitherOf3},
    prelude::*,
    task::spawn_local,
};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use std::time::Duration;
use time::OffsetDateTime;

/// Interval at which an open, visible page updates.
const REFRESH: Duration = Duration::from_secs(3);

/// Data that arrived since the page was loaded.
#[derive(Clone, Copy)]
struct Live {
    /// The newest usage; None until some arrived.
    usage: RwSignal<Option<UsageCurrent>>,
    /// The newest alerts and caps; None until they arrived.
    alerts: RwSignal<Option<AlertStanding>>,
    /// Why the last update failed; the numbers stay.
    problem: RwSignal<Option<Problem>>,
}

/// `/billing/usage?metric=&by=app`.
#[component]
pub fn UsagePage() -> impl IntoView {
    let loaded = Resource::new(|| (), |()| usage_current(None));
    let alerts = Resource::new(|| (), |()| alert_standing(None));
    let session = expect_context::<Session>();
    let now = browser_clock(Duration::from_secs(1));
    let query = use_query_map();
    let metric = Memo::new(move |_| query.with(|q| q.get_str("metric").and_then(|name| name.parse().ok())).unwrap_or(Metric::ALL[0]));
    let by_app = Memo::new(move |_| query.with(|q| q.get_str("by") == Some("app")));
    // With its parameters: until the response arrives, the page shows the previous data.
    let compared = Resource::new(
        move || (metric.get(), by_app.get()),
        move |(metric, by_app)| async move {
            let comparison = async { Comparison::load(metric, by_app, loaded.await?.current_period.period).await };
            (metric, by_app, comparison.await)
        },
    );
    let live = follow(move || {
        // The update includes the whole period's days, but not the apps'.
        if by_app.try_get_untracked().unwrap_or(false) {
            compared.refetch();
        }
    });
    view! {
        <Title text="Usage" />
        <Transition fallback=|| view! { <Skeleton rows=6 /> }>
            {move || Suspend::new(async move {
                match (session.paused().await, loaded.await) {
                    (true, _) => EitherOf3::A(view! { <PausedPage /> }),
                    (false, Ok(first)) => {
                        let (metric, by_app, compared) = compared.await;
                        let alerts = alerts.await.ok();
                        EitherOf3::B(view! {
                            {move || live.problem.get().map(interruption)}
                            {move || report(
                                live.usage.get().as_ref().unwrap_or(&first),
                                live.alerts.get().as_ref().or(alerts.as_ref()),
                                metric,
                                by_app,
                                &compared,
                                now,
                            )}
                        })
                    }
                    (false, Err(problem)) => EitherOf3::C(view! { <ProblemNotice problem page=true /> }),
                }
            })}
        </Transition>
    }
}

/// Browser only: fetches repeatedly while the page is visible, until the session ends; signals
/// changed numbers.
fn follow(changed: impl Fn() + Copy + Send + Sync + 'static) -> Live {
    let live = Live { usage: RwSignal::new(None), alerts: RwSignal::new(None), problem: RwSignal::new(None) };
    let asking = StoredValue::new(false);
    let ask = move || {
        let over = live.problem.with_untracked(|problem| problem.as_ref().is_some_and(|problem| problem.status == 401));
        if over || asking.get_value() || document().hidden() {
            return;
        }
        asking.set_value(true);
        spawn_local(async move {
            let answer = usage_current(None).await;
            let alerts = if answer.is_ok() { alert_standing(None).await.ok() } else { None };
            // The page may be gone, and its signals with it.
            asking.try_set_value(false);
            if alerts.is_some() && live.alerts.try_with_untracked(|held| *held != alerts).unwrap_or(false) {
                live.alerts.try_set(alerts);
            }
            match answer {
                Ok(usage) => {
                    if live.usage.try_with_untracked(|held| held.as_ref() != Some(&usage)).unwrap_or(false) {
                        live.usage.try_set(Some(usage));
                        changed();
                    }
                    if live.problem.try_with_untracked(Option::is_some).unwrap_or(false) {
                        live.problem.try_set(None);
                    }
                }
                Err(problem) => {
                    live.problem.try_set(Some(problem));
                }
            }
        });
    };
    Effect::new(move || every(REFRESH, ask));
    live
}

/// Shown above outdated numbers.
fn interruption(problem: Problem) -> impl IntoView {
    match problem.status {
        401 => Either::Left(view! { <ProblemNotice problem /> }),
        _ => Either::Right(view! {
            <p class="notice tone-warning" role="status">
                <Icon glyph=Glyph::Warning />
                <span>"Updates can’t be fetched just now. These numbers stay until the connection is back."</span>
            </p>
        }),
    }
}

fn report(
    usage: &UsageCurrent,
    alerts: Option<&AlertStanding>,
    metric: Metric,
    by_app: bool,
    compared: &Result<Comparison, Problem>,
    now: ReadSignal<Option<OffsetDateTime>>,
) -> impl IntoView + use<> {
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
        {answer(usage, alerts, now)}
        {usage.subscription.as_ref().and_then(outstanding)}
        <h2 id="metrics-title" class="visually-hidden">"Metrics"</h2>
        <section class="metrics" aria-labelledby="metrics-title">{Metric::ALL.map(|metric| view! { <MetricCard metric usage /> }).collect_view()}</section>
        <div class="columns">
            <section class="panel" aria-labelledby="daily-title">
                <header class="panel-head">
                    <h2 id="daily-title">"Day by day"</h2>
                    <nav class="segments" aria-label="Metric of the chart">
                        <ul>{Metric::ALL.map(|one| chart_link(one, by_app, one.title(), one == metric)).collect_view()}</ul>
                    </nav>
                    <nav class="segments" aria-label="Apps of the chart">
                        <ul>{chart_link(metric, false, "All apps", !by_app)} {chart_link(metric, true, "By app", by_app)}</ul>
                    </nav>
                    {file_link(Some(metric), by_app, &period, "Download as CSV")}
                    {file_link(None, by_app, &period, "All metrics")}
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
        </div>
        <section class="panel" aria-labelledby="alerts-title">
            <header class="panel-head">
                <h2 id="alerts-title">"Alerts and caps"</h2>
                <a href="/billing/settings">"Change them"</a>
            </header>
            {match alerts {
                Some(alerts) => Either::Left(view! { <AlertTable alerts usage /> }),
                None => Either::Right(view! { <p class="notice tone-warning">"Alerts and caps can’t be fetched just now."</p> }),
            }}
        </section>
        {freshness(usage.as_of, usage.waiting_since, now)}
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
fn answer(usage: &UsageCurrent, alerts: Option<&AlertStanding>, now: ReadSignal<Option<OffsetDateTime>>) -> impl IntoView + use<> {
    let period = usage.current_period.period;
    // Before hydration, the newest event's time is used as the clock.
    let at = usage.as_of.filter(|at| period.contains(*at));
    let (usage, alerts) = (usage.clone(), alerts.cloned());
    let days = Memo::new(move |_| now.get().or(at).map(|at| format::days_left(&period, at)));
    let summary = Memo::new(move |_| verdict(&usage, alerts.as_ref(), days.get()));
    view! {
        <section class=move || format!("verdict {}", summary.with(|v| v.tone.class())) aria-label="Summary">
            {move || view! { <Icon glyph=Glyph::of(summary.with(|v| v.tone)) /> }}
            <div>
                <div role="status">
                    <h2>{move || summary.with(|v| v.headline.clone())}</h2>
                </div>
                <p>
                    {move || summary.with(|v| v.detail.clone())}
                    {move || summary.with(|v| v.action.clone()).map(|(href, text)| view! { " " <a href=href>{text}</a> })}
                </p>
            </div>
        </section>
    }
}

/// The same page with another chart.
fn chart_link(metric: Metric, by_app: bool, text: &'static str, current: bool) -> impl IntoView {
    view! {
        <li>
            <a
                href=format!("/billing/usage?metric={metric}{}", if by_app { "&by=app" } else { "" })
                data-noscroll=""
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

fn freshness(as_of: Option<OffsetDateTime>, waiting: Option<OffsetDateTime>, now: ReadSignal<Option<OffsetDateTime>>) -> impl IntoView {
    let ago = move || Some(format!(" · {}", format::relative(as_of?.min(now.get()?), now.get()?)));
    let late = move || (now.get()? - waiting? > WAITING).then_some(" · newer events have arrived and are not counted yet");
    view! {
        <p class="freshness">
            {match as_of {
                Some(at) => format!("Includes events up to {}", format::date_time_seconds(at)),
                None => "No events have arrived in this period yet.".to_owned(),
            }}
            {ago}
            {late}
        </p>
    }
}
