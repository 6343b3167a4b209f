//! Short states in a pill.

use super::{Glyph, Icon};
use crate::{
    app::{language, usage_summary::Tone},
    domain::{
        invoice::{InvoiceStatus, InvoiceSummary},
        webhook::WebhookStatus,
    },
    text::{common, invoices as words, staff::inbox},
};
use leptos::prelude::*;

/// A state in a word or two; `icon` adds the tone's icon.
#[component]
pub fn Badge(tone: Tone, #[prop(into)] text: String, #[prop(optional)] icon: bool) -> impl IntoView {
    view! {
        <span class=format!("badge {}", tone.class())>
            {icon.then(|| view! { <Icon glyph=Glyph::of(tone) /> })} <span>{text}</span>
        </span>
    }
}

/// An invoice's status, whether it is overdue, and whether it was refunded or credited.
#[component]
pub fn InvoiceBadges<'a>(invoice: &'a InvoiceSummary) -> impl IntoView + use<> {
    let language = language();
    let tone = match invoice.status {
        InvoiceStatus::Paid => Tone::Good,
        InvoiceStatus::Open => Tone::Warning,
        InvoiceStatus::Uncollectible => Tone::Danger,
        InvoiceStatus::Draft | InvoiceStatus::Void => Tone::Neutral,
    };
    let refunded = match invoice.amount_refunded {
        0 => None,
        all if all >= invoice.amount_paid => Some(words::refunded(language)),
        _ => Some(words::partly_refunded(language)),
    };
    let credited = match invoice.amount_credited {
        ..=0 => None,
        all if all >= invoice.total => Some(words::credited(language)),
        _ => Some(words::partly_credited(language)),
    };
    view! {
        <span class="badges">
            <Badge tone text=common::invoice_status(language, invoice.status) />
            {invoice.overdue.then(|| view! { <Badge tone=Tone::Danger text=words::overdue(language) icon=true /> })}
            {refunded.map(|text| view! { <Badge tone=Tone::Neutral text /> })}
            {credited.map(|text| view! { <Badge tone=Tone::Neutral text /> })}
        </span>
    }
}

/// The status of a Stripe event.
#[component]
pub fn WebhookBadge(status: WebhookStatus) -> impl IntoView {
    let tone = match status {
        WebhookStatus::Applied => Tone::Good,
        WebhookStatus::Failed => Tone::Warning,
        WebhookStatus::Dead => Tone::Danger,
        WebhookStatus::Received | WebhookStatus::Ignored => Tone::Neutral,
    };
    view! { <Badge tone text=inbox::status(language(), status) /> }
}
