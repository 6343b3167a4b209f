//! What is switched on.

use serde::{Deserialize, Serialize};

/// `GET /meta/features`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Features {
    pub billing_enabled: bool,
    pub usage_ingest_enabled: bool,
    pub invoice_pdf_enabled: bool,
    /// Stripe's customer portal can be opened.
    pub customer_portal_enabled: bool,
}
