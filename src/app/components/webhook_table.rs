//! The inbox as a table; on narrow screens each row has few lines.

use super::{Moment, WebhookBadge};
use crate::{app::filters::webhook_href, domain::webhook::WebhookSummary};
use leptos::prelude::*;

/// One row per event, with a link to its page.
#[component]
pub fn WebhookTable<'a>(events: &'a [WebhookSummary]) -> impl IntoView + use<> {
    view! {
        <div class="table-frame">
            <table class="table rows" role="table">
                <caption class="visually-hidden">"Events"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Event"</th>
                        <th role="columnheader" scope="col">"Status"</th>
                        <th role="columnheader" scope="col">"About"</th>
                        <th role="columnheader" scope="col">"Received"</th>
                        <th role="columnheader" scope="col" class="number">"Tries"</th>
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
            <td role="cell" class="number wide">{event.attempts}</td>
        </tr>
    }
}
