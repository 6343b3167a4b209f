//! Entries of the audit log, each with expandable details.

use super::{Badge, Moment};
use crate::{
    app::{
        filters::audit_of,
        json_text::lay_out,
        language,
        local_path::{CUSTOMERS, percent_encode},
        stripe_dashboard::dashboard_href,
        usage_summary::Tone,
    },
    domain::{audit::AuditEntry, language::Language},
    text::{
        common,
        staff::{inbox, log as words, mirror},
    },
};
use leptos::prelude::*;
use serde_json::Value;

/// Failed and refused entries are marked.
fn refusal(language: Language, event_type: &str) -> Option<(Tone, &'static str)> {
    match event_type {
        "error" => Some((Tone::Danger, words::error(language))),
        "access.refused" | "session.refused" | "session.throttled" => Some((Tone::Warning, words::refused(language))),
        _ => None,
    }
}

/// `sealed_upto`: the last sealed entry.
#[component]
pub fn AuditEntries<'a>(entries: &'a [AuditEntry], sealed_upto: Option<i64>) -> impl IntoView + use<> {
    let rows = entries.iter().map(|entry| row(entry, sealed_upto)).collect_view();
    view! { <ol class="trail">{rows}</ol> }
}

fn row(entry: &AuditEntry, sealed_upto: Option<i64>) -> impl IntoView + use<> {
    let language = language();
    let sign = refusal(language, &entry.event_type);
    let title = words::event_type(language, &entry.event_type);
    let whose = entry.customer.clone().or_else(|| entry.customer_id.map(|id| id.to_string()));
    let is_sealed = sealed_upto.is_some_and(|last| entry.id <= last);
    let fact =
        |name: &'static str, value: Option<String>| value.map(|value| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> });
    let customer = entry.customer_id.map(|id| {
        view! {
            <div>
                <dt>{words::customer(language)}</dt>
                <dd class="ids">
                    <a href=format!("{CUSTOMERS}?q={}", percent_encode(&id.to_string()))>
                        {entry.customer.clone().unwrap_or_else(|| id.to_string())}
                    </a>
                    " · "
                    <a href=audit_of(id)>{mirror::audit_link(language)}</a>
                </dd>
            </div>
        }
    });
    let invoice = invoice_of(&entry.data).map(|id| {
        let href = dashboard_href(&id, None);
        view! {
            <div>
                <dt>{words::invoice(language)}</dt>
                <dd class="ids">
                    {id} {href.map(|href| view! { " · " <a href=href rel="external noreferrer">{inbox::open_in_stripe(language)}</a> })}
                </dd>
            </div>
        }
    });
    view! {
        <li>
            <details>
                <summary>
                    <span class="trail-type ids">
                        {title.map(|title| view! { <b>{title}</b> " " })}
                        <span class="trail-code">{entry.event_type.clone()}</span>
                        {sign.map(|(tone, text)| view! { <Badge tone text icon=true /> })}
                    </span>
                    <span class="ids">{entry.actor.clone()}</span>
                    <span class="trail-whose ids">{whose}</span>
                    <span class="trail-when"><Moment at=entry.created_at time=true /></span>
                </summary>
                <dl class="facts wide-facts">
                    {fact(words::entry(language), Some(entry.id.to_string()))}
                    {customer}
                    {invoice}
                    {fact(words::address(language), entry.ip_address.clone())}
                    {fact(words::program(language), entry.user_agent.clone())}
                    <div>
                        <dt>{words::chain(language)}</dt>
                        <dd>{if is_sealed { words::sealed(language) } else { words::not_sealed(language) }}</dd>
                    </div>
                </dl>
                {data(&entry.data)}
            </details>
        </li>
    }
}

/// A change's old and new values side by side, with further data below.
fn data(data: &Value) -> impl IntoView + use<> {
    let language = language();
    let Sides { before, after, rest } = Sides::of(data);
    let side = |title: &'static str, value: Option<Value>| {
        value.map(|value| {
            view! {
                <section class="trail-side">
                    <h2>{title}</h2>
                    <pre class="payload"><code>{lay_out(&value.to_string())}</code></pre>
                </section>
            }
        })
    };
    view! {
        <div class="trail-data">
            {side(words::before(language), before)} {side(words::after(language), after)} {side(common::details(language), rest)}
        </div>
    }
}

/// Stripe's id of the invoice that an entry is about.
fn invoice_of(data: &Value) -> Option<String> {
    let fields = data.as_object()?;
    let own = fields.values().filter_map(Value::as_str).find(|text| text.starts_with("in_"));
    let nested = || ["after", "before"].into_iter().find_map(|side| invoice_of(fields.get(side)?));
    own.map(str::to_owned).or_else(nested)
}

/// The parts of an entry's data.
#[derive(Debug, Default, PartialEq)]
struct Sides {
    before: Option<Value>,
    after: Option<Value>,
    rest: Option<Value>,
}

impl Sides {
    fn of(data: &Value) -> Sides {
        let Value::Object(fields) = data else { return Sides { rest: Some(data.clone()), ..Sides::default() } };
        let mut rest = fields.clone();
        let (before, after) = (rest.remove("before"), rest.remove("after"));
        Sides { before, after, rest: (!rest.is_empty()).then_some(Value::Object(rest)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_names_its_invoice() {
        assert_eq!(invoice_of(&json!({"type": "x", "invoice": "in_1"})).as_deref(), Some("in_1"));
        assert_eq!(invoice_of(&json!({"after": {"id": "in_2"}})).as_deref(), Some("in_2"));
        assert_eq!(invoice_of(&json!({"id": "ch_1", "after": [1]})), None);
        assert_eq!(invoice_of(&json!("in_1")), None);
    }

    #[test]
    fn old_and_new_values_are_separated_from_other_data() {
        let sides = Sides::of(&json!({"before": null, "after": {"n": 2}, "email": "a@b.example"}));
        let expected = Sides { before: Some(Value::Null), after: Some(json!({"n": 2})), rest: Some(json!({"email": "a@b.example"})) };
        assert_eq!(sides, expected);
        assert_eq!(Sides::of(&json!({})), Sides::default());
        assert_eq!(Sides::of(&json!([1])), Sides { rest: Some(json!([1])), ..Sides::default() });
    }
}
