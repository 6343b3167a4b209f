//! Customers as a table; on narrow screens each row has few lines.

use super::{Badge, Glyph, Icon, Moment};
use crate::{
    app::{address::address, filters::audit_of, language, usage_summary::Tone},
    domain::customer::{CustomerSummary, MirrorState},
    text::{common, staff, staff::mirror as words},
};
use leptos::{either::Either, prelude::*};

/// One row per customer, with the state of its mirror.
#[component]
pub fn CustomerTable<'a>(customers: &'a [CustomerSummary]) -> impl IntoView + use<> {
    let language = language();
    view! {
        <div class="table-frame">
            <table class="table rows customers" role="table">
                <caption class="visually-hidden">{staff::customers(language)}</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{common::customer(language)}</th>
                        <th role="columnheader" scope="col">{words::plan(language)}</th>
                        <th role="columnheader" scope="col">{words::mirror(language)}</th>
                        <th role="columnheader" scope="col">{words::last_event(language)}</th>
                        <th role="columnheader" scope="col"><span class="visually-hidden">{words::actions(language)}</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{customers.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(customer: &CustomerSummary) -> impl IntoView + use<> {
    let language = language();
    let contact = customer.email.clone().unwrap_or_else(|| words::no_email(language).to_owned());
    let stripe = customer.stripe_customer_id.clone().unwrap_or_else(|| words::not_in_stripe(language).to_owned());
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="ids">
                <span class="badges">
                    <b>{customer.name.clone()}</b>
                    {customer.deleted.then(|| view! { <Badge tone=Tone::Warning text=words::deleted(language) /> })}
                </span>
                <small>{contact}</small>
                <small>{stripe} " · " {customer.id.to_string()}</small>
            </th>
            <td role="cell">{plan(customer)}</td>
            <td role="cell" class="line">{mirror(&customer.mirror)}</td>
            <td role="cell" class="wide">
                {match customer.mirror.last_applied_at {
                    Some(at) => Either::Left(view! { <Moment at time=true /> }),
                    None => Either::Right(words::none_yet(language)),
                }}
            </td>
            <td role="cell" class="row-actions">
                <form method="post" action="/api/v1/admin/view-as">
                    <input type="hidden" name="customer_id" value=customer.id.to_string() />
                    <input type="hidden" name="next" value=address().here />
                    <button class="button">
                        <Icon glyph=Glyph::Eye />
                        <span>{words::view_as(language)} <span class="visually-hidden">" " {customer.name.clone()}</span></span>
                    </button>
                </form>
                <a href=audit_of(customer.id)>
                    {words::audit_link(language)} <span class="visually-hidden">" " {words::audit_of(language, &customer.name)}</span>
                </a>
            </td>
        </tr>
    }
}

fn plan(customer: &CustomerSummary) -> impl IntoView + use<> {
    let language = language();
    let Some(status) = &customer.subscription_status else { return Either::Left(words::no_subscription(language)) };
    let tone = match status.as_str() {
        "active" | "trialing" => Tone::Good,
        "past_due" | "unpaid" | "incomplete" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let title = match (customer.plan_type, &customer.plan_name) {
        (Some(plan), _) => plan.title().to_owned(),
        (None, Some(name)) => words::named_plan(language, name),
        (None, None) => words::other_plan(language).to_owned(),
    };
    let unpriced = customer.unpriced.as_ref().map(|why| {
        view! { <Badge tone=Tone::Danger text=words::unpriced(language, why) icon=true /> }
    });
    Either::Right(
        view! { <span class="badges">{title} <Badge tone text=common::subscription_status(language, status) /> {unpriced}</span> },
    )
}

fn mirror(mirror: &MirrorState) -> impl IntoView + use<> {
    let language = language();
    let failed = (mirror.failed_events > 0).then(|| {
        let text = words::failed_events(language, mirror.failed_events);
        view! { <Badge tone=Tone::Danger text icon=true /> }
    });
    let found = mirror.open_discrepancies.filter(|open| *open > 0).map(|open| {
        let text = words::open_differences(language, open);
        view! { <Badge tone=Tone::Warning text icon=true /> }
    });
    let well = (!mirror.needs_attention()).then(|| match (mirror.open_discrepancies, mirror.changed_since) {
        (Some(_), false) => view! { <Badge tone=Tone::Good text=words::in_sync(language) icon=true /> },
        (Some(_), true) => view! { <Badge tone=Tone::Neutral text=words::changed_since(language) icon=false /> },
        (None, _) => view! { <Badge tone=Tone::Neutral text=words::not_compared(language) icon=false /> },
    });
    let compared = mirror.reconciled_at.map(|at| view! { <small>{words::compared(language)} " " <Moment at time=true /></small> });
    view! {
        <span class="badges">{failed} {found} {well}</span>
        {compared}
    }
}
