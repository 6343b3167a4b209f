//! Access to JSON of any API version: every value may be absent, and every error has a path.

use serde_json_borrow::Value;
use std::fmt;
use time::OffsetDateTime;

/// A sentence that names the field: `invoice.amount_due is missing`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FieldError(pub String);

pub type Read<T> = Result<T, FieldError>;

/// A value in a document with its path. `null` and absent are the same, as for Stripe.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    value: Option<&'a Value<'a>>,
    path: Path,
}

/// The path, only for errors: hundreds of fields are read per error, so extending it must be cheap.
#[derive(Clone, Copy, Debug)]
struct Path {
    steps: [Step; DEEPEST],
    length: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Key(&'static str),
    Entry(usize),
}

/// Maximum depth of a path in errors; Stripe's objects are no deeper.
const DEEPEST: usize = 10;

impl Path {
    const fn then(mut self, step: Step) -> Path {
        if self.length < DEEPEST {
            self.steps[self.length] = step;
            self.length += 1;
        }
        self
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.steps[..self.length].iter().enumerate() {
            match step {
                Step::Key(key) if place == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Entry(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl<'a> Field<'a> {
    pub fn root(name: &'static str, value: &'a Value<'a>) -> Field<'a> {
        Field { value: Some(value).filter(|value| !value.is_null()), path: Path { steps: [Step::Key(name); DEEPEST], length: 1 } }
    }

    pub fn get(&self, key: &'static str) -> Field<'a> {
        Field {
            value: self.value.and_then(|value| value.as_object()?.get(key)).filter(|value| !value.is_null()),
            path: self.path.then(Step::Key(key)),
        }
    }

    /// The first present one of several fields: newest name first.
    pub fn any<const N: usize>(&self, paths: [&[&'static str]; N]) -> Field<'a> {
        let at = |path: &[&'static str]| path.iter().fold(*self, |field, key| field.get(key));
        let mut fields = paths.iter().map(|path| at(path));
        let first = fields.next().unwrap_or(*self);
        if first.exists() { first } else { fields.find(Field::exists).unwrap_or(first) }
    }

    pub const fn exists(&self) -> bool {
        self.value.is_some()
    }

    pub fn is_object(&self) -> bool {
        self.value.is_some_and(Value::is_object)
    }

    pub const fn value(&self) -> Option<&'a Value<'a>> {
        self.value
    }

    pub fn text(&self) -> Read<Option<&'a str>> {
        self.typed("a string", Value::as_str)
    }

    /// An integer in any format: newer API versions send some as decimal text ("150", "150.0").
    pub fn integer(&self) -> Read<Option<i64>> {
        self.typed("a whole number", |value| Decimal::of(value).filter(|decimal| !decimal.has_fraction).map(|decimal| decimal.whole))
    }

    /// A number truncated to its integer part.
    pub fn whole_part(&self) -> Read<Option<i64>> {
        self.typed("a number", |value| Decimal::of(value).map(|decimal| decimal.whole))
    }

    /// An exact decimal that Stripe writes as text or as a number, e.g. `"2.5"`: digits without an
    /// exponent.
    pub fn decimal(&self) -> Read<Option<String>> {
        self.typed("a decimal number", |value| match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => Some(whole.to_string()),
                (None, Some(float)) => Some(float.to_string()).filter(|text| is_decimal(text)),
                (None, None) => None,
            },
            _ => value.as_str().filter(|text| is_decimal(text)).map(str::to_owned),
        })
    }

    pub fn boolean(&self) -> Read<Option<bool>> {
        self.typed("true or false", Value::as_bool)
    }

    /// Unix seconds.
    pub fn time(&self) -> Read<Option<OffsetDateTime>> {
        self.typed("a time in unix seconds", |value| value.as_i64().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()))
    }

    /// The id of an object that is present as its id or expanded.
    pub fn id(&self) -> Read<Option<&'a str>> {
        self.typed("an id or an object with one", |value| {
            value.as_str().or_else(|| value.as_object()?.get("id")?.as_str()).filter(|id| is_id(id))
        })
    }

    /// The entries of an array or of a Stripe list object.
    pub fn entries(&self) -> Read<Vec<Field<'a>>> {
        let array = self.typed("a list", |value| value.as_array().or_else(|| value.as_object()?.get("data")?.as_array()))?;
        let entry = |(index, value)| Field { value: Some(value), path: self.path.then(Step::Entry(index)) };
        Ok(array.map(|array| array.iter().enumerate().map(entry).collect()).unwrap_or_default())
    }

    /// The sum of an integer field over all entries.
    pub fn sum(&self, key: &'static str) -> Read<i64> {
        let mut sum = 0i64;
        for entry in self.entries()? {
            let amount = entry.get(key).integer()?.unwrap_or(0);
            sum = sum.checked_add(amount).ok_or_else(|| self.error("adds up to more than the maximum amount"))?;
        }
        Ok(sum)
    }

    /// The value, or an error that this field is missing.
    pub fn need<T>(&self, value: Option<T>) -> Read<T> {
        value.ok_or_else(|| self.error("is missing"))
    }

    pub fn error(&self, what: &str) -> FieldError {
        FieldError(format!("{} {what}", self.path))
    }

    fn typed<T>(&self, expected: &str, read: impl FnOnce(&'a Value<'a>) -> Option<T>) -> Read<Option<T>> {
        self.value.map(|value| read(value).ok_or_else(|| self.error(&format!("is {}, but should be {expected}", kind(value))))).transpose()
    }
}

/// A number truncated to its integer part.
struct Decimal {
    whole: i64,
    has_fraction: bool,
}

impl Decimal {
    /// A JSON number or decimal text; None for other or too large values. Stripe's decimals have no
    /// exponents.
    fn of(value: &Value<'_>) -> Option<Decimal> {
        if let Some(whole) = value.as_i64() {
            return Some(Decimal { whole, has_fraction: false });
        }
        let text = match value {
            Value::Str(text) => text.to_string(),
            Value::Number(number) => serde_json::Number::from(*number).to_string(),
            _ => return None,
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = whole.strip_prefix('-').unwrap_or(whole);
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(digits) || !all_digits(fraction) {
            return None;
        }
        Some(Decimal { whole: whole.parse().ok()?, has_fraction: fraction.bytes().any(|digit| digit != b'0') })
    }
}

/// Ids are stored in indexed columns and shown in messages: visible ASCII of limited length, like
/// Stripe's.
pub fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Maximum number of digits of both parts: Stripe's maximum plus a margin.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| (1..=20).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, fraction)| (whole, Some(fraction)));
    digits(whole) && fraction.is_none_or(digits)
}

const fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "another number",
        Value::Str(_) => "another string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_name_the_field() {
        let document = json!({"amount": "a dozen", "lines": {"data": [{"amount": 1}, {"amount": true}]}, "big": [{"n": i64::MAX}, {"n": 1}], "at": 1e300});
        let document = Value::from(&document);
        let invoice = Field::root("invoice", &document);
        let said = |error: FieldError| error.to_string();
        assert_eq!(said(invoice.get("amount").integer().unwrap_err()), "invoice.amount is another string, but should be a whole number");
        assert_eq!(
            said(invoice.get("lines").sum("amount").unwrap_err()),
            "invoice.lines[1].amount is a boolean, but should be a whole number"
        );
        assert_eq!(said(invoice.get("big").sum("n").unwrap_err()), "invoice.big adds up to more than the maximum amount");
        assert_eq!(said(invoice.get("at").time().unwrap_err()), "invoice.at is another number, but should be a time in unix seconds");
        let total = invoice.get("total");
        assert_eq!(said(total.need(total.integer().unwrap()).unwrap_err()), "invoice.total is missing");
    }

    #[test]
    fn numbers_parse_from_decimal_text_too() {
        let read = |value: serde_json::Value| {
            let document = json!({"n": value});
            let document = Value::from(&document);
            let field = Field::root("object", &document).get("n");
            (field.integer().ok().flatten(), field.whole_part().ok().flatten())
        };
        for whole in [json!(150), json!("150"), json!("150.0"), json!("0150.000000000000"), json!(150.0)] {
            assert_eq!(read(whole.clone()), (Some(150), Some(150)), "{whole}");
        }
        assert_eq!(read(json!("-7")), (Some(-7), Some(-7)));
        for part in [json!("150.5"), json!(150.5)] {
            assert_eq!(read(part.clone()), (None, Some(150)), "{part}");
        }
        for neither in
            [json!(""), json!("-"), json!("1e3"), json!("1,000"), json!("1."), json!(".5"), json!("9223372036854775808"), json!(true)]
        {
            assert_eq!(read(neither.clone()), (None, None), "{neither}");
        }
    }

    #[test]
    fn decimals_parse_from_text_or_numbers() {
        let document =
            json!({"good": ["2.5", 2.5, 3, "-0.000000000001", 1e-7, "12"], "bad": ["1e3", "", "two", "1.", ".5", "--1", true, "1,5"]});
        let document = Value::from(&document);
        let object = Field::root("object", &document);
        let read = |key| object.get(key).entries().unwrap().iter().map(Field::decimal).collect::<Vec<_>>();
        let good: Vec<_> = read("good").into_iter().map(|decimal| decimal.unwrap().unwrap()).collect();
        assert_eq!(good, ["2.5", "2.5", "3", "-0.000000000001", "0.0000001", "12"]);
        assert!(read("bad").iter().all(Result::is_err));
        assert_eq!(object.get("none").decimal(), Ok(None));
    }

    #[test]
    fn an_id_may_be_expanded_and_null_is_absent() {
        let document = json!({"a": "cus_1", "b": {"id": "cus_2", "name": "x"}, "c": null, "d": "two words", "e": {}});
        let document = Value::from(&document);
        let object = Field::root("object", &document);
        assert_eq!(object.get("a").id(), Ok(Some("cus_1")));
        assert_eq!(object.get("b").id(), Ok(Some("cus_2")));
        assert_eq!(object.get("c").id(), Ok(None));
        assert_eq!(object.get("none").get("of").get("these").id(), Ok(None));
        assert!(object.get("d").id().is_err() && object.get("e").id().is_err());
        assert_eq!(object.any([&["c"], &["b", "id"], &["a"]]).text(), Ok(Some("cus_2")));
        assert!(object.any([&["c"], &["x"]]).error("").to_string().starts_with("object.c"));
    }
}
