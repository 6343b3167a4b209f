//! Usage alerts: a customer's thresholds, which of them given usage has crossed, and caps on
//! metrics.

mod settings;
mod standing;

pub use settings::{AlertChange, AlertSettings, Cap, MetricAlerts, MetricSettings};
pub use standing::{AlertStanding, CapRefusals, Refusing, Standing, State};

use super::{
    identity::CustomerId,
    metric::{Metric, PerMetric, Quantities},
    money::{Currency, Money},
    period::Period,
    usage::UsageCurrent,
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// A threshold or cap. It fires at most once per period, unless it is re-armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threshold {
    /// Percent of the included quantity.
    Percent(u32),
    /// Minor units of overage cost.
    Cost(i64),
    /// The quantity, in the metric's own unit, from which on events are refused.
    Cap(u64),
}

impl Threshold {
    /// As stored and shown in the API.
    pub const fn kind(self) -> &'static str {
        match self {
            Threshold::Percent(_) => "percent",
            Threshold::Cost(_) => "cost",
            Threshold::Cap(_) => "cap",
        }
    }

    /// Percent, minor units or a quantity, by its kind.
    pub fn value(self) -> i64 {
        match self {
            Threshold::Percent(percent) => i64::from(percent),
            Threshold::Cost(cost) => cost,
            Threshold::Cap(quantity) => i64::try_from(quantity).unwrap_or(i64::MAX),
        }
    }

    /// None for an unknown kind or an invalid value.
    pub fn of(kind: &str, value: i64) -> Option<Threshold> {
        match kind {
            "percent" => u32::try_from(value).ok().map(Threshold::Percent),
            "cost" => Some(Threshold::Cost(value)),
            "cap" => u64::try_from(value).ok().map(Threshold::Cap),
            _ => None,
        }
    }
}

/// A period's usage and cost of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    pub used: Quantities,
    /// None without a subscription or with an unknown plan: then there is no overage.
    pub included: Option<Quantities>,
    /// Minor units of overage so far; None where the price is unknown.
    pub cost: PerMetric<Option<i64>>,
    pub currency: Currency,
}

impl From<&UsageCurrent> for Figures {
    fn from(usage: &UsageCurrent) -> Figures {
        Figures {
            used: usage.used(),
            included: usage.included(),
            cost: PerMetric::from_fn(|metric| usage.overages.cost(metric)),
            currency: usage.overages.currency,
        }
    }
}

/// Every threshold that the usage has reached, whether it fired before or not.
///
/// Percentages need an included quantity: without one, only cost thresholds and caps in units can
/// be reached. Cost thresholds only apply in the currency in which they were set.
pub fn crossed(settings: &AlertSettings, figures: &Figures) -> Vec<(Metric, Threshold)> {
    if !settings.enabled() {
        return Vec::new();
    }
    let mut reached = Vec::new();
    for metric in Metric::ALL {
        let (alerts, used) = (settings.metric(metric), figures.used[metric]);
        let included = figures.included.map(|included| included[metric]).filter(|included| *included > 0);
        let percent =
            |percent: &&u32| included.is_some_and(|included| u128::from(used) * 100 >= u128::from(**percent) * u128::from(included));
        reached.extend(alerts.percent().iter().filter(percent).map(|percent| (metric, Threshold::Percent(*percent))));
        if settings.currency() == figures.currency {
            let cost = |limit: &&i64| figures.cost[metric].is_some_and(|cost| cost >= **limit);
            reached.extend(alerts.cost().iter().filter(cost).map(|cost| (metric, Threshold::Cost(*cost))));
        }
        let cap = cap_quantity(alerts.cap(), included).filter(|cap| used >= *cap);
        reached.extend(cap.map(|cap| (metric, Threshold::Cap(cap))));
    }
    reached
}

/// Reached thresholds that have not fired in this period yet.
pub fn due(settings: &AlertSettings, figures: &Figures, fired: &[(Metric, Threshold)]) -> Vec<(Metric, Threshold)> {
    crossed(settings, figures).into_iter().filter(|one| !fired.contains(one)).collect()
}

/// The quantity, in the metric's own unit, from which on a cap refuses events; None if there is no
/// cap.
pub fn cap_quantity(cap: Option<Cap>, included: Option<u64>) -> Option<u64> {
    match cap? {
        Cap::Quantity(quantity) => Some(quantity),
        Cap::Percent(percent) => {
            let units = (u128::from(included.filter(|included| *included > 0)?) * u128::from(percent)).div_ceil(100);
            Some(u64::try_from(units).unwrap_or(u64::MAX))
        }
    }
}

/// Whether a threshold that fired still counts as reached. If not, it is re-armed and fires again
/// when reached again.
///
/// `included_then`: the included quantity of a percentage when it fired. After a change of plan the
/// quantity differs, so it is another threshold. If the included quantity is unknown, or a cost
/// threshold has another currency, this returns None.
pub fn still_reached(
    metric: Metric,
    threshold: Threshold,
    included_then: Option<u64>,
    currency: Currency,
    settings: &AlertSettings,
    figures: &Figures,
) -> bool {
    let (used, included) = (figures.used[metric], figures.included.map(|included| included[metric]));
    match threshold {
        Threshold::Percent(percent) => included.is_none_or(|included| {
            included_then == Some(included) && included > 0 && u128::from(used) * 100 >= u128::from(percent) * u128::from(included)
        }),
        Threshold::Cost(cost) => currency != figures.currency || figures.cost[metric].is_none_or(|so_far| so_far >= cost),
        Threshold::Cap(quantity) => cap_quantity(settings.metric(metric).cap(), included) == Some(quantity) && used >= quantity,
    }
}

/// The quantity at which a threshold is reached; None for a cost threshold.
pub fn quantity_of(threshold: Threshold, included: Option<u64>) -> Option<u64> {
    match threshold {
        Threshold::Percent(percent) => cap_quantity(Some(Cap::Percent(percent)), included),
        Threshold::Cap(quantity) => Some(quantity),
        Threshold::Cost(_) => None,
    }
}

/// A cap that current usage has reached already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReachedCap {
    pub metric: Metric,
    /// In the metric's own unit, like `cap`.
    pub used: u64,
    pub cap: u64,
}

/// Caps that would refuse events after a change of settings and did not before.
pub fn newly_refusing(before: &AlertSettings, after: &AlertSettings, figures: &Figures) -> Vec<ReachedCap> {
    let refusing = |settings: &AlertSettings, metric: Metric| {
        let included = figures.included.map(|included| included[metric]);
        cap_quantity(settings.metric(metric).cap(), included).filter(|cap| figures.used[metric] >= *cap)
    };
    let is_new = |metric: &Metric| refusing(before, *metric).is_none();
    let new = Metric::ALL.into_iter().filter(is_new);
    new.filter_map(|metric| Some(ReachedCap { metric, used: figures.used[metric], cap: refusing(after, metric)? })).collect()
}

/// API clients get this after [`warning`].
pub const HOW_TO_CONFIRM: &str = "Nothing was saved; send it again with `confirm` set to true to save it.";

/// The effect of saving these caps, one sentence per metric.
pub fn warning(refusing: &[ReachedCap]) -> String {
    let sentence = |ReachedCap { metric, used, cap }: &ReachedCap| {
        let (noun, used, cap) = (metric.noun(), metric.show(*used), metric.show(*cap));
        format!("This refuses {noun} from now on: {used} are used, the cap is {cap}.")
    };
    refusing.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// When the sum of a period's hours reached a quantity: the newest event of the hour that reached
/// it. Sums are stored per hour, so this is the finest resolution.
pub fn crossed_at(hours: impl IntoIterator<Item = (OffsetDateTime, u64)>, quantity: u64) -> Option<OffsetDateTime> {
    let mut sum = 0_u64;
    hours.into_iter().find_map(|(newest, used)| {
        sum = sum.saturating_add(used);
        (sum >= quantity).then_some(newest)
    })
}

/// An alert that fired, with the usage at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FiredAlert {
    pub metric: Metric,
    /// percent, cost or cap.
    pub kind: String,
    /// Percent of the included quantity, minor units of `currency`, or a quantity, by `kind`.
    pub threshold: i64,
    /// In the metric's own unit, like `included`.
    pub used: u64,
    pub included: Option<u64>,
    /// Overage cost of this metric in minor units; null if the price is unknown.
    pub cost: Option<i64>,
    pub currency: Currency,
    #[serde(flatten)]
    pub period: Period,
    /// When it was detected.
    #[serde(with = "time::serde::rfc3339")]
    pub fired_at: OffsetDateTime,
    /// When usage reached it: the newest event of that hour. Null if unknown.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub crossed_at: Option<OffsetDateTime>,
    /// Since when it is no longer reached, after a correction or a change of the plan or the cap;
    /// it fires again when reached again.
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub rearmed_at: Option<OffsetDateTime>,
    /// When the last of its mails was sent; null while a mail is still to be sent.
    #[serde(with = "time::serde::rfc3339::option")]
    pub notified_at: Option<OffsetDateTime>,
}

impl FiredAlert {
    /// When usage reached it, if known.
    pub fn reached_at(&self) -> OffsetDateTime {
        self.crossed_at.unwrap_or(self.fired_at)
    }

    /// A sentence for the mail and the page.
    pub fn sentence(&self) -> String {
        let (title, used) = (self.metric.title(), self.metric.show(self.used));
        let cost = self.cost.map(|cost| Money::new(cost, self.currency));
        match (Threshold::of(&self.kind, self.threshold), self.included) {
            (Some(Threshold::Percent(percent)), Some(included)) => {
                let included = self.metric.show(included);
                let over = cost.filter(|cost| cost.amount > 0).map(|cost| format!(" Overage has cost {cost} so far.")).unwrap_or_default();
                format!("{title}: {percent}% of the included {included} is reached, {used} used.{over}")
            }
            (Some(Threshold::Cost(limit)), _) => {
                let cost = cost.map_or_else(|| "an unknown amount".to_owned(), |cost| cost.to_string());
                format!("{title}: overage has cost {cost}, which reaches your {}; {used} used.", Money::new(limit, self.currency))
            }
            (Some(Threshold::Cap(quantity)), _) => format!(
                "{title}: your cap of {} is reached, {used} used. More of it is refused until the period ends or you change the cap.",
                self.metric.show(quantity)
            ),
            _ => format!("{title}: {used} used."),
        }
    }
}

/// `GET /billing/alerts/fired`: alerts of the current period, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FiredAlerts {
    pub customer_id: CustomerId,
    pub alerts: Vec<FiredAlert>,
}

#[cfg(test)]
mod tests;
