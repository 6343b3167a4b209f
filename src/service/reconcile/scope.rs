//! The scope of a run.

use crate::{
    domain::identity::CustomerId,
    service::{Error, Platform, Result, parameter},
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
        // Stripe's timestamps are whole seconds.
        let second = |at: OffsetDateTime| at.replace_nanosecond(0).unwrap_or(at);
        let now = second(platform.clock.now()) + Duration::SECOND;
        let instant = |name, text: &Option<String>, shift| {
            parameter::given(text.clone()).map(|text| parameter::instant(name, &text, shift).map(second)).transpose()
        };
        let from = instant("from", &asked.from, Duration::ZERO)?;
        let to = instant("to", &asked.to, Duration::DAY)?.map_or(now, |to| to.min(now));
        if from.is_some_and(|from| from >= to) {
            return Err(Error::invalid("from", "must be before `to`, and not in the future"));
        }
        let Some(named) = parameter::given(asked.customer_id.clone()) else { return Ok(Scope { customer: None, from, to }) };
        let unknown = || Error::invalid("customer_id", "is not a customer");
        let customer = CustomerId(named.parse().map_err(|_| unknown())?);
        if customers::name(&platform.db, customer).await?.is_none() {
            return Err(unknown());
        }
        if customers::stripe_id(&platform.db, customer).await?.is_none() {
            return Err(Error::invalid("customer_id", "is a customer without a Stripe id"));
        }
        Ok(Scope { customer: Some(customer), from, to })
    }
}
