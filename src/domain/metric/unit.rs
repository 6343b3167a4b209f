//! Units of metrics and how people read and write them.

use crate::domain::money::group_thousands;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Bytes in a GB that is billed.
pub const BYTES_PER_GB: u64 = 1_000_000_000;

/// What a quantity of a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Things. People read the same number.
    Count,
    /// Bytes. People read GB of 10^9 bytes.
    Bytes,
}

impl Unit {
    /// A quantity as people read it, with its unit.
    pub fn show(self, quantity: u64) -> String {
        match self {
            Unit::Count => group_thousands(quantity),
            Unit::Bytes => format!("{} GB", Gigabytes(quantity)),
        }
    }

    /// Decimal places of the unit that people read in the metric's own unit.
    pub const fn places(self) -> u32 {
        match self {
            Unit::Count => 0,
            Unit::Bytes => 9,
        }
    }

    /// The largest quantity of one event. For bytes it is a petabyte, more than the day of a large
    /// CDN customer; sums of events stop at what a `bigint` holds.
    pub const fn max_per_event(self) -> u64 {
        match self {
            Unit::Count => 1_000_000_000_000,
            Unit::Bytes => 1_000_000_000_000_000,
        }
    }

    /// Whether its nouns are plural: calls are, transfer is.
    pub const fn is_plural(self) -> bool {
        matches!(self, Unit::Count)
    }
}

/// Bytes serialized as GB of 10^9 bytes: `37.25`, whole numbers without a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, utoipa::ToSchema)]
#[schema(value_type = f64, example = 37.25)]
pub struct Gigabytes(pub u64);

impl fmt::Display for Gigabytes {
    /// At most two decimals, rounded half up.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (u128::from(self.0) + 5_000_000) / 10_000_000;
        let whole = group_thousands(u64::try_from(hundredths / 100).unwrap_or(u64::MAX));
        match hundredths % 100 {
            0 => f.write_str(&whole),
            rest => f.write_str(format!("{whole}.{rest:02}").trim_end_matches('0')),
        }
    }
}

impl Serialize for Gigabytes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(BYTES_PER_GB) {
            s.serialize_u64(self.0 / BYTES_PER_GB)
        } else {
            s.serialize_f64(self.0 as f64 / BYTES_PER_GB as f64)
        }
    }
}

impl<'de> Deserialize<'de> for Gigabytes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let gb = f64::deserialize(d)?;
        Ok(Gigabytes((gb * BYTES_PER_GB as f64).round() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gigabytes_are_numbers() {
        assert_eq!(serde_json::to_string(&Gigabytes(37_250_000_000)).unwrap(), "37.25");
        assert_eq!(serde_json::to_string(&Gigabytes(500_000_000_000)).unwrap(), "500");
        assert_eq!(serde_json::from_str::<Gigabytes>("37.25").unwrap(), Gigabytes(37_250_000_000));
        assert_eq!(Gigabytes(1_234_560_000_000).to_string(), "1,234.56");
        assert_eq!(Gigabytes(1_500_000_000).to_string(), "1.5");
        assert_eq!(Gigabytes(999_999_999).to_string(), "1");
    }

    #[test]
    fn a_unit_is_ten_to_the_power_of_its_places() {
        assert_eq!(10u64.pow(Unit::Bytes.places()), BYTES_PER_GB);
        assert_eq!((Unit::Bytes.show(1_500_000_000), Unit::Count.show(1_500)), ("1.5 GB".to_owned(), "1,500".to_owned()));
    }

    proptest! {
        #[test]
        fn gigabytes_survive_a_round_trip(bytes in 0u64..1 << 50) {
            let text = serde_json::to_string(&Gigabytes(bytes)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Gigabytes>(&text).unwrap(), Gigabytes(bytes));
        }
    }
}
