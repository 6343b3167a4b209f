//! What is metered: one table with a definition for each metric.
//!
//! A new metric is an entry of the table in this file, a migration that adds it to the table
//! `metrics` and to the plans, and its event name in `Leptos.toml`. No other source file names a
//! metric; everything that depends on one asks its [`Definition`], loops over [`Metric::ALL`] or
//! stores a [`PerMetric`].

mod json;
mod per_metric;
mod unit;

pub use json::{InUnit, by_key, in_unit, included};
pub use per_metric::{PerMetric, Quantities};
pub use unit::{BYTES_PER_GB, Gigabytes, Unit};

use super::language::Translated;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{fmt, str::FromStr};

/// What distinguishes one metric from the others.
#[derive(Debug)]
pub struct Definition {
    /// The name that senders, the database and API fields in the metric's own unit use. It is also
    /// the default name of the meter events at Stripe.
    pub name: &'static str,
    /// The name of API fields that hold an object or money, such as overages.
    pub key: &'static str,
    /// The name of API fields that hold a quantity in the unit that people read.
    pub field: &'static str,
    /// The name of the API field for the quantity that a plan includes, in the unit that people
    /// read.
    pub included: &'static str,
    /// A heading.
    pub title: Translated,
    /// The name within a sentence.
    pub noun: Translated,
    pub unit: Unit,
}

/// Makes the enum and its table from one list, so that an entry can't be missing in either.
macro_rules! metrics {
    ($($(#[cfg($condition:meta)])? $variant:ident = $definition:expr;)+) => {
        /// A metered quantity. Data transfer is counted in bytes and billed in GB of 10^9 bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $($(#[cfg($condition)])? $variant,)+
        }

        const METRICS: &[Metric] = &[$($(#[cfg($condition)])? Metric::$variant,)+];
        const DEFINITIONS: &[Definition] = &[$($(#[cfg($condition)])? $definition,)+];
    };
}

metrics! {
    Impressions = Definition {
        name: "impressions",
        key: "impressions",
        field: "impressions",
        included: "included_impressions",
        title: Translated { en: "Impressions", de: "Impressionen", fr: "Impressions" },
        noun: Translated { en: "impressions", de: "Impressionen", fr: "impressions" },
        unit: Unit::Count,
    };
    ApiCalls = Definition {
        name: "api_calls",
        key: "api_calls",
        field: "api_calls",
        included: "included_api_calls",
        title: Translated { en: "API calls", de: "API-Aufrufe", fr: "Appels d’API" },
        noun: Translated { en: "API calls", de: "API-Aufrufe", fr: "appels d’API" },
        unit: Unit::Count,
    };
    DataTransferBytes = Definition {
        name: "data_transfer_bytes",
        key: "data_transfer",
        field: "data_transfer_gb",
        included: "included_data_transfer_gb",
        title: Translated { en: "Data transfer", de: "Datenübertragung", fr: "Transfert de données" },
        noun: Translated { en: "data transfer", de: "Datenübertragung", fr: "transfert de données" },
        unit: Unit::Bytes,
    };
    // Only in this crate's unit tests: they run with a fourth metric, which shows that an entry
    // here is enough.
    #[cfg(test)]
    StorageBytes = Definition {
        name: "storage_bytes",
        key: "storage",
        field: "storage_gb",
        included: "included_storage_gb",
        title: Translated { en: "Storage", de: "Speicher", fr: "Stockage" },
        noun: Translated { en: "storage", de: "Speicher", fr: "stockage" },
        unit: Unit::Bytes,
    };
}

/// How many metrics there are.
const COUNT: usize = METRICS.len();

impl Metric {
    /// All metrics, in the order of pages and invoices.
    pub const ALL: [Metric; COUNT] = *METRICS.first_chunk().expect("as many as there are");

    pub const fn definition(self) -> &'static Definition {
        &DEFINITIONS[self as usize]
    }

    /// The name that senders and the database use.
    pub const fn as_str(self) -> &'static str {
        self.definition().name
    }

    /// A heading, in the language of the API.
    pub const fn title(self) -> &'static str {
        self.definition().title.en
    }

    /// The name within a sentence, in the language of the API.
    pub const fn noun(self) -> &'static str {
        self.definition().noun.en
    }

    pub const fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Every name, as statements of SQL take them.
    pub fn names() -> [&'static str; COUNT] {
        Metric::ALL.map(Metric::as_str)
    }

    /// A quantity as people read it, with its unit.
    pub fn show(self, quantity: u64) -> String {
        self.unit().show(quantity)
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
            .ok_or_else(|| format!("`{s}` is not a metric; it is one of {}", Metric::names().join(", ")))
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Name;

        impl de::Visitor<'_> for Name {
            type Value = Metric;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a metric")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Metric, E> {
                name.parse().map_err(E::custom)
            }
        }

        d.deserialize_str(Name)
    }
}

mod schema {
    use super::Metric;
    use utoipa::{
        PartialSchema, ToSchema,
        openapi::{
            RefOr,
            schema::{ObjectBuilder, Schema, Type},
        },
    };

    impl PartialSchema for Metric {
        fn schema() -> RefOr<Schema> {
            ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some("A metered quantity. Data transfer is counted in bytes and billed in GB of 10^9 bytes."))
                .enum_values(Some(Metric::names()))
                .into()
        }
    }

    impl ToSchema for Metric {
        fn name() -> std::borrow::Cow<'static, str> {
            "Metric".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_name_belongs_to_one_metric() {
        let names: [fn(&Definition) -> &'static str; 6] =
            [|d| d.name, |d| d.key, |d| d.field, |d| d.included, |d| d.title.en, |d| d.noun.en];
        for of in names {
            let names: HashSet<&str> = Metric::ALL.map(|metric| of(metric.definition())).into();
            assert!(names.len() == COUNT && !names.contains(""), "{names:?}");
        }
    }

    #[test]
    fn a_metric_reads_and_writes_as_its_name() {
        for metric in Metric::ALL {
            let json = serde_json::to_string(&metric).unwrap();
            assert_eq!(json, format!("\"{metric}\""));
            assert_eq!(serde_json::from_str::<Metric>(&json).unwrap(), metric);
        }
        assert!(serde_json::from_str::<Metric>("\"clicks\"").unwrap_err().to_string().contains("one of impressions, api_calls, "));
    }

    #[test]
    fn definitions_are_in_the_order_of_the_metrics() {
        assert_eq!(Metric::Impressions.as_str(), "impressions");
        assert_eq!(Metric::StorageBytes.as_str(), "storage_bytes");
        assert_eq!(DEFINITIONS.len(), COUNT);
    }
}
