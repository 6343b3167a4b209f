//! What is switched on.

use super::Problem;
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};
use serde::{Deserialize, Serialize};

/// `GET /api/v1/meta/features`, for anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    pub billing_enabled: bool,
    pub usage_ingest_enabled: bool,
    pub invoice_pdf_enabled: bool,
}

/// What is switched on.
#[server(prefix = "/api/v1", endpoint = "meta/features", input = GetUrl, output = Json)]
pub async fn features() -> Result<Features, Problem> {
    Ok(crate::service::features::current(&crate::auth::guard::platform()?))
}
