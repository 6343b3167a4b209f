//! Finds how the two sides of an object differ.

use super::{Discrepancy, Field, Kind, Millionths, Object, Said};
use crate::domain::money::Currency;
use std::collections::BTreeMap;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// An object of one side, in the terms that both sides share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Stripe's id.
    pub id: String,
    /// When Stripe created it, in Unix seconds.
    pub created: i64,
    /// Stripe's id of the customer, if the object has it.
    pub customer: Option<String>,
    pub invoice: Option<String>,
    pub subscription: Option<String>,
    /// The parent of a refund or payment.
    pub charge: Option<String>,
    pub payment_intent: Option<String>,
    pub currency: Option<Currency>,
    pub status: Option<String>,
    /// The object's amount comes first, if it has one.
    pub figures: Vec<Figure>,
    /// Other compared facts; an absent one is unknown.
    pub facts: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    pub name: &'static str,
    /// None: unknown on this side, so it is not compared.
    pub value: Option<i64>,
    pub unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Minor units of the object's currency.
    Money,
    /// Counts must be equal.
    Count,
}

impl Figure {
    pub const fn money(name: &'static str, value: i64) -> Figure {
        Figure { name, value: Some(value), unit: Unit::Money }
    }

    pub const fn unsure(name: &'static str, value: Option<i64>, unit: Unit) -> Figure {
        Figure { name, value, unit }
    }
}

impl Record {
    /// All its facts.
    pub fn said(&self) -> BTreeMap<String, Said> {
        fields(self, self).into_iter().filter_map(|field| Some((field.name, field.internal?))).collect()
    }

    /// Whether the other side is equal, as far as both are known.
    pub fn agrees(&self, other: &Record) -> bool {
        fn alike<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_none() || other.is_none() || one == other
        }
        // Both sides of an object have the same facts in the same order.
        let figures = self.figures.iter().zip(&other.figures).all(|(one, other)| one.name == other.name && alike(&one.value, &other.value));
        self.figures.len() == other.figures.len()
            && figures
            && self.facts.iter().all(|(name, fact)| other.fact(name).is_none_or(|other| other == fact))
            && alike(&self.currency, &other.currency)
            && alike(&self.status, &other.status)
    }

    fn fact(&self, name: &str) -> Option<&String> {
        self.facts.iter().find(|(known, _)| *known == name).map(|(_, fact)| fact)
    }

    /// Its amount in minor units.
    fn worth(&self) -> Option<i64> {
        self.figures.iter().find(|figure| figure.unit == Unit::Money).and_then(|figure| figure.value)
    }
}

/// A time in the same format on both sides; a dash for none.
pub fn written(at: Option<OffsetDateTime>) -> String {
    at.and_then(|at| at.to_offset(time::UtcOffset::UTC).format(&Rfc3339).ok()).unwrap_or_else(|| "–".to_owned())
}

/// The share of Stripe's value up to which a difference is tolerated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance(pub Millionths);

impl Tolerance {
    /// Exact for all numbers.
    pub fn holds(self, internal: i64, stripe: i64) -> bool {
        let difference = (i128::from(internal) - i128::from(stripe)).unsigned_abs();
        difference * 1_000_000 <= u128::from(stripe.unsigned_abs()) * u128::from(self.0.0.unsigned_abs())
    }
}

/// Upper limit: a thousand million times the value.
const MOST_SHARE: i64 = 1_000_000_000_000_000;

/// The difference as a share of Stripe's value, rounded half up.
pub fn share(internal: i64, stripe: i64) -> Option<Millionths> {
    if stripe == 0 {
        return None;
    }
    let difference = (i128::from(internal) - i128::from(stripe)).unsigned_abs() * 1_000_000;
    let base = u128::from(stripe.unsigned_abs());
    Some(Millionths(i64::try_from((difference + base / 2) / base).unwrap_or(MOST_SHARE).min(MOST_SHARE)))
}

/// How an object differs between both sides: at most one discrepancy per kind, and none if both are
/// equal or both are absent.
pub fn compare(object: Object, internal: Option<&Record>, stripe: Option<&Record>, tolerance: Tolerance) -> Vec<Discrepancy> {
    let (internal, stripe) = match (internal, stripe) {
        (None, None) => return Vec::new(),
        (Some(internal), None) => return vec![missing(Kind::MissingInStripe, object, internal)],
        (None, Some(stripe)) => return vec![missing(Kind::MissingLocally, object, stripe)],
        (Some(internal), Some(stripe)) => (internal, stripe),
    };
    let sides = Sides { object, internal, stripe, fields: fields(internal, stripe), tolerance };
    if object == Object::Subscription {
        return sides.drift().into_iter().collect();
    }
    let currency = sides.currency();
    // Amounts of different currencies can't be compared.
    let amount = if currency.is_some() { None } else { sides.amount() };
    [currency, sides.status(), amount].into_iter().flatten().collect()
}

struct Sides<'a> {
    object: Object,
    internal: &'a Record,
    stripe: &'a Record,
    fields: Vec<Field>,
    tolerance: Tolerance,
}

impl Sides<'_> {
    fn discrepancy(&self, kind: Kind) -> Discrepancy {
        let of = |pick: fn(&Record) -> &Option<String>| pick(self.stripe).clone().or_else(|| pick(self.internal).clone());
        Discrepancy {
            kind,
            object: self.object,
            object_id: self.stripe.id.clone(),
            stripe_customer_id: of(|record| &record.customer),
            subscription_id: of(|record| &record.subscription),
            invoice_id: of(|record| &record.invoice),
            metric: None,
            field: None,
            internal_value: None,
            stripe_value: None,
            difference: None,
            percentage_diff: None,
            amount: 0,
            currency: self.stripe.currency.or(self.internal.currency),
            within_tolerance: false,
            fields: self.fields.clone(),
        }
    }

    fn of_field(&self, kind: Kind, field: &Field) -> Discrepancy {
        Discrepancy {
            field: Some(field.name.clone()),
            internal_value: field.internal.clone(),
            stripe_value: field.stripe.clone(),
            ..self.discrepancy(kind)
        }
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name && field.differs)
    }

    fn currency(&self) -> Option<Discrepancy> {
        let differing = self.field("currency")?;
        // The whole amount is at stake.
        let amount = magnitude(self.stripe.worth().unwrap_or(0));
        Some(Discrepancy { amount, ..self.of_field(Kind::Currency, differing) })
    }

    fn status(&self) -> Option<Discrepancy> {
        self.field("status").map(|differing| self.of_field(Kind::Status, differing))
    }

    /// The number that differs most represents all: they usually differ for one reason.
    fn amount(&self) -> Option<Discrepancy> {
        let differing: Vec<(&Figure, i64, i64)> = self.pairs().filter(|(_, internal, stripe)| internal != stripe).collect();
        let money = |figure: &Figure| figure.unit == Unit::Money;
        let size = |(figure, internal, stripe): &&(&Figure, i64, i64)| {
            let difference = (i128::from(*internal) - i128::from(*stripe)).unsigned_abs();
            (money(figure), difference, std::cmp::Reverse(stripe.unsigned_abs()))
        };
        // Of equals the first, so that the same drift always has the same description.
        let Some((figure, internal, stripe)) = differing.iter().rev().max_by_key(size) else { return self.fact() };
        let difference = internal.saturating_sub(*stripe);
        let field = self.field(figure.name)?;
        Some(Discrepancy {
            difference: Some(difference),
            percentage_diff: share(*internal, *stripe),
            amount: if money(figure) { magnitude(difference) } else { 0 },
            within_tolerance: self.fact().is_none()
                && differing.iter().all(|(figure, internal, stripe)| money(figure) && self.tolerance.holds(*internal, *stripe)),
            ..self.of_field(Kind::Amount, field)
        })
    }

    /// A non-integer value, such as an exact quantity.
    fn fact(&self) -> Option<Discrepancy> {
        let differing = self.internal.facts.iter().find_map(|(name, _)| self.field(name))?;
        Some(self.of_field(Kind::Amount, differing))
    }

    /// The numbers known to both sides.
    fn pairs(&self) -> impl Iterator<Item = (&Figure, i64, i64)> {
        self.internal.figures.iter().filter_map(|figure| {
            let stripe = self.stripe.figures.iter().find(|other| other.name == figure.name)?;
            Some((figure, figure.value?, stripe.value?))
        })
    }

    fn drift(&self) -> Option<Discrepancy> {
        let differing = self.fields.iter().find(|field| field.differs)?;
        Some(self.of_field(Kind::SubscriptionDrift, differing))
    }
}

fn missing(kind: Kind, object: Object, record: &Record) -> Discrepancy {
    let worth = record.worth();
    let said = worth.map(Said::Number).or_else(|| record.status.clone().map(Said::Text));
    let there = fields(record, record);
    // A void invoice is not collected (Stripe, "Status transitions and finalization").
    let is_void = object == Object::Invoice && record.status.as_deref() == Some("void");
    let amount = if is_void { 0 } else { magnitude(worth.unwrap_or(0)) };
    let here = kind == Kind::MissingInStripe;
    let fields = there.into_iter().map(|field| Field {
        internal: field.internal.filter(|_| here),
        stripe: field.stripe.filter(|_| !here),
        differs: true,
        name: field.name,
    });
    Discrepancy {
        kind,
        object,
        object_id: record.id.clone(),
        stripe_customer_id: record.customer.clone(),
        subscription_id: record.subscription.clone(),
        invoice_id: record.invoice.clone(),
        metric: None,
        field: None,
        internal_value: said.clone().filter(|_| here),
        stripe_value: said.filter(|_| !here),
        difference: worth.map(|worth| if here { worth } else { worth.saturating_neg() }),
        percentage_diff: None,
        amount,
        currency: record.currency,
        within_tolerance: false,
        fields: fields.collect(),
    }
}

/// Both sides next to each other. A field that is unknown on one side does not differ.
fn fields(internal: &Record, stripe: &Record) -> Vec<Field> {
    let code = |record: &Record| record.currency.map(|currency| Said::Text(currency.code().to_owned()));
    let status = |record: &Record| record.status.clone().map(Said::Text);
    let mut fields = Vec::with_capacity(2 + internal.figures.len() + internal.facts.len());
    for (name, internal, stripe) in [("status", status(internal), status(stripe)), ("currency", code(internal), code(stripe))] {
        if internal.is_some() || stripe.is_some() {
            let differs = internal.is_some() && stripe.is_some() && internal != stripe;
            fields.push(Field { name: name.to_owned(), internal, stripe, differs });
        }
    }
    for figure in &internal.figures {
        let other = stripe.figures.iter().find(|other| other.name == figure.name).and_then(|other| other.value);
        let differs = figure.value.is_some() && other.is_some() && figure.value != other;
        let (internal, stripe) = (figure.value.map(Said::Number), other.map(Said::Number));
        fields.push(Field { name: figure.name.to_owned(), internal, stripe, differs });
    }
    for (name, fact) in &internal.facts {
        let other = stripe.fact(name);
        let differs = other.is_some_and(|other| other != fact);
        let (internal, stripe) = (Some(Said::Text(fact.clone())), other.cloned().map(Said::Text));
        fields.push(Field { name: (*name).to_owned(), internal, stripe, differs });
    }
    fields
}

/// The absolute value; the minimum saturates to the maximum.
fn magnitude(amount: i64) -> i64 {
    amount.checked_abs().unwrap_or(i64::MAX)
}
