//! A user's second factor: one-time codes of an authenticator app (TOTP).

use serde::{Deserialize, Serialize};

/// `GET /auth/totp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TotpState {
    /// Login requires a code.
    pub enabled: bool,
    /// Without it the user can only open the account page.
    pub required: bool,
    pub recovery_codes_left: u32,
}

/// A new secret, returned once; it becomes active with its first valid code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TotpOffer {
    /// In base 32, for typing into an app.
    pub secret: String,
    /// `otpauth://…` URI, for opening in an app.
    pub uri: String,
}

/// Recovery codes for users who lost the app, each valid once; returned once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

/// A QR code: squares of side 1 in a square of this width, as SVG path data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrSquares {
    pub width: u32,
    pub path: String,
}
