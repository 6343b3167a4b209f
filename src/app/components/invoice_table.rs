//! Invoices as a table; on narrow screens each row has two lines. ARIA roles keep it a table for
//! screen readers in browsers that drop table semantics when `display` changes.

use super::{InvoiceBadges, Moment};
use crate::{
    app::language,
    domain::{
        invoice::{InvoiceStatus, InvoiceSummary},
        language::Language,
    },
    text::{common, format, invoices as words},
};
use leptos::prelude::*;

/// One row per invoice, with a link to its page.
#[component]
pub fn InvoiceTable<'a>(invoices: &'a [InvoiceSummary]) -> impl IntoView + use<> {
    let language = language();
    let columns = [words::number, common::status, common::period, words::issued, words::due];
    let columns = columns.map(|text| view! { <th role="columnheader" scope="col">{text(language)}</th> }).collect_view();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">{words::title(language)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        {columns} <th role="columnheader" scope="col" class="number">
                            {common::amount(language)}
                        </th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{invoices.iter().map(|invoice| row(language, invoice)).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(language: Language, invoice: &InvoiceSummary) -> impl IntoView + use<> {
    let number = invoice.number.clone().unwrap_or_else(|| common::invoice_draft(language).to_owned());
    let money = |amount| format::money(language, invoice.money(amount));
    let left = (invoice.status == InvoiceStatus::Open && invoice.amount_remaining != invoice.total)
        .then(|| view! { <small>{words::left_to_pay(language, invoice.money(invoice.amount_remaining))}</small> });
    // The second line of a narrow row has room for one date.
    let (issued, due) = match (invoice.due_date, invoice.issued_at) {
        (Some(_), _) => ("wide", "end named"),
        (None, Some(_)) => ("end named", "wide"),
        (None, None) => ("end", "wide"),
    };
    // Only a named cell shows its label.
    let label = |class: &str, text: &'static str| class.contains("named").then_some(text);
    view! {
        <tr role="row">
            <th role="rowheader" scope="row"><a class="row-link" href=format!("/billing/invoices/{}", invoice.id)>{number}</a></th>
            <td role="cell"><InvoiceBadges invoice /></td>
            <td role="cell" class="wide">
                {invoice.period.as_ref().map_or_else(|| "–".to_owned(), |period| format::period(language, period))}
            </td>
            <td role="cell" class=issued data-label=label(issued, words::issued(language))>
                {match invoice.issued_at {
                    Some(at) => view! { <Moment at /> }.into_any(),
                    None => words::created_on(language, &format::date(language, invoice.created_at)).into_any(),
                }}
            </td>
            <td role="cell" class=due data-label=label(due, words::due(language))>
                {invoice.due_date.map_or_else(|| "–".into_any(), |at| view! { <Moment at /> }.into_any())}
            </td>
            <td role="cell" class="number first"><strong>{money(invoice.total)}</strong>{left}</td>
        </tr>
    }
}
