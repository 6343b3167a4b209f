//! The second factor: setting up an authenticator app, and removing it.

use super::{
    notice,
    password::{Wrong, secret_field, wrong},
};
use crate::{
    app::{
        components::{Badge, Glyph, Icon, copy_button::CopyButton, done_notice::field_error},
        form_result::{Offered, Refusal},
        language,
        local_path::ACCOUNT,
        usage_summary::Tone,
    },
    domain::second_factor::{QrSquares, TotpState},
    text::{account as words, common},
};
use leptos::{either::EitherOf3, prelude::*};

/// The quiet zone of a QR code (ISO/IEC 18004).
const QUIET_ZONE: u32 = 4;

/// Shows the recovery codes, once.
pub fn recovery_codes(codes: Vec<String>) -> impl IntoView {
    let language = language();
    let all = codes.join("\n");
    view! {
        <div class="notice tone-good">
            <Icon glyph=Glyph::Check />
            <div class="ids">
                <p role="status">{words::recovery_codes(language)}</p>
                <ul class="recovery-codes">{codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }).collect_view()}</ul>
                <CopyButton text=all of=words::all_recovery_codes(language) />
            </div>
        </div>
    }
}

/// The message for staff without a required second factor.
pub fn wanted() -> impl IntoView {
    view! {
        <p class="notice tone-warning" role="status">
            <Icon glyph=Glyph::Warning />
            <span>{words::totp_required(language())}</span>
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
    let badge = state.enabled.then(|| view! { <Badge tone=Tone::Good text=common::on(language()) /> });
    view! {
        <section class="panel" aria-labelledby="totp-title">
            <header class="panel-head"><h2 id="totp-title">{words::totp(language())}</h2> {badge}</header>
            {refusal.and_then(notice)}
            {step}
        </section>
    }
}

fn to_begin(refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let language = language();
    view! {
        <form method="post" action=ACCOUNT class="own-form">
            <input type="hidden" name="form" value="totp-offer" />
            <p>{words::totp_intro(language)}</p>
            {secret_field("totp-offer", "current_password", words::your_password(language), "current-password", refusal)}
            <button class="button">{words::totp_set_up(language)}</button>
        </form>
    }
}

fn to_confirm(offered: Offered, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let Offered { secret, uri, qr } = offered;
    let language = language();
    view! {
        <form method="post" action=ACCOUNT class="own-form">
            <input type="hidden" name="form" value="totp-confirm" />
            <p>{words::totp_scan(language)}</p>
            {squares(qr)}
            <p class="ids">
                <a href=uri>{words::totp_open(language)}</a> " " {words::totp_or_type(language)} " "
                <code class="totp-secret">{secret.clone()}</code> " " <CopyButton text=secret of=words::totp_key(language) />
            </p>
            {code_field("totp-confirm", words::code(language), refusal)}
            <button class="button primary">{words::turn_on(language)}</button>
        </form>
    }
}

fn squares(qr: QrSquares) -> impl IntoView {
    let QrSquares { width, path } = qr;
    let whole = width + 2 * QUIET_ZONE;
    view! {
        <svg class="qr" viewBox=format!("-{QUIET_ZONE} -{QUIET_ZONE} {whole} {whole}") role="img" aria-label=words::totp_qr(language())>
            <path d=path />
        </svg>
    }
}

fn in_force(state: TotpState, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let language = language();
    let left = words::recovery_codes_left(language, u64::from(state.recovery_codes_left));
    view! {
        <p>{words::totp_in_force(language)} " " {left} " " {words::new_recovery_codes(language)}</p>
        <details class="chart-table" open=refusal.is_some()>
            <summary>{words::turn_off(language)}</summary>
            <form method="post" action=ACCOUNT class="own-form">
                <input type="hidden" name="form" value="totp-disable" />
                {secret_field("totp-disable", "current_password", words::your_password(language), "current-password", refusal)}
                {code_field("totp-disable", words::code_or_recovery(language), refusal)}
                <button class="button">{words::totp_turn_off(language)}</button>
            </form>
        </details>
    }
}

fn code_field(form: &'static str, label: &'static str, refusal: Option<&Refusal>) -> impl IntoView + use<> {
    let Wrong { id, error, described, focused, alone } = wrong(form, "code", refusal);
    let invalid = error.is_some().then_some("true");
    let message = field_error(&id, error, alone);
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
                autofocus=focused
                aria-invalid=invalid
                aria-describedby=described
            />
            {message}
        </div>
    }
}
