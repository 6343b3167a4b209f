//! Login and logout, for API clients (JSON) and for the login page's form, which works without
//! JavaScript.

use crate::{
    app::{
        local_path::{next_path, percent_encode},
        pages::login::SESSION_EXPIRED,
    },
    auth::Principal,
    domain::error_code::ErrorCode,
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
    /// From the authenticator app, or a recovery code, if a second factor is set up; it may also
    /// follow at `/api/v1/auth/login/code`.
    code: Option<String>,
    /// The path to which the login page redirects.
    #[serde(default)]
    next: String,
}

/// `POST /auth/login`: JSON clients get the signed-in user; the page's form is redirected to the
/// requested page.
#[utoipa::path(
    post, path = "/api/v1/auth/login", tag = "Session", security(()),
    summary = "Sign in",
    description = "Sets the cookie `auth_token`. A form is redirected: to `next`, or back to the login page.\n\n\
        After five failures each further one doubles the wait before the next attempt, up to 15 minutes: 429 `login_throttled` with \
        `Retry-After`. A wrong code counts like a wrong password. Failures are counted per account and address, per account, and per \
        address; the latter two are ignored for an address from which the account's owner has signed in before. The responses don't \
        reveal whether an account exists.\n\n\
        If the account has a second factor and `code` is missing, a correct password gets 401 `totp_required`; send the code to \
        `/api/v1/auth/login/code` with the cookie of that response.",
    request_body(content((Credentials = "application/json"), (Credentials = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The signed-in user", body = crate::domain::identity::Viewer,
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
    /// From the authenticator app, or a recovery code.
    #[schema(example = "287082")]
    code: String,
    /// The path to which the login page redirects.
    #[serde(default)]
    next: String,
}

/// `POST /auth/login/code`: the code after a password.
#[utoipa::path(
    post, path = "/api/v1/auth/login/code", tag = "Session", security(()),
    summary = "Submit the code of the second factor",
    description = "Within ten minutes of a login with the result `totp_required`, with the cookie of that response. Each code works once. Wrong \
        codes are throttled like wrong passwords.",
    request_body(content((SecondStep = "application/json"), (SecondStep = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The signed-in user", body = crate::domain::identity::Viewer,
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
        let again = format!("/login?error={SESSION_EXPIRED}&next={next_encoded}");
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
        let mut response = Redirect::to(next_path(next)).into_response();
        response.headers_mut().append(header::SET_COOKIE, session::mark(true, server.platform.config.public_url.is_https()));
        return Ok(response);
    }
    let principal = users::principal(&server.platform, user).await?.ok_or(Error::Unauthenticated)?;
    Ok(Json(users::viewer(&server.platform, &principal).await?).into_response())
}

/// Makes the browser delete its stored pages, including those for the Back button (W3C Clear Site
/// Data).
const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// `POST /auth/logout`: deletes the session, so that its cookie is invalid.
#[utoipa::path(
    post, path = "/api/v1/auth/logout", tag = "Session", security(()),
    summary = "Sign out",
    description = "Ends the session; its cookie is invalid from then on. Also succeeds without a session.",
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
    if by_form {
        response.headers_mut().append(header::SET_COOKIE, session::mark(false, server.platform.config.public_url.is_https()));
    }
    response.headers_mut().insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    Ok(response)
}

/// All malformed bodies get the code `invalid_body` here.
fn invalid_body(ApiError(error): ApiError) -> ApiError {
    ApiError(match error {
        Error::Invalid { detail, .. } | Error::Refused { detail, .. } => Error::refused(ErrorCode::InvalidBody, detail),
        other => other,
    })
}
