//! What a form of the settings or the account page came to, where the page itself is the answer: a key that is shown this once, or what was typed and why it
//! can't be used. The server provides it while it renders; a browser that opens the page finds none.

use super::{alert_form::FormField, calls::Problem};
use crate::domain::{second_factor::QrSquares, settings::NewApiKey};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub made: Option<NewApiKey>,
    pub refused: Option<Refusal>,
    /// An authenticator app that waits for its first code.
    pub offered: Option<Offered>,
    /// In the one answer that has them.
    pub recovery_codes: Vec<String>,
}

/// What an authenticator app wants to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub secret: String,
    pub uri: String,
    pub qr: QrSquares,
}

/// A form that was not taken, with everything that was typed into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Refusal {
    /// Which of the page's forms.
    pub form: String,
    pub fields: Vec<FormField>,
    pub problem: Problem,
}

/// The outcome of the form that this page answers.
pub async fn outcome() -> Outcome {
    use_context().unwrap_or_default()
}
