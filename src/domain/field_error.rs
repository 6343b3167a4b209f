//! What is wrong with fields of a form or a body: all of them at once, so that a person corrects
//! them in one go.

use super::money::{Currency, parse::Misread};
use std::fmt;

/// What is wrong with a field. Pages have a sentence for each in every language; programs get
/// [`Fault::code`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// JSON of another shape. No form causes it.
    Shape,
    Required,
    /// The text that is not an e-mail address.
    Email(String),
    /// The text that is not a list of percentages.
    Percentages(String),
    /// The text, and why it is not an amount or a quantity.
    Number(String, Misread),
    /// Whole numbers from the first to the second.
    Range(u64, u64),
    /// Amounts in minor units of a currency, from the first to the second.
    Amounts(u64, u64, Currency),
    /// More values than this.
    TooMany(u64),
    /// Longer than this, or with control characters.
    Name(u64),
    /// As many contacts or keys as a customer may have.
    Limit(u64),
    WrongPassword,
    SamePassword,
    /// A new password that is shorter than this.
    PasswordLength(u64),
    CommonPassword,
    /// Too close to the e-mail address or to the name of this platform.
    ObviousPassword,
    BreachedPassword,
    WrongCode,
}

/// Characters of a rejected text that are repeated.
const SHOWN_CHARS: usize = 40;

/// The beginning of a rejected text.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect()
}

impl Fault {
    /// The text is not an e-mail address.
    pub fn email(text: &str) -> Fault {
        if text.trim().is_empty() { Fault::Required } else { Fault::Email(shown(text.trim())) }
    }

    /// The text is not a list of percentages.
    pub fn percentages(text: &str) -> Fault {
        Fault::Percentages(shown(text))
    }

    /// The text is not a number.
    pub fn number(text: &str, misread: Misread) -> Fault {
        Fault::Number(shown(text), misread)
    }

    /// Stable, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Fault::Shape => "invalid",
            Fault::Required => "required",
            Fault::Email(_) => "invalid_email",
            Fault::Percentages(_) | Fault::Number(..) => "invalid_number",
            Fault::Range(..) | Fault::Amounts(..) => "out_of_range",
            Fault::TooMany(_) => "too_many",
            Fault::Name(_) => "invalid_name",
            Fault::Limit(_) => "limit_reached",
            Fault::WrongPassword => "wrong_password",
            Fault::SamePassword => "same_password",
            Fault::PasswordLength(_) => "invalid_length",
            Fault::CommonPassword => "common_password",
            Fault::ObviousPassword => "obvious_password",
            Fault::BreachedPassword => "breached_password",
            Fault::WrongCode => "invalid_code",
        }
    }
}

/// An invalid field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct FieldError {
    /// Its path, such as `metrics.impressions.percent`.
    pub field: String,
    /// In English, for programs: a predicate of the field.
    pub detail: String,
    pub fault: Fault,
}

impl FieldError {
    pub fn new(field: impl Into<String>, detail: impl Into<String>, fault: Fault) -> FieldError {
        FieldError { field: field.into(), detail: detail.into(), fault }
    }
}

/// Every invalid field, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// The value, if no field is invalid.
    ///
    /// # Errors
    /// The invalid fields.
    pub fn check<T>(value: T, errors: Vec<FieldError>) -> Result<T, FieldErrors> {
        if errors.is_empty() { Ok(value) } else { Err(FieldErrors(errors)) }
    }

    pub fn as_slice(&self) -> &[FieldError] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// The name of the first invalid field.
    pub fn first(&self) -> &str {
        self.0.first().map_or("", |error| &error.field)
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> FieldErrors {
        FieldErrors(vec![error])
    }
}

impl FromIterator<FieldError> for FieldErrors {
    fn from_iter<I: IntoIterator<Item = FieldError>>(errors: I) -> FieldErrors {
        FieldErrors(errors.into_iter().collect())
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { "; " };
            write!(f, "{before}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FieldErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_are_named() {
        let errors = vec![FieldError::new("email", "is missing", Fault::Required), FieldError::new("name", "is long", Fault::Name(100))];
        let errors = FieldErrors::check((), errors).unwrap_err();
        assert_eq!((errors.to_string().as_str(), errors.first()), ("email: is missing; name: is long", "email"));
        assert_eq!(FieldErrors::check(1, Vec::new()), Ok(1));
    }
}
