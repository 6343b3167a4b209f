//! Discrepancies with both sides next to each other; on narrow screens each row has few lines.

use crate::domain::{
    format,
    money::{Currency, Money},
    reconcile::{Field, FoundDiscrepancy, Said},
};
use leptos::{either::Either, prelude::*};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// One row per discrepancy, with the compared values and a form to repair it.
#[component]
pub fn DiscrepancyTable<'a>(run: &'a str, discrepancies: &'a [FoundDiscrepancy], repairable: bool) -> impl IntoView + use<> {
    let rows: Vec<_> = discrepancies.iter().map(|found| row(run, found, repairable)).collect();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">"Discrepancies"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"What"</th>
                        <th role="columnheader" scope="col">"Here"</th>
                        <th role="columnheader" scope="col">"Stripe"</th>
                        <th role="columnheader" scope="col" class="number">"Amount"</th>
                        <th role="columnheader" scope="col">"Repair"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{rows}</tbody>
            </table>
        </div>
    }
}

fn row(run: &str, found: &FoundDiscrepancy, repairable: bool) -> impl IntoView + use<> {
    let it = &found.discrepancy;
    let side = |said: fn(&Field) -> &Option<Said>, headline: &Option<Said>| {
        let differing: Vec<&Field> = it.fields.iter().filter(|field| field.differs && says_something(field)).collect();
        // A side that has nothing of it lacks the object.
        let lacking = differing.iter().all(|field| said(field).is_none());
        let lines: Vec<_> = differing
            .into_iter()
            .map(|field| {
                let value = said(field).as_ref().map_or_else(|| "–".to_owned(), |said| shown(&field.name, said, it.currency));
                view! { <li><small>{field.name.replace('_', " ")}</small>" "<span class="ids">{value}</span></li> }
            })
            .collect();
        if lacking {
            Either::Left(view! { <span class="ids">{headline.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)}</span> })
        } else {
            Either::Right(view! { <ul>{lines}</ul> })
        }
    };
    let amount =
        it.currency.filter(|_| it.amount > 0).map_or_else(|| "–".to_owned(), |currency| Money::new(it.amount, currency).to_string());
    let action = format!("/api/v1/admin/reconciliations/{run}/discrepancies/{}/repair", found.id);
    let label = format!("Repair {} {}", it.object.title().to_lowercase(), it.object_id);
    let repair = if found.repaired_at.is_some() {
        Either::Left(view! { <span>"Repaired"</span> })
    } else {
        Either::Right(view! {
            {repairable.then(|| view! { <form method="post" action=action><button class="button" aria-label=label>"Repair"</button></form> })}
            {found.repair_error.clone().map(|error| view! { <small>{error}</small> })}
        })
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="ids">
                <span>{it.kind.title()} ": " {it.object.title().to_lowercase()}</span>
                <small>{it.object_id.clone()}</small>
                {found.customer.clone().map(|name| view! { <small>{name}</small> })}
            </th>
            <td role="cell" class="line named" data-label="Here">{side(|field| &field.internal, &it.internal_value)}</td>
            <td role="cell" class="line named" data-label="Stripe">{side(|field| &field.stripe, &it.stripe_value)}</td>
            <td role="cell" class="number first">{amount}</td>
            <td role="cell" class="line">{repair}</td>
        </tr>
    }
}

/// All fields of an object that one side lacks differ; those that are 0 are left out.
fn says_something(field: &Field) -> bool {
    [&field.internal, &field.stripe].into_iter().flatten().any(|said| *said != Said::Number(0))
}

/// Formats money and instants; other values are unchanged. A payment has no currency of its own.
fn shown(field: &str, said: &Said, currency: Option<Currency>) -> String {
    match (said, currency) {
        (Said::Number(amount), Some(currency)) if field != "line_count" => Money::new(*amount, currency).to_string(),
        (Said::Number(amount), None) if field == "amount" => format!("{amount} minor units"),
        (Said::Text(text), _) => OffsetDateTime::parse(text, &Rfc3339).map_or_else(|_| text.clone(), format::date_time),
        _ => said.to_string(),
    }
}
