//! Data of the usage chart besides the period's own days: the previous period, and the apps.

use super::{
    calls::{Problem, usage::usage_history},
    language,
};
use crate::domain::{
    language::Language,
    list::{Parameter, TimeBound},
    metric::Metric,
    period::Period,
    subscription::previous,
    usage_history::{Granularity, Grouping, UsageSeries, UsageSpan},
};
use crate::text::usage as words;
use serde::{Deserialize, Serialize};

/// Apps with their own series; the others are summed.
const APPS: usize = 8;

/// Days by their index in the period, so that the first is compared with the first. In the metric's
/// own unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The previous period.
    pub previous: Period,
    pub days_before: Vec<u64>,
    /// The apps with the most usage first; None if not requested.
    pub apps: Option<Vec<AppDays>>,
}

/// One app's days in the period, or the sum of several small ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppDays {
    pub name: String,
    pub days: Vec<u64>,
}

impl AppDays {
    pub fn total(&self) -> u64 {
        self.days.iter().fold(0, |sum, day| sum.saturating_add(*day))
    }
}

impl Comparison {
    /// Fetches the data.
    pub async fn load(metric: Metric, by_app: bool, period: Period) -> Result<Comparison, Problem> {
        let days = async |period: Period, group_by: Option<Grouping>| {
            let span = UsageSpan {
                metric: Parameter::Given(metric),
                from: Parameter::Given(TimeBound::Instant(period.start())),
                to: Parameter::Given(TimeBound::Instant(period.end())),
                granularity: Parameter::Given(Granularity::Day),
                group_by: group_by.into(),
            };
            usage_history(span, None).await
        };
        let previous = previous(period);
        let days_before = days(previous, None).await?.series.first().map(quantities).unwrap_or_default();
        let apps = if by_app { Some(apps(language(), days(period, Some(Grouping::App)).await?.series)) } else { None };
        Ok(Comparison { previous, days_before, apps })
    }
}

fn quantities(series: &UsageSeries) -> Vec<u64> {
    series.points.iter().map(|point| point.quantity).collect()
}

/// The first ones unchanged, the rest summed.
fn apps(language: Language, series: Vec<UsageSeries>) -> Vec<AppDays> {
    let alone = if series.len() > APPS + 1 || series.iter().take(APPS + 1).any(|s| s.app_id.is_none()) { APPS } else { APPS + 1 };
    let mut apps: Vec<AppDays> = Vec::new();
    let mut others: Option<(u64, Vec<u64>)> = None;
    for one in series {
        let days = quantities(&one);
        match one.app_id {
            Some(name) if apps.len() < alone => apps.push(AppDays { name, days }),
            _ => {
                let (count, sum) = others.get_or_insert_with(|| (0, vec![0; days.len()]));
                *count += one.other_apps.map_or(1, u64::from);
                sum.iter_mut().zip(&days).for_each(|(sum, day)| *sum = sum.saturating_add(*day));
            }
        }
    }
    apps.extend(others.map(|(count, days)| AppDays { name: words::other_apps(language, count), days }));
    apps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage_history::UsagePoint;
    use time::macros::datetime;

    fn one(app_id: Option<&str>, other_apps: Option<u32>, quantity: u64) -> UsageSeries {
        let points = vec![UsagePoint { start: datetime!(2026-11-01 0:00 UTC), quantity }; 2];
        UsageSeries { metric: Metric::Impressions, app_id: app_id.map(str::to_owned), other_apps, points }
    }

    #[test]
    fn few_apps_have_their_own_series() {
        let names: Vec<String> = (1..=9).map(|n| format!("app_{n}")).collect();
        let shown = apps(Language::English, names.iter().map(|name| one(Some(name), None, 5)).collect());
        assert_eq!(shown.iter().map(|app| app.name.clone()).collect::<Vec<_>>(), names);
        assert_eq!(shown[0].total(), 10);
        assert_eq!(apps(Language::English, Vec::new()), []);
    }

    #[test]
    fn small_apps_are_summed() {
        let names: Vec<String> = (1..=20).map(|n| format!("app_{n}")).collect();
        let mut series: Vec<UsageSeries> = names.iter().map(|name| one(Some(name), None, 5)).collect();
        series.push(one(None, Some(7), 1));
        let shown = apps(Language::English, series);
        assert_eq!(shown.len(), 9);
        assert_eq!(shown[8], AppDays { name: "19 other apps".into(), days: vec![61, 61] });
    }
}
