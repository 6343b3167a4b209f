//! A customer's alert settings, parsed field by field: all invalid fields are reported at once.

use crate::domain::{
    email::EmailAddress,
    field_error::{Fault, FieldError, FieldErrors},
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
/// Unknown fields that are reported per object.
const MAX_UNKNOWN: usize = 5;

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
    pub fn read(value: &Value, currency: Currency) -> Result<AlertSettings, FieldErrors> {
        let mut errors = Errors::default();
        let settings = errors.settings(value, currency);
        FieldErrors::check(settings, errors.0)
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
    pub fn read(value: &Value, currency: Currency) -> Result<AlertChange, FieldErrors> {
        let mut value = value.clone();
        let mut errors = Errors::default();
        let confirm = match value.as_object_mut().and_then(|fields| fields.remove("confirm")) {
            None => false,
            Some(Value::Bool(confirm)) => confirm,
            Some(_) => errors.note(FieldError::new("confirm", "must be true or false", Fault::Shape)).unwrap_or(false),
        };
        let settings = errors.settings(&value, currency);
        FieldErrors::check(AlertChange { settings, confirm }, errors.0)
    }
}

impl TryFrom<Value> for AlertSettings {
    type Error = FieldErrors;

    /// The currency of the settings as submitted.
    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let code = value.get("currency").and_then(Value::as_str).unwrap_or_default();
        let currency = code.parse().map_err(|detail: String| FieldError::new("currency", detail, Fault::Shape))?;
        AlertSettings::read(&value, currency)
    }
}

/// The invalid fields found so far. A method returns the default for an invalid field, and goes on.
#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    /// Notes an error, in place of a value.
    fn note<T>(&mut self, error: FieldError) -> Option<T> {
        self.0.push(error);
        None
    }

    /// The value, or notes the error.
    fn or_note<T>(&mut self, value: Result<T, FieldError>) -> Option<T> {
        value.map_or_else(|error| self.note(error), Some)
    }

    fn settings(&mut self, value: &Value, currency: Currency) -> AlertSettings {
        let mut settings = AlertSettings::usual(currency);
        let Some(fields) = self.object(value, "body", &["enabled", "recipients", "currency", "metrics"]) else { return settings };
        match fields.get("currency") {
            None => {}
            Some(Value::String(code)) if code.parse() == Ok(currency) => {}
            Some(_) => {
                let detail = format!("the customer is billed in {currency}, so its thresholds are too");
                self.0.push(FieldError::new("currency", detail, Fault::Shape));
            }
        }
        match fields.get("enabled") {
            None => {}
            Some(Value::Bool(enabled)) => settings.enabled = *enabled,
            Some(_) => self.0.push(FieldError::new("enabled", "must be true or false", Fault::Shape)),
        }
        if let Some(value) = fields.get("recipients") {
            settings.recipients = self.or_note(addresses(value)).unwrap_or_default();
        }
        let Some(metrics) = fields.get("metrics") else { return settings };
        let Some(metrics) = self.object(metrics, "metrics", &Metric::names()) else { return settings };
        for metric in Metric::ALL {
            if let Some(value) = metrics.get(metric.as_str()) {
                settings.metrics.each[metric] = self.alerts(value, metric, currency);
            }
        }
        settings
    }

    fn alerts(&mut self, value: &Value, metric: Metric, currency: Currency) -> MetricAlerts {
        let mut alerts = MetricAlerts::usual();
        let path = |name: &str| format!("metrics.{metric}.{name}");
        let Some(fields) = self.object(value, &format!("metrics.{metric}"), &["percent", "cost", "cap"]) else { return alerts };
        if let Some(value) = fields.get("percent") {
            let number = |number: &Value| u32::try_from(number.as_u64()?).ok();
            let range = Fault::Range(u64::from(*PERCENT.start()), u64::from(*PERCENT.end()));
            alerts.percent = self.or_note(thresholds(value, &path("percent"), PERCENT, &range, number)).unwrap_or_default();
        }
        if let Some(value) = fields.get("cost") {
            let range = Fault::Amounts(COST.start().unsigned_abs(), COST.end().unsigned_abs(), currency);
            alerts.cost = self.or_note(thresholds(value, &path("cost"), COST, &range, Value::as_i64)).unwrap_or_default();
        }
        alerts.cap = match fields.get("cap") {
            None | Some(Value::Null) => None,
            Some(value) => self.cap(value, &path("cap")),
        };
        alerts
    }

    fn cap(&mut self, value: &Value, path: &str) -> Option<Cap> {
        let fields = self.object(value, path, &["percent", "quantity"])?;
        let cap = match (fields.get("percent"), fields.get("quantity")) {
            (Some(percent), None) => percent
                .as_u64()
                .and_then(|percent| u32::try_from(percent).ok())
                .filter(|percent| PERCENT.contains(percent))
                .map(Cap::Percent)
                .ok_or_else(|| {
                    FieldError::new(path, whole(&PERCENT), Fault::Range(u64::from(*PERCENT.start()), u64::from(*PERCENT.end())))
                }),
            (None, Some(quantity)) => quantity
                .as_u64()
                .filter(|quantity| QUANTITY.contains(quantity))
                .map(Cap::Quantity)
                .ok_or_else(|| FieldError::new(path, whole(&QUANTITY), Fault::Range(*QUANTITY.start(), *QUANTITY.end()))),
            _ => Err(FieldError::new(path, "must have either percent or quantity, or be null for no cap", Fault::Shape)),
        };
        self.or_note(cap)
    }

    /// An object with only these fields.
    fn object<'a>(&mut self, value: &'a Value, path: &str, known: &[&str]) -> Option<&'a Map<String, Value>> {
        let Some(fields) = value.as_object() else { return self.note(FieldError::new(path, "must be an object", Fault::Shape)) };
        for unknown in fields.keys().filter(|name| !known.contains(&name.as_str())).take(MAX_UNKNOWN) {
            let shown: String = unknown.chars().filter(|c| !c.is_control()).take(80).collect();
            let field = if path == "body" { shown } else { format!("{path}.{shown}") };
            self.0.push(FieldError::new(field, format!("is unknown; known fields are {}", known.join(", ")), Fault::Shape));
        }
        Some(fields)
    }
}

/// Sorted, without duplicates. `range`: the error of a value outside of it.
fn thresholds<T: Ord + Copy + std::fmt::Display>(
    value: &Value,
    path: &str,
    valid: RangeInclusive<T>,
    range: &Fault,
    number: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, FieldError> {
    let values = value.as_array().ok_or_else(|| FieldError::new(path, "must be a list of whole numbers", Fault::Shape))?;
    if values.len() > MAX_THRESHOLDS {
        let detail = format!("must have at most {MAX_THRESHOLDS} thresholds");
        return Err(FieldError::new(path, detail, Fault::TooMany(MAX_THRESHOLDS as u64)));
    }
    let read =
        |value| number(value).filter(|number| valid.contains(number)).ok_or_else(|| FieldError::new(path, whole(&valid), range.clone()));
    let mut read: Vec<T> = values.iter().map(read).collect::<Result<_, _>>()?;
    read.sort_unstable();
    read.dedup();
    Ok(read)
}

fn addresses(value: &Value) -> Result<Vec<EmailAddress>, FieldError> {
    let wrong = |detail: &str, fault| FieldError::new("recipients", detail, fault);
    let values = value.as_array().ok_or_else(|| wrong("must be a list of e-mail addresses", Fault::Shape))?;
    if values.len() > MAX_RECIPIENTS {
        return Err(wrong(&format!("must have at most {MAX_RECIPIENTS} e-mail addresses"), Fault::TooMany(MAX_RECIPIENTS as u64)));
    }
    let mut read: Vec<EmailAddress> = Vec::new();
    for value in values {
        let text = value.as_str().ok_or_else(|| wrong("must be a list of e-mail addresses", Fault::Shape))?;
        let address: EmailAddress = text.parse().map_err(|detail: String| wrong(&detail, Fault::email(text)))?;
        if !read.contains(&address) {
            read.push(address);
        }
    }
    Ok(read)
}

fn whole<T: std::fmt::Display>(range: &RangeInclusive<T>) -> String {
    format!("must be whole numbers from {} to {}", range.start(), range.end())
}
