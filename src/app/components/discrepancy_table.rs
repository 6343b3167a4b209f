//! Discrepancies: what differs, with both sides next to each other. An object that one side lacks
//! has one line.

use crate::{
    app::{language, stripe_dashboard::dashboard_href},
    domain::{
        invoice::InvoiceStatus,
        language::Language,
        money::{Currency, Money},
        reconcile::{Discrepancy, Field, FoundDiscrepancy, Kind, Said},
    },
    text::{
        common, format,
        staff::{inbox, runs as words},
    },
};
use leptos::{either::Either, prelude::*};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One row per discrepancy, with a form to repair it.
#[component]
pub fn DiscrepancyTable<'a>(run: &'a str, discrepancies: &'a [FoundDiscrepancy], repairable: bool) -> impl IntoView + use<> {
    let language = language();
    let rows: Vec<_> = discrepancies.iter().map(|found| row(language, run, found, repairable)).collect();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">{words::discrepancies(language)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{words::what(language)}</th>
                        <th role="columnheader" scope="col">{words::differences_heading(language)}</th>
                        <th role="columnheader" scope="col" class="number">{words::at_stake(language)}</th>
                        <th role="columnheader" scope="col">{words::repair(language)}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
}

fn row(language: Language, run: &str, found: &FoundDiscrepancy, repairable: bool) -> impl IntoView + use<> {
    let it = &found.discrepancy;
    let object = words::object(language, it.object);
    let amount = it.currency.filter(|_| it.amount > 0).map(|currency| format::money(language, Money::new(it.amount, currency)));
    let action = format!("/api/v1/admin/reconciliations/{run}/discrepancies/{}/repair", found.id);
    let label = words::repair_of(language, object, &it.object_id);
    let repair = if found.repaired_at.is_some() {
        Either::Left(view! { <span>{words::repaired(language)}</span> })
    } else {
        let form = repairable.then(|| {
            view! {
                <form method="post" action=action>
                    <button class="button" aria-label=label>{words::repair(language)}</button>
                </form>
            }
        });
        Either::Right(view! {
            {form}
            {found.repair_error.clone().map(|error| view! { <small>{error}</small> })}
        })
    };
    let differences = if is_missing(it.kind) { Either::Left(missing(language, it)) } else { Either::Right(sides(language, it)) };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="ids">
                <span>{words::of_object(language, words::kind(language, it.kind), object)}</span>
                <small>{it.object_id.clone()}</small>
                {found.customer.clone().map(|name| view! { <small>{name}</small> })}
            </th>
            <td role="cell" class="line">{differences}</td>
            <td role="cell" class="number first">{amount.unwrap_or_else(|| "–".to_owned())}</td>
            <td role="cell" class="line">{repair}</td>
        </tr>
    }
}

/// Whether one side lacks the object.
const fn is_missing(kind: Kind) -> bool {
    match kind {
        Kind::MissingLocally | Kind::MissingInStripe | Kind::MissedEvent => true,
        Kind::Amount | Kind::Status | Kind::Currency | Kind::UsageQuantity | Kind::SubscriptionDrift => false,
    }
}

/// Status and total of the side that has the object, and a link to it at Stripe.
fn missing(language: Language, it: &Discrepancy) -> impl IntoView + use<> {
    let side = |field: &Field| field.stripe.clone().or_else(|| field.internal.clone());
    let of = |names: &[&str]| names.iter().find_map(|name| side(it.fields.iter().find(|field| field.name == *name)?));
    let status = of(&["status", "type"]).map(|said| shown(language, "status", &said, None));
    let total = of(&["total", "amount"]).map(|said| shown(language, "amount", &said, it.currency));
    let value = it.stripe_value.as_ref().or(it.internal_value.as_ref()).map(ToString::to_string);
    let parts: Vec<String> = status.into_iter().chain(total).collect();
    let text = if parts.is_empty() { value.unwrap_or_else(|| "–".to_owned()) } else { parts.join(" · ") };
    // Only what Stripe has can be opened there.
    let href = dashboard_href(&it.object_id, None).filter(|_| it.kind != Kind::MissingInStripe);
    view! {
        <span class="ids">{text}</span>
        {href.map(|href| view! { " · " <a href=href rel="external noreferrer">{inbox::open_in_stripe(language)}</a> })}
    }
}

/// The fields that differ, each with both values.
fn sides(language: Language, it: &Discrepancy) -> impl IntoView + use<> {
    let value = |field: &Field, said: &Option<Said>| {
        said.as_ref().map_or_else(|| "–".to_owned(), |said| shown(language, &field.name, said, it.currency))
    };
    let rows: Vec<_> = it
        .fields
        .iter()
        .filter(|field| field.differs)
        .map(|field| {
            view! {
                <div role="row">
                    <span role="rowheader">{words::field(language, &field.name)}</span>
                    <span role="cell" class="ids">{value(field, &field.internal)}</span>
                    <span role="cell" class="ids">{value(field, &field.stripe)}</span>
                </div>
            }
        })
        .collect();
    view! {
        <div class="sides" role="table" aria-label=words::differences_heading(language)>
            <div role="row">
                <span role="columnheader">{words::field_heading(language)}</span>
                <span role="columnheader">{words::here(language)}</span>
                <span role="columnheader">{words::stripe(language)}</span>
            </div>
            {rows}
        </div>
    }
}

/// Formats money, instants and statuses; other values are unchanged. A payment has no currency of
/// its own.
fn shown(language: Language, field: &str, said: &Said, currency: Option<Currency>) -> String {
    match (said, currency) {
        (Said::Number(amount), Some(currency)) if field != "line_count" => format::money(language, Money::new(*amount, currency)),
        (Said::Number(amount), None) if field == "amount" => words::minor_units(language, format::decimal(language, &amount.to_string())),
        (Said::Number(number), _) => format::decimal(language, &number.to_string()),
        (Said::Text(text), _) if field == "status" => match text.parse::<InvoiceStatus>() {
            Ok(status) => common::invoice_status(language, status).to_owned(),
            Err(_) => text.clone(),
        },
        (Said::Text(text), _) => OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.clone(), |at| format::date_time(language, at)),
    }
}
