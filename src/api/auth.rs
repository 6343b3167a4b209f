//! Signing in and out, for programs (JSON) and for the login page's form, which works without JavaScript.

use crate::{
    app::local_path::{next_path, percent_encode},
    auth::Principal,
    http::{
        extract::{ByForm, FormOrJson},
        login_email,
        problem::ApiError,
        session,
        state::Server,
    },
    service::{
        Error,
        actor::Origin,
        sign_in::{self, Step},
        users,
    },
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub fn router() -> OpenApiRouter<Server> {
    OpenApiRouter::default().routes(routes!(login)).routes(routes!(login_code)).routes(routes!(logout))
}

#[derive(Deserialize, utoipa::ToSchema)]
pub struct Credentials {
    #[schema(example = "publisher@demo.test")]
    email: String,
    #[schema(format = Password)]
    password: String,
    /// Of the authenticator app, or a recovery code, where a second factor is set up; or it follows at `/api/v1/auth/login/code`.
    code: Option<String>,
    /// Where the login page leads to.
    #[serde(default)]
    next: String,
}

/// `POST /auth/login`: JSON answers who is signed in; the page's form is sent on to where it wanted.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "Session", security(()),
    summary = "Sign in",
    description = "Sets the cookie `auth_token`. A form is led on: to `next`, or back to the login page.\n\n\
        After five failures each further one makes the next attempt wait twice as long, up to 15 minutes: 429 `login_throttled` with \
        `Retry-After`. A wrong code counts like a wrong password. Failures count for the account with the address, the account, and the address; the latter two don't matter where the \
        account's owner has signed in before. Nothing of this tells whether an account exists.\n\n\
        Where a second factor is set up and no `code` came along, a right password is answered by 401 `totp_required`; the code may follow at \
        `/api/v1/auth/login/code` with the cookie of that answer.",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Who is signed in now", body = crate::domain::identity::Viewer,
            headers(("Set-Cookie" = String, description = "The session's cookie"))),
        (status = 303, description = "For a form", headers(("Location" = String, description = "A path of this platform"))),
    ),
    extensions(("x-problems" = json!(["invalid_body", "invalid_credentials", "totp_required", "invalid_code", "login_throttled"])))
)]
pub async fn login(
    State(server): State<Server>,
    origin: Origin,
    session: Session,
    body: Result<FormOrJson<Credentials>, ApiError>,
) -> Result<Response, ApiError> {
    let FormOrJson { body: credentials, by_form } = body.map_err(invalid_body)?;
    let Credentials { email, password, code, next } = &credentials;
    match sign_in::by_password(&server.platform, email, password, code.as_deref(), &origin).await {
        Ok(Step::Done(user)) => enter(&server, &session, user, &origin, by_form, next).await,
        Ok(Step::CodeWanted(user)) => {
            session::await_code(&session, user, server.platform.clock.now()).await?;
            if by_form {
                return Ok(Redirect::to(&format!("{CODE_STEP}&next={}", percent_encode(next_path(next)))).into_response());
            }
            Err(Error::TotpRequired.into())
        }
        Err(error @ (Error::InvalidCredentials | Error::InvalidCode | Error::LoginThrottled { .. })) if by_form => {
            let next = percent_encode(next_path(&credentials.next));
            let wait = error.retry_after().map(|seconds| format!("&wait={seconds}")).unwrap_or_default();
            let mut response = Redirect::to(&format!("/login?error={}{wait}&next={next}", error.code())).into_response();
            if let Some(cookie) = login_email::remember(email, server.platform.config.public_url.is_https()) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

/// The login page that asks for a code.
const CODE_STEP: &str = "/login?step=code";

#[derive(Deserialize, utoipa::ToSchema)]
pub struct SecondStep {
    /// Of the authenticator app, or a recovery code.
    #[schema(example = "287082")]
    code: String,
    /// Where the login page leads to.
    #[serde(default)]
    next: String,
}

/// `POST /auth/login/code`: the code that follows a password.
#[utoipa::path(
    post, path = "/api/v1/auth/login/code", tag = "Session", security(()),
    summary = "Show the code of the second factor",
    description = "Within ten minutes after a login that answered `totp_required`, with the cookie of that answer. Each code is taken once. Wrong \
        ones are throttled as at signing in.",
    request_body(content((SecondStep = "application/json"), (SecondStep = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "Who is signed in now", body = crate::domain::identity::Viewer,
            headers(("Set-Cookie" = String, description = "The session's cookie"))),
        (status = 303, description = "For a form", headers(("Location" = String, description = "A path of this platform"))),
    ),
    extensions(("x-problems" = json!(["invalid_body", "invalid_code", "login_throttled"])))
)]
pub async fn login_code(
    State(server): State<Server>,
    origin: Origin,
    session: Session,
    body: Result<FormOrJson<SecondStep>, ApiError>,
) -> Result<Response, ApiError> {
    let FormOrJson { body: SecondStep { code, next }, by_form } = body.map_err(invalid_body)?;
    let next_encoded = percent_encode(next_path(&next));
    let Some(user) = session::awaited(&session, server.platform.clock.now()).await? else {
        let again = format!("/login?error=session_expired&next={next_encoded}");
        return if by_form { Ok(Redirect::to(&again).into_response()) } else { Err(Error::Unauthenticated.into()) };
    };
    match sign_in::by_code(&server.platform, user, &code, &origin).await {
        Ok(user) => enter(&server, &session, user, &origin, by_form, &next).await,
        Err(error @ (Error::InvalidCode | Error::LoginThrottled { .. })) if by_form => {
            let wait = error.retry_after().map(|seconds| format!("&wait={seconds}")).unwrap_or_default();
            Ok(Redirect::to(&format!("{CODE_STEP}&error={}{wait}&next={next_encoded}", error.code())).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn enter(server: &Server, session: &Session, user: Uuid, origin: &Origin, by_form: bool, next: &str) -> Result<Response, ApiError> {
    session::begin(session, user, origin, server.platform.clock.now()).await?;
    if by_form {
        return Ok(Redirect::to(next_path(next)).into_response());
    }
    let principal = users::principal(&server.platform, user).await?.ok_or(Error::Unauthenticated)?;
    Ok(Json(users::viewer(&server.platform, &principal).await?).into_response())
}

/// Has the browser forget the pages that it stores, those behind its Back button too (W3C Clear Site Data).
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// `POST /auth/logout`: the session's row is gone, whoever has its cookie.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "Session", security(()),
    summary = "Sign out",
    description = "Ends the session wherever its cookie is kept. Nobody signed in is fine too.",
    responses(
        (status = 204, description = "Signed out", headers(("Clear-Site-Data" = String, description = "`\"cache\"`"))),
        (status = 303, description = "For a form", headers(("Location" = String, description = "The login page"))),
    )
)]
pub async fn logout(
    State(server): State<Server>,
    principal: Option<Extension<Principal>>,
    origin: Origin,
    session: Session,
    ByForm(by_form): ByForm,
) -> Result<Response, ApiError> {
    if let Some(Extension(principal)) = principal {
        users::signed_out(&server.platform, &principal, &origin).await?;
    }
    session::end(&session).await?;
    let mut response = if by_form { Redirect::to("/login").into_response() } else { StatusCode::NO_CONTENT.into_response() };
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// Every body that is no credentials has one code here, whatever is wrong with it.
fn invalid_body(ApiError(error): ApiError) -> ApiError {
    ApiError(match error {
        Error::Invalid { detail, .. } | Error::BadRequest { detail, .. } => Error::BadRequest { code: "invalid_body", detail },
        other => other,
    })
}
