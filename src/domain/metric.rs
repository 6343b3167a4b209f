//! What is metered.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A metered quantity. Data transfer is counted in bytes and billed in GB of 10^9 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    Impressions,
    ApiCalls,
    DataTransferBytes,
}

impl Metric {
    /// Every metric, in the order in which pages and invoices show them.
    pub const ALL: [Metric; 3] = [Metric::Impressions, Metric::ApiCalls, Metric::DataTransferBytes];

    /// As senders and the database write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Metric::Impressions => "impressions",
            Metric::ApiCalls => "api_calls",
            Metric::DataTransferBytes => "data_transfer_bytes",
        }
    }

    /// As people read it.
    pub const fn title(self) -> &'static str {
        match self {
            Metric::Impressions => "Impressions",
            Metric::ApiCalls => "API calls",
            Metric::DataTransferBytes => "Data transfer",
        }
    }
}

impl Metric {
    /// As it stands within a sentence.
    pub const fn noun(self) -> &'static str {
        match self {
            Metric::Impressions => "impressions",
            Metric::ApiCalls => "API calls",
            Metric::DataTransferBytes => "data transfer",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Metric::ALL
            .into_iter()
            .find(|metric| metric.as_str() == s)
            .ok_or_else(|| format!("`{s}` is not a metric; it is one of impressions, api_calls, data_transfer_bytes"))
    }
}
