//! `GET /docs`: the document as a page in the console's style, without scripts or anything from
//! another host.

use super::document;
use crate::{
    app::{
        Page,
        components::brand::Brand,
        shell::{self, Scripts},
    },
    http::{page::Theme, state::Server},
};
use axum::{extract::State, response::Html};
use leptos::prelude::*;
use serde_json::Value;

/// `GET /docs`.
#[utoipa::path(
    get, path = "/api/v1/docs", tag = "Service", security(()),
    summary = "The OpenAPI document as a page",
    responses((status = 200, description = "HTML, without scripts or anything from another host", body = String,
        content_type = "text/html; charset=utf-8"))
)]
pub async fn docs(State(server): State<Server>, Theme(theme): Theme) -> Html<String> {
    Html(Owner::new().with(|| shell::document(&server.assets, theme, Page::new("API", page(document())), Scripts::None)))
}

fn page(document: &Value) -> impl IntoView {
    let tags = array(&document["tags"]);
    let contents = tags.iter().map(|tag| {
        let name = text(&tag["name"]);
        view! { <li><a href=format!("#{name}")>{name.clone()}</a></li> }
    });
    let sections = tags.iter().map(|tag| {
        let name = text(&tag["name"]);
        let operations: Vec<AnyView> = object(&document["paths"])
            .flat_map(|(path, item)| object(item).map(move |(method, operation)| (path, method, operation)))
            .filter(|(.., operation)| operation["tags"][0] == tag["name"])
            .map(|(path, method, operation)| self::operation(document, path, method, operation))
            .collect();
        view! {
            <section class="panel docs-section" id=name.clone()>
                <h2>{name.clone()}</h2>
                <p class="quiet">{prose(&tag["description"])}</p>
                {operations}
            </section>
        }
    });
    let schemas = object(&document["components"]["schemas"]).map(|(name, schema)| {
        view! {
            <details>
                <summary><code>{name.clone()}</code></summary>
                // A link to content inside opens it.
                <div class="docs-part" id=format!("schema-{name}")>
                    {described(schema)} {properties(schema)} {example(&schema["example"])}
                </div>
            </details>
        }
    });
    view! {
        <header class="docs-head"><a href="/">
            <Brand />
        </a></header>
        <main class="main docs">
            <div class="page-head">
                <div>
                    <h1>"API"</h1>
                    <p class="page-sub">
                        {format!("Version {}", text(&document["info"]["version"]))} " · "
                        <a href="/api/v1/openapi.json">{format!("OpenAPI {}", text(&document["openapi"]))}</a>
                    </p>
                </div>
            </div>
            <div class="docs-prose">{paragraphs(&document["info"]["description"])}</div>
            <nav aria-label="Sections">
                <ul class="docs-contents">{contents.collect_view()} <li><a href="#schemas">"Schemas"</a></li></ul>
            </nav>
            {sections.collect_view()}
            <section class="panel docs-section" id="schemas">
                <h2>"Schemas"</h2>
                <p class="quiet">"Types of requests and responses."</p>
                {schemas.collect_view()}
            </section>
        </main>
    }
}

fn operation(document: &Value, path: &str, method: &str, operation: &Value) -> AnyView {
    let parameters = array(&operation["parameters"]);
    let bodies = object(&operation["requestBody"]["content"]).map(|(media, content)| {
        view! { <dt><code>{media.clone()}</code></dt> <dd>{kind(&content["schema"])}</dd> }
    });
    let bodies: Vec<_> = bodies.collect();
    let responses = object(&operation["responses"]).map(|(status, response)| {
        let response = resolved(document, response);
        let contents = object(&response["content"])
            .map(|(media, content)| view! { <p><code>{media.clone()}</code> " " {kind(&content["schema"])}</p> })
            .collect_view();
        let headers = object(&response["headers"]).map(|(name, _)| view! { <code>{name.clone()}</code> " " }).collect_view();
        view! {
            <tr>
                <th scope="row"><span class="number">{status.clone()}</span></th>
                <td>{prose(&response["description"])} {contents} <p class="quiet">{headers}</p></td>
            </tr>
        }
    });
    let id = text(&operation["operationId"]);
    view! {
        <details>
            <summary>
                <span class=format!("docs-method docs-{method}")>{method.to_uppercase()}</span>
                " "
                <code class="docs-path">{path.to_owned()}</code>
                " "
                <span class="docs-summary">{text(&operation["summary"])}</span>
            </summary>
            <div class="docs-part" id=id>
                {described(operation)} <p class="quiet">"For " {who(operation)} "."</p>
                {(!parameters.is_empty()).then(|| view! { <h3>"Parameters"</h3> {rows(parameters.iter().map(parameter).collect())} })}
                {(!bodies.is_empty()).then(|| view! { <h3>"Body"</h3> <dl class="docs-bodies">{bodies}</dl> })} <h3>"Answers"</h3>
                <div class="table-frame"><table class="table docs-table"><tbody>{responses.collect_view()}</tbody></table></div>
            </div>
        </details>
    }
    .into_any()
}

/// The required authorization.
fn who(operation: &Value) -> String {
    let schemes: Vec<&String> = array(&operation["security"]).iter().flat_map(|one| object(one).map(|(name, _)| name)).collect();
    let cookie = schemes.iter().any(|name| *name == "cookie");
    let key = schemes.iter().any(|name| *name == "api_key");
    match (cookie, key, operation["x-role"].as_str()) {
        (_, _, Some("admin")) => "the platform's staff".into(),
        (_, _, Some(role)) => format!("the roles {role} and admin"),
        (true, true, None) => "all users, and API keys".into(),
        (true, false, None) => "all users".into(),
        (false, true, None) => "API keys".into(),
        (false, false, None) => "anyone".into(),
    }
}

/// A row of a table of parameters or properties.
struct Row {
    name: String,
    place: String,
    required: bool,
    schema: Value,
    description: Value,
}

fn parameter(parameter: &Value) -> Row {
    Row {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        required: parameter["required"] == true,
        schema: parameter["schema"].clone(),
        description: parameter["description"].clone(),
    }
}

fn properties(schema: &Value) -> AnyView {
    let parts: Vec<&Value> = std::iter::once(schema).chain(array(&schema["allOf"])).collect();
    let whole: Vec<AnyView> = array(&schema["allOf"]).iter().filter(|part| part["$ref"].is_string()).map(kind).collect();
    let listed = parts.iter().flat_map(|part| {
        object(&part["properties"]).map(|(name, property)| Row {
            name: name.clone(),
            place: String::new(),
            required: array(&part["required"]).iter().any(|one| one == name),
            schema: property.clone(),
            description: property["description"].clone(),
        })
    });
    let listed: Vec<Row> = listed.collect();
    let plain = listed.is_empty() && whole.is_empty();
    view! {
        {plain.then(|| view! { <p>{kind(schema)} {bounds(schema)}</p> })}
        {whole.into_iter().map(|part| view! { <p>"All of " {part} ", and:"</p> }).collect_view()}
        {(!listed.is_empty()).then(|| rows(listed))}
    }
    .into_any()
}

fn rows(rows: Vec<Row>) -> AnyView {
    let rows = rows.into_iter().map(|row| {
        view! {
            <tr>
                <th scope="row">
                    <code>{row.name}</code>
                    <small>{row.place} {row.required.then_some(" required")}</small>
                </th>
                <td>{kind(&row.schema)} {bounds(&row.schema)} <div class="quiet">{prose(&row.description)}</div></td>
            </tr>
        }
    });
    view! { <div class="table-frame"><table class="table docs-table"><tbody>{rows.collect_view()}</tbody></table></div> }.into_any()
}

/// A value's type, with a link if it has a name.
fn kind(schema: &Value) -> AnyView {
    if let Some(name) = schema["$ref"].as_str().and_then(|at| at.rsplit('/').next()) {
        return view! { <a href=format!("#schema-{name}")><code>{name.to_owned()}</code></a> }.into_any();
    }
    let alternatives: Vec<&Value> = ["oneOf", "anyOf"].iter().flat_map(|word| array(&schema[*word])).collect();
    if !alternatives.is_empty() {
        let shown = alternatives.iter().enumerate().map(|(place, one)| view! { {(place > 0).then_some(" or ")} {kind(one)} });
        return shown.collect_view().into_any();
    }
    if !schema["enum"].is_null() {
        let words = array(&schema["enum"])
            .iter()
            .enumerate()
            .map(|(place, word)| view! { {(place > 0).then_some(", ")} <code>{text(word)}</code> });
        return view! { "one of " {words.collect_view()} }.into_any();
    }
    if let Some(part) = array(&schema["allOf"]).first() {
        return kind(part);
    }
    if schema["items"].is_object() {
        return view! { "list of " {kind(&schema["items"])} }.into_any();
    }
    let types = match &schema["type"] {
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(one) => one.clone(),
        _ if schema["format"].is_string() => return text(&schema["format"]).into_any(),
        _ if schema["properties"].is_object() => "object".into(),
        _ => "any".into(),
    };
    let format = schema["format"].as_str().map(|format| format!(" ({format})"));
    view! { {types} {format} }.into_any()
}

fn bounds(schema: &Value) -> Option<AnyView> {
    let words = [
        ("minimum", "at least "),
        ("maximum", "at most "),
        ("minLength", "length from "),
        ("maxLength", "length up to "),
        ("minItems", "items from "),
        ("maxItems", "items up to "),
        ("default", "default "),
    ];
    let given = words.iter().filter(|(word, _)| !schema[*word].is_null()).map(|(word, said)| format!("{said}{}", schema[*word]));
    let given: Vec<String> = given.collect();
    (!given.is_empty()).then(|| view! { <span class="quiet">", " {given.join(", ")}</span> }.into_any())
}

fn example(example: &Value) -> Option<AnyView> {
    match example {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(format!("{other:#}")),
    }
    .map(|shown| view! { <pre class="docs-example" tabindex="0"><code>{shown}</code></pre> }.into_any())
}

fn described(of: &Value) -> Option<AnyView> {
    of["description"].is_string().then(|| view! { <p>{prose(&of["description"])}</p> }.into_any())
}

fn paragraphs(of: &Value) -> AnyView {
    of.as_str().unwrap_or_default().split("\n\n").map(|part| view! { <p>{words(part)}</p> }).collect_view().into_any()
}

fn prose(of: &Value) -> AnyView {
    words(of.as_str().unwrap_or_default())
}

/// Text in which backticks mark code.
fn words(text: &str) -> AnyView {
    let parts = text.split('`').enumerate().map(|(place, part)| {
        let part = part.to_owned();
        if place % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
    });
    parts.collect_view().into_any()
}

/// The target of a reference within the document.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().and_then(|at| document.pointer(at.trim_start_matches('#'))).unwrap_or(value)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
