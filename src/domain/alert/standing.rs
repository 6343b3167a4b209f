//! State of thresholds and caps in the current period: reached, forecast to be reached, or only
//! set.

use super::{AlertSettings, Figures, FiredAlert, Threshold, cap_quantity, crossed, still_reached};
use crate::domain::{
    metric::{Metric, PerMetric, Quantities},
    money::Currency,
    usage::UsageCurrent,
};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use time::OffsetDateTime;

/// `GET /billing/alerts/standing`: the settings, the alerts of the current period (newest first),
/// and the events that caps refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AlertStanding {
    pub settings: AlertSettings,
    pub fired: Vec<FiredAlert>,
    #[serde(default)]
    pub refusals: Vec<CapRefusals>,
}

/// Events refused by a cap since it started to refuse. Retried events count again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CapRefusals {
    pub metric: Metric,
    /// In the metric's own unit, like `quantity`.
    pub cap: u64,
    /// The first refusal.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_at: OffsetDateTime,
    pub events: u64,
    pub quantity: u64,
}

/// A cap that is refusing events now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusing {
    pub metric: Metric,
    pub cap: u64,
    /// Since when, if known.
    pub since: Option<OffsetDateTime>,
    /// Number of refused events, and their total quantity.
    pub events: u64,
    pub quantity: u64,
}

/// State of a threshold or cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Reached at this time.
    Reached(OffsetDateTime),
    /// A cap that is refusing events now; since when, if known.
    Refusing(Option<OffsetDateTime>),
    /// The forecast reaches it before the period ends.
    Expected,
    /// A cap that is neither reached nor forecast to be.
    InForce,
    /// Reached at this time under another plan or cap or before a correction, and no longer
    /// reached.
    Earlier(OffsetDateTime),
}

/// One threshold or cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub metric: Metric,
    pub threshold: Threshold,
    pub state: State,
    /// Currency of a cost threshold.
    pub currency: Currency,
    /// For a percentage, the included quantity; if it fired, the quantity at that time.
    pub included: Option<u64>,
}

impl AlertStanding {
    /// Caps that are refusing events now.
    pub fn refusing(&self, usage: &UsageCurrent) -> Vec<Refusing> {
        let figures = Figures::from(usage);
        let of = |metric: Metric| {
            let included = figures.included.map(|included| included[metric]);
            let cap = cap_quantity(self.settings.metric(metric).cap(), included).filter(|cap| figures.used[metric] >= *cap)?;
            let refused = self.refusals.iter().find(|refused| (refused.metric, refused.cap) == (metric, cap));
            let fired = self.fired.iter().find(|alert| alert.rearmed_at.is_none() && is(alert, metric, Threshold::Cap(cap)));
            Some(Refusing {
                metric,
                cap,
                since: fired.map(FiredAlert::reached_at).or(refused.map(|refused| refused.since)),
                events: refused.map_or(0, |refused| refused.events),
                quantity: refused.map_or(0, |refused| refused.quantity),
            })
        };
        Metric::ALL.into_iter().filter_map(of).collect()
    }

    /// Everything that is reached, forecast or a cap, in this order: caps that refuse events,
    /// reached, forecast, other caps, reached earlier but not now. Within each group by metric, the
    /// largest threshold first. Other thresholds are left out.
    pub fn list(&self, usage: &UsageCurrent) -> Vec<Standing> {
        let (figures, expected) = (Figures::from(usage), expected(usage));
        let included = |metric: Metric| figures.included.map(|included| included[metric]);
        let here = |metric, threshold, state| Standing { metric, threshold, state, currency: figures.currency, included: included(metric) };
        let refusing: Vec<Standing> =
            self.refusing(usage).iter().map(|one| here(one.metric, Threshold::Cap(one.cap), State::Refusing(one.since))).collect();
        let caps = Metric::ALL.into_iter().filter_map(|metric| {
            let cap = cap_quantity(self.settings.metric(metric).cap(), included(metric)).filter(|cap| figures.used[metric] < *cap)?;
            let is_near = expected.is_some_and(|expected| expected.used[metric] >= cap);
            Some(here(metric, Threshold::Cap(cap), if is_near { State::Expected } else { State::InForce }))
        });
        let (near, far): (Vec<_>, Vec<_>) = caps.partition(|cap| cap.state == State::Expected);
        let (mut reached, mut earlier) = (Vec::new(), Vec::new());
        for alert in &self.fired {
            let Some(threshold) = Threshold::of(&alert.kind, alert.threshold) else { continue };
            let holds = alert.rearmed_at.is_none()
                && still_reached(alert.metric, threshold, alert.included, alert.currency, &self.settings, &figures);
            let (list, state): (&mut Vec<Standing>, _) =
                if holds { (&mut reached, State::Reached(alert.reached_at())) } else { (&mut earlier, State::Earlier(alert.reached_at())) };
            list.push(Standing { metric: alert.metric, threshold, state, currency: alert.currency, included: alert.included });
        }
        reached.retain(|one| !same(&refusing, one));
        for list in [&mut reached, &mut earlier] {
            list.sort_by_key(|one| (one.metric, Reverse(one.threshold)));
        }
        // For a previous plan, show only the largest percentage.
        let mut plans = Vec::new();
        earlier.retain(|one| {
            let plan = (one.metric, one.included);
            let is_said = match one.threshold {
                Threshold::Percent(_) => {
                    reached.iter().any(|now| (now.metric, now.threshold, now.included) == (one.metric, one.threshold, one.included))
                        || plans.contains(&plan)
                }
                Threshold::Cost(_) | Threshold::Cap(_) => same(&reached, one) || same(&refusing, one),
            };
            if matches!(one.threshold, Threshold::Percent(_)) {
                plans.push(plan);
            }
            !is_said
        });
        let now = crossed(&self.settings, &figures);
        let coming = expected.map(|expected| crossed(&self.settings, &expected)).unwrap_or_default().into_iter();
        // Already crossed, so it is about to fire.
        let coming = coming
            .filter(|one| !now.contains(one) && !matches!(one.1, Threshold::Cap(_)))
            .map(|(metric, threshold)| here(metric, threshold, State::Expected))
            .filter(|one| !same(&reached, one))
            .collect::<Vec<_>>();
        [refusing, reached, near, coming, far, earlier].concat()
    }
}

fn is(alert: &FiredAlert, metric: Metric, threshold: Threshold) -> bool {
    alert.metric == metric && Threshold::of(&alert.kind, alert.threshold) == Some(threshold)
}

fn same(list: &[Standing], one: &Standing) -> bool {
    list.iter().any(|other| (other.metric, other.threshold) == (one.metric, one.threshold))
}

/// Forecast usage at the period's end, never below the current usage.
fn expected(usage: &UsageCurrent) -> Option<Figures> {
    let forecast = usage.forecast.as_ref()?;
    let (now, amount) = (Figures::from(usage), |metric| forecast.quantities[metric].amount);
    Some(Figures {
        used: Quantities::from_fn(|metric| amount(metric).max(now.used[metric])),
        cost: PerMetric::from_fn(|metric| forecast.overage_costs[metric].max(now.cost[metric])),
        ..now
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        forecast::Forecast,
        period::Period,
        plan::PlanType,
        rating::Overage,
        usage::{CurrentPeriod, Overages, SubscriptionSummary, UsageForecast},
    };
    use crate::{domain::language::Language, text::usage::threshold_text};
    use serde_json::{Value, json};
    use time::macros::datetime;

    const AT: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    /// 1,000 impressions are included.
    fn usage(used: u64, cost: i64, forecast: u64, forecast_cost: i64) -> UsageCurrent {
        let of = |amount| Forecast { amount, low: amount, high: amount };
        UsageCurrent {
            current_period: CurrentPeriod {
                period: Period::calendar_month(AT),
                used: Quantities::default().with(Metric::Impressions, used),
            },
            overages: Overages::new(Currency::USD, PerMetric::default().with(Metric::Impressions, Overage { amount: 0, cost })),
            subscription: Some(SubscriptionSummary {
                plan_type: Some(PlanType::Starter),
                plan_name: None,
                status: "active".into(),
                included: Some(PerMetric::from_fn(|_| 1000)),
                cancel_at_period_end: false,
                cancel_at: None,
                pause_collection: None,
            }),
            forecast: Some(UsageForecast {
                quantities: PerMetric::from_fn(|_| of(0)).with(Metric::Impressions, of(forecast)),
                overage_costs: PerMetric::default().with(Metric::Impressions, Some(forecast_cost)),
                total_overage_cost: Some(forecast_cost),
            }),
            as_of: None,
            waiting_since: None,
            daily: vec![],
        }
    }

    fn standing(impressions: Value, fired: &[Threshold]) -> AlertStanding {
        let settings = AlertSettings::read(&json!({"metrics": {"impressions": impressions}}), Currency::USD).unwrap();
        let fired = fired.iter().map(|threshold| FiredAlert {
            metric: Metric::Impressions,
            kind: threshold.kind().to_owned(),
            threshold: threshold.value(),
            used: 0,
            included: Some(1000),
            cost: Some(0),
            currency: Currency::USD,
            period: Period::calendar_month(AT),
            fired_at: AT,
            crossed_at: None,
            rearmed_at: None,
            notified_at: None,
        });
        AlertStanding { settings, fired: fired.collect(), refusals: vec![] }
    }

    fn list(standing: &AlertStanding, usage: &UsageCurrent) -> Vec<(Threshold, State)> {
        standing.list(usage).into_iter().map(|one| (one.threshold, one.state)).collect()
    }

    #[test]
    fn fired_alerts_come_before_forecast_ones() {
        use Threshold::{Cost, Percent};
        let standing = standing(json!({"percent": [80, 90, 100, 200], "cost": [500, 5000]}), &[Percent(90), Percent(80)]);
        assert_eq!(
            list(&standing, &usage(950, 0, 1200, 500)),
            [
                (Percent(90), State::Reached(AT)),
                (Percent(80), State::Reached(AT)),
                (Percent(100), State::Expected),
                (Cost(500), State::Expected)
            ]
        );
        // Crossed and about to fire, so the forecast doesn't matter.
        assert_eq!(list(&standing, &usage(1000, 0, 1000, 0)).len(), 2);
    }

    #[test]
    fn a_cap_is_set_then_forecast_then_refusing() {
        let cap = Threshold::Cap(1500);
        let set = json!({"percent": [], "cap": {"percent": 150}});
        assert_eq!(list(&standing(set.clone(), &[]), &usage(100, 0, 1499, 0)), [(cap, State::InForce)]);
        assert_eq!(list(&standing(set.clone(), &[]), &usage(100, 0, 1500, 0)), [(cap, State::Expected)]);
        assert_eq!(list(&standing(set.clone(), &[]), &usage(1500, 0, 1500, 0)), [(cap, State::Refusing(None))]);
        assert_eq!(list(&standing(set.clone(), &[cap]), &usage(1600, 0, 1600, 0)), [(cap, State::Refusing(Some(AT)))]);
        // The cap was raised later: the alert stays on record, below the current state.
        let raised = json!({"percent": [], "cap": {"quantity": 9000}});
        assert_eq!(
            list(&standing(raised, &[cap]), &usage(1600, 0, 1600, 0)),
            [(Threshold::Cap(9000), State::InForce), (cap, State::Earlier(AT))]
        );
    }

    #[test]
    fn alerts_of_another_plan_are_not_current() {
        use Threshold::{Cost, Percent};
        let mut standing = standing(json!({"cost": [500]}), &[Percent(80), Percent(110), Percent(100), Percent(90), Cost(500)]);
        for alert in &mut standing.fired {
            alert.included = Some(100);
        }
        // 120 of 1,000 is 12%: no alert of the plan of 100 is current, and only its largest
        // percentage is shown.
        let shown = standing.list(&usage(120, 0, 120, 0));
        let texts: Vec<(String, State)> = shown.iter().map(|one| (threshold_text(Language::English, one), one.state)).collect();
        assert_eq!(texts, [("$5.00 of overage".to_owned(), State::Earlier(AT)), ("110% of 100 included".to_owned(), State::Earlier(AT))]);
        // Reached again under the current plan; the earlier alert stays on record.
        standing.fired.push(FiredAlert { included: Some(1000), ..standing.fired[0].clone() });
        let texts: Vec<String> = standing
            .list(&usage(850, 0, 850, 0))
            .iter()
            .map(|one| format!("{} {:?}", threshold_text(Language::English, one), one.state))
            .collect();
        assert!(texts[0].starts_with("80% of 1,000 included Reached"), "{texts:?}");
        // A correction re-arms under the same plan: the alert is not shown twice.
        standing.fired = vec![FiredAlert { rearmed_at: Some(AT), ..standing.fired[5].clone() }, standing.fired[5].clone()];
        assert_eq!(list(&standing, &usage(850, 0, 850, 0)), [(Percent(80), State::Reached(AT))]);
    }

    #[test]
    fn a_cap_reports_since_when_it_refuses() {
        let cap = Threshold::Cap(1500);
        let mut standing = standing(json!({"percent": [], "cap": {"quantity": 1500}}), &[cap]);
        let earlier = AT - time::Duration::days(2);
        standing.fired[0].crossed_at = Some(earlier);
        standing.refusals = vec![CapRefusals { metric: Metric::Impressions, cap: 1500, since: AT, last_at: AT, events: 3, quantity: 70 }];
        assert_eq!(
            standing.refusing(&usage(1600, 0, 1600, 0)),
            [Refusing { metric: Metric::Impressions, cap: 1500, since: Some(earlier), events: 3, quantity: 70 }]
        );
        assert_eq!(standing.refusing(&usage(1499, 0, 1600, 0)), []);
        standing.fired.clear();
        assert_eq!(list(&standing, &usage(1600, 0, 1600, 0)), [(cap, State::Refusing(Some(AT)))]);
    }

    #[test]
    fn disabled_alerts_leave_caps_active() {
        let mut body = json!({"enabled": false, "metrics": {"impressions": {"cap": {"quantity": 10}}}});
        let read =
            |body: &Value| AlertStanding { settings: AlertSettings::read(body, Currency::USD).unwrap(), fired: vec![], refusals: vec![] };
        assert_eq!(list(&read(&body), &usage(950, 0, 5000, 900)), [(Threshold::Cap(10), State::Refusing(None))]);
        body["enabled"] = true.into();
        assert_eq!(list(&read(&body), &usage(950, 0, 5000, 900)).len(), 3);
    }

    #[test]
    fn without_a_plan_only_quantity_caps_apply() {
        let unplanned = UsageCurrent { subscription: None, ..usage(10, 0, 20, 0) };
        assert_eq!(list(&standing(json!({"cap": {"percent": 100}}), &[]), &unplanned), []);
        assert_eq!(list(&standing(json!({"cap": {"quantity": 20}}), &[]), &unplanned), [(Threshold::Cap(20), State::Expected)]);
    }

    #[test]
    fn thresholds_have_display_texts() {
        let text = |metric, threshold| {
            let one = Standing { metric, threshold, state: State::Expected, currency: Currency::USD, included: Some(1_000_000) };
            threshold_text(Language::English, &one)
        };
        assert_eq!(text(Metric::Impressions, Threshold::Percent(80)), "80% of 1,000,000 included");
        assert_eq!(text(Metric::Impressions, Threshold::Cost(5000)), "$50.00 of overage");
        assert_eq!(text(Metric::DataTransferBytes, Threshold::Cap(900_500_000_000)), "Cap of 900.5 GB");
    }
}
