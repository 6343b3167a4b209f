//! How thresholds and caps stand in the running period: reached, expected by its end, or only set.

use super::{AlertSettings, Figures, FiredAlert, Threshold, cap_quantity, crossed};
use crate::domain::{
    metric::Metric,
    money::{Currency, Money},
    usage::{PerMetric, Quantities, UsageCurrent, show_quantity},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// `GET /billing/alerts/standing`: what is set, beside what fired in the running period, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct AlertStanding {
    pub settings: AlertSettings,
    pub fired: Vec<FiredAlert>,
}

/// How a threshold or cap stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It fired then.
    Reached(OffsetDateTime),
    /// A cap that refuses events at this moment; when it was told of, if it was.
    Refusing(Option<OffsetDateTime>),
    /// By the forecast it is reached before the period ends.
    Expected,
    /// A cap that nothing points to.
    InForce,
}

/// One threshold or cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub metric: Metric,
    pub threshold: Threshold,
    pub state: State,
    /// Of a threshold in money.
    pub currency: Currency,
}

impl Standing {
    /// The threshold as people read it: `80 %`, `$50.00 of overage`, `cap of 1,200,000`.
    pub fn threshold_text(&self) -> String {
        match self.threshold {
            Threshold::Percent(percent) => format!("{percent}\u{a0}% of what is included"),
            Threshold::Cost(cost) => format!("{} of overage", Money::new(cost, self.currency)),
            Threshold::Cap(quantity) => format!("Cap of {}", show_quantity(self.metric, quantity)),
        }
    }
}

impl AlertStanding {
    /// Everything that was reached, is expected, or limits the period: caps that refuse first, then what fired from the newest on, then what is
    /// expected, then the other caps. What is set and far away is not among it.
    pub fn list(&self, usage: &UsageCurrent) -> Vec<Standing> {
        let (figures, expected) = (Figures::from(usage), expected(usage));
        let caps = PerMetric::from_fn(|metric| {
            cap_quantity(self.settings.metric(metric).cap(), figures.included.map(|included| included[metric]))
        });
        let fired_at = |metric, threshold| self.fired.iter().find(|alert| is(alert, metric, threshold)).map(|alert| alert.fired_at);
        let here = |metric, threshold, state| Standing { metric, threshold, state, currency: figures.currency };
        let in_force = Metric::ALL.into_iter().filter_map(|metric| Some((metric, caps[metric]?))).map(|(metric, cap)| {
            let threshold = Threshold::Cap(cap);
            let state = if figures.used[metric] >= cap {
                State::Refusing(fired_at(metric, threshold))
            } else if expected.is_some_and(|expected| expected.used[metric] >= cap) {
                State::Expected
            } else {
                State::InForce
            };
            here(metric, threshold, state)
        });
        let (refusing, waiting): (Vec<_>, Vec<_>) = in_force.partition(|cap| matches!(cap.state, State::Refusing(_)));
        let fired = self.fired.iter().filter_map(|alert| {
            let threshold = Threshold::of(&alert.kind, alert.threshold)?;
            Some(Standing { metric: alert.metric, threshold, state: State::Reached(alert.fired_at), currency: alert.currency })
        });
        let fired: Vec<_> = fired.filter(|one| !same(&refusing, one)).collect();
        let now = crossed(&self.settings, &figures);
        let coming = expected.map(|expected| crossed(&self.settings, &expected)).unwrap_or_default().into_iter();
        // What is crossed already is about to fire.
        let coming = coming
            .filter(|one| !now.contains(one) && !matches!(one.1, Threshold::Cap(_)))
            .map(|(metric, threshold)| here(metric, threshold, State::Expected))
            .filter(|one| !same(&fired, one))
            .collect::<Vec<_>>();
        let (near, far): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|cap| cap.state == State::Expected);
        [refusing, fired, near, coming, far].concat()
    }
}

fn is(alert: &FiredAlert, metric: Metric, threshold: Threshold) -> bool {
    alert.metric == metric && Threshold::of(&alert.kind, alert.threshold) == Some(threshold)
}

fn same(list: &[Standing], one: &Standing) -> bool {
    list.iter().any(|other| (other.metric, other.threshold) == (one.metric, one.threshold))
}

/// The figures at the period's end by the forecast, never less than they are now.
fn expected(usage: &UsageCurrent) -> Option<Figures> {
    let forecast = usage.forecast.as_ref()?;
    let (now, amount) = (Figures::from(usage), |metric| forecast.metric(metric).amount);
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
        usage::{CurrentPeriod, Gigabytes, Overage, Overages, SubscriptionSummary, UsageForecast},
    };
    use serde_json::{Value, json};
    use time::macros::datetime;

    const AT: OffsetDateTime = datetime!(2026-11-20 10:00 UTC);

    /// A thousand impressions are included.
    fn usage(used: u64, cost: i64, forecast: u64, forecast_cost: i64) -> UsageCurrent {
        let of = |amount| Forecast { amount, low: amount, high: amount };
        UsageCurrent {
            current_period: CurrentPeriod {
                period: Period::calendar_month(AT),
                impressions: used,
                api_calls: 0,
                data_transfer_gb: Gigabytes(0),
            },
            overages: Overages::new(Currency::USD, PerMetric { impressions: Overage { amount: 0, cost }, ..PerMetric::default() }),
            subscription: Some(SubscriptionSummary {
                plan_type: PlanType::Starter,
                status: "active".into(),
                included_impressions: 1000,
                included_api_calls: 1000,
                included_data_transfer_gb: Gigabytes(1000),
                cancel_at_period_end: false,
            }),
            forecast: Some(UsageForecast {
                impressions: of(forecast),
                api_calls: of(0),
                data_transfer_bytes: of(0),
                overage_costs: PerMetric { impressions: forecast_cost, ..PerMetric::default() },
                total_overage_cost: forecast_cost,
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
            cost: 0,
            currency: Currency::USD,
            period: Period::calendar_month(AT),
            fired_at: AT,
            notified_at: None,
        });
        AlertStanding { settings, fired: fired.collect() }
    }

    fn list(standing: &AlertStanding, usage: &UsageCurrent) -> Vec<(Threshold, State)> {
        standing.list(usage).into_iter().map(|one| (one.threshold, one.state)).collect()
    }

    #[test]
    fn what_fired_comes_before_what_is_expected_and_what_is_far_is_left_out() {
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
        // Crossed, and about to fire: no longer a matter of the forecast.
        assert_eq!(list(&standing, &usage(1000, 0, 1000, 0)).len(), 2);
    }

    #[test]
    fn a_cap_is_in_force_then_expected_then_refuses() {
        let cap = Threshold::Cap(1500);
        let set = json!({"percent": [], "cap": {"percent": 150}});
        assert_eq!(list(&standing(set.clone(), &[]), &usage(100, 0, 1499, 0)), [(cap, State::InForce)]);
        assert_eq!(list(&standing(set.clone(), &[]), &usage(100, 0, 1500, 0)), [(cap, State::Expected)]);
        assert_eq!(list(&standing(set.clone(), &[]), &usage(1500, 0, 1500, 0)), [(cap, State::Refusing(None))]);
        assert_eq!(list(&standing(set.clone(), &[cap]), &usage(1600, 0, 1600, 0)), [(cap, State::Refusing(Some(AT)))]);
        // Raised since: what fired stays on record, and what holds now stands beside it.
        let raised = json!({"percent": [], "cap": {"quantity": 9000}});
        assert_eq!(
            list(&standing(raised, &[cap]), &usage(1600, 0, 1600, 0)),
            [(cap, State::Reached(AT)), (Threshold::Cap(9000), State::InForce)]
        );
    }

    #[test]
    fn switched_off_nothing_is_expected_and_caps_hold() {
        let mut body = json!({"enabled": false, "metrics": {"impressions": {"cap": {"quantity": 10}}}});
        let read = |body: &Value| AlertStanding { settings: AlertSettings::read(body, Currency::USD).unwrap(), fired: vec![] };
        assert_eq!(list(&read(&body), &usage(950, 0, 5000, 900)), [(Threshold::Cap(10), State::Refusing(None))]);
        body["enabled"] = true.into();
        assert_eq!(list(&read(&body), &usage(950, 0, 5000, 900)).len(), 3);
    }

    #[test]
    fn without_a_plan_only_quantities_limit() {
        let unplanned = UsageCurrent { subscription: None, ..usage(10, 0, 20, 0) };
        assert_eq!(list(&standing(json!({"cap": {"percent": 100}}), &[]), &unplanned), []);
        assert_eq!(list(&standing(json!({"cap": {"quantity": 20}}), &[]), &unplanned), [(Threshold::Cap(20), State::Expected)]);
    }

    #[test]
    fn thresholds_read_as_people_write_them() {
        let text = |metric, threshold| Standing { metric, threshold, state: State::Expected, currency: Currency::USD }.threshold_text();
        assert_eq!(text(Metric::Impressions, Threshold::Percent(80)), "80\u{a0}% of what is included");
        assert_eq!(text(Metric::Impressions, Threshold::Cost(5000)), "$50.00 of overage");
        assert_eq!(text(Metric::DataTransferBytes, Threshold::Cap(900_500_000_000)), "Cap of 900.5 GB");
    }
}
