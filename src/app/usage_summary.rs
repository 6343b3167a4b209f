//! The summary of a period: each metric's usage compared with the plan, in a headline and a
//! sentence.

use crate::{
    domain::{
        alert::{AlertStanding, Refusing},
        format::{last_day as last_day_of, percent as share},
        language::Language,
        metric::{Metric, Unit},
        money::Money,
        usage::UsageCurrent,
    },
    text::{common, format, usage as words},
};

/// The emphasis of an element. Colour is never the only sign: every use has text or an icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Neutral,
    Good,
    Warning,
    Danger,
}

impl Tone {
    /// The CSS class of the tone.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Neutral => "tone-neutral",
            Tone::Good => "tone-good",
            Tone::Warning => "tone-warning",
            Tone::Danger => "tone-danger",
        }
    }
}

/// Usage relative to the included quantity.
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
    /// Zero usage is within any plan, even one that includes nothing.
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

    /// Display name.
    pub const fn title(self, language: Language) -> &'static str {
        match self {
            Level::Within => words::within_plan(language),
            Level::Close => words::close_to_limit(language),
            Level::Nearly => words::almost_used_up(language),
            Level::Over => words::over_plan(language),
        }
    }

    /// Its tone. More usage than a paid plan includes is not an alarm: the customer can still act.
    /// Red is for what was refused, failed, or is overdue.
    pub const fn tone(self) -> Tone {
        match self {
            Level::Within => Tone::Good,
            Level::Close | Level::Nearly | Level::Over => Tone::Warning,
        }
    }

    /// The colour of a bar, which is red beyond 90 %.
    pub const fn bar_tone(self) -> Tone {
        match self {
            Level::Within | Level::Close => self.tone(),
            Level::Nearly | Level::Over => Tone::Danger,
        }
    }
}

/// A period summarised in a headline and one or two sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Colours and icon.
    pub tone: Tone,
    /// The headline; changes only when the state does.
    pub headline: String,
    /// The numbers behind it.
    pub detail: String,
    /// A link to an action, if any.
    pub action: Option<(String, &'static str)>,
}

/// Summarises a period: caps that refuse events come first. `days_left`: None while the current
/// day is unknown.
pub fn verdict(language: Language, usage: &UsageCurrent, alerts: Option<&AlertStanding>, days_left: Option<i64>) -> Verdict {
    let refusing = alerts.map(|alerts| alerts.refusing(usage)).unwrap_or_default();
    match refusing.first() {
        Some(first) => of_caps(language, usage, first, &refusing),
        None => of_plan(language, usage, days_left),
    }
}

/// The refusing caps, since when, and how much they refused.
fn of_caps(language: Language, usage: &UsageCurrent, first: &Refusing, refusing: &[Refusing]) -> Verdict {
    let metrics: Vec<&str> = refusing.iter().map(|one| common::metric_noun(language, one.metric)).collect();
    let caps: Vec<String> = refusing.iter().map(|one| format::quantity(language, one.metric, one.cap)).collect();
    let caps: Vec<&str> = caps.iter().map(String::as_str).collect();
    let named = sentence_case(&words::list(language, &metrics));
    let headline = match refusing {
        [one] if !one.metric.unit().is_plural() => words::headline_refused_one(language, &named, caps[0]),
        [_] => words::headline_refused(language, &named, caps[0]),
        _ => words::headline_refused_several(language, &named, &words::list(language, &caps)),
    };
    let refused = |one: &Refusing| {
        let since = one.since.map(|since| format::date_time(language, since));
        let amount = format::quantity(language, one.metric, one.quantity);
        let quantity = match one.metric.unit() {
            Unit::Count => format!("{amount} {}", common::metric_noun(language, one.metric)),
            Unit::Bytes => amount,
        };
        let sentence = match (one.events, since) {
            (0, None) => words::none_refused(language).to_owned(),
            (0, Some(since)) => words::none_refused_since(language, &since),
            (events, None) => words::refused(language, events, &quantity),
            (events, Some(since)) => words::refused_since(language, events, &quantity, &since),
        };
        if refusing.len() == 1 { sentence } else { words::of_metric(language, common::metric(language, one.metric), &sentence) }
    };
    let refused: Vec<String> = refusing.iter().map(refused).collect();
    let end = last_day(language, usage);
    let so_far = usage.overages.total_overage_cost.filter(|cost| *cost > 0);
    let cost = so_far.map(|cost| format!(" {}", words::overage_so_far(language, Money::new(cost, usage.overages.currency))));
    let change = if caps.len() == 1 { words::change_cap(language) } else { words::change_caps(language) };
    Verdict {
        tone: Tone::Danger,
        headline,
        detail: format!("{} {}{}", refused.join(" "), words::refused_until(language, &end), cost.unwrap_or_default()),
        action: Some((format!("/billing/settings#alerts-{}", first.metric), change)),
    }
}

/// The last day of the period.
fn last_day(language: Language, usage: &UsageCurrent) -> String {
    format::day_month(language, last_day_of(&usage.current_period.period))
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

fn of_plan(language: Language, usage: &UsageCurrent, days_left: Option<i64>) -> Verdict {
    let why = usage.overages.unpriced_reason.as_ref().map(|why| words::unpriced(language, why));
    let Some(included) = usage.included() else {
        // Stripe's plan is unknown to this platform: the cost is unknown, not 0.
        let (tone, headline, detail) = match why.filter(|_| usage.subscription.is_some()) {
            Some(why) => (Tone::Warning, words::headline_cost_unknown(language), words::detail_cost_unknown(language, &why)),
            None => (Tone::Neutral, words::headline_no_subscription(language), words::detail_no_subscription(language).to_owned()),
        };
        return Verdict { tone, headline: headline.to_owned(), detail, action: None };
    };
    let used = usage.used();
    let levels = Metric::ALL.map(|metric| (metric, Level::of(used[metric], included[metric])));
    // The metric with the highest used/included ratio, compared without dividing.
    let fullest = Metric::ALL
        .into_iter()
        .max_by(|a, b| (u128::from(used[*a]) * u128::from(included[*b])).cmp(&(u128::from(used[*b]) * u128::from(included[*a]))))
        .unwrap_or(Metric::ALL[0]);
    let level = levels.iter().map(|(_, level)| *level).max().unwrap_or(Level::Within);
    let at_level: Vec<Metric> = levels.iter().filter(|(_, l)| *l == level).map(|(metric, _)| *metric).collect();
    let named = words::list(language, &at_level.iter().map(|metric| common::metric_noun(language, *metric)).collect::<Vec<_>>());
    let is_plural = !matches!(at_level.as_slice(), [one] if !one.unit().is_plural());

    let money = |amount| Money::new(amount, usage.overages.currency);
    let so_far = usage.overages.total_overage_cost.unwrap_or(0);
    let expected = usage.forecast.as_ref().map(|forecast| forecast.total_overage_cost.unwrap_or(0).max(so_far));
    let end = last_day(language, usage);
    let noun = common::metric_noun(language, fullest);
    let quantity = |quantity| format::quantity(language, fullest, quantity);
    let stand = match level {
        Level::Over => words::used_of_included(language, &quantity(used[fullest]), &quantity(included[fullest]), noun),
        _ => words::percent_used(language, &format::percent(language, share(used[fullest], included[fullest])), noun),
    };
    let left = days_left.filter(|days| *days != 0).map(|days| format!(" {}", words::days_left(language, days.unsigned_abs())));
    let cost = match (so_far, expected) {
        _ if why.is_some() => words::overage_cost_unknown(language, &why.unwrap_or_default()),
        (1.., Some(expected)) if expected > so_far => words::overage_forecast(language, money(so_far), &end, money(expected)),
        (1.., _) => words::overage_so_far(language, money(so_far)),
        (_, Some(expected @ 1..)) => words::nothing_due_yet(language, money(expected), &end),
        (_, Some(_)) => words::nothing_due_by(language, &end),
        (_, None) => words::nothing_due(language).to_owned(),
    };
    let heading_over = so_far == 0 && expected.is_some_and(|cost| cost > 0);
    let (tone, headline) = match level {
        Level::Over => (level.tone(), words::headline_over(language, &named)),
        Level::Nearly if is_plural => (level.tone(), words::headline_nearly(language, &named)),
        Level::Nearly => (level.tone(), words::headline_nearly_one(language, &named)),
        Level::Close => (level.tone(), words::headline_close(language, &named)),
        Level::Within if heading_over => (Tone::Warning, words::headline_on_course(language).to_owned()),
        Level::Within => (Tone::Good, words::headline_within(language).to_owned()),
    };
    Verdict { tone, headline, detail: format!("{stand}{} {cost}", left.unwrap_or_default()), action: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        alert::{AlertSettings, CapRefusals},
        forecast::Forecast,
        metric::{PerMetric, Quantities},
        money::Currency,
        period::Period,
        plan::{PlanType, Unpriced},
        rating::Overage,
        usage::{CurrentPeriod, Overages, SubscriptionSummary, UsageForecast},
    };
    use time::macros::datetime;

    fn usage(impressions: u64, cost: i64, forecast_cost: i64) -> UsageCurrent {
        let expected = Forecast { amount: impressions, low: impressions, high: impressions };
        UsageCurrent {
            current_period: CurrentPeriod {
                period: Period::calendar_month(datetime!(2026-11-22 0:00 UTC)),
                used: Quantities::default().with(Metric::Impressions, impressions).with(Metric::ApiCalls, 1000),
            },
            overages: Overages::new(Currency::USD, PerMetric::default().with(Metric::Impressions, Overage { amount: 0, cost })),
            subscription: Some(SubscriptionSummary {
                plan_type: Some(PlanType::Growth),
                plan_name: None,
                status: "active".into(),
                included: Some(
                    PerMetric::from_fn(|_| 1_000_000)
                        .with(Metric::Impressions, 10_000_000)
                        .with(Metric::DataTransferBytes, 500_000_000_000),
                ),
                cancel_at_period_end: false,
                cancel_at: None,
                pause_collection: None,
            }),
            forecast: Some(UsageForecast {
                quantities: PerMetric::from_fn(|_| expected),
                overage_costs: PerMetric::default().with(Metric::Impressions, Some(forecast_cost)),
                total_overage_cost: Some(forecast_cost),
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
    fn over_the_plan_shows_current_and_forecast_cost() {
        let v = verdict(Language::English, &usage(12_345_678, 18_768, 56_000), None, Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Warning, "You’re over your plan on impressions"));
        assert_eq!(
            v.detail,
            "12,345,678 of 10,000,000 included impressions used. 9 days are left. Overage has cost $187.68 so far and will likely reach $560.00 by 30 Nov."
        );
    }

    #[test]
    fn within_the_plan_is_reassuring() {
        let v = verdict(Language::English, &usage(4_200_000, 0, 0), None, None);
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Good, "You’re well within your plan"));
        assert_eq!(v.detail, "42% of your included impressions used. By 30 Nov, nothing extra is likely to be due.");
    }

    #[test]
    fn every_language_has_the_same_figures() {
        let german = verdict(Language::German, &usage(12_345_678, 18_768, 56_000), None, Some(1));
        assert_eq!(german.headline, "Kontingent überschritten: Impressionen");
        assert!(
            german.detail.contains("12.345.678") && german.detail.contains("Noch 1 Tag.") && german.detail.contains("187,68\u{a0}$"),
            "{german:?}"
        );
        let french = verdict(Language::French, &usage(12_345_678, 18_768, 56_000), None, Some(0));
        assert!(french.detail.contains("12\u{202f}345\u{202f}678") && french.detail.contains("560,00"), "{french:?}");
    }

    #[test]
    fn a_forecast_beyond_the_plan_is_a_warning() {
        assert_eq!(
            verdict(Language::English, &usage(7_000_000, 0, 900), None, Some(9)).headline,
            "You’re fine today, but on course to go over"
        );
        assert_eq!(
            verdict(Language::English, &usage(8_000_000, 0, 900), None, Some(9)).headline,
            "You’re getting close to your plan’s limit on impressions"
        );
        assert_eq!(
            verdict(Language::English, &usage(9_500_000, 0, 900), None, Some(9)).headline,
            "Your included impressions are almost used up"
        );
    }

    #[test]
    fn an_unknown_price_is_never_shown_as_zero() {
        let mut known = usage(12_345_678, 0, 0);
        (known.overages.total_overage_cost, known.overages.unpriced_reason) = (None, Some(Unpriced::NoPrice("gbp".parse().unwrap())));
        let v = verdict(Language::English, &known, None, Some(9));
        assert_eq!(v.headline, "You’re over your plan on impressions");
        assert!(v.detail.ends_with("The overage cost is unknown: no price in GBP."), "{}", v.detail);
        let mut unknown = known;
        if let Some(subscription) = &mut unknown.subscription {
            (subscription.plan_type, subscription.included) = (None, None);
        }
        let v = verdict(Language::English, &unknown, None, Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Warning, "Cost unknown"));
    }

    #[test]
    fn without_a_plan_nothing_is_rated() {
        let v = verdict(Language::English, &UsageCurrent { subscription: None, ..usage(5, 0, 0) }, None, None);
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Neutral, "No active subscription"));
    }

    #[test]
    fn a_refusing_cap_comes_first() {
        let settings = |caps: serde_json::Value| AlertSettings::read(&serde_json::json!({"metrics": caps}), Currency::USD).unwrap();
        let at = datetime!(2026-11-20 10:00 UTC);
        let refusal = |metric, cap| CapRefusals { metric, cap, since: at, last_at: at, events: 1204, quantity: 56_000 };
        let mut alerts = AlertStanding {
            settings: settings(serde_json::json!({"impressions": {"cap": {"quantity": 5_000_000}}})),
            fired: vec![],
            refusals: vec![refusal(Metric::Impressions, 5_000_000)],
        };
        let over = usage(12_560_000, 18_768, 56_000);
        let v = verdict(Language::English, &over, Some(&alerts), Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Danger, "Impressions are being refused: your cap of 5,000,000 is reached"));
        assert_eq!(
            v.detail,
            "1,204 events with 56,000 impressions have been refused and not counted since 20 Nov 2026, 10:00. More is refused until \
             30 Nov, or until you change the cap. Overage has cost $187.68 so far."
        );
        assert_eq!(v.action, Some(("/billing/settings#alerts-impressions".to_owned(), "Change the cap")));
        // Refusals of an earlier cap don't count for this one.
        alerts.refusals = vec![refusal(Metric::Impressions, 4_000_000)];
        assert!(verdict(Language::English, &over, Some(&alerts), None).detail.starts_with("No event has been refused yet."));
        alerts.settings = settings(
            serde_json::json!({"impressions": {"cap": {"quantity": 7}}, "data_transfer_bytes": {"cap": {"quantity": 1_000_000_000}}}),
        );
        let mut both = over.clone();
        both.current_period.used[Metric::DataTransferBytes] = 3_000_000_000;
        let v = verdict(Language::English, &both, Some(&alerts), None);
        assert_eq!(v.headline, "Impressions and data transfer are being refused: your caps of 7 and 1 GB are reached");
        // Below the cap, the plan's state is shown.
        alerts.settings = settings(serde_json::json!({"impressions": {"cap": {"quantity": 20_000_000}}}));
        assert_eq!(verdict(Language::English, &over, Some(&alerts), Some(9)).headline, "You’re over your plan on impressions");
    }
}
