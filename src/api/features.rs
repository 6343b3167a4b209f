//! Switching features: for programs `PUT /admin/features/{name}`, for people the forms of `/admin/features`, which work without JavaScript.

use crate::{
    app::local_path::FEATURES,
    domain::features::Switch,
    guard,
    http::{
        problem::ApiError,
        request::{by, read},
        state::Server,
    },
    service::{self, Error, features},
};
use axum::{
    Form, Json,
    body::Bytes,
    extract::{Path, State},
    http::request::Parts,
    response::Redirect,
};
use serde::Deserialize;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    enabled: bool,
    #[serde(default)]
    reason: Option<String>,
}

/// `PUT /admin/features/{name}`: answers the switch as it stands now.
#[utoipa::path(
    put, path = "/api/v1/admin/features/{name}", tag = "Administration",
    summary = "Switch a feature",
    description = "Seen by every server within seconds. `BILLING_ENABLED=false` in the environment wins.",
    params(("name" = crate::domain::features::Feature, Path, description = "As `GET /api/v1/meta/features` names it")),
    request_body(content = Wanted),
    responses((status = 200, description = "The switch as it stands now", body = Switch)),
    extensions(("x-role" = json!("admin")), ("x-problems" = json!(["not_found", "bad_request", "invalid_json", "invalid_parameter"])))
)]
pub async fn switch(State(server): State<Server>, Path(name): Path<String>, parts: Parts, body: Bytes) -> Result<Json<Switch>, ApiError> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let feature = features::named(&name)?;
    let wanted: Wanted = read(&parts, &body)?;
    Ok(Json(features::switch(&staff.platform, &by(&staff.principal, &parts), feature, wanted.enabled, wanted.reason.as_deref()).await?))
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

/// `POST /admin/features`: leads back to the page, which says what it came to.
pub async fn submit(State(server): State<Server>, parts: Parts, Form(form): Form<Confirmed>) -> Redirect {
    Redirect::to(&match carry_out(server, &parts, &form).await {
        Ok(switch) => format!("{FEATURES}?done={}", switch.name),
        // The page says so by itself.
        Err(Error::Forbidden(_) | Error::Unauthenticated) => FEATURES.to_owned(),
        Err(error) => format!("{FEATURES}?refused={}", error.code()),
    })
}

async fn carry_out(server: Server, parts: &Parts, form: &Confirmed) -> service::Result<Switch> {
    let staff = guard::staff_of(server.platform, &parts.extensions)?;
    let feature = features::named(&form.name)?;
    let enabled = form.enabled.parse().map_err(|_| Error::invalid("enabled", "wants true or false"))?;
    features::switch(&staff.platform, &by(&staff.principal, parts), feature, enabled, Some(&form.reason)).await
}
