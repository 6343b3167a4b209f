//! Entries of the audit log, each with expandable details.

use super::{Badge, Moment};
use crate::{
    app::{filters::audit_of, json_text::lay_out, usage_summary::Tone},
    domain::audit::AuditEntry,
};
use leptos::prelude::*;
use serde_json::Value;

/// Failed and refused entries are marked.
const fn refusals() -> [(&'static str, Tone, &'static str); 4] {
    [
        ("error", Tone::Danger, "Error"),
        ("access.refused", Tone::Warning, "Refused"),
        ("session.refused", Tone::Warning, "Refused"),
        ("session.throttled", Tone::Warning, "Refused"),
    ]
}

/// `sealed_upto`: the last sealed entry.
#[component]
pub fn AuditEntries<'a>(entries: &'a [AuditEntry], sealed_upto: Option<i64>) -> impl IntoView + use<> {
    let rows = entries.iter().map(|entry| row(entry, sealed_upto)).collect_view();
    view! { <ol class="trail">{rows}</ol> }
}

fn row(entry: &AuditEntry, sealed_upto: Option<i64>) -> impl IntoView + use<> {
    let sign = refusals().into_iter().find(|(event_type, ..)| *event_type == entry.event_type);
    let whose = entry.customer.clone().or_else(|| entry.customer_id.map(|id| id.to_string()));
    let is_sealed = sealed_upto.is_some_and(|last| entry.id <= last);
    let fact =
        |name: &'static str, value: Option<String>| value.map(|value| view! { <div><dt>{name}</dt><dd class="ids">{value}</dd></div> });
    let customer = entry.customer_id.map(|id| {
        view! {
            <div>
                <dt>"Customer"</dt>
                <dd class="ids"><a href=audit_of(id)>{id.to_string()}</a></dd>
            </div>
        }
    });
    view! {
        <li>
            <details>
                <summary>
                    <span class="trail-type ids">
                        <b>{entry.event_type.clone()}</b>
                        {sign.map(|(_, tone, text)| view! { <Badge tone text icon=true /> })}
                    </span>
                    <span class="ids">{entry.actor.clone()}</span>
                    <span class="trail-whose ids">{whose}</span>
                    <span class="trail-when"><Moment at=entry.created_at time=true /></span>
                </summary>
                <dl class="facts wide-facts">
                    {fact("Entry", Some(entry.id.to_string()))}
                    {customer}
                    {fact("Address", entry.ip_address.clone())}
                    {fact("Program", entry.user_agent.clone())}
                    <div>
                        <dt>"Chain"</dt>
                        <dd>{if is_sealed { "Sealed" } else { "Not sealed yet" }}</dd>
                    </div>
                </dl>
                {data(&entry.data)}
            </details>
        </li>
    }
}

/// A change's old and new values side by side, with further data below.
fn data(data: &Value) -> impl IntoView + use<> {
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
            {side("Before", before)} {side("After", after)} {side("Details", rest)}
        </div>
    }
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
    fn old_and_new_values_are_separated_from_other_data() {
        let sides = Sides::of(&json!({"before": null, "after": {"n": 2}, "email": "a@b.example"}));
        let expected = Sides { before: Some(Value::Null), after: Some(json!({"n": 2})), rest: Some(json!({"email": "a@b.example"})) };
        assert_eq!(sides, expected);
        assert_eq!(Sides::of(&json!({})), Sides::default());
        assert_eq!(Sides::of(&json!([1])), Sides { rest: Some(json!([1])), ..Sides::default() });
    }
}
