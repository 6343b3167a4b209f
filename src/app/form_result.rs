//! The result of a form of the settings or account page, if the page itself is the response: a key
//! that is shown once, or rejected input and the reason. The server provides it while rendering.

use super::{alert_form::FormField, calls::Problem};
use crate::domain::{second_factor::QrSquares, settings::NewApiKey};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub made: Option<NewApiKey>,
    pub refused: Option<Refusal>,
    /// A pending authenticator app.
    pub offered: Option<Offered>,
    /// Shown once.
    pub recovery_codes: Vec<String>,
}

/// The data for an authenticator app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub secret: String,
    pub uri: String,
    pub qr: QrSquares,
}

/// A rejected form with all its input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which of the page's forms.
    pub form: String,
    pub fields: Vec<FormField>,
    pub problem: Problem,
}

/// The result of the form whose response is this page.
pub fn outcome() -> Outcome {
    use_context().unwrap_or_default()
}
