//! A customer's alert settings, parsed field by field, so that an error names the field.

use crate::domain::{
    email::EmailAddress,
    metric::{Metric, PerMetric},
    money::Currency,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Default thresholds in percent of the included quantity.
const DEFAULT_PERCENT: [u32; 4] = [80, 90, 100, 110];
const PERCENT: RangeInclusive<u32> = 1..=1000;
const COST: RangeInclusive<i64> = 1..=1_000_000_000_000;
const QUANTITY: RangeInclusive<u64> = 1..=1_000_000_000_000_000_000;
/// Maximum number of thresholds of one kind per metric.
const MAX_THRESHOLDS: usize = 10;
const MAX_RECIPIENTS: usize = 10;

/// An invalid field, by its path, such as `metrics.impressions.percent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Field {
    pub field: String,
    pub detail: String,
}

impl Field {
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Field {
        Field { field: field.into(), detail: detail.into() }
    }
}

/// When events of a metric are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// Percent of the included quantity; nothing is refused if nothing is included.
    Percent(u32),
    /// In the metric's own unit.
    Quantity(u64),
}

/// One metric's thresholds, ascending and distinct, and its cap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MetricAlerts {
    percent: Vec<u32>,
    cost: Vec<i64>,
    cap: Option<Cap>,
}

impl MetricAlerts {
    /// The defaults: four percentages, no cap.
    fn usual() -> MetricAlerts {
        MetricAlerts { percent: DEFAULT_PERCENT.to_vec(), cost: Vec::new(), cap: None }
    }

    /// Percent of the included quantity.
    pub fn percent(&self) -> &[u32] {
        &self.percent
    }

    /// Minor units of overage of this metric, in the settings' currency.
    pub fn cost(&self) -> &[i64] {
        &self.cost
    }

    pub const fn cap(&self) -> Option<Cap> {
        self.cap
    }
}

/// One setting per metric, under the metric's name in the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MetricSettings {
    #[serde(flatten)]
    #[schema(schema_with = PerMetric::<MetricAlerts>::references)]
    each: PerMetric<MetricAlerts>,
}

/// Usage notifications, their recipients, and caps: `GET` and `PUT /billing/alerts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "Value")]
pub struct AlertSettings {
    enabled: bool,
    /// If empty, the customer's billing contacts are notified.
    recipients: Vec<EmailAddress>,
    /// Currency of the cost thresholds.
    currency: Currency,
    metrics: MetricSettings,
}

impl AlertSettings {
    /// The settings of a customer that has saved none.
    pub fn usual(currency: Currency) -> AlertSettings {
        let metrics = MetricSettings { each: PerMetric::from_fn(|_| MetricAlerts::usual()) };
        AlertSettings { enabled: true, recipients: Vec::new(), currency, metrics }
    }

    /// Whether mails are sent. Caps apply either way.
    pub const fn enabled(&self) -> bool {
        self.enabled
    }

    /// Recipients of mails; if empty, the customer's billing contacts.
    pub fn recipients(&self) -> &[EmailAddress] {
        &self.recipients
    }

    pub const fn currency(&self) -> Currency {
        self.currency
    }

    pub fn metric(&self, metric: Metric) -> &MetricAlerts {
        &self.metrics.each[metric]
    }

    /// Whether any metric has a cap.
    pub fn has_cap(&self) -> bool {
        self.metrics.each.iter().any(|(_, alerts)| alerts.cap.is_some())
    }

    /// These settings for a customer that is now billed in this currency: thresholds in another
    /// currency are dropped.
    pub fn in_currency(mut self, currency: Currency) -> AlertSettings {
        if self.currency != currency {
            self.currency = currency;
            for metric in Metric::ALL {
                self.metrics.each[metric].cost.clear();
            }
        }
        self
    }

    /// Parses whole settings. Defaults of missing fields: mails on, no recipients, the default
    /// percentages, no cost thresholds, no caps. `currency` is the customer's billing currency, and
    /// the only valid one.
    pub fn read(value: &Value, currency: Currency) -> Result<AlertSettings, Field> {
        let fields = object(value, "body", &["enabled", "recipients", "currency", "metrics"])?;
        match fields.get("currency") {
            None => {}
            Some(Value::String(code)) if code.parse() == Ok(currency) => {}
            Some(_) => return Err(Field::new("currency", format!("the customer is billed in {currency}, so its thresholds are too"))),
        }
        let enabled = match fields.get("enabled") {
            None => true,
            Some(Value::Bool(enabled)) => *enabled,
            Some(_) => return Err(Field::new("enabled", "must be true or false")),
        };
        let recipients = match fields.get("recipients") {
            None => Vec::new(),
            Some(value) => addresses(value)?,
        };
        let empty = Value::Object(Map::new());
        let metrics = object(fields.get("metrics").unwrap_or(&empty), "metrics", &Metric::names())?;
        let mut each = PerMetric::from_fn(|_| MetricAlerts::usual());
        for metric in Metric::ALL {
            if let Some(value) = metrics.get(metric.as_str()) {
                each[metric] = alerts(value, metric)?;
            }
        }
        Ok(AlertSettings { enabled, recipients, currency, metrics: MetricSettings { each } })
    }
}

/// Body of `PUT /billing/alerts`: the settings, and a confirmation that caps may refuse events from
/// now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChange {
    pub settings: AlertSettings,
    /// Without it, a cap that current usage has already reached is not saved.
    pub confirm: bool,
}

impl AlertChange {
    /// Parses settings with an additional field `confirm`.
    pub fn read(value: &Value, currency: Currency) -> Result<AlertChange, Field> {
        let mut value = value.clone();
        let confirm = match value.as_object_mut().and_then(|fields| fields.remove("confirm")) {
            None => false,
            Some(Value::Bool(confirm)) => confirm,
            Some(_) => return Err(Field::new("confirm", "must be true or false")),
        };
        Ok(AlertChange { settings: AlertSettings::read(&value, currency)?, confirm })
    }
}

impl TryFrom<Value> for AlertSettings {
    type Error = Field;

    /// The currency of the settings as submitted.
    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let code = value.get("currency").and_then(Value::as_str).unwrap_or_default();
        let currency = code.parse().map_err(|detail: String| Field::new("currency", detail))?;
        AlertSettings::read(&value, currency)
    }
}

fn alerts(value: &Value, metric: Metric) -> Result<MetricAlerts, Field> {
    let path = |name: &str| format!("metrics.{metric}.{name}");
    let fields = object(value, &format!("metrics.{metric}"), &["percent", "cost", "cap"])?;
    let percent = match fields.get("percent") {
        None => DEFAULT_PERCENT.to_vec(),
        Some(value) => thresholds(value, &path("percent"), PERCENT, |number| u32::try_from(number.as_u64()?).ok())?,
    };
    let cost = match fields.get("cost") {
        None => Vec::new(),
        Some(value) => thresholds(value, &path("cost"), COST, Value::as_i64)?,
    };
    let cap = match fields.get("cap") {
        None | Some(Value::Null) => None,
        Some(value) => Some(cap(value, &path("cap"))?),
    };
    Ok(MetricAlerts { percent, cost, cap })
}

fn cap(value: &Value, path: &str) -> Result<Cap, Field> {
    let fields = object(value, path, &["percent", "quantity"])?;
    match (fields.get("percent"), fields.get("quantity")) {
        (Some(percent), None) => percent
            .as_u64()
            .and_then(|percent| u32::try_from(percent).ok())
            .filter(|percent| PERCENT.contains(percent))
            .map(Cap::Percent)
            .ok_or_else(|| Field::new(path, whole(&PERCENT))),
        (None, Some(quantity)) => quantity
            .as_u64()
            .filter(|quantity| QUANTITY.contains(quantity))
            .map(Cap::Quantity)
            .ok_or_else(|| Field::new(path, whole(&QUANTITY))),
        _ => Err(Field::new(path, "must have either percent or quantity, or be null for no cap")),
    }
}

/// Sorted, without duplicates.
fn thresholds<T: Ord + Copy + std::fmt::Display>(
    value: &Value,
    path: &str,
    range: RangeInclusive<T>,
    number: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, Field> {
    let values = value.as_array().ok_or_else(|| Field::new(path, "must be a list of whole numbers"))?;
    if values.len() > MAX_THRESHOLDS {
        return Err(Field::new(path, format!("must have at most {MAX_THRESHOLDS} thresholds")));
    }
    let read = |value| number(value).filter(|number| range.contains(number)).ok_or_else(|| Field::new(path, whole(&range)));
    let mut read: Vec<T> = values.iter().map(read).collect::<Result<_, _>>()?;
    read.sort_unstable();
    read.dedup();
    Ok(read)
}

fn addresses(value: &Value) -> Result<Vec<EmailAddress>, Field> {
    let wrong = |detail: &str| Field::new("recipients", detail);
    let values = value.as_array().ok_or_else(|| wrong("must be a list of e-mail addresses"))?;
    if values.len() > MAX_RECIPIENTS {
        return Err(wrong(&format!("must have at most {MAX_RECIPIENTS} e-mail addresses")));
    }
    let mut read: Vec<EmailAddress> = Vec::new();
    for value in values {
        let text = value.as_str().ok_or_else(|| wrong("must be a list of e-mail addresses"))?;
        let address: EmailAddress = text.parse().map_err(|detail: String| wrong(&detail))?;
        if !read.contains(&address) {
            read.push(address);
        }
    }
    Ok(read)
}

/// An object with only these fields.
fn object<'a>(value: &'a Value, path: &str, known: &[&str]) -> Result<&'a Map<String, Value>, Field> {
    let fields = value.as_object().ok_or_else(|| Field::new(path, "must be an object"))?;
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(fields),
        Some(unknown) => {
            let shown: String = unknown.chars().filter(|c| !c.is_control()).take(80).collect();
            let field = if path == "body" { shown } else { format!("{path}.{shown}") };
            Err(Field::new(field, format!("is unknown; known fields are {}", known.join(", "))))
        }
    }
}

fn whole<T: std::fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("must be whole numbers from {} to {}", range.start(), range.end())
}
