//! Tax rates: events name them by their ids alone.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    lists::{TimeRange, newest_first},
    store::{Store, built, set, take_metadata},
};
use serde_json::{Value, json};

impl Store {
    pub fn create_tax_rate(&mut self, params: &Params) -> Checked<Value> {
        params.only(&[
            "display_name",
            "percentage",
            "inclusive",
            "country",
            "state",
            "jurisdiction",
            "tax_type",
            "description",
            "metadata",
        ])?;
        let percentage: f64 = params.need("percentage")?.parse().map_err(|_| ApiError::invalid("Invalid decimal", "percentage"))?;
        let inclusive = params.boolean("inclusive")?.ok_or_else(|| ApiError::missing("inclusive"))?;
        let mut rate =
            built("tax_rate", json!({"id": self.id("txr_"), "created": self.now, "percentage": percentage, "inclusive": inclusive}));
        set(&mut rate, json!({"display_name": params.need("display_name")?}));
        for name in ["country", "state", "jurisdiction", "tax_type", "description"] {
            rate[name] = json!(params.text(name));
        }
        take_metadata(&mut rate, params);
        Ok(self.add("tax_rate", rate, "tax_rate.created"))
    }

    pub fn list_tax_rates(&self, params: &Params) -> Checked<Value> {
        params.only_filters(&["active", "inclusive", "created"])?;
        let created = TimeRange::read(params, "created")?;
        let (active, inclusive) = (params.boolean("active")?, params.boolean("inclusive")?);
        newest_first(self.all("tax_rate"), "tax_rate", params, "/v1/tax_rates", |rate| {
            created.holds(rate, "created")
                && active.is_none_or(|active| rate["active"] == active)
                && inclusive.is_none_or(|inclusive| rate["inclusive"] == inclusive)
        })
    }
}
