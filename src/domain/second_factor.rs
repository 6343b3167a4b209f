//! The second factor of a person: one-time codes of an authenticator app.

use serde::{Deserialize, Serialize};

/// `GET /auth/totp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TotpState {
    /// Signing in asks for a code.
    pub enabled: bool,
    /// Without it this person reaches nothing but the own account.
    pub required: bool,
    pub recovery_codes_left: u32,
}

/// A secret that is in force once a code of it has been shown; in the one answer that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct TotpOffer {
    /// In base 32, to be typed into an app.
    pub secret: String,
    /// `otpauth://…`, to be opened by one.
    pub uri: String,
}

/// Codes for whoever has lost the app, each good for once; in the one answer that has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// A QR code: squares of side 1 in a square of this width, as SVG path data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrSquares {
    pub width: u32,
    pub path: String,
}
