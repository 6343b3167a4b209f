//! Adds what all operations have in common: authorization, the problems that the layers in front of
//! handlers return, and common headers.

use crate::{
    app::calls::Problem,
    domain::error_code::{ErrorCode, RetryAfter},
    http::{conditional::POLLED, session::COOKIE},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const OPERATIONS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The document as it is served.
pub fn complete(mut document: Value) -> Value {
    let mut shared = Map::new();
    for (path, item) in members(&mut document["paths"]) {
        for (method, operation) in members(item).filter(|(method, _)| OPERATIONS.contains(&method.as_str())) {
            complete_operation(path, method, operation, &mut shared);
        }
    }
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["info"]["license"] = json!({"name": "Apache-2.0", "identifier": "Apache-2.0"});
    document["components"]["responses"] = shared.into();
    document["components"]["headers"] = headers();
    document["components"]["securitySchemes"] = json!({
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "A session from `POST /api/v1/auth/login`"},
        "api_key": {"type": "http", "scheme": "bearer", "description": "A customer's API key from `POST /api/v1/billing/api-keys`"},
    });
    bound(&mut document["components"]["schemas"]);
    without_lone_alternatives(&mut document["components"]["schemas"]);
    merge_objects(&mut document["components"]["schemas"]);
    document
}

fn complete_operation(path: &str, method: &str, operation: &mut Value, shared: &mut Map<String, Value>) {
    let Some(fields) = operation.as_object_mut() else { return };
    let own = fields.remove("x-problems");
    let words = path.trim_start_matches("/api/v1").replace(['{', '}'], "");
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    fields.insert("operationId".into(), std::iter::once(method).chain(words).collect::<Vec<_>>().join("_").into());
    let staff_only = fields.get("x-role").is_some_and(|role| role == "admin");
    let security = fields.entry("security").or_insert_with(|| {
        // API keys are read-only and have no access to staff operations.
        if staff_only || method != "get" { json!([{"cookie": []}]) } else { json!([{"cookie": []}, {"api_key": []}]) }
    });
    let for_anyone = security.as_array().is_some_and(|any| any.iter().any(|one| one.as_object().is_some_and(Map::is_empty)));

    let mut codes = vec![ErrorCode::NotUtf8, ErrorCode::Unauthenticated, ErrorCode::Internal, ErrorCode::Busy, ErrorCode::Unavailable];
    if !for_anyone {
        codes.push(ErrorCode::Forbidden);
    }
    if method != "get" {
        codes.push(ErrorCode::CrossSite);
    }
    // Unauthenticated requests count for their address's rate limit everywhere but here.
    if !["/livez", "/readyz", "/api/v1/health", "/api/v1/webhooks/stripe"].contains(&path) {
        codes.push(ErrorCode::RateLimited);
    }
    if path.starts_with("/api/v1/billing/") {
        codes.push(ErrorCode::BillingDisabled);
    }
    if fields.contains_key("requestBody") {
        codes.extend([ErrorCode::BodyTooLarge, ErrorCode::UnsupportedMediaType]);
    }
    let key = fields.remove("x-idempotency-key");
    if let Some(key) = &key {
        let required = key == "required";
        codes.extend([
            ErrorCode::BodyTooLarge,
            ErrorCode::IdempotencyKeyInvalid,
            ErrorCode::IdempotencyInProgress,
            ErrorCode::IdempotencyKeyReused,
        ]);
        if required {
            codes.push(ErrorCode::IdempotencyKeyMissing);
        }
        if let Some(parameters) = fields.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
            parameters.push(idempotency_key(required));
        }
    }
    codes.extend(own.iter().filter_map(Value::as_array).flatten().filter_map(Value::as_str).filter_map(ErrorCode::parse));
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for code in ErrorCode::ALL.iter().filter(|code| codes.contains(code)) {
        by_status.entry(code.status()).or_default().push(*code);
    }

    for parameter in fields.get_mut("parameters").into_iter().flat_map(|all| all.as_array_mut().into_iter().flatten()) {
        without_null(&mut parameter["schema"]);
    }
    let is_polled = method == "get" && POLLED.contains(&path);
    if is_polled {
        let known = json!({"name": "If-None-Match", "in": "header", "description": "The `ETag` of a cached response", "schema": {"type": "string"}});
        if let Some(parameters) = fields.entry("parameters").or_insert_with(|| json!([])).as_array_mut() {
            parameters.push(known);
        }
    }
    let responses = fields.entry("responses").or_insert_with(|| json!({}));
    if is_polled {
        responses["200"]["headers"]["ETag"] = header_reference("ETag");
        responses["304"] = json!({
            "description": "The response matches `If-None-Match`",
            "headers": {"ETag": header_reference("ETag")},
        });
    }
    for (_, response) in members(responses) {
        response["headers"]["x-request-id"] = header_reference("x-request-id");
        if key.is_some() {
            response["headers"]["Idempotent-Replayed"] = header_reference("Idempotent-Replayed");
        }
    }
    for (status, codes) in by_status {
        let name = std::iter::once(status.to_string()).chain(codes.iter().map(ErrorCode::to_string)).collect::<Vec<_>>().join("-");
        let problem = shared.entry(name.clone()).or_insert_with(|| response_of(status, &codes));
        match responses.get_mut(status.to_string()) {
            // It documents its own response with this status.
            Some(other) => {
                other["content"]["application/problem+json"] = problem["content"]["application/problem+json"].clone();
            }
            None => responses[status.to_string()] = json!({"$ref": format!("#/components/responses/{name}")}),
        }
    }
}

fn response_of(status: u16, codes: &[ErrorCode]) -> Value {
    let examples: Map<String, Value> = codes
        .iter()
        .map(|code| {
            let mut problem = Problem::of(*code);
            problem.instance = Some("/api/v1/…".into());
            problem.request_id = Some("1c7b3c0a-5d3e-4f0e-9a55-1d1a3b6f0c11".into());
            (code.to_string(), json!({"summary": code.meaning(), "value": problem}))
        })
        .collect();
    let mut headers = json!({"x-request-id": header_reference("x-request-id")});
    if status == 401 {
        headers["WWW-Authenticate"] = header_reference("WWW-Authenticate");
    }
    if codes.iter().any(|code| code.retry_after() != RetryAfter::Never) {
        headers["Retry-After"] = header_reference("Retry-After");
    }
    let description: Vec<String> = codes.iter().map(|code| format!("`{code}`: {}", code.sentence())).collect();
    json!({
        "description": description.join(" "),
        "headers": headers,
        "content": {"application/problem+json": {
            "schema": {
                "allOf": [{"$ref": "#/components/schemas/Problem"}],
                "properties": {"status": {"const": status}, "code": {"enum": codes}},
            },
            "examples": examples,
        }},
    })
}

fn idempotency_key(required: bool) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Visible ASCII characters, bare or quoted. Repeating a request with the same key within 24 hours has no further effect and returns the first response",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
        "example": "5f0c7d1e-9a55-4f0e-8d3e-1c7b3c0a6b11",
    })
}

fn header_reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

fn headers() -> Value {
    json!({
        "x-request-id": {"description": "Identifies this request in the server's log", "required": true, "schema": {"type": "string", "format": "uuid"}},
        "ETag": {"description": "Weak; changes with the response", "required": true, "schema": {"type": "string"}},
        "WWW-Authenticate": {"description": "RFC 9110 section 11.6.1", "required": true, "schema": {"type": "string"}},
        "Idempotent-Replayed": {"description": "The response is saved from an earlier request with this `Idempotency-Key`", "schema": {"const": "true"}},
        "Retry-After": {"description": "Seconds after which the client may send the request again", "schema": {"type": "integer", "minimum": 1}},
    })
}

/// A parameter is present or absent; a query has no `null`.
fn without_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|kind| kind != "null");
        if let [one] = types.as_slice() {
            schema["type"] = one.clone();
        }
    }
    let alternatives = schema.get_mut("oneOf").and_then(Value::as_array_mut).map(|all| {
        all.retain(|one| one["type"] != "null");
        all.clone()
    });
    if let Some([one]) = alternatives.as_deref() {
        *schema = one.clone();
    }
}

/// Limits that are enforced by parsing code.
fn bound(schemas: &mut Value) {
    let address = r"^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*@([A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9\-]*[A-Za-z])?$";
    schemas["EmailAddress"]["pattern"] = address.into();
    schemas["EmailAddress"]["maxLength"] = 254.into();
    schemas["Currency"]["pattern"] = "^[a-z]{3}$".into();
}

/// A single alternative: use its schema directly.
fn without_lone_alternatives(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            let lone =
                fields.get("oneOf").and_then(Value::as_array).filter(|all| all.len() == 1).and_then(|all| all[0].as_object().cloned());
            if let Some(lone) = lone {
                fields.remove("oneOf");
                for (name, value) in lone {
                    fields.entry(name).or_insert(value);
                }
            }
            fields.values_mut().for_each(without_lone_alternatives);
        }
        Value::Array(items) => items.iter_mut().for_each(without_lone_alternatives),
        _ => {}
    }
}

/// A type with flattened fields is described as several objects; in JSON it is one. Parts that
/// refer to other types stay parts.
fn merge_objects(schemas: &mut Value) {
    for (_, schema) in members(schemas) {
        let Some(parts) = schema.get_mut("allOf").and_then(Value::as_array_mut).map(std::mem::take) else { continue };
        let (objects, mut others): (Vec<Value>, Vec<Value>) = parts.into_iter().partition(|part| part["properties"].is_object());
        // The fields that are not flattened stand last.
        let merged = objects.into_iter().rev().reduce(|mut all, more| {
            if let (Some(known), Some(more)) = (all["properties"].as_object_mut(), more["properties"].as_object()) {
                known.extend(more.clone());
            }
            let required = [&all["required"], &more["required"]].into_iter().filter_map(Value::as_array).flatten().cloned().collect();
            all["required"] = Value::Array(required);
            all
        });
        let Some(fields) = schema.as_object_mut() else { continue };
        match merged {
            Some(Value::Object(merged)) if others.is_empty() => {
                fields.remove("allOf");
                fields.extend(merged);
            }
            merged => {
                others.extend(merged);
                fields.insert("allOf".into(), others.into());
            }
        }
    }
}

fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flatten()
}
