//! Features, and what can switch them off.

use super::error_code::ErrorCode;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use time::OffsetDateTime;

/// `GET /meta/features`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    pub billing_enabled: bool,
    pub usage_ingest_enabled: bool,
    pub invoice_pdf_enabled: bool,
    /// Whether Stripe's customer portal can be opened.
    pub customer_portal_enabled: bool,
}

impl Features {
    pub const fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Billing => self.billing_enabled,
            Feature::UsageIngest => self.usage_ingest_enabled,
            Feature::InvoicePdf => self.invoice_pdf_enabled,
            Feature::CustomerPortal => self.customer_portal_enabled,
        }
    }
}

/// A feature that staff can switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Feature {
    #[serde(rename = "billingEnabled")]
    Billing,
    #[serde(rename = "usageIngestEnabled")]
    UsageIngest,
    #[serde(rename = "invoicePdfEnabled")]
    InvoicePdf,
    #[serde(rename = "customerPortalEnabled")]
    CustomerPortal,
}

impl Feature {
    pub const ALL: [Feature; 4] = [Feature::Billing, Feature::UsageIngest, Feature::InvoicePdf, Feature::CustomerPortal];

    /// Name in `GET /meta/features`.
    pub const fn name(self) -> &'static str {
        match self {
            Feature::Billing => "billingEnabled",
            Feature::UsageIngest => "usageIngestEnabled",
            Feature::InvoicePdf => "invoicePdfEnabled",
            Feature::CustomerPortal => "customerPortalEnabled",
        }
    }

    /// The error code of the 503 while it is off.
    pub const fn disabled_code(self) -> ErrorCode {
        match self {
            Feature::Billing => ErrorCode::BillingDisabled,
            Feature::UsageIngest => ErrorCode::UsageIngestDisabled,
            Feature::InvoicePdf => ErrorCode::InvoicePdfDisabled,
            Feature::CustomerPortal => ErrorCode::CustomerPortalDisabled,
        }
    }

    /// Whether it requires billing to be on.
    pub const fn is_part_of_billing(self) -> bool {
        matches!(self, Feature::InvoicePdf | Feature::CustomerPortal)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Feature {
    type Err = String;

    fn from_str(text: &str) -> Result<Feature, String> {
        let named = Feature::ALL.into_iter().find(|feature| feature.name() == text);
        named.ok_or_else(|| format!("`{text}` is not one of {}", Feature::ALL.map(Feature::name).join(", ")))
    }
}

/// What keeps a feature off although its switch is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// `BILLING_ENABLED=false` on the responding server.
    Environment,
    /// Billing is off.
    Billing,
    /// No Stripe key is configured.
    Stripe,
}

/// A feature's switch, as `GET /admin/features` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Switch {
    pub name: Feature,
    /// The effective state.
    pub enabled: bool,
    /// The state of the switch.
    pub switched_on: bool,
    pub held_off_by: Option<Hold>,
    /// Who switched it last; null if it was never switched.
    pub changed_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub changed_at: Option<OffsetDateTime>,
    pub reason: Option<String>,
}

/// The switches that are off; all are on by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Off(u8);

impl Off {
    const fn bit(feature: Feature) -> u8 {
        1 << feature as u8
    }

    pub const fn has(self, feature: Feature) -> bool {
        self.0 & Off::bit(feature) != 0
    }

    #[must_use]
    pub const fn with(self, feature: Feature) -> Off {
        Off(self.0 | Off::bit(feature))
    }

    pub const fn bits(self) -> u8 {
        self.0
    }

    pub const fn of_bits(bits: u8) -> Off {
        Off(bits)
    }

    /// What keeps a feature off besides its own switch. The environment overrides the switches.
    pub const fn hold(self, feature: Feature, environment_allows: bool, stripe: bool) -> Option<Hold> {
        match feature {
            Feature::Billing if !environment_allows => Some(Hold::Environment),
            Feature::Billing | Feature::UsageIngest => None,
            Feature::InvoicePdf | Feature::CustomerPortal if !environment_allows || self.has(Feature::Billing) => Some(Hold::Billing),
            Feature::CustomerPortal if !stripe => Some(Hold::Stripe),
            Feature::InvoicePdf | Feature::CustomerPortal => None,
        }
    }

    /// The effective features.
    pub const fn features(self, environment_allows: bool, stripe: bool) -> Features {
        Features {
            billing_enabled: self.allows(Feature::Billing, environment_allows, stripe),
            usage_ingest_enabled: self.allows(Feature::UsageIngest, environment_allows, stripe),
            invoice_pdf_enabled: self.allows(Feature::InvoicePdf, environment_allows, stripe),
            customer_portal_enabled: self.allows(Feature::CustomerPortal, environment_allows, stripe),
        }
    }

    const fn allows(self, feature: Feature, environment_allows: bool, stripe: bool) -> bool {
        !self.has(feature) && self.hold(feature, environment_allows, stripe).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn features_parse_from_their_api_names() {
        let all_on = serde_json::to_value(Off::default().features(true, true)).unwrap();
        for feature in Feature::ALL {
            assert_eq!(all_on[feature.name()], true);
            assert_eq!(serde_json::to_value(feature).unwrap(), feature.name());
            assert_eq!(feature.name().parse(), Ok(feature));
        }
        assert!("billing".parse::<Feature>().is_err() && "".parse::<Feature>().is_err());
    }

    proptest! {
        #[test]
        fn each_switch_moves_its_feature_and_dependants(bits in 0u8..16, environment in any::<bool>(), stripe in any::<bool>()) {
            let off = Off::of_bits(bits);
            let features = off.features(environment, stripe);
            prop_assert_eq!(features.billing_enabled, environment && !off.has(Feature::Billing));
            prop_assert_eq!(features.usage_ingest_enabled, !off.has(Feature::UsageIngest));
            prop_assert_eq!(features.invoice_pdf_enabled, features.billing_enabled && !off.has(Feature::InvoicePdf));
            prop_assert_eq!(
                features.customer_portal_enabled,
                features.billing_enabled && stripe && !off.has(Feature::CustomerPortal)
            );
            for feature in Feature::ALL {
                prop_assert!(!off.with(feature).features(environment, stripe).has(feature));
                // A feature that is off although its switch is on has a reason.
                prop_assert_eq!(features.has(feature), !off.has(feature) && off.hold(feature, environment, stripe).is_none());
            }
        }
    }
}
