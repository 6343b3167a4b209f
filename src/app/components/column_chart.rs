//! A period's days as columns in front of those of the previous period, rendered on the server,
//! with a table of the same numbers.

use crate::{
    app::{language, now::now, usage_comparison::Comparison},
    domain::{format::share, metric::Metric, period::Period, usage::DailyUsage},
    text::{common, format, usage as words},
};
use leptos::prelude::*;
use time::{Duration, OffsetDateTime, UtcOffset};

/// Height of the plot in pixels; widths are relative, so that text keeps its size on every screen.
const HEIGHT: u64 = 200;
/// Space above the highest column for the value under the pointer.
const HEADROOM: u64 = 28;

/// The days of one metric: a chart and a table. The first day is compared with the first of the
/// previous period, and so on.
#[component]
pub fn ColumnChart<'a>(
    metric: Metric,
    period: Period,
    daily: &'a [DailyUsage],
    comparison: Option<&'a Comparison>,
) -> impl IntoView + use<> {
    let language = language();
    let written = |quantity| format::quantity(language, metric, quantity);
    let today = now().to_offset(UtcOffset::UTC).replace_time(time::Time::MIDNIGHT);
    // No previous period: the customer is new.
    let comparison = comparison.filter(|comparison| comparison.days_before.iter().any(|quantity| *quantity > 0));
    let days: Vec<(OffsetDateTime, Option<u64>)> =
        days(&period).map(|day| (day, daily.iter().find(|d| d.day == day).map(|d| d.quantities[metric]))).collect();
    let count = days.len().max(1) as u64;
    let highest_day = days.iter().filter_map(|(_, quantity)| *quantity).max().unwrap_or(0);
    let before: Vec<u64> =
        comparison.map(|comparison| comparison.days_before.iter().copied().take(days.len()).collect()).unwrap_or_default();
    let highest = before.iter().copied().max().unwrap_or(0).max(highest_day);
    let (step, top) = axis(highest);
    let y =
        |quantity: u64| HEADROOM + HEIGHT - u64::try_from(u128::from(quantity) * u128::from(HEIGHT) / u128::from(top)).unwrap_or(HEIGHT);
    let bottom = HEADROOM + HEIGHT;

    let ticks: Vec<u64> = (0..=top / step).map(|n| n * step).collect();
    let scale = ticks
        .iter()
        .map(|tick| view! { <text x="100%" y=y(*tick) dy="0.32em" text-anchor="end">{format::compact(language, metric, *tick)}</text> })
        .collect_view();
    let grid = ticks.iter().map(|tick| view! { <line class="chart-grid" x1="0" x2="100%" y1=y(*tick) y2=y(*tick)></line> }).collect_view();
    let every = count.div_ceil(4).max(1);
    let before_days: Vec<String> = comparison
        .map(|comparison| self::days(&comparison.previous).map(|day| format::day_month(language, day)).collect())
        .unwrap_or_default();
    let backdrop = comparison.map(|_| backdrop(before.iter().map(|quantity| y(*quantity)), days.len(), bottom));
    let columns = days
        .iter()
        .enumerate()
        .map(|(index, (day, quantity))| {
            // In hundredths of a column: the gap on each side is a fifth of it.
            let at = |hundredths: u64| share(index as u64 * 100 + hundredths, count * 100);
            let column = quantity.map(|quantity| {
                // A day with any usage shows at least a line.
                let height = if quantity == 0 { 0 } else { (bottom - y(quantity)).max(2) };
                let readout = |day: &str, quantity: u64| words::of_day(language, day, &written(quantity));
                let name = format::day_month(language, *day);
                let mut shown = if *day == today {
                    words::of_today(language, &name, words::today(language), &written(quantity))
                } else {
                    readout(&name, quantity)
                };
                if let Some((day, quantity)) = before_days.get(index).zip(before.get(index)) {
                    shown = format!("{shown} · {}", readout(day, *quantity));
                }
                view! {
                    <rect class=if *day == today { "chart-column today" } else { "chart-column" } x=at(20) width=share(60, count * 100) y=bottom - height height=height rx="2"></rect>
                    <text class="chart-readout" x="100%" y="14" text-anchor="end">
                        {shown}
                    </text>
                }
            });
            let label = (index as u64).is_multiple_of(every).then(|| {
                let class = if (index as u64 / every).is_multiple_of(2) { "chart-day" } else { "chart-day minor" };
                view! { <text class=class x=at(50) y=bottom + 20 text-anchor="middle">{format::day_month(language, *day)}</text> }
            });
            view! {
                <g class="chart-slot">
                    <rect class="chart-hit" x=at(0) width=share(100, count * 100) y="0" height=bottom></rect>
                    {column}
                    {label}
                </g>
            }
        })
        .collect_view();
    let title = common::metric(language, metric);
    let label = words::chart(language, title, &format::period(language, &period), &written(highest_day));
    let rows = days
        .iter()
        .enumerate()
        .filter_map(|(index, (day, quantity))| {
            let quantity = written((*quantity)?);
            let before = comparison.map(|_| {
                let quantity = before.get(index).map_or_else(|| "–".to_owned(), |quantity| written(*quantity));
                view! { <td class="number">{quantity}</td> }
            });
            Some(view! { <tr><th scope="row">{format::date(language, *day)}</th><td class="number">{quantity}</td>{before}</tr> })
        })
        .collect_view();
    let before_head = comparison.map(|_| view! { <th scope="col" class="number">{words::previous_period(language)}</th> });
    let legend = comparison.map(|comparison| legend(&comparison.previous));
    view! {
        <div class="chart">
            <svg class="chart-scale" width="52" height=bottom + 28 aria-hidden="true">{scale}</svg>
            <svg class="chart-plot" width="100%" height=bottom + 28 role="img" aria-label=label>{backdrop} {grid} {columns}</svg>
        </div>
        {legend}
        <details class="chart-table">
            <summary>{words::show_numbers(language)}</summary>
            <table class="table">
                <caption class="visually-hidden">{words::per_day(language, title)}</caption>
                <thead><tr><th scope="col">{words::day_utc(language)}</th><th scope="col" class="number">{title}</th>{before_head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

/// The previous period as one outline: a step per day, over as many days as it has.
fn backdrop(tops: impl ExactSizeIterator<Item = u64>, count: usize, bottom: u64) -> AnyView {
    let known = tops.len();
    let steps: String = tops.map(|top| format!("V{top}h1")).collect();
    view! {
        <svg
            width=share(known as u64, count as u64)
            height=bottom
            viewBox=format!("0 0 {known} {bottom}")
            preserveAspectRatio="none"
        >
            <path class="chart-before" d=format!("M0 {bottom}{steps}V{bottom}z")></path>
        </svg>
    }
    .into_any()
}

/// The legend.
fn legend(previous: &Period) -> impl IntoView + use<> {
    let language = language();
    // A symbol and its text stay on one line.
    let entry = |class, text: String| {
        view! {
            <span class="badges">
                <svg width="14" height="14" aria-hidden="true">
                    <rect class=class x="1" y="1" width="12" height="12"></rect>
                </svg>
                <span>{text}</span>
            </span>
        }
    };
    view! {
        <p class="page-sub">
            {entry("chart-column", words::this_period(language).to_owned())} {entry("chart-before", words::previous_period_of(language, &format::period(language, previous)))}
        </p>
    }
}

/// The UTC days that a period overlaps, by their starts.
fn days(period: &Period) -> impl Iterator<Item = OffsetDateTime> + use<> {
    let (first, end) = (period.start().replace_time(time::Time::MIDNIGHT), period.end());
    std::iter::successors(Some(first), |day| Some(*day + Duration::DAY)).take_while(move |day| *day < end)
}

/// Distance of the axis ticks and its maximum: 1, 2 or 5 times a power of ten, at most five ticks
/// above zero.
fn axis(highest: u64) -> (u64, u64) {
    let wanted = highest.div_ceil(4).max(1);
    let mut power = 1u64;
    let step = loop {
        if let Some(step) = [1, 2, 5].into_iter().map(|n| power.saturating_mul(n)).find(|step| *step >= wanted) {
            break step;
        }
        power = power.saturating_mul(10);
    };
    (step, highest.div_ceil(step).max(1).saturating_mul(step))
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(axis(0), (1, 1));
        assert_eq!(axis(7), (2, 8));
        assert_eq!(axis(412_345), (200_000, 600_000));
        assert_eq!(axis(1_000_000), (500_000, 1_000_000));
        let (step, top) = axis(u64::MAX);
        assert!(step > 0 && top > 0);
    }

    #[test]
    fn a_period_from_noon_touches_its_first_day() {
        let period = Period::new(datetime!(2026-11-15 12:00 UTC), datetime!(2026-11-17 12:00 UTC)).unwrap();
        assert_eq!(
            days(&period).collect::<Vec<_>>(),
            [datetime!(2026-11-15 0:00 UTC), datetime!(2026-11-16 0:00 UTC), datetime!(2026-11-17 0:00 UTC)]
        );
    }
}
