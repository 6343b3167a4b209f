//! Tax rates and prices that events only reference by id: each is fetched once, and the invoices
//! that reference it then show it.

use super::{Platform, Result};
use crate::{
    domain::mirror::snapshot::Lookup,
    store::postgres::mirror::lookups as store,
    stripe::{
        client::{Client, StripeError},
        webhook::read::{read_price, read_tax_rate},
    },
};
use serde_json::Value;

/// Fetches unknown referenced objects, at most this many; returns how many.
///
/// # Errors
/// Stripe is unavailable: the rest is left for the next run.
pub(super) async fn run(platform: &Platform, limit: i64) -> Result<u64> {
    let mut fetched = 0;
    for due in store::due(&platform.db, platform.clock.now(), limit).await? {
        if !due.known {
            fetched += 1;
            if !look_up(platform, &due).await? {
                continue;
            }
        }
        store::settle(&platform.db, &due.id, platform.clock.now()).await?;
    }
    Ok(fetched)
}

/// Whether its content is final, including that Stripe does not have it.
async fn look_up(platform: &Platform, due: &store::Due) -> Result<bool> {
    let error = match retrieve(platform.stripe()?, due).await {
        Ok(Found::TaxRate(rate)) => {
            store::put_tax_rate(&platform.db, &rate).await?;
            return Ok(true);
        }
        Ok(Found::Price(transform_quantity)) => {
            store::put_price(&platform.db, &due.id, transform_quantity).await?;
            return Ok(true);
        }
        Err(error) => error,
    };
    let missing = error.is_missing();
    tracing::warn!(object = due.lookup.object(), id = due.id, %error, missing, "Stripe object can't be fetched");
    store::failed(&platform.db, &due.id, &error.to_string(), missing, platform.clock.now()).await?;
    error.if_it_concerns_all().map_or(Ok(missing), |error| Err(error.into()))
}

enum Found {
    TaxRate(crate::domain::mirror::snapshot::TaxRateSnapshot),
    Price(Option<crate::domain::invoice::TransformQuantity>),
}

async fn retrieve(client: &Client, due: &store::Due) -> std::result::Result<Found, StripeError> {
    let object: Value = client.retrieve_named(due.lookup, &due.id).await?.read()?;
    if object["id"] != *due.id || object["object"] != due.lookup.object() {
        return Err(StripeError::Unreadable(format!("the response for {} is another object", due.id)));
    }
    let found = match due.lookup {
        Lookup::TaxRate => read_tax_rate(&object).map(Found::TaxRate),
        Lookup::Price => read_price(&object).map(Found::Price),
    };
    found.map_err(|error| StripeError::Unreadable(error.to_string()))
}
