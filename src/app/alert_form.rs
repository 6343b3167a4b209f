//! The alert settings as form fields: lists and numbers as typed, each field named by its path in
//! the API.

use crate::domain::{
    alert::{AlertChange, AlertSettings, Cap},
    field_error::{Fault, FieldError, FieldErrors},
    metric::{Metric, Unit},
    money::{
        Currency,
        parse::{self, typed},
    },
};
use serde_json::{Map, Value, json};

/// A form field's name and value.
pub type FormField = (String, String);

/// The value of a form field; empty if it was not sent.
pub fn value<'a>(fields: &'a [FormField], name: &str) -> &'a str {
    fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
}

/// A metric's field, such as `metrics.impressions.percent`.
pub fn field(metric: Metric, name: &str) -> String {
    format!("metrics.{metric}.{name}")
}

/// The fields for these settings.
pub fn fields_of(settings: &AlertSettings) -> Vec<FormField> {
    let join = |values: Vec<String>| values.join("; ");
    let mut fields = vec![
        ("enabled".to_owned(), if settings.enabled() { "true" } else { "false" }.to_owned()),
        // Commas separate values in this kind of field.
        ("recipients".to_owned(), settings.recipients().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    ];
    for metric in Metric::ALL {
        let alerts = settings.metric(metric);
        let places = settings.currency().exponent();
        let (cap, unit) = match alerts.cap() {
            None => (String::new(), "percent"),
            Some(Cap::Percent(percent)) => (percent.to_string(), "percent"),
            Some(Cap::Quantity(quantity)) => (typed(quantity, metric.unit().places()), "quantity"),
        };
        fields.push((field(metric, "percent"), join(alerts.percent().iter().map(ToString::to_string).collect())));
        fields.push((field(metric, "cost"), join(alerts.cost().iter().map(|cost| typed(cost.unsigned_abs(), places)).collect())));
        fields.push((field(metric, "cap"), cap));
        fields.push((field(metric, "cap_unit"), unit.to_owned()));
    }
    fields
}

/// The settings in a form's fields.
///
/// # Errors
/// Every invalid field, in the order of the page.
pub fn read(fields: &[FormField], currency: Currency) -> Result<AlertChange, FieldErrors> {
    let mut errors = Vec::new();
    match AlertChange::read(&body_of(fields, currency, &mut errors), currency) {
        Ok(change) => FieldErrors::check(change, errors),
        Err(others) => {
            errors.extend(others.into_vec());
            let order: Vec<String> =
                Metric::ALL.into_iter().flat_map(|metric| ["percent", "cost", "cap"].map(|name| field(metric, name))).collect();
            // Fields before the metrics are first.
            errors.sort_by_key(|error| order.iter().position(|name| *name == error.field).map_or(0, |at| at + 1));
            Err(errors.into_iter().collect())
        }
    }
}

/// The body of `PUT /billing/alerts`, from a form's fields, without those that can't be read.
fn body_of(fields: &[FormField], currency: Currency, errors: &mut Vec<FieldError>) -> Value {
    let mut metrics = Map::new();
    for metric in Metric::ALL {
        let of = |name: &str| value(fields, &field(metric, name));
        let cost = |text| parse::amounts(text, currency).map(|cost| json!(cost)).map_err(|(text, misread)| Fault::number(&text, misread));
        let mut read = Map::new();
        for (name, parsed) in [
            ("percent", percentages(of("percent")).map(|percent| json!(percent))),
            ("cost", cost(of("cost"))),
            ("cap", cap(of("cap"), of("cap_unit"), metric)),
        ] {
            match parsed {
                Ok(value) => drop(read.insert(name.to_owned(), value)),
                Err(fault) => errors.push(FieldError::new(field(metric, name), "can't be read", fault)),
            }
        }
        metrics.insert(metric.as_str().to_owned(), Value::Object(read));
    }
    let recipients: Vec<&str> = words(value(fields, "recipients")).collect();
    let confirm = value(fields, "confirm") == "true";
    json!({"enabled": value(fields, "enabled") == "true", "recipients": recipients, "metrics": metrics, "confirm": confirm})
}

fn cap(text: &str, unit: &str, metric: Metric) -> Result<Value, Fault> {
    let wrong = |misread| Fault::number(text, misread);
    match unit {
        _ if text.is_empty() => Ok(Value::Null),
        "quantity" => {
            let number = if metric.unit() == Unit::Bytes { without_gb(text) } else { text };
            let quantity = parse::quantity(number, metric.unit().places()).map_err(wrong)?;
            Ok(json!({"quantity": quantity}))
        }
        _ => {
            let percent = parse::quantity(text.trim_end_matches('%'), 0).map_err(wrong)?;
            Ok(json!({"percent": percent}))
        }
    }
}

/// Whole percentages, separated by semicolons, line breaks, or commas and spaces. A comma within
/// digits may belong to one number, so it is rejected with a question.
fn percentages(text: &str) -> Result<Vec<u64>, Fault> {
    let plain = text.replace('%', " ");
    let number = |word: &str| if word.bytes().all(|b| b.is_ascii_digit()) { word.parse::<u64>().ok() } else { None };
    let words = plain.split([';', ' ', '\u{a0}', '\n', '\r', '\t']).map(|word| word.trim_end_matches(',')).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let several = || parse::several(word, &|word| number(word).is_some());
            number(word).ok_or_else(|| several().map_or_else(|| Fault::percentages(word), |misread| Fault::number(word, misread)))
        })
        .collect()
}

/// `900.5 GB` as `900.5`.
fn without_gb(text: &str) -> &str {
    let number = text.len().checked_sub(2).filter(|at| text.is_char_boundary(*at)).map(|at| text.split_at(at));
    number.filter(|(_, unit)| unit.eq_ignore_ascii_case("GB")).map_or(text, |(number, _)| number)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{language::Language, metric::PerMetric};
    use crate::text::problems;
    use proptest::prelude::*;

    fn settings(body: Value) -> AlertSettings {
        AlertSettings::read(&body, Currency::USD).unwrap()
    }

    #[test]
    fn input_parses_with_its_units() {
        let typed = |name: &str, text: &str| {
            let mut fields = fields_of(&settings(json!({})));
            fields.retain(|(field, _)| field != name);
            fields.push((name.to_owned(), text.to_owned()));
            if name.ends_with("cap") {
                fields.retain(|(field, _)| !field.ends_with("cap_unit"));
                fields.push((format!("{name}_unit"), "quantity".to_owned()));
            }
            let mut errors = Vec::new();
            let body = body_of(&fields, Currency::USD, &mut errors);
            FieldErrors::check(body, errors)
        };
        for text in ["50%; 75", "50, 75", "75 %; 50 %", "50 75"] {
            let mut percent = typed("metrics.impressions.percent", text).unwrap()["metrics"]["impressions"]["percent"].clone();
            percent.as_array_mut().unwrap().sort_by_key(Value::as_u64);
            assert_eq!(percent, json!([50, 75]), "{text}");
        }
        for (text, cost) in
            [("49.99; 100", json!([4999, 10000])), ("1,500", json!([150_000])), ("$1,500.00; 1.500,50", json!([150_000, 150_050]))]
        {
            assert_eq!(typed("metrics.impressions.cost", text).unwrap()["metrics"]["impressions"]["cost"], cost, "{text}");
        }
        assert_eq!(typed("metrics.impressions.cap", "5,000,000").unwrap()["metrics"]["impressions"]["cap"], json!({"quantity": 5_000_000}));
        assert_eq!(
            typed("metrics.data_transfer_bytes.cap", "1 500 gb").unwrap()["metrics"]["data_transfer_bytes"]["cap"],
            json!({"quantity": 1_500_000_000_000u64})
        );
        assert_eq!(
            typed("metrics.data_transfer_bytes.cap", "1.5").unwrap()["metrics"]["data_transfer_bytes"]["cap"],
            json!({"quantity": 1_500_000_000u64})
        );
        assert_eq!(typed("recipients", "a@b.example,c@d.example").unwrap()["recipients"], json!(["a@b.example", "c@d.example"]));
        for (name, text) in [
            ("metrics.impressions.percent", "many"),
            ("metrics.impressions.percent", "1,000"),
            ("metrics.impressions.percent", "80,5"),
            ("metrics.impressions.percent", "80.5"),
            ("metrics.impressions.cost", "1.500"),
            ("metrics.impressions.cost", "50, 100"),
            ("metrics.impressions.cost", "€50"),
            ("metrics.impressions.cost", "-5"),
            ("metrics.data_transfer_bytes.cap", "1,500"),
            ("metrics.impressions.cap", "1.5"),
            ("metrics.api_calls.cap", "99999999999999999999999"),
        ] {
            assert_eq!(typed(name, text).unwrap_err().first(), name, "{text}");
        }
        let asked = |name: &str, text: &str| problems::fault(Language::English, &typed(name, text).unwrap_err().as_slice()[0].fault, text);
        assert_eq!(asked("metrics.impressions.cost", "1.500"), "“1.500” can be read in two ways. Did you mean 1500? Or 1.50?");
        assert_eq!(
            asked("metrics.impressions.percent", "1,000"),
            "“1,000” can be read in two ways. Did you mean 1000? Or several, separated by semicolons: 1; 000?"
        );
    }

    #[test]
    fn all_invalid_fields_are_in_the_pages_order() {
        let typed = [
            ("metrics.api_calls.cap", "many"),
            ("metrics.impressions.cost", "€5"),
            ("metrics.impressions.percent", "0"),
            ("recipients", "a@b.example, a@b"),
        ];
        let fields: Vec<FormField> = typed.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let errors = read(&fields, Currency::USD).unwrap_err();
        let found: Vec<&str> = errors.as_slice().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(found, ["recipients", "metrics.impressions.percent", "metrics.impressions.cost", "metrics.api_calls.cap"]);
        assert_eq!(errors.as_slice()[0].fault, Fault::Email("a@b".into()));
    }

    proptest! {
        #[test]
        fn an_unchanged_form_changes_nothing(percent in prop::collection::vec(1u32..=1000, 0..10), cost in prop::collection::vec(1i64..1_000_000_000, 0..10),
                                                    cap in 1u64..10_000_000_000_000, relative in any::<bool>(), enabled in any::<bool>()) {
            let cap = if relative { json!({"percent": cap % 1000 + 1}) } else { json!({"quantity": cap}) };
            let metric = json!({"percent": percent, "cost": cost, "cap": cap});
            let before = settings(json!({"enabled": enabled, "recipients": ["a@b.example", "c@d.example"],
                "metrics": PerMetric::from_fn(|_| metric.clone())}));
            let change = read(&fields_of(&before), Currency::USD).unwrap();
            prop_assert_eq!(change, AlertChange { settings: before, confirm: false });
        }
    }
}
