//! The inbox as a table; on narrow screens each row has few lines.

use super::{Moment, WebhookBadge};
use crate::{
    app::{filters::webhook_href, language},
    domain::webhook::WebhookSummary,
    text::{common, format, staff::inbox as words},
};
use leptos::prelude::*;

/// One row per event, with a link to its page.
#[component]
pub fn WebhookTable<'a>(events: &'a [WebhookSummary]) -> impl IntoView + use<> {
    let language = language();
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">{words::events(language)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{words::event(language)}</th>
                        <th role="columnheader" scope="col">{common::status(language)}</th>
                        <th role="columnheader" scope="col">{words::object(language)}</th>
                        <th role="columnheader" scope="col">{words::received(language)}</th>
                        <th role="columnheader" scope="col" class="number">{words::attempts(language)}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{events.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(event: &WebhookSummary) -> impl IntoView + use<> {
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="ids">
                <a class="row-link ids" href=webhook_href(&event.id)>{event.event_type.clone()}</a>
                <small>{event.id.clone()}</small>
            </th>
            <td role="cell" class="first"><WebhookBadge status=event.status /></td>
            <td role="cell" class="ids line">
                <span>{event.object_id.clone().unwrap_or_else(|| "–".to_owned())}</span>
                {event.customer.clone().map(|name| view! { <small>{name}</small> })}
            </td>
            <td role="cell"><Moment at=event.received_at time=true /></td>
            <td role="cell" class="number wide">{format::integer(language(), event.attempts.into())}</td>
        </tr>
    }
}
