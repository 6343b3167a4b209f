//! The scope of a run.

use crate::{
    domain::{
        identity::CustomerId,
        list::{Parameter, TimeBound},
    },
    service::{Error, Platform, Result, parameter::value},
    store::postgres::customers,
};
use serde::Deserialize;
use time::{Duration, OffsetDateTime};

/// The unparsed scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub customer_id: Option<String>,
    /// Objects created in `[from, to)`: instants, or dates; the last date is included.
    pub from: Option<String>,
    pub to: Option<String>,
    #[serde(default)]
    pub repair: bool,
}

/// The parsed scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    pub customer: Option<CustomerId>,
    pub from: Option<OffsetDateTime>,
    pub to: OffsetDateTime,
}

impl Scope {
    pub async fn of(platform: &Platform, asked: &Asked) -> Result<Scope> {
        let unknown = || Error::invalid("customer_id", "is not a customer");
        // Stripe's timestamps are whole seconds.
        let second = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at);
        let now = second(platform.clock.now()) + Duration::SECOND;
        let bound = |name, text: &Option<String>| value(name, Parameter::<TimeBound>::parse(text.as_deref().unwrap_or_default()));
        let from = bound("from", &asked.from)?.map(|from| second(from.start()));
        let to = bound("to", &asked.to)?.map_or(now, |to| second(to.end()).min(now));
        if from.is_some_and(|from| from >= to) {
            return Err(Error::invalid("from", "must be before `to`, and not in the future"));
        }
        let customer = match Parameter::<CustomerId>::parse(asked.customer_id.as_deref().unwrap_or_default()) {
            Parameter::Absent => return Ok(Scope { customer: None, from, to }),
            Parameter::Given(customer) => customer,
            Parameter::Invalid { .. } => return Err(unknown()),
        };
        if customers::name(&platform.db, customer).await?.is_none() {
            return Err(unknown());
        }
        if customers::stripe_id(&platform.db, customer).await?.is_none() {
            return Err(Error::invalid("customer_id", "is a customer without a Stripe id"));
        }
        Ok(Scope { customer: Some(customer), from, to })
    }
}
