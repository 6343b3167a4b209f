//! `POST /billing/settings`: the page's forms. A success redirects to the page. A new key and
//! errors are rendered by the page itself, so that no secret is in a URL and no input is lost.

use crate::{
    app::{
        alert_form::{self, FormField, value},
        form_result::{Outcome, Refusal},
        local_path::SETTINGS,
        pages::settings::page as settings_page,
    },
    guard,
    http::{extract::FormBody, page::in_console, request::by, state::Server, unsaved},
    service::{Error, Result, alerts, caller::Caller, features, settings, usage},
};
use axum::{
    extract::State,
    http::{HeaderValue, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};

/// The response to an accepted form.
enum Done {
    /// A redirect to the page, with this message.
    Said(&'static str),
    Made(Box<crate::domain::settings::NewApiKey>),
}

/// Handles one of the page's forms, selected by its field `form`.
pub async fn submit(State(server): State<Server>, parts: Parts, FormBody(fields): FormBody<Vec<FormField>>) -> Response {
    // The page shows that billing is off.
    if !features::current(&server.platform).billing_enabled {
        return Redirect::to(SETTINGS).into_response();
    }
    let outcome = match carry_out(&server, &parts, &fields).await {
        Ok(Done::Said(word)) => return Redirect::to(&format!("{SETTINGS}?done={word}")).into_response(),
        Ok(Done::Made(made)) => Outcome { made: Some(*made), ..Outcome::default() },
        Err(error) => {
            let form = value(&fields, "form").to_owned();
            Outcome { refused: Some(Refusal::new(form, fields, error)), ..Outcome::default() }
        }
    };
    let outcome = Outcome { unsaved: unsaved::shown(&parts.extensions, server.platform.clock.now()).await, ..outcome };
    let mut response = in_console(&server, parts, outcome, settings_page()).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Carries out the form. Input of an earlier session is obsolete when the same form is saved.
async fn carry_out(server: &Server, parts: &Parts, fields: &[FormField]) -> Result<Done> {
    let form = value(fields, "form");
    if form == "discard" {
        unsaved::discard(&parts.extensions, None).await?;
        return Ok(Done::Said("discarded"));
    }
    let done = change(server, parts, fields).await?;
    unsaved::discard(&parts.extensions, Some(form)).await?;
    Ok(done)
}

async fn change(server: &Server, parts: &Parts, fields: &[FormField]) -> Result<Done> {
    let caller = guard::changer_of(server.platform.clone(), &parts.extensions, None).await?;
    let by = by(&caller.principal, parts);
    let Caller { platform, customer, .. } = caller;
    Ok(match value(fields, "form") {
        "alerts" => {
            let (currency, _) = usage::billed(&platform, customer).await?;
            alerts::change(&platform, &by, customer, alert_form::read(fields, currency)?).await?;
            Done::Said("alerts")
        }
        "contact" => {
            settings::put_contact(&platform, &by, customer, Some(value(fields, "name")), value(fields, "email")).await?;
            Done::Said("contact")
        }
        "contact-remove" => {
            settings::remove_contact(&platform, &by, customer, value(fields, "id")).await?;
            Done::Said("contact_removed")
        }
        "key" => Done::Made(Box::new(settings::create_api_key(&platform, &by, customer, value(fields, "name")).await?)),
        "key-revoke" => {
            settings::revoke_api_key(&platform, &by, customer, value(fields, "id")).await?;
            Done::Said("key_revoked")
        }
        _ => return Err(Error::invalid("form", "is not one of the page's forms")),
    })
}
