//! The state of a reconciliation run.

use super::Badge;
use crate::{
    app::usage_summary::Tone,
    domain::{
        money::Money,
        reconcile::{ReconciliationStatus, ReconciliationSummary, Totals},
    },
};
use leptos::prelude::*;

/// Its status, and a completed run's verdict.
#[component]
pub fn RunBadge<'a>(run: &'a ReconciliationSummary) -> impl IntoView + use<> {
    let (tone, text) = match (run.status, run.within_tolerance) {
        (ReconciliationStatus::Running, _) => (Tone::Neutral, "Running"),
        (ReconciliationStatus::Completed, Some(true)) if run.discrepancies == 0 => (Tone::Good, "All well"),
        (ReconciliationStatus::Completed, Some(true)) => (Tone::Good, "Within tolerance"),
        (ReconciliationStatus::Completed, _) => (Tone::Warning, "Differences"),
        (ReconciliationStatus::Failed, _) => (Tone::Danger, "Failed"),
        (ReconciliationStatus::Cancelled, _) => (Tone::Neutral, "Cancelled"),
    };
    view! { <Badge tone text icon=true /> }
}

/// The amounts at stake, one currency at a time.
pub fn at_stake(totals: &Totals) -> String {
    let amounts: Vec<String> = totals.iter().map(|(currency, amount)| Money::new(*amount, *currency).to_string()).collect();
    if amounts.is_empty() { "–".to_owned() } else { amounts.join(", ") }
}
