//! The summary of a period: each metric's usage compared with the plan, in a headline and a
//! sentence.

use crate::domain::{
    alert::{AlertStanding, Refusing},
    format,
    metric::{Metric, Unit},
    money::Money,
    usage::UsageCurrent,
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
    pub const fn title(self) -> &'static str {
        match self {
            Level::Within => "Within plan",
            Level::Close => "Close to the limit",
            Level::Nearly => "Almost used up",
            Level::Over => "Over plan",
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
pub fn verdict(usage: &UsageCurrent, alerts: Option<&AlertStanding>, days_left: Option<i64>) -> Verdict {
    let refusing = alerts.map(|alerts| alerts.refusing(usage)).unwrap_or_default();
    match refusing.first() {
        Some(first) => of_caps(usage, first, &refusing),
        None => of_plan(usage, days_left),
    }
}

/// The refusing caps, since when, and how much they refused.
fn of_caps(usage: &UsageCurrent, first: &Refusing, refusing: &[Refusing]) -> Verdict {
    let metrics: Vec<&str> = refusing.iter().map(|one| one.metric.noun()).collect();
    let caps: Vec<String> = refusing.iter().map(|one| one.metric.show(one.cap)).collect();
    let is_one_thing = refusing.len() == 1 && !first.metric.unit().is_plural();
    let headline = format!(
        "{} {} being refused: your {} of {} {} reached",
        sentence_case(&list(&metrics)),
        if is_one_thing { "is" } else { "are" },
        if caps.len() == 1 { "cap" } else { "caps" },
        list(&caps.iter().map(String::as_str).collect::<Vec<_>>()),
        if caps.len() == 1 { "is" } else { "are" },
    );
    let refused = |one: &Refusing| {
        let since = one.since.map(format::date_time);
        let sentence = match (one.events, since) {
            (0, None) => "No event has been refused yet.".to_owned(),
            (0, Some(since)) => format!("It was reached by {since}; no event has been refused yet."),
            (events, since) => {
                let quantity = one.metric.show(one.quantity);
                let unit = if one.metric.unit() == Unit::Count { format!(" {}", one.metric.noun()) } else { String::new() };
                let has = if events == 1 { "has" } else { "have" };
                let since = since.map(|since| format!(" since {since}")).unwrap_or_default();
                format!("{} with {quantity}{unit} {has} been refused and not counted{since}.", format::counted(events, "event"))
            }
        };
        if refusing.len() == 1 { sentence } else { format!("{}: {sentence}", sentence_case(one.metric.noun())) }
    };
    let refused: Vec<String> = refusing.iter().map(refused).collect();
    let end = format::day_month(format::last_day(&usage.current_period.period));
    let so_far = usage.overages.total_overage_cost.unwrap_or(0);
    let cost =
        if so_far > 0 { format!(" Overage has cost {} so far.", Money::new(so_far, usage.overages.currency)) } else { String::new() };
    Verdict {
        tone: Tone::Danger,
        headline,
        detail: format!("{} More is refused until {end}, or until you change the cap.{cost}", refused.join(" ")),
        action: Some((
            format!("/billing/settings#alerts-{}", first.metric),
            if caps.len() == 1 { "Change the cap" } else { "Change the caps" },
        )),
    }
}

fn sentence_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

fn of_plan(usage: &UsageCurrent, days_left: Option<i64>) -> Verdict {
    let Some(included) = usage.included() else {
        // Stripe's plan is unknown to this platform: the cost is unknown, not 0.
        if let Some(why) = usage.overages.unpriced.as_ref().filter(|_| usage.subscription.is_some()) {
            return Verdict {
                tone: Tone::Warning,
                headline: "Cost unknown".to_owned(),
                detail: format!(
                    "Usage is measured. The included quantities and the overage cost can’t be shown: {why}. Your invoice is not affected."
                ),
                action: None,
            };
        }
        return Verdict {
            tone: Tone::Neutral,
            headline: "No active subscription".to_owned(),
            detail:
                "Usage is still measured, by calendar month, so nothing is lost. The included quantities appear here once a plan starts."
                    .to_owned(),
            action: None,
        };
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
    let named = list(&at_level.iter().map(|metric| metric.noun()).collect::<Vec<_>>());
    let is_plural = !matches!(at_level.as_slice(), [one] if !one.unit().is_plural());

    let money = |amount| Money::new(amount, usage.overages.currency);
    let unpriced = usage.overages.unpriced.as_deref();
    let so_far = usage.overages.total_overage_cost.unwrap_or(0);
    let expected = usage.forecast.as_ref().map(|forecast| forecast.total_overage_cost.unwrap_or(0).max(so_far));
    let end = format::day_month(format::last_day(&usage.current_period.period));
    let left = match days_left {
        Some(0) | None => String::new(),
        Some(days) => format!(", with {} left", format::counted(days.unsigned_abs(), "day")),
    };
    let stand = match level {
        Level::Over => {
            format!("{} of {} included {} used{left}.", fullest.show(used[fullest]), fullest.show(included[fullest]), fullest.noun())
        }
        _ => format!("{}\u{a0}% of your included {} used{left}.", format::percent(used[fullest], included[fullest]), fullest.noun()),
    };
    let cost = match (so_far, expected) {
        _ if unpriced.is_some() => format!("The overage cost is unknown: {}.", unpriced.unwrap_or_default()),
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
        Level::Over => (level.tone(), format!("You’re over your plan on {named}")),
        Level::Nearly => (level.tone(), format!("Your included {named} {} almost used up", if is_plural { "are" } else { "is" })),
        Level::Close => (level.tone(), format!("You’re getting close to your plan’s limit on {named}")),
        Level::Within if heading_over => (Tone::Warning, "You’re fine today, but on course to go over".to_owned()),
        Level::Within => (Tone::Good, "You’re well within your plan".to_owned()),
    };
    Verdict { tone, headline, detail: format!("{stand} {cost}"), action: None }
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
        alert::{AlertSettings, CapRefusals},
        forecast::Forecast,
        metric::{PerMetric, Quantities},
        money::Currency,
        period::Period,
        plan::PlanType,
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
        let v = verdict(&usage(12_345_678, 18_768, 56_000), None, Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Warning, "You’re over your plan on impressions"));
        assert_eq!(
            v.detail,
            "12,345,678 of 10,000,000 included impressions used, with 9 days left. Overage has cost $187.68 so far and will reach about $560.00 by 30 Nov at this pace."
        );
    }

    #[test]
    fn within_the_plan_is_reassuring() {
        let v = verdict(&usage(4_200_000, 0, 0), None, None);
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Good, "You’re well within your plan"));
        assert_eq!(v.detail, "42\u{a0}% of your included impressions used. At this pace nothing extra will be due by 30 Nov.");
    }

    #[test]
    fn a_forecast_beyond_the_plan_is_a_warning() {
        assert_eq!(verdict(&usage(7_000_000, 0, 900), None, Some(9)).headline, "You’re fine today, but on course to go over");
        assert_eq!(verdict(&usage(8_000_000, 0, 900), None, Some(9)).headline, "You’re getting close to your plan’s limit on impressions");
        assert_eq!(verdict(&usage(9_500_000, 0, 900), None, Some(9)).headline, "Your included impressions are almost used up");
    }

    #[test]
    fn an_unknown_price_is_never_shown_as_zero() {
        let mut known = usage(12_345_678, 0, 0);
        (known.overages.total_overage_cost, known.overages.unpriced) = (None, Some("no price in GBP".into()));
        let v = verdict(&known, None, Some(9));
        assert_eq!(v.headline, "You’re over your plan on impressions");
        assert!(v.detail.ends_with("The overage cost is unknown: no price in GBP."), "{}", v.detail);
        let mut unknown = known;
        if let Some(subscription) = &mut unknown.subscription {
            (subscription.plan_type, subscription.included) = (None, None);
        }
        let v = verdict(&unknown, None, Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Warning, "Cost unknown"));
    }

    #[test]
    fn without_a_plan_nothing_is_rated() {
        let v = verdict(&UsageCurrent { subscription: None, ..usage(5, 0, 0) }, None, None);
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
        let v = verdict(&over, Some(&alerts), Some(9));
        assert_eq!((v.tone, v.headline.as_str()), (Tone::Danger, "Impressions are being refused: your cap of 5,000,000 is reached"));
        assert_eq!(
            v.detail,
            "1,204 events with 56,000 impressions have been refused and not counted since 20 Nov 2026, 10:00 UTC. More is refused until \
             30 Nov, or until you change the cap. Overage has cost $187.68 so far."
        );
        assert_eq!(v.action, Some(("/billing/settings#alerts-impressions".to_owned(), "Change the cap")));
        // Refusals of an earlier cap don't count for this one.
        alerts.refusals = vec![refusal(Metric::Impressions, 4_000_000)];
        assert!(verdict(&over, Some(&alerts), None).detail.starts_with("No event has been refused yet."));
        alerts.settings = settings(
            serde_json::json!({"impressions": {"cap": {"quantity": 7}}, "data_transfer_bytes": {"cap": {"quantity": 1_000_000_000}}}),
        );
        let mut both = over.clone();
        both.current_period.used[Metric::DataTransferBytes] = 3_000_000_000;
        let v = verdict(&both, Some(&alerts), None);
        assert_eq!(v.headline, "Impressions and data transfer are being refused: your caps of 7 and 1 GB are reached");
        // Below the cap, the plan's state is shown.
        alerts.settings = settings(serde_json::json!({"impressions": {"cap": {"quantity": 20_000_000}}}));
        assert_eq!(verdict(&over, Some(&alerts), Some(9)).headline, "You’re over your plan on impressions");
    }
}
