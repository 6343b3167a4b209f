//! The alert settings as a form writes them: lists and decimal numbers as people type them, each field named by its path in the API.

use crate::domain::{
    alert::{AlertSettings, Cap, Field},
    metric::Metric,
    money::Currency,
};
use serde_json::{Map, Value, json};

/// Decimal places of a GB in bytes.
const GB_PLACES: u32 = 9;

/// Name and value of a form's field.
pub type FormField = (String, String);

/// The value of a form's field; empty when it was not sent.
pub fn value<'a>(fields: &'a [FormField], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
}

/// A metric's field, such as `metrics.impressions.percent`.
pub fn field(metric: Metric, name: &str) -> String {
    format!("metrics.{metric}.{name}")
}

/// The fields as they stand for these settings.
pub fn fields_of(settings: &AlertSettings) -> Vec<FormField> {
    let join = |values: Vec<String>| values.join(", ");
    let mut fields = vec![
        ("enabled".to_owned(), if settings.enabled() { "true" } else { "false" }.to_owned()),
        ("recipients".to_owned(), join(settings.recipients().iter().map(ToString::to_string).collect())),
    ];
    for metric in Metric::ALL {
        let alerts = settings.metric(metric);
        let places = settings.currency().exponent();
        let (cap, unit) = match alerts.cap() {
            None => (String::new(), "percent"),
            Some(Cap::Percent(percent)) => (percent.to_string(), "percent"),
            Some(Cap::Quantity(quantity)) => (decimal(quantity, unit_places(metric)), "quantity"),
        };
        fields.push((field(metric, "percent"), join(alerts.percent().iter().map(ToString::to_string).collect())));
        fields.push((field(metric, "cost"), join(alerts.cost().iter().map(|cost| decimal(cost.unsigned_abs(), places)).collect())));
        fields.push((field(metric, "cap"), cap));
        fields.push((field(metric, "cap_unit"), unit.to_owned()));
    }
    fields
}

/// What `PUT /billing/alerts` takes, out of a form's fields.
pub fn body_of(fields: &[FormField], currency: Currency) -> Result<Value, Field> {
    let mut metrics = Map::new();
    for metric in Metric::ALL {
        let of = |name: &str| (field(metric, name), value(fields, &field(metric, name)));
        let (path, text) = of("percent");
        let percent = list(text, &path, "percentages such as 80, 90, 100", |word| word.trim_end_matches('%').parse::<u64>().ok())?;
        let (path, text) = of("cost");
        let wants = format!("amounts in {} such as 50, 100", currency.code().to_uppercase());
        let cost = list(text, &path, &wants, |word| scaled(word, currency.exponent()))?;
        let (path, text) = of("cap");
        let cap = match (text, of("cap_unit").1) {
            ("", _) => Value::Null,
            (text, "quantity") => {
                let quantity =
                    scaled(text, unit_places(metric)).ok_or_else(|| Field::new(path, "wants a number, or nothing for no cap"))?;
                json!({"quantity": quantity})
            }
            (text, _) => {
                let percent = text.parse::<u64>().map_err(|_| Field::new(path, "wants a whole number, or nothing for no cap"))?;
                json!({"percent": percent})
            }
        };
        metrics.insert(metric.as_str().to_owned(), json!({"percent": percent, "cost": cost, "cap": cap}));
    }
    let recipients: Vec<&str> = words(value(fields, "recipients")).collect();
    Ok(json!({"enabled": value(fields, "enabled") == "true", "recipients": recipients, "metrics": metrics}))
}

fn list(text: &str, path: &str, wants: &str, number: impl Fn(&str) -> Option<u64>) -> Result<Vec<u64>, Field> {
    words(text)
        .map(|word| {
            let shown: String = word.chars().take(40).collect();
            number(word).ok_or_else(|| Field::new(path, format!("wants {wants}; `{shown}` is none")))
        })
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

/// Data transfer is typed in GB, the others in units.
const fn unit_places(metric: Metric) -> u32 {
    match metric {
        Metric::DataTransferBytes => GB_PLACES,
        Metric::Impressions | Metric::ApiCalls => 0,
    }
}

/// `12.5` with two places is 1250; None for what is no number, or finer than that.
fn scaled(text: &str, places: u32) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let fits = !whole.is_empty() && digits(whole) && digits(fraction) && fraction.len() <= places as usize;
    let fraction = format!("{fraction:0<width$}", width = places as usize);
    fits.then(|| format!("{whole}{fraction}").parse().ok()).flatten()
}

/// The other way round, without zeros at the end.
fn decimal(amount: u64, places: u32) -> String {
    let scale = 10u64.pow(places);
    match amount % scale {
        0 => (amount / scale).to_string(),
        rest => format!("{}.{}", amount / scale, format!("{rest:0width$}", width = places as usize).trim_end_matches('0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(body: Value) -> AlertSettings {
        AlertSettings::read(&body, Currency::USD).unwrap()
    }

    #[test]
    fn what_a_person_types_is_read_with_its_units() {
        let typed = |name: &str, text: &str| {
            let mut fields = fields_of(&settings(json!({})));
            fields.retain(|(field, _)| field != name);
            fields.push((name.to_owned(), text.to_owned()));
            if name.ends_with("cap") {
                fields.retain(|(field, _)| !field.ends_with("cap_unit"));
                fields.push((format!("{name}_unit"), "quantity".to_owned()));
            }
            body_of(&fields, Currency::USD)
        };
        assert_eq!(typed("metrics.impressions.percent", "50%; 75").unwrap()["metrics"]["impressions"]["percent"], json!([50, 75]));
        assert_eq!(typed("metrics.impressions.cost", "49.99, 100").unwrap()["metrics"]["impressions"]["cost"], json!([4999, 10000]));
        assert_eq!(
            typed("metrics.data_transfer_bytes.cap", "1.5").unwrap()["metrics"]["data_transfer_bytes"]["cap"],
            json!({"quantity": 1_500_000_000u64})
        );
        assert_eq!(typed("recipients", "a@b.example,c@d.example").unwrap()["recipients"], json!(["a@b.example", "c@d.example"]));
        for (name, text) in [
            ("metrics.impressions.percent", "many"),
            ("metrics.impressions.cost", "1.234"),
            ("metrics.impressions.cost", "-5"),
            ("metrics.impressions.cap", "1.5"),
            ("metrics.api_calls.cap", "99999999999999999999999"),
        ] {
            assert_eq!(typed(name, text).unwrap_err().field, name, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_form_sent_as_it_stands_changes_nothing(percent in prop::collection::vec(1u32..=1000, 0..10), cost in prop::collection::vec(1i64..1_000_000, 0..10),
                                                    cap in 1u64..10_000_000_000_000, relative in any::<bool>(), enabled in any::<bool>()) {
            let cap = if relative { json!({"percent": cap % 1000 + 1}) } else { json!({"quantity": cap}) };
            let metric = json!({"percent": percent, "cost": cost, "cap": cap});
            let before = settings(json!({"enabled": enabled, "recipients": ["a@b.example", "c@d.example"],
                "metrics": {"impressions": metric, "api_calls": metric, "data_transfer_bytes": metric}}));
            let body = body_of(&fields_of(&before), Currency::USD).unwrap();
            prop_assert_eq!(settings(body), before);
        }
    }
}
