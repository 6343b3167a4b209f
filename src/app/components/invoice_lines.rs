//! What an invoice charges for, and how that adds up.

use super::{Glyph, Icon};
use crate::{
    app::format,
    domain::{
        invoice::{InvoiceDetail, InvoiceStatus, LineItem},
        money::Currency,
    },
};
use leptos::prelude::*;

/// The lines and the sums below them.
#[component]
pub fn InvoiceLines<'a>(invoice: &'a InvoiceDetail) -> impl IntoView + use<> {
    let currency = invoice.summary.currency;
    let incomplete = (!invoice.lines_complete).then(|| {
        view! {
            <p class="notice tone-warning">
                <Icon glyph=Glyph::Warning />
                <span>"Some lines are still being read from Stripe. The totals are right; the list may be short for a moment."</span>
            </p>
        }
    });
    let rows = invoice.line_items.iter().map(|line| row(line, currency)).collect_view();
    view! {
        <section class="panel" aria-labelledby="lines-title">
            <header class="panel-head"><h2 id="lines-title">"Lines"</h2></header>
            {incomplete}
            <div class="table-frame">
                <table class="table lines" role="table">
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
        </section>
    }
}

fn row(line: &LineItem, currency: Currency) -> impl IntoView + use<> {
    let dash = || "–".to_owned();
    let quantity = line.quantity.map_or_else(dash, |quantity| {
        let digits = crate::domain::money::group_thousands(quantity.unsigned_abs());
        if quantity < 0 { format!("-{digits}") } else { digits }
    });
    let price = line.unit_amount.as_deref().map_or_else(dash, |minor| format::unit_price(minor, currency));
    let amount = crate::domain::money::Money::new(line.amount, currency).to_string();
    view! {
        <tr role="row">
            <th role="rowheader" scope="row">
                {line.description.clone()}
                {line.proration.then(|| view! { <small>"Pro rata"</small> })}
            </th>
            <td role="cell" data-label="Period">{line.period.as_ref().map_or_else(dash, format::period)}</td>
            <td role="cell" data-label="Quantity" class="number">{quantity}</td>
            <td role="cell" data-label="Unit price" class="number">{price}</td>
            <td role="cell" data-label="Amount" class="number"><strong>{amount}</strong></td>
        </tr>
    }
}

/// The sums that matter: one that is zero and says nothing is left out.
fn sums(invoice: &InvoiceDetail) -> impl IntoView + use<> {
    let summary = &invoice.summary;
    let money = |amount: i64| summary.money(amount).to_string();
    let some = |label, amount: i64| (amount != 0).then(|| (label, money(amount), ""));
    let owed = match summary.status {
        InvoiceStatus::Void => 0,
        _ => summary.amount_remaining,
    };
    let sums = [
        Some(("Subtotal", money(invoice.subtotal), "")),
        some("Discount", -invoice.discount),
        some("Tax", invoice.tax),
        Some(("Total", money(summary.total), "sum-total")),
        some("Credit applied", -invoice.credit_applied),
        some("Paid", -summary.amount_paid),
        Some(("Amount due", money(owed), "sum-due")),
        some("Refunded", summary.amount_refunded),
    ];
    sums.into_iter()
        .flatten()
        .map(|(label, amount, class)| {
            view! {
                <div class=class>
                    <dt>{label}</dt>
                    <dd>{amount}</dd>
                </div>
            }
        })
        .collect_view()
}
