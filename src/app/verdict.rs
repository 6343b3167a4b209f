//! The answer to "am I fine?": how a metric stands against its plan, and the sentence that sums a period up.

use super::format;
use crate::domain::{
    metric::Metric,
    money::Money,
    usage::{UsageCurrent, show_quantity},
};

/// How loud something is shown. Never by colour alone: every use has words or an icon beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Neutral,
    Good,
    Warning,
    Danger,
}

impl Tone {
    /// The class that colours an element and what is in it.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "tone-neutral",
            Tone::Good => "tone-good",
            Tone::Warning => "tone-warning",
            Tone::Danger => "tone-danger",
        }
    }
}

/// How much of what is included is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Below 75 %.
    Within,
    /// 75 to 90 %.
    Close,
    /// Above 90 %.
    Nearly,
    /// More than is included.
    Over,
}

impl Level {
    /// Nothing used is within any plan, even one that includes nothing.
    pub const fn of(used: u64, included: u64) -> Level {
        let (used, included) = (used as u128 * 100, included as u128);
        if used > included * 100 {
            Level::Over
        } else if used > included * 90 {
            Level::Nearly
        } else if used >= included * 75 && used > 0 {
            Level::Close
        } else {
            Level::Within
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Level::Within => "Within plan",
            Level::Close => "Close to the limit",
            Level::Nearly => "Almost used up",
            Level::Over => "Over plan",
        }
    }

    /// How loud it is shown.
    pub const fn tone(self) -> Tone {
        match self {
            Level::Within => Tone::Good,
            Level::Close => Tone::Warning,
            Level::Nearly | Level::Over => Tone::Danger,
        }
    }
}

/// A metric as it stands within a sentence.
pub const fn noun(metric: Metric) -> &'static str {
    match metric {
        Metric::Impressions => "impressions",
        Metric::ApiCalls => "API calls",
        Metric::DataTransferBytes => "data transfer",
    }
}

/// A period summed up in a headline and a sentence or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Colours and sign.
    pub tone: Tone,
    /// The answer in a few words; changes only when the state does.
    pub headline: String,
    /// The figures behind it.
    pub detail: String,
}

/// Sums a period up. `days_left` is None while nothing tells what day it is.
pub fn verdict(usage: &UsageCurrent, days_left: Option<i64>) -> Verdict {
    let Some(included) = usage.included() else {
        return Verdict {
            tone: Tone::Neutral,
            headline: "No active subscription".to_owned(),
            detail:
                "Usage is measured all the same, by calendar month, so nothing is lost. What is included shows here once a plan starts."
                    .to_owned(),
        };
    };
    let used = usage.used();
    let levels = Metric::ALL.map(|metric| (metric, Level::of(used[metric], included[metric])));
    // The fullest metric by used/included, compared without dividing.
    let fullest = Metric::ALL
        .into_iter()
        .max_by(|a, b| (u128::from(used[*a]) * u128::from(included[*b])).cmp(&(u128::from(used[*b]) * u128::from(included[*a]))))
        .unwrap_or(Metric::Impressions);
    let level = levels.iter().map(|(_, level)| *level).max().unwrap_or(Level::Within);
    let at_level: Vec<&str> = levels.iter().filter(|(_, l)| *l == level).map(|(metric, _)| noun(*metric)).collect();
    let named = list(&at_level);

    let money = |amount| Money::new(amount, usage.overages.currency);
    let so_far = usage.overages.total_overage_cost;
    let expected = usage.forecast.as_ref().map(|forecast| forecast.total_overage_cost.max(so_far));
    let end = format::day_month(format::last_day(&usage.current_period.period));
    let left = match days_left {
        Some(0) | None => String::new(),
        Some(days) => format!(", with {} left", format::counted(days.unsigned_abs(), "day")),
    };
    let stand = match level {
        Level::Over => {
            format!(
                "{} of {} included {} used{left}.",
                show_quantity(fullest, used[fullest]),
                show_quantity(fullest, included[fullest]),
                noun(fullest)
            )
        }
        _ => format!("{}\u{a0}% of your included {} used{left}.", format::percent(used[fullest], included[fullest]), noun(fullest)),
    };
    let cost = match (so_far, expected) {
        (1.., Some(expected)) if expected > so_far => {
            format!("Overage has cost {} so far and will reach about {} by {end} at this pace.", money(so_far), money(expected))
        }
        (1.., _) => format!("Overage has cost {} so far.", money(so_far)),
        (_, Some(expected @ 1..)) => {
            format!("Nothing extra is due yet; at this pace overage will cost about {} by {end}.", money(expected))
        }
        (_, Some(_)) => format!("At this pace nothing extra will be due by {end}."),
        (_, None) => "Nothing extra is due so far.".to_owned(),
    };
    let heading_over = so_far == 0 && expected.is_some_and(|cost| cost > 0);
    let (tone, headline) = match level {
        Level::Over => (Tone::Danger, format!("You’re over your plan on {named}")),
        Level::Nearly => (
            Tone::Danger,
            format!("Your included {named} {} almost used up", if named == noun(Metric::DataTransferBytes) { "is" } else { "are" }),
        ),
        Level::Close => (Tone::Warning, format!("You’re getting close to your plan’s limit on {named}")),
        Level::Within if heading_over => (Tone::Warning, "You’re fine today, but on course to go over".to_owned()),
        Level::Within => (Tone::Good, "You’re well within your plan".to_owned()),
    };
    Verdict { tone, headline, detail: format!("{stand} {cost}") }
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        forecast::Forecast,
        money::Currency,
        period::Period,
        plan::PlanType,
        usage::{CurrentPeriod, Gigabytes, Overage, Overages, PerMetric, SubscriptionSummary, UsageForecast},
    };
    use time::macros::datetime;

    fn usage(impressions: u64, cost: i64, forecast_cost: i64) -> UsageCurrent {
        let expected = Forecast { amount: impressions, low: impressions, high: impressions };
        UsageCurrent {
            current_period: CurrentPeriod {
                period: Period::calendar_month(datetime!(2026-11-22 0:00 UTC)),
                impressions,
                api_calls: 1000,
                data_transfer_gb: Gigabytes(0),
            },
            overages: Overages::new(Currency::USD, PerMetric { impressions: Overage { amount: 0, cost }, ..PerMetric::default() }),
            subscription: Some(SubscriptionSummary {
                plan_type: PlanType::Growth,
                status: "active".into(),
                included_impressions: 10_000_000,
                included_api_calls: 1_000_000,
                included_data_transfer_gb: Gigabytes(500_000_000_000),
                cancel_at_period_end: false,
            }),
            forecast: Some(UsageForecast {
                impressions: expected,
                api_calls: expected,
                data_transfer_bytes: expected,
                overage_costs: PerMetric { impressions: forecast_cost, ..PerMetric::default() },
                total_overage_cost: forecast_cost,
            }),
            as_of: None,
            waiting_since: None,
            daily: vec![],
        }
    }

    #[test]
    fn colours_change_at_75_and_90_percent() {
        let level = |used| Level::of(used, 1000);
        assert_eq!(
            [level(0), level(749), level(750), level(900), level(901), level(1000), level(1001)],
            [Level::Within, Level::Within, Level::Close, Level::Close, Level::Nearly, Level::Nearly, Level::Over]
        );
        assert_eq!((Level::of(0, 0), Level::of(1, 0)), (Level::Within, Level::Over));
    }

    #[test]
    fn over_the_plan_says_what_it_costs_and_will_cost() {
        let v = verdict(&usage(12_345_678, 18_768, 56_000), Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Danger, "You’re over your plan on impressions"));
        assert_eq!(
            v.detail,
            "12,345,678 of 10,000,000 included impressions used, with 9 days left. Overage has cost $187.68 so far and will reach about $560.00 by 30 Nov at this pace."
        );
    }

    #[test]
    fn fine_says_so() {
        let v = verdict(&usage(4_200_000, 0, 0), None);
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Good, "You’re well within your plan"));
        assert_eq!(v.detail, "42\u{a0}% of your included impressions used. At this pace nothing extra will be due by 30 Nov.");
    }

    #[test]
    fn a_forecast_beyond_the_plan_is_a_warning() {
        assert_eq!(verdict(&usage(7_000_000, 0, 900), Some(9)).headline, "You’re fine today, but on course to go over");
        assert_eq!(verdict(&usage(8_000_000, 0, 900), Some(9)).headline, "You’re getting close to your plan’s limit on impressions");
        assert_eq!(verdict(&usage(9_500_000, 0, 900), Some(9)).headline, "Your included impressions are almost used up");
    }

    #[test]
    fn without_a_plan_nothing_is_judged() {
        let v = verdict(&UsageCurrent { subscription: None, ..usage(5, 0, 0) }, None);
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Neutral, "No active subscription"));
    }
}
