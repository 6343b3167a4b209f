//! What is switched on.

use super::Platform;
use crate::domain::features::Features;

/// As `GET /meta/features` answers.
pub fn current(platform: &Platform) -> Features {
    let billing_enabled = platform.config.billing_enabled;
    Features {
        billing_enabled,
        usage_ingest_enabled: true,
        invoice_pdf_enabled: billing_enabled,
        customer_portal_enabled: billing_enabled && platform.stripe.is_some(),
    }
}
