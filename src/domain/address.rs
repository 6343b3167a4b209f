//! Postal addresses as Stripe has them. `text::address` formats them.

use serde_json::Value;

/// A postal address. No field is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub line1: Option<String>,
    pub line2: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

impl Address {
    /// Reads Stripe's address object. Fields of another type and empty ones are absent.
    pub fn of_stripe(address: &Value) -> Address {
        let part = |key: &str| address.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Address {
            line1: part("line1"),
            line2: part("line2"),
            city: part("city"),
            state: part("state"),
            postal_code: part("postal_code"),
            country: part("country"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn empty_and_unusable_fields_are_absent() {
        let address = json!({"line1": " 1 Main Street ", "line2": "", "city": null, "postal_code": 10115, "country": "DE", "more": 1});
        let expected = Address { line1: Some("1 Main Street".into()), country: Some("DE".into()), ..Address::default() };
        assert_eq!(Address::of_stripe(&address), expected);
        assert_eq!(Address::of_stripe(&json!("Berlin")), Address::default());
    }
}
