//! The second factor: setting up an authenticator app, and removing it.

use super::{PROBLEM, notice, password::secret_field};
use crate::{
    app::{
        components::{Badge, Glyph, Icon},
        form_result::{Offered, Refusal},
        local_path::ACCOUNT,
        usage_summary::Tone,
    },
    domain::second_factor::{QrSquares, TotpState},
};
use leptos::{either::EitherOf3, prelude::*};

/// The quiet zone of a QR code (ISO/IEC 18004).
const QUIET_ZONE: u32 = 4;

/// Shows the recovery codes, once.
pub fn recovery_codes(codes: Vec<String>) -> impl IntoView {
    view! {
        <div class="notice tone-good" role="status">
            <Icon glyph=Glyph::Check />
            <div class="ids">
                <p>
                    "From now on, signing in requires a code of your app. Keep these recovery codes where you find them without your phone: each is valid once. They can’t be shown again."
                </p>
                <ul class="recovery-codes">{codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view()}</ul>
            </div>
        </div>
    }
}

/// The message for staff without a required second factor.
pub fn wanted() -> impl IntoView {
    view! {
        <p class="notice tone-warning" role="status">
            <Icon glyph=Glyph::Warning />
            <span>"Staff of this platform need a second factor. Set up an authenticator app below to go on."</span>
        </p>
    }
}

/// The user's state, and the next step.
pub fn panel(state: TotpState, offered: Option<Offered>, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let refused_as = |form: &str| refusal.filter(|refusal| refusal.form == form);
    let step = match (state.enabled, offered) {
        (true, _) => EitherOf3::A(in_force(state, refused_as("totp-disable"))),
        (false, Some(offered)) => EitherOf3::B(to_confirm(offered, refused_as("totp-confirm"))),
        (false, None) => EitherOf3::C(to_begin(refused_as("totp-offer"))),
    };
    let badge = state.enabled.then(|| view! { <Badge tone=Tone::Good text="On" /> });
    view! {
        <section class="panel" aria-labelledby="totp-title">
            <header class="panel-head"><h2 id="totp-title">"Second factor"</h2> {badge}</header>
            {refusal.map(notice)}
            {step}
        </section>
    }
}

fn to_begin(refusal: Option<&Refusal>) -> impl IntoView + use<> {
    view! {
        <form method="post" action=ACCOUNT class="own-form">
            <input type="hidden" name="form" value="totp-offer" />
            <p>"With an authenticator app on your phone, your password alone is not enough to sign in as you."</p>
            {secret_field("totp-offer", "current_password", "Your password", "current-password", refusal)}
            <button class="button">"Set up an app"</button>
        </form>
    }
}

fn to_confirm(offered: Offered, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let Offered { secret, uri, qr } = offered;
    view! {
        <form method="post" action=ACCOUNT class="own-form">
            <input type="hidden" name="form" value="totp-confirm" />
            <p>"Scan this with your app, or type the key into it. Then enter the code that it shows."</p>
            {squares(qr)}
            <p class="ids"><a href=uri>"Open an app on this device"</a> " or type " <code class="totp-secret">{secret}</code></p>
            {code_field("totp-confirm", "Code", refusal)}
            <button class="button primary">"Turn on"</button>
        </form>
    }
}

fn squares(qr: QrSquares) -> impl IntoView {
    let QrSquares { width, path } = qr;
    let whole = width + 2 * QUIET_ZONE;
    view! {
        <svg class="qr" viewBox=format!("-{QUIET_ZONE} -{QUIET_ZONE} {whole} {whole}") role="img" aria-label="QR code of the key">
            <path d=path />
        </svg>
    }
}

fn in_force(state: TotpState, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let left = match state.recovery_codes_left {
        0 => "No recovery code is left.".to_owned(),
        1 => "One recovery code is left.".to_owned(),
        left => format!("{left} recovery codes are left."),
    };
    view! {
        <p>"Signing in requires a code of your app. " {left} " Turn it off and on again for new ones."</p>
        <details class="chart-table" open=refusal.is_some()>
            <summary>"Turn off"</summary>
            <form method="post" action=ACCOUNT class="own-form">
                <input type="hidden" name="form" value="totp-disable" />
                {secret_field("totp-disable", "current_password", "Your password", "current-password", refusal)}
                {code_field("totp-disable", "Code, or a recovery code", refusal)}
                <button class="button">"Turn off the second factor"</button>
            </form>
        </details>
    }
}

fn code_field(form: &'static str, label: &'static str, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let wrong = refusal.is_some_and(|refusal| refusal.problem.parameter.as_deref() == Some("code"));
    let id = format!("{form}-code");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <input
                id=id
                name="code"
                type="text"
                autocomplete="one-time-code"
                autocapitalize="none"
                spellcheck="false"
                maxlength="40"
                required
                aria-invalid=wrong.then_some("true")
                aria-describedby=wrong.then_some(PROBLEM)
            />
        </div>
    }
}
