//! How values for each metric read and write in the public API: an object with a field for each
//! metric, flattened into the object around it where the API has no object of its own. The names of
//! the fields come from the definitions.

use super::{Definition, Gigabytes, Metric, PerMetric, Unit};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess},
    ser::SerializeMap,
};
use std::{fmt, marker::PhantomData};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, Object, ObjectBuilder, OneOfBuilder, Ref, Schema, SchemaFormat, SchemaType, Type},
    },
};

/// Which of a metric's names a field has.
type Naming = fn(&Definition) -> &'static str;

/// A value that the API writes in the unit that people read.
pub trait InUnit: Sized {
    fn write<S: Serializer>(&self, unit: Unit, s: S) -> Result<S::Ok, S::Error>;

    fn read<'de, D: Deserializer<'de>>(unit: Unit, d: D) -> Result<Self, D::Error>;

    fn schema(unit: Unit) -> RefOr<Schema>;
}

impl InUnit for u64 {
    fn write<S: Serializer>(&self, unit: Unit, s: S) -> Result<S::Ok, S::Error> {
        match unit {
            Unit::Count => self.serialize(s),
            Unit::Bytes => Gigabytes(*self).serialize(s),
        }
    }

    fn read<'de, D: Deserializer<'de>>(unit: Unit, d: D) -> Result<u64, D::Error> {
        match unit {
            Unit::Count => u64::deserialize(d),
            Unit::Bytes => Gigabytes::deserialize(d).map(|bytes| bytes.0),
        }
    }

    fn schema(unit: Unit) -> RefOr<Schema> {
        match unit {
            Unit::Count => <u64 as PartialSchema>::schema(),
            Unit::Bytes => gigabytes(),
        }
    }
}

impl InUnit for Option<u64> {
    fn write<S: Serializer>(&self, unit: Unit, s: S) -> Result<S::Ok, S::Error> {
        match unit {
            Unit::Count => self.serialize(s),
            Unit::Bytes => self.map(Gigabytes).serialize(s),
        }
    }

    fn read<'de, D: Deserializer<'de>>(unit: Unit, d: D) -> Result<Option<u64>, D::Error> {
        match unit {
            Unit::Count => Option::deserialize(d),
            Unit::Bytes => Option::<Gigabytes>::deserialize(d).map(|bytes| bytes.map(|bytes| bytes.0)),
        }
    }

    fn schema(unit: Unit) -> RefOr<Schema> {
        match unit {
            Unit::Count => ObjectBuilder::new()
                .schema_type(SchemaType::from_iter([Type::Integer, Type::Null]))
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                .minimum(Some(0))
                .into(),
            Unit::Bytes => OneOfBuilder::new().item(gigabytes()).item(ObjectBuilder::new().schema_type(Type::Null)).into(),
        }
    }
}

fn gigabytes() -> RefOr<Schema> {
    Ref::from_schema_name(Gigabytes::name()).into()
}

impl<T: Serialize> Serialize for PerMetric<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        write(self, |definition| definition.name, |_, value| value, s)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for PerMetric<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        complete(read(d, |definition| definition.name, |_| PhantomData)?, |definition| definition.name)
    }
}

impl<T: PartialSchema> PerMetric<T> {
    /// An object whose fields have the schema of `T`.
    pub fn inline() -> Object {
        object(|definition| definition.name, |_| T::schema(), true)
    }
}

impl<T: ToSchema> PerMetric<T> {
    /// An object whose fields refer to the schema of `T`.
    pub fn references() -> Object {
        object(|definition| definition.name, |_| Ref::from_schema_name(T::name()).into(), true)
    }
}

/// The functions of a module that reads and writes quantities in the unit that people read.
macro_rules! quantities_in_unit {
    ($naming:expr) => {
        pub fn serialize<T: InUnit, S: Serializer>(values: &PerMetric<T>, s: S) -> Result<S::Ok, S::Error> {
            write(values, $naming, InUnitOf::new, s)
        }

        pub fn deserialize<'de, T: InUnit, D: Deserializer<'de>>(d: D) -> Result<PerMetric<T>, D::Error> {
            complete(read(d, $naming, Seed::new)?, $naming)
        }

        pub fn schema<T: InUnit>() -> Object {
            object($naming, |metric| T::schema(metric.unit()), true)
        }
    };
}

/// Fields with the keys of the metrics: `"impressions": …, "data_transfer": …`.
pub mod by_key {
    use super::*;

    const KEY: Naming = |definition| definition.key;

    pub fn serialize<T: Serialize, S: Serializer>(values: &PerMetric<T>, s: S) -> Result<S::Ok, S::Error> {
        write(values, KEY, |_, value| value, s)
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<PerMetric<T>, D::Error> {
        complete(read(d, KEY, |_| PhantomData)?, KEY)
    }

    pub fn schema<T: PartialSchema>() -> Object {
        object(KEY, |_| T::schema(), true)
    }

    /// The same with quantities in the unit that people read.
    pub mod in_unit {
        use super::*;

        quantities_in_unit!(KEY);
    }
}

/// Quantities in the unit that people read: `"impressions": 12, "data_transfer_gb": 37.25`.
pub mod in_unit {
    use super::*;

    const FIELD: Naming = |definition| definition.field;

    quantities_in_unit!(FIELD);
}

/// What a plan includes: `"included_impressions": 10, "included_data_transfer_gb": 500`; null for
/// each where the plan is unknown.
pub mod included {
    use super::*;

    const INCLUDED: Naming = |definition| definition.included;

    pub fn serialize<S: Serializer>(values: &Option<PerMetric<u64>>, s: S) -> Result<S::Ok, S::Error> {
        let each = PerMetric::from_fn(|metric| values.map(|values| values[metric]));
        write(&each, INCLUDED, InUnitOf::new, s)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<PerMetric<u64>>, D::Error> {
        Ok(read::<Option<u64>, _, _>(d, INCLUDED, Seed::new)?.map(Option::flatten).transpose())
    }

    pub fn schema() -> Object {
        let field = |metric: Metric| match <Option<u64> as InUnit>::schema(metric.unit()) {
            RefOr::T(Schema::Object(mut field)) => {
                field.description = Some("Per period; null where it is unknown.".to_owned());
                field.into()
            }
            other => other,
        };
        object(INCLUDED, field, false)
    }
}

fn write<'a, T, E: Serialize, S: Serializer>(
    values: &'a PerMetric<T>,
    naming: Naming,
    entry: impl Fn(Metric, &'a T) -> E,
    s: S,
) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(Metric::ALL.len()))?;
    for (metric, value) in values.iter() {
        map.serialize_entry(naming(metric.definition()), &entry(metric, value))?;
    }
    map.end()
}

struct InUnitOf<'a, T> {
    unit: Unit,
    value: &'a T,
}

impl<'a, T> InUnitOf<'a, T> {
    const fn new(metric: Metric, value: &'a T) -> InUnitOf<'a, T> {
        InUnitOf { unit: metric.unit(), value }
    }
}

impl<T: InUnit> Serialize for InUnitOf<'_, T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.value.write(self.unit, s)
    }
}

/// The fields of the metrics that an object has. Other fields belong to the object around them.
fn read<'de, T, D: Deserializer<'de>, S: DeserializeSeed<'de, Value = T>>(
    d: D,
    naming: Naming,
    seed: impl Fn(Metric) -> S,
) -> Result<PerMetric<Option<T>>, D::Error> {
    d.deserialize_map(Fields { naming, seed, value: PhantomData })
}

struct Fields<T, F> {
    naming: Naming,
    seed: F,
    value: PhantomData<T>,
}

impl<'de, T, S: DeserializeSeed<'de, Value = T>, F: Fn(Metric) -> S> de::Visitor<'de> for Fields<T, F> {
    type Value = PerMetric<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a field for each metric")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = PerMetric::from_fn(|_| None);
        while let Some(name) = map.next_key::<String>()? {
            match Metric::ALL.into_iter().find(|metric| (self.naming)(metric.definition()) == name) {
                Some(metric) => values[metric] = Some(map.next_value_seed((self.seed)(metric))?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(values)
    }
}

struct Seed<T> {
    unit: Unit,
    value: PhantomData<T>,
}

impl<T> Seed<T> {
    const fn new(metric: Metric) -> Seed<T> {
        Seed { unit: metric.unit(), value: PhantomData }
    }
}

impl<'de, T: InUnit> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<T, D::Error> {
        T::read(self.unit, d)
    }
}

fn complete<T, E: de::Error>(values: PerMetric<Option<T>>, naming: Naming) -> Result<PerMetric<T>, E> {
    let missing = values.iter().find(|(_, value)| value.is_none()).map(|(metric, _)| naming(metric.definition()));
    values.transpose().ok_or_else(|| E::missing_field(missing.unwrap_or_default()))
}

fn object(naming: Naming, value: impl Fn(Metric) -> RefOr<Schema>, required: bool) -> Object {
    let object = Metric::ALL.into_iter().fold(ObjectBuilder::new(), |object, metric| {
        let name = naming(metric.definition());
        let object = object.property(name, value(metric));
        if required { object.required(name) } else { object }
    });
    object.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// The shapes of `GET /billing/usage/current`, around fields of its own.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Shapes {
        before: u8,
        #[serde(flatten, with = "in_unit")]
        used: PerMetric<u64>,
        #[serde(flatten, with = "included")]
        included: Option<PerMetric<u64>>,
        #[serde(with = "by_key")]
        costs: PerMetric<Option<i64>>,
        daily: PerMetric<u64>,
        after: Option<u8>,
    }

    fn numbers(start: u64) -> PerMetric<u64> {
        PerMetric::from_fn(|metric| start + metric as u64)
    }

    #[test]
    fn fields_have_the_names_and_units_of_the_contract() {
        let used = numbers(2_500_000_000);
        let shapes =
            Shapes { before: 1, used, included: Some(numbers(7)), costs: numbers(3).map(|n| n.try_into().ok()), daily: used, after: None };
        assert_eq!(
            serde_json::to_string(&shapes).unwrap(),
            "{\"before\":1,\
             \"impressions\":2500000000,\"api_calls\":2500000001,\"data_transfer_gb\":2.500000002,\"storage_gb\":2.500000003,\
             \"included_impressions\":7,\"included_api_calls\":8,\"included_data_transfer_gb\":9e-9,\"included_storage_gb\":1e-8,\
             \"costs\":{\"impressions\":3,\"api_calls\":4,\"data_transfer\":5,\"storage\":6},\
             \"daily\":{\"impressions\":2500000000,\"api_calls\":2500000001,\"data_transfer_bytes\":2500000002,\"storage_bytes\":2500000003},\
             \"after\":null}"
        );
        let unknown = serde_json::to_value(Shapes { included: None, ..shapes }).unwrap();
        assert_eq!((&unknown["included_api_calls"], &unknown["included_data_transfer_gb"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_missing_metric_is_named() {
        let error = serde_json::from_value::<PerMetric<u8>>(json!({"impressions": 1, "data_transfer_bytes": 2, "clicks": 3})).unwrap_err();
        assert_eq!(error.to_string(), "missing field `api_calls`");
    }

    proptest! {
        #[test]
        fn every_shape_survives_a_round_trip(used in 0u64..1 << 50, included in prop::option::of(0u64..1 << 50), cost in prop::option::of(any::<i64>())) {
            let shapes = Shapes {
                before: 1, used: numbers(used), included: included.map(numbers), costs: PerMetric::from_fn(|_| cost),
                daily: numbers(used), after: Some(2),
            };
            let text = serde_json::to_string(&shapes).unwrap();
            prop_assert_eq!(serde_json::from_str::<Shapes>(&text).unwrap(), shapes);
        }
    }
}
