//! Settings that customers change: alerts, billing contacts, API keys. JSON under
//! `/api/v1/billing`, and the forms of `/billing/settings`, which work without JavaScript.

mod forms;

pub use forms::submit;

use crate::{
    domain::{
        alert::AlertSettings,
        email::EmailAddress,
        settings::{ApiKeySummary, Contact, NewApiKey},
    },
    http::{
        extract::{Changer, JsonBody, Manager, Path},
        idempotency::{Keys, Sender, once},
        problem::ApiError,
        state::Server,
    },
    service::{actor::By, alerts, caller::Caller, settings},
};
use axum::{
    Json,
    http::{HeaderName, StatusCode, header},
};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouterExt},
    routes,
};

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default()
        .routes(routes!(put_alerts))
        .routes(routes!(contacts))
        .routes(routes!(put_contact).layer(once(Keys::Optional, Sender::Changer)))
        .routes(routes!(remove_contact))
        .routes(routes!(api_keys, create_api_key))
        .routes(routes!(revoke_api_key))
}

/// Alert settings to save.
#[derive(utoipa::ToSchema)]
pub struct AlertChange {
    #[serde(flatten)]
    pub settings: AlertSettings,
    /// Saves a cap that current usage has already reached.
    #[serde(default)]
    pub confirm: bool,
}

/// `PUT /billing/alerts`: replaces all settings and returns them.
#[utoipa::path(
    put, path = "/api/v1/billing/alerts", tag = "Alerts",
    summary = "Replace the alert settings",
    description = "Takes the same object as `GET` returns. Missing fields get the defaults: alerts at 80, 90, 100 and 110 percent, the billing \
                   contacts as recipients, no cap. A cap that usage has reached already refuses events from now on: it is saved only with \
                   `confirm` set to true.",
    params(crate::app::calls::parameters::OfCustomer),
    request_body(content = AlertChange),
    responses((status = 200, description = "The new settings", body = AlertSettings)),
    extensions(("x-role" = json!("publisher")), ("x-problems" = json!(["viewing_as", "not_found", "bad_request", "invalid_json", "invalid_parameter", "cap_confirmation_required"])))
)]
pub async fn put_alerts(Changer(caller): Changer, by: By, JsonBody(body): JsonBody<Value>) -> Result<Json<AlertSettings>, ApiError> {
    Ok(Json(alerts::put(&caller.platform, &by, caller.customer, &body).await?))
}

/// `GET /billing/contacts`.
#[utoipa::path(
    get, path = "/api/v1/billing/contacts", tag = "Settings",
    summary = "Recipients of mail about bills",
    params(crate::app::calls::parameters::OfCustomer),
    responses((status = 200, description = "All contacts", body = Vec<Contact>)),
    extensions(("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn contacts(caller: Caller) -> Result<Json<Vec<Contact>>, ApiError> {
    Ok(Json(settings::contacts(&caller.platform, caller.customer).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactDraft {
    #[schema(value_type = EmailAddress)]
    email: String,
    #[schema(max_length = 100)]
    #[serde(default)]
    name: Option<String>,
}

/// `POST /billing/contacts`: adds a contact, or renames the one with this address.
#[utoipa::path(
    post, path = "/api/v1/billing/contacts", tag = "Settings",
    summary = "Add a billing contact",
    description = "Renames an existing contact with this address. At most 20.",
    params(crate::app::calls::parameters::OfCustomer),
    request_body(content = ContactDraft),
    responses((status = 201, description = "The contact", body = Contact)),
    extensions(("x-role" = json!("publisher")), ("x-idempotency-key" = json!("optional")), ("x-problems" = json!(["viewing_as", "not_found", "bad_request", "invalid_json", "invalid_parameter"])))
)]
pub async fn put_contact(
    Changer(caller): Changer,
    by: By,
    JsonBody(draft): JsonBody<ContactDraft>,
) -> Result<(StatusCode, Json<Contact>), ApiError> {
    let contact = settings::put_contact(&caller.platform, &by, caller.customer, draft.name.as_deref(), &draft.email).await?;
    Ok((StatusCode::CREATED, Json(contact)))
}

/// `DELETE /billing/contacts/{id}`.
#[utoipa::path(
    delete, path = "/api/v1/billing/contacts/{id}", tag = "Settings",
    summary = "Remove a billing contact",
    params(("id" = uuid::Uuid, Path, description = "The contact's id"), crate::app::calls::parameters::OfCustomer),
    responses((status = 204, description = "Removed")),
    extensions(("x-role" = json!("publisher")), ("x-problems" = json!(["viewing_as", "not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn remove_contact(Changer(caller): Changer, by: By, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    settings::remove_contact(&caller.platform, &by, caller.customer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /billing/api-keys`: active keys, without their secrets.
#[utoipa::path(
    get, path = "/api/v1/billing/api-keys", tag = "Settings",
    summary = "API keys",
    params(crate::app::calls::parameters::OfCustomer),
    responses((status = 200, description = "Active keys, without their secrets", body = Vec<ApiKeySummary>)),
    extensions(("x-role" = json!("publisher")), ("x-problems" = json!(["not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn api_keys(Manager(caller): Manager) -> Result<Json<Vec<ApiKeySummary>>, ApiError> {
    Ok(Json(settings::api_keys(&caller.platform, caller.customer).await?))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyDraft {
    #[schema(min_length = 1, max_length = 100, example = "build server")]
    name: String,
}

/// `POST /billing/api-keys`: only this response contains the key.
#[utoipa::path(
    post, path = "/api/v1/billing/api-keys", tag = "Settings",
    summary = "Make a key",
    description = "Only this response contains the key. At most 50.",
    params(crate::app::calls::parameters::OfCustomer),
    request_body(content = KeyDraft),
    responses((status = 201, description = "The key", body = NewApiKey,
        headers(("Cache-Control" = String, description = "`no-store`")))),
    extensions(("x-role" = json!("publisher")), ("x-problems" = json!(["viewing_as", "not_found", "bad_request", "invalid_json", "invalid_parameter"])))
)]
pub async fn create_api_key(
    Changer(caller): Changer,
    by: By,
    JsonBody(draft): JsonBody<KeyDraft>,
) -> Result<(StatusCode, [(HeaderName, &'static str); 1], Json<NewApiKey>), ApiError> {
    let made = settings::create_api_key(&caller.platform, &by, caller.customer, &draft.name).await?;
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(made)))
}

/// `DELETE /billing/api-keys/{id}`: revokes it.
#[utoipa::path(
    delete, path = "/api/v1/billing/api-keys/{id}", tag = "Settings",
    summary = "Revoke a key",
    params(("id" = uuid::Uuid, Path, description = "The key's id"), crate::app::calls::parameters::OfCustomer),
    responses((status = 204, description = "Revoked; requests with it are unauthenticated")),
    extensions(("x-role" = json!("publisher")), ("x-problems" = json!(["viewing_as", "not_found", "bad_request", "invalid_parameter"])))
)]
pub async fn revoke_api_key(Changer(caller): Changer, by: By, Path(id): Path<String>) -> Result<StatusCode, ApiError> {
    settings::revoke_api_key(&caller.platform, &by, caller.customer, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
