//! An invoice's items and sums.

use super::{Glyph, Icon};
use crate::{
    app::language,
    domain::{
        invoice::{InvoiceDetail, LineItem, SumRole, line::LinePrice},
        language::Language,
    },
    text::{common, document, format, invoices as words},
};
use leptos::prelude::*;

/// The items and the sums below them.
#[component]
pub fn InvoiceLines<'a>(invoice: &'a InvoiceDetail) -> impl IntoView + use<> {
    let language = language();
    let incomplete = (!invoice.lines_complete).then(|| {
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>{words::items_missing(language)}</span>
            </p>
        }
    });
    let rows = invoice.line_items.iter().map(|line| row(language, line, invoice)).collect_view();
    let notes = document::tax_notes(language, invoice).into_iter().map(|note| view! { <p class="tax-note">{note}</p> }).collect_view();
    view! {
        <section class="panel" aria-labelledby="lines-title">
            <header class="panel-head"><h2 id="lines-title">{words::items(language)}</h2></header>
            {incomplete}
            <div class="table-frame">
                <table class="table rows" role="table">
                    <caption class="visually-hidden">{words::items_of_invoice(language)}</caption>
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">{document::description(language)}</th>
                            <th role="columnheader" scope="col">{common::period(language)}</th>
                            <th role="columnheader" scope="col" class="number">{document::quantity(language)}</th>
                            <th role="columnheader" scope="col" class="number">{document::unit_price(language)}</th>
                            <th role="columnheader" scope="col" class="number">{common::amount(language)}</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows}</tbody>
                </table>
            </div>
            <dl class="sums">{sums(language, invoice)}</dl>
            {notes}
        </section>
    }
}

fn row(language: Language, line: &LineItem, invoice: &InvoiceDetail) -> impl IntoView + use<> {
    let dash = || "–".to_owned();
    let LinePrice { quantity, unit_price, per, .. } = document::line_price(language, line, invoice.summary.currency);
    let price = unit_price.map(|price| per.map_or(price.clone(), |per| format!("{price} {per}")));
    let prorated = line.proration.then(|| document::prorated(language).to_owned());
    let remarks = prorated.into_iter().chain(document::remarks(language, line, invoice));
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                {line.description.clone()} {remarks.map(|remark| view! { <small>{remark}</small> }).collect_view()}
            </th>
            <td role="cell" class="line">{line.period.as_ref().map_or_else(dash, |period| format::period(language, period))}</td>
            <td role="cell" class="number named" data-label=document::quantity(language)>{quantity.unwrap_or_else(dash)}</td>
            <td role="cell" class="number end named" data-label=document::unit_price(language)>{price.unwrap_or_else(dash)}</td>
            <td role="cell" class="number first"><strong>{format::money(language, invoice.summary.money(line.amount))}</strong></td>
        </tr>
    }
}

/// The sums; those of the whole invoice are the same in the PDF, the API and the CSV.
fn sums(language: Language, invoice: &InvoiceDetail) -> impl IntoView + use<> {
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
                <dt>{document::sum_label(language, row, invoice)}</dt>
                <dd>{format::money(language, row.money(invoice.summary.currency))}</dd>
            </div>
        }
    })
    .collect_view()
}
