//! The stand-in's state, and the events of each change.

use super::errors::{ApiError, Checked};
use super::metered::Meters;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

/// The API version of objects and events.
pub const API_VERSION: &str = "2026-07-29.dahlia";

/// Lists within an object have at most this many entries; paging returns the others.
const EMBEDDED: usize = 10;

static FIXTURES: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("fixtures.json")).expect("JSON"));

/// Stripe's canonical object of a type, with these members set.
pub fn built(kind: &str, members: Value) -> Value {
    let mut object = FIXTURES.get(kind).unwrap_or_else(|| panic!("no fixture of a {kind}")).clone();
    set(&mut object, members);
    object
}

/// Sets these members of an object.
pub fn set(object: &mut Value, members: Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend(members);
    }
}

/// An integer member; 0 if absent.
pub fn integer(object: &Value, member: &str) -> i64 {
    object[member].as_i64().unwrap_or(0)
}

/// A string member; empty if absent.
pub fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// An object's position in its list: by time, then by order of creation.
pub type Place = (i64, u64);

/// All objects of one type.
#[derive(Default)]
pub struct Collection {
    places: HashMap<String, Place>,
    pub objects: BTreeMap<Place, Value>,
}

impl Collection {
    pub fn place(&self, id: &str) -> Option<Place> {
        self.places.get(id).copied()
    }

    pub fn get(&self, id: &str) -> Option<&Value> {
        self.objects.get(self.places.get(id)?)
    }
}

/// The request of an event.
#[derive(Clone, Default)]
pub struct Origin {
    pub request: Option<String>,
    pub idempotency_key: Option<String>,
}

pub struct Store {
    collections: HashMap<String, Collection>,
    sequence: u64,
    /// Unix seconds; set for each request.
    pub now: i64,
    pub origin: Origin,
    /// The stand-in's URL, without a trailing slash.
    pub base_url: String,
    /// Events of this request that are not delivered yet.
    pub fresh: Vec<Value>,
    pub meters: Meters,
}

impl Store {
    pub fn new(now: i64, base_url: String) -> Store {
        // Another stand-in has other ids.
        let sequence = u64::try_from(now).unwrap_or(0) * 1_000_000;
        let (collections, origin) = (HashMap::new(), Origin::default());
        Store { collections, sequence, now, origin, base_url, fresh: Vec::new(), meters: Meters::default() }
    }

    /// A new id, e.g. `in_1…` for `in_`.
    pub fn id(&mut self, prefix: &str) -> String {
        self.sequence += 1;
        format!("{prefix}1{:022}", self.sequence)
    }

    /// All objects of a type, by their `object` member.
    pub fn all(&self, kind: &str) -> &Collection {
        static NONE: LazyLock<Collection> = LazyLock::new(Collection::default);
        self.collections.get(kind).unwrap_or(&NONE)
    }

    pub fn get(&self, kind: &str, id: &str) -> Option<&Value> {
        self.all(kind).get(id)
    }

    /// The object that the path names.
    pub fn find(&self, kind: &str, id: &str) -> Checked<&Value> {
        self.get(kind, id).ok_or_else(|| ApiError::no_such(&kind.replace('_', " "), id, "id"))
    }

    /// The object that a parameter names.
    pub fn named(&self, kind: &str, id: &str, param: &str) -> Checked<&Value> {
        self.get(kind, id).ok_or_else(|| ApiError::no_such(&kind.replace('_', " "), id, param))
    }

    /// Stores an object unchanged, replacing one with the same id, without an event.
    pub fn put(&mut self, kind: &str, object: Value) {
        let id = text(&object, "id").to_owned();
        self.sequence += 1;
        let sequence = self.sequence;
        let collection = self.collections.entry(kind.to_owned()).or_default();
        let created = integer(&object, "created");
        let place = match collection.places.get(&id) {
            Some(place) if place.0 == created => *place,
            Some(place) => {
                let old = *place;
                collection.objects.remove(&old);
                (created, old.1)
            }
            None => (created, sequence),
        };
        collection.places.insert(id, place);
        collection.objects.insert(place, object);
    }

    pub fn remove(&mut self, kind: &str, id: &str) -> Option<Value> {
        let collection = self.collections.get_mut(kind)?;
        let place = collection.places.remove(id)?;
        collection.objects.remove(&place)
    }

    /// Stores a new object and creates its event.
    pub fn add(&mut self, kind: &str, object: Value, event: &str) -> Value {
        self.put(kind, object.clone());
        self.emit(event, &object);
        object
    }

    /// Changes an object and creates each of these events; update events have the previous values.
    pub fn change(&mut self, kind: &str, id: &str, events: &[&str], edit: impl FnOnce(&mut Value)) -> Checked<Value> {
        let old = self.find(kind, id)?.clone();
        let mut new = old.clone();
        edit(&mut new);
        self.put(kind, new.clone());
        for event in events {
            if event.ends_with(".updated") {
                self.emit_with(event, &new, Some(previous(&old, &new)));
            } else {
                self.emit(event, &new);
            }
        }
        Ok(new)
    }

    pub fn emit(&mut self, event_type: &str, object: &Value) {
        self.emit_with(event_type, object, None);
    }

    fn emit_with(&mut self, event_type: &str, object: &Value, previous: Option<Value>) {
        let mut event = built(
            "event",
            json!({
                "id": self.id("evt_"), "api_version": API_VERSION, "created": self.now, "type": event_type, "pending_webhooks": 1,
                "request": {"id": self.origin.request, "idempotency_key": self.origin.idempotency_key},
            }),
        );
        event["data"]["object"] = shown(object);
        if let Some(previous) = previous {
            event["data"]["previous_attributes"] = previous;
        }
        self.put("event", event.clone());
        self.fresh.push(event);
    }

    /// Handles `expand[]`: replaces an id by its object, for members such as `data.customer`.
    pub fn expand(&self, answer: &mut Value, path: &str) {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        if let Value::Array(list) = answer {
            return list.iter_mut().for_each(|entry| self.expand(entry, path));
        }
        if first == "payments" && text(answer, "object") == "invoice" && answer["payments"].is_null() {
            let id = text(answer, "id").to_owned();
            let payments: Vec<&Value> = self.all("invoice_payment").objects.values().rev().filter(|p| text(p, "invoice") == id).collect();
            answer["payments"] = json!({"object": "list", "data": payments, "has_more": false, "url": "/v1/invoice_payments"});
        }
        let Some(member) = answer.get_mut(first) else { return };
        if let Some(object) = member.as_str().and_then(|id| self.by_prefix(id)) {
            *member = shown(object);
        }
        if let Some(rest) = rest {
            self.expand(member, rest);
        }
    }

    fn by_prefix(&self, id: &str) -> Option<&Value> {
        let kind = match id.split_once('_')?.0 {
            "cus" => "customer",
            "sub" => "subscription",
            "in" => "invoice",
            "ch" => "charge",
            "re" => "refund",
            "cn" => "credit_note",
            "price" => "price",
            _ => return None,
        };
        self.get(kind, id)
    }
}

/// The object in the API's format: lists within have only their first entries.
pub fn shown(object: &Value) -> Value {
    let mut object = object.clone();
    for list in ["lines", "items"] {
        let Some(entries) = object.pointer_mut(&format!("/{list}/data")).and_then(Value::as_array_mut) else { continue };
        if entries.len() > EMBEDDED {
            entries.truncate(EMBEDDED);
            object[list]["has_more"] = json!(true);
        }
    }
    object
}

/// The changed members with their old values.
fn previous(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Value::Null };
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    Value::Object(changed.map(|(key, _)| (key.clone(), old.get(key).cloned().unwrap_or_default())).collect())
}

/// Merges a request's `metadata[…]` into an object: an empty value removes the key, an empty
/// `metadata` all keys.
pub fn take_metadata(object: &mut Value, params: &super::form::Params) {
    let Some(sent) = params.object("metadata") else {
        if params.sent("metadata") {
            object["metadata"] = json!({});
        }
        return;
    };
    let mut metadata: Map<String, Value> = object["metadata"].as_object().cloned().unwrap_or_default();
    for (key, value) in sent {
        match value.as_str() {
            Some("") => drop(metadata.remove(key)),
            _ => drop(metadata.insert(key.clone(), value.clone())),
        }
    }
    object["metadata"] = Value::Object(metadata);
}
