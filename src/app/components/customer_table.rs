//! Customers as a table; on narrow screens each row has few lines.

use super::{Badge, Glyph, Icon, Moment};
use crate::{
    app::{filters::audit_of, usage_summary::Tone},
    domain::{
        customer::{CustomerSummary, MirrorState},
        format::counted,
    },
};
use leptos::{either::Either, prelude::*};

/// One row per customer, with the state of its mirror.
#[component]
pub fn CustomerTable<'a>(customers: &'a [CustomerSummary]) -> impl IntoView + use<> {
    view! {
        <div class="table-frame">
            <table class="table rows customers" role="table">
                <caption class="visually-hidden">"Customers"</caption>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">"Customer"</th>
                        <th role="columnheader" scope="col">"Plan"</th>
                        <th role="columnheader" scope="col">"Mirror"</th>
                        <th role="columnheader" scope="col">"Last event applied"</th>
                        <th role="columnheader" scope="col"><span class="visually-hidden">"What can be done"</span></th>
                    </tr>
                </thead>
                <tbody role="rowgroup">{customers.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn row(customer: &CustomerSummary) -> impl IntoView + use<> {
    let contact = customer.email.clone().unwrap_or_else(|| "No e-mail address".to_owned());
    let stripe = customer.stripe_customer_id.clone().unwrap_or_else(|| "Not in Stripe".to_owned());
    view! {
        <tr role="row">
            <th role="rowheader" scope="row" class="ids">
                <span class="badges">
                    <b>{customer.name.clone()}</b>
                    {customer.deleted.then(|| view! { <Badge tone=Tone::Warning text="Deleted in Stripe" /> })}
                </span>
                <small>{contact}</small>
                <small>{stripe} " · " {customer.id.to_string()}</small>
            </th>
            <td role="cell">{plan(customer)}</td>
            <td role="cell" class="line">{mirror(&customer.mirror)}</td>
            <td role="cell" class="wide">
                {match customer.mirror.last_applied_at {
                    Some(at) => Either::Left(view! { <Moment at time=true /> }),
                    None => Either::Right("None yet"),
                }}
            </td>
            <td role="cell" class="row-actions">
                <form method="post" action="/api/v1/admin/view-as">
                    <input type="hidden" name="customer_id" value=customer.id.to_string() />
                    <button class="button">
                        <Icon glyph=Glyph::Eye />
                        <span>"View as" <span class="visually-hidden">" " {customer.name.clone()}</span></span>
                    </button>
                </form>
                <a href=audit_of(customer.id)>
                    "Audit" <span class="visually-hidden">" of " {customer.name.clone()}</span>
                </a>
            </td>
        </tr>
    }
}

fn plan(customer: &CustomerSummary) -> impl IntoView + use<> {
    let Some(status) = &customer.subscription_status else { return Either::Left("No subscription") };
    let tone = match status.as_str() {
        "active" | "trialing" => Tone::Good,
        "past_due" | "unpaid" | "incomplete" => Tone::Danger,
        _ => Tone::Neutral,
    };
    let title = match (customer.plan_type, &customer.plan_name) {
        (Some(plan), _) => plan.title().to_owned(),
        (None, Some(name)) => format!("Plan {name}"),
        (None, None) => "Other plan".to_owned(),
    };
    let unpriced = customer.unpriced.as_ref().map(|why| {
        view! { <Badge tone=Tone::Danger text=format!("Cost unknown: {why}") icon=true /> }
    });
    Either::Right(view! { <span class="badges">{title} <Badge tone text=status.replace('_', " ") /> {unpriced}</span> })
}

fn mirror(mirror: &MirrorState) -> impl IntoView + use<> {
    let failed = (mirror.failed_events > 0).then(|| {
        let text = format!("{} failed", counted(mirror.failed_events, "event"));
        view! { <Badge tone=Tone::Danger text icon=true /> }
    });
    let found = mirror.open_discrepancies.filter(|open| *open > 0).map(|open| {
        let text = format!("{} open", counted(open, "difference"));
        view! { <Badge tone=Tone::Warning text icon=true /> }
    });
    let well = (!mirror.needs_attention()).then(|| match (mirror.open_discrepancies, mirror.changed_since) {
        (Some(_), false) => view! { <Badge tone=Tone::Good text="As in Stripe" icon=true /> },
        (Some(_), true) => view! { <Badge tone=Tone::Neutral text="Changed since" icon=false /> },
        (None, _) => view! { <Badge tone=Tone::Neutral text="Not compared yet" icon=false /> },
    });
    let compared = mirror.reconciled_at.map(|at| view! { <small>"Compared " <Moment at time=true /></small> });
    view! {
        <span class="badges">{failed} {found} {well}</span>
        {compared}
    }
}
