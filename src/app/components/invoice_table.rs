//! Invoices as a table; on narrow screens each row has two lines. ARIA roles keep it a table for
//! screen readers in browsers that drop table semantics when `display` changes.

use super::{InvoiceBadges, Moment};
use crate::domain::{
    format,
    invoice::{InvoiceStatus, InvoiceSummary},
};
use leptos::prelude::*;

/// One row per invoice, with a link to its page.
#[component]
pub fn InvoiceTable<'a>(invoices: &'a [InvoiceSummary]) -> impl IntoView + use<> {
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">"Invoices"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Number"</th>
                        <th role="columnheader" scope="col">"Status"</th>
                        <th role="columnheader" scope="col">"Period"</th>
                        <th role="columnheader" scope="col">"Issued"</th>
                        <th role="columnheader" scope="col">"Due"</th>
                        <th role="columnheader" scope="col" class="number">"Amount"</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{invoices.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(invoice: &InvoiceSummary) -> impl IntoView + use<> {
    let number = invoice.number.clone().unwrap_or_else(|| "Draft".to_owned());
    let left = (invoice.status == InvoiceStatus::Open && invoice.amount_remaining != invoice.total)
        .then(|| view! { <small>{format!("{} left to pay", invoice.money(invoice.amount_remaining))}</small> });
    // The second line of a narrow row has room for one date.
    let (issued, due) = match (invoice.due_date, invoice.issued_at) {
        (Some(_), _) => ("wide", "end named"),
        (None, Some(_)) => ("end named", "wide"),
        (None, None) => ("end", "wide"),
    };
    view! {
        <tr role="row">
            <th role="rowheader" scope="row"><a class="row-link" href=format!("/billing/invoices/{}", invoice.id)>{number}</a></th>
            <td role="cell"><InvoiceBadges invoice /></td>
            <td role="cell" class="wide">{invoice.period.as_ref().map_or_else(|| "–".to_owned(), format::period)}</td>
            <td role="cell" class=issued data-label="Issued">
                {invoice.issued_at.is_none().then_some("Created ")}
                <Moment at=invoice.dated() />
            </td>
            <td role="cell" class=due data-label="Due">{invoice.due_date.map_or_else(|| "–".into_any(), |at| view! { <Moment at /> }.into_any())}</td>
            <td role="cell" class="number first"><strong>{invoice.money(invoice.total).to_string()}</strong>{left}</td>
        </tr>
    }
}
