//! Why an event of a request was not stored.

use serde::{Deserialize, Serialize};

macro_rules! rejection_codes {
    ($($variant:ident $code:literal $meaning:literal;)*) => {
        /// A stable code, which programs decide by. A code is never renamed or removed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[derive(utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum RejectionCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl RejectionCode {
            pub const ALL: &[RejectionCode] = &[$(RejectionCode::$variant,)*];

            /// As the API writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(RejectionCode::$variant => $code,)* }
            }

            pub const fn meaning(self) -> &'static str {
                match self { $(RejectionCode::$variant => $meaning,)* }
            }
        }
    };
}

rejection_codes! {
    InvalidJson "invalid_json" "The line or the item is not JSON.";
    InvalidEvent "invalid_event" "The item is not an object with the fields of an event.";
    InvalidId "invalid_id" "`id` is not 1 to 255 printable characters.";
    InvalidAppId "invalid_app_id" "`app_id` is not 1 to 128 printable characters.";
    UnknownMetric "unknown_metric" "`metric` is unknown.";
    InvalidQuantity "invalid_quantity" "`quantity` is not an integer within the metric's limits.";
    InvalidTimestamp "invalid_timestamp" "`timestamp` is not an RFC 3339 instant.";
    TimestampTooOld "timestamp_too_old" "`timestamp` is more than 35 days ago.";
    TimestampInFuture "timestamp_in_future" "`timestamp` is more than 5 minutes ahead.";
    InvalidProperties "invalid_properties" "`properties` is not an object, is larger than 4,096 bytes, or contains a NUL character.";
    InvalidCorrects "invalid_corrects" "`corrects` is not the id of another event.";
    CorrectedEventUnknown "corrected_event_unknown" "No event has the id in `corrects` with this metric, app and timestamp.";
    TooManyCorrections "too_many_corrections" "The request has more than 500 corrections.";
    UsageCapReached "usage_cap_reached" "A cap of the customer refuses the event.";
}

impl RejectionCode {
    /// The table of `docs/guide/usage-events.md`.
    pub fn markdown_table() -> String {
        let rows = RejectionCode::ALL.iter().map(|code| format!("| `{}` | {} |\n", code.as_str(), code.meaning()));
        std::iter::once("| code of a rejected item | meaning |\n| --- | --- |\n".to_owned()).chain(rows).collect()
    }
}

/// Why an event was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Rejection {
    /// Its index in the request, from 0.
    pub index: usize,
    /// Its id, if it could be parsed.
    pub id: Option<String>,
    pub code: RejectionCode,
    pub detail: String,
}

impl Rejection {
    pub fn new(index: usize, id: Option<&str>, code: RejectionCode, detail: String) -> Rejection {
        Rejection { index, id: id.map(|id| id.chars().take(255).collect()), code, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_serialized_as_documented() {
        for code in RejectionCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
