//! `apex-billing openapi`: prints the OpenAPI document.

use crate::api::openapi;
use clap::Args;
use std::io::Write;

#[derive(Args)]
#[command(after_help = "Examples:\n  apex-billing openapi > openapi.json\n  apex-billing openapi | jq '.paths | keys'")]
pub struct OpenApi {}

impl OpenApi {
    pub async fn run(self) -> anyhow::Result<()> {
        Ok(std::io::stdout().write_all(openapi::text().as_bytes())?)
    }
}
