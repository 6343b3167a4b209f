//! The state of a reconciliation run.

use super::Badge;
use crate::{
    app::{language, usage_summary::Tone},
    domain::{
        language::Language,
        money::Money,
        reconcile::{ReconciliationStatus, ReconciliationSummary, Totals},
    },
    text::{format, staff::runs as words},
};
use leptos::prelude::*;

/// Its status, and a completed run's verdict.
#[component]
pub fn RunBadge<'a>(run: &'a ReconciliationSummary) -> impl IntoView + use<> {
    let language = language();
    let (tone, text) = match (run.status, run.within_tolerance) {
        (ReconciliationStatus::Completed, Some(true)) if run.discrepancies == 0 => (Tone::Good, words::no_differences(language)),
        (ReconciliationStatus::Completed, Some(true)) => (Tone::Good, words::within_tolerance(language)),
        (ReconciliationStatus::Completed, _) => (Tone::Warning, words::differences_heading(language)),
        (ReconciliationStatus::Failed, _) => (Tone::Danger, words::status(language, run.status)),
        (ReconciliationStatus::Running | ReconciliationStatus::Cancelled, _) => (Tone::Neutral, words::status(language, run.status)),
    };
    view! { <Badge tone text icon=true /> }
}

/// The amounts at stake, one currency at a time.
pub fn at_stake(language: Language, totals: &Totals) -> String {
    let amounts = totals.iter().filter(|(_, amount)| **amount != 0);
    let amounts: Vec<String> = amounts.map(|(currency, amount)| format::money(language, Money::new(*amount, *currency))).collect();
    if amounts.is_empty() { "–".to_owned() } else { amounts.join(" · ") }
}
