//! An invoice's lines and sums.

use super::{Glyph, Icon};
use crate::domain::{
    format,
    invoice::{InvoiceDetail, LineItem, SumRole, line::LinePrice},
};
use leptos::prelude::*;

/// The lines and the sums below them.
#[component]
pub fn InvoiceLines<'a>(invoice: &'a InvoiceDetail) -> impl IntoView + use<> {
    let incomplete = (!invoice.lines_complete).then(|| {
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>"Not all lines have been read from Stripe yet. The totals are those of the whole invoice; details of missing lines are not known yet."</span>
            </p>
        }
    });
    let rows = invoice.line_items.iter().map(|line| row(line, invoice)).collect_view();
    view! {
        <section class="panel" aria-labelledby="lines-title">
            <header class="panel-head"><h2 id="lines-title">"Lines"</h2></header>
            {incomplete}
            <div class="table-frame">
                <table class="table rows" role="table">
                    <caption class="visually-hidden">"Lines of the invoice"</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">"Description"</th>
                            <th role="columnheader" scope="col">"Period"</th>
                            <th role="columnheader" scope="col" class="number">"Quantity"</th>
                            <th role="columnheader" scope="col" class="number">"Unit price"</th>
                            <th role="columnheader" scope="col" class="number">"Amount"</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </div>
            <dl class="sums">{sums(invoice)}</dl>
            {invoice.tax_notes.iter().map(|note| view! { <p class="tax-note">{note.clone()}</p> }).collect_view()}
        </section>
    }
}

fn row(line: &LineItem, invoice: &InvoiceDetail) -> impl IntoView + use<> {
    let dash = || "–".to_owned();
    let LinePrice { quantity, unit_price, per, .. } = line.price(invoice.summary.currency);
    let price = unit_price.map(|price| per.map_or(price.clone(), |per| format!("{price} {per}")));
    let remarks = line.proration.then(|| "Pro rata".to_owned()).into_iter().chain(line.remarks(invoice));
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                {line.description.clone()} {remarks.map(|remark| view! { <small>{remark}</small> }).collect_view()}
            </th>
            <td role="cell" class="line">{line.period.as_ref().map_or_else(dash, format::period)}</td>
            <td role="cell" class="number named" data-label="Quantity">{quantity.unwrap_or_else(dash)}</td>
            <td role="cell" class="number end named" data-label="Unit price">{price.unwrap_or_else(dash)}</td>
            <td role="cell" class="number first"><strong>{invoice.summary.money(line.amount).to_string()}</strong></td>
        </tr>
    }
}

/// The sums; those of the whole invoice are the same in the PDF, the API and the CSV.
fn sums(invoice: &InvoiceDetail) -> impl IntoView + use<> {
    let last = invoice.sums.iter().rposition(|row| row.role == SumRole::Sum);
    let rows = invoice.sums.iter().enumerate();
    rows.map(|(place, row)| {
        let class = match row.role {
            SumRole::Sum if Some(place) == last => "sum-due",
            SumRole::Sum if place > 0 => "sum-total",
            SumRole::Note => "sum-note",
            SumRole::Sum | SumRole::Part => "",
        };
        view! {
            <div class=class>
                <dt>{row.label.clone()}</dt>
                <dd>{row.money(invoice.summary.currency).to_string()}</dd>
            </div>
        }
    })
    .collect_view()
}
