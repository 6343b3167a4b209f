//! The result of a form of the settings or account page, if the page itself is the response: a key
//! that is shown once, or rejected input and the reason. The server provides it while rendering.

use super::{
    alert_form::{FormField, value},
    calls::Problem,
};
use crate::{
    domain::{
        alert::ReachedCap,
        error_code::ErrorCode,
        field_error::{Fault, FieldError},
        language::Language,
        second_factor::QrSquares,
        settings::NewApiKey,
    },
    service::Error,
    text::problems,
};
use leptos::prelude::*;

#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub made: Option<NewApiKey>,
    pub refused: Option<Refusal>,
    /// Typed before the session ended, and not saved.
    pub unsaved: Option<Unsaved>,
    /// A pending authenticator app.
    pub offered: Option<Offered>,
    /// Shown once.
    pub recovery_codes: Vec<String>,
}

/// The data for an authenticator app.
#[derive(Clone, Debug)]
pub struct Offered {
    pub secret: String,
    pub uri: String,
    pub qr: QrSquares,
}

/// A form with all its input.
#[derive(Clone, Debug)]
pub struct Unsaved {
    /// Which of the page's forms.
    pub form: String,
    pub fields: Vec<FormField>,
}

/// A rejected form with all its input.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which of the page's forms.
    pub form: String,
    pub fields: Vec<FormField>,
    pub problem: Problem,
    /// The invalid fields, in the order of the page.
    pub errors: Vec<FieldError>,
    /// Caps to confirm.
    pub caps: Vec<ReachedCap>,
}

impl Refusal {
    pub fn new(form: String, fields: Vec<FormField>, error: Error) -> Refusal {
        let errors = error.fields().to_vec();
        let caps = if let Error::CapConfirmationRequired(caps) = &error { caps.clone() } else { Vec::new() };
        Refusal { form, fields, problem: error.into(), errors, caps }
    }

    /// The error's code.
    pub fn code(&self) -> ErrorCode {
        self.problem.error_code()
    }

    /// The field that gets the focus.
    pub fn first(&self) -> Option<&str> {
        self.errors.first().map(|error| error.field.as_str())
    }

    /// What is wrong with a field.
    pub fn fault(&self, field: &str) -> Option<&Fault> {
        self.errors.iter().find(|error| error.field == field).map(|error| &error.fault)
    }

    /// The sentence about a field.
    pub fn sentence(&self, language: Language, field: &str) -> Option<String> {
        Some(problems::fault(language, self.fault(field)?, value(&self.fields, field)))
    }
}

/// The result of the form whose response is this page.
pub fn outcome() -> Outcome {
    use_context().unwrap_or_default()
}
