//! Switching features: `PUT /admin/features/{name}` for API clients, and the forms of
//! `/admin/features`, which work without JavaScript.

use crate::{
    app::local_path::FEATURES,
    domain::features::Switch,
    http::{
        extract::{FormBody, JsonBody, Path},
        problem::ApiError,
        state::Server,
    },
    service::{Error, actor::By, caller::Staff, features},
};
use axum::{Json, response::Redirect};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(switch))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    enabled: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// `PUT /admin/features/{name}`: returns the switch's new state.
#[utoipa::path(
    put, path = "/api/v1/admin/features/{name}", tag = "Administration",
    summary = "Switch a feature",
    description = "Takes effect on every server within seconds. `BILLING_ENABLED=false` in the environment overrides it.",
    params(("name" = crate::domain::features::Feature, Path, description = "The name in `GET /api/v1/meta/features`")),
    request_body(content = Wanted),
    responses((status = 200, description = "The switch's new state", body = Switch)),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_parameter"])))
)]
pub async fn switch(staff: Staff, by: By, Path(name): Path<String>, JsonBody(wanted): JsonBody<Wanted>) -> Result<Json<Switch>, ApiError> {
    let feature = features::named(&name)?;
    Ok(Json(features::switch(&staff.platform, &by, feature, wanted.enabled, wanted.reason.as_deref()).await?))
}

/// A form of the page.
#[derive(Deserialize)]
pub struct Confirmed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    enabled: String,
    #[serde(default)]
    reason: String,
}

/// `POST /admin/features`: redirects to the page, which shows the result.
pub async fn submit(staff: Result<Staff, ApiError>, by: Result<By, ApiError>, FormBody(form): FormBody<Confirmed>) -> Redirect {
    Redirect::to(&match carry_out(staff, by, &form).await {
        Ok(switch) => format!("{FEATURES}?done={}", switch.name),
        // The page shows it.
        Err(ApiError(Error::Forbidden(_) | Error::Unauthenticated)) => FEATURES.to_owned(),
        Err(ApiError(error)) => format!("{FEATURES}?refused={}", error.code()),
    })
}

async fn carry_out(staff: Result<Staff, ApiError>, by: Result<By, ApiError>, form: &Confirmed) -> Result<Switch, ApiError> {
    let (staff, by) = (staff?, by?);
    let feature = features::named(&form.name)?;
    let enabled = form.enabled.parse().map_err(|_| Error::invalid("enabled", "must be true or false"))?;
    Ok(features::switch(&staff.platform, &by, feature, enabled, Some(&form.reason)).await?)
}
