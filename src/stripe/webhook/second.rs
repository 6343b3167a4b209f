//! The last of an object's snapshots in events of one second, by the events' contents and the costs
//! of `domain::mirror`.

use super::{event::Event, parsed::ParsedEvent};
use crate::domain::mirror::{
    Doubt, RANK_CREATED, last_of,
    snapshot::{Change, Snapshot},
};
use serde_json::Value;
use std::collections::BTreeSet;
use time::OffsetDateTime;

/// A snapshot, and its event's information about the previous state.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub change: Change,
    event_type: String,
    api_version: Option<String>,
    /// The object in the event. None if the snapshot was derived from another object's fields.
    object: Option<Value>,
    /// `data.previous_attributes`, if they contain anything.
    previous: Option<Value>,
    /// The object with the values of `previous` restored.
    restored: Option<Value>,
}

/// The choice among an object's snapshots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its index among the snapshots.
    pub place: usize,
    /// False if the events allow several, so that the last resort chose.
    pub decided: bool,
    /// Number of snapshots of its second.
    pub among: usize,
}

impl Shown {
    /// An event's snapshots of the object with this id; without an id, of all its objects.
    pub fn all(parsed: &ParsedEvent, object_id: Option<&str>) -> Vec<Shown> {
        if !parsed.changes().iter().any(|change| object_id.is_none_or(|id| change.snapshot.id() == id)) {
            return Vec::new();
        }
        let take = |value: &mut Value, key: &str| value.get_mut(key).map(Value::take).unwrap_or_default();
        let mut data = serde_json::from_str(&parsed.body).map_or(Value::Null, |mut root: Value| take(&mut root, "data"));
        let (object, previous) = (take(&mut data, "object"), take(&mut data, "previous_attributes"));
        let Some((subject, along)) = parsed.changes().split_first() else { return Vec::new() };
        let is_asked = |change: &&Change| object_id.is_none_or(|id| change.snapshot.id() == id);
        let along = along.iter().filter(is_asked);
        let mut shown: Vec<Shown> =
            along.map(|change| Shown::new(change, &parsed.event, within(&object, change.snapshot.id()).cloned(), None)).collect();
        if is_asked(&subject) {
            // Previous values that are unchanged in the object say nothing about the order.
            let says = previous.as_object().is_some_and(|named| !named.is_empty()) && !has(&object, &previous);
            shown.push(Shown::new(subject, &parsed.event, Some(object), Some(previous).filter(|_| says)));
        }
        shown
    }

    fn new(change: &Change, event: &Event, object: Option<Value>, previous: Option<Value>) -> Shown {
        let restored = match (&object, &previous) {
            (Some(object), Some(previous)) => {
                let mut restored = object.clone();
                restore(&mut restored, previous);
                Some(restored)
            }
            _ => None,
        };
        Shown {
            change: change.clone(),
            event_type: event.event_type.clone(),
            api_version: event.api_version.clone(),
            object,
            previous,
            restored,
        }
    }

    /// The object before the event, as far as known.
    fn before(&self) -> Option<&Value> {
        self.restored.as_ref().or(self.object.as_ref())
    }

    fn event_id(&self) -> &str {
        &self.change.stamp.event_id
    }

    /// A fetched object: its second is the one before its request, so it may be newer than dated.
    fn is_fetched(&self) -> bool {
        self.event_type.ends_with(".fetched") || self.event_id().starts_with("fetched_")
    }

    fn is_first(&self) -> bool {
        self.change.stamp.rank == RANK_CREATED
    }

    /// Whether it contains the same object as `other`, and no further previous values.
    fn repeats(&self, other: &Shown) -> bool {
        let same = match (&self.object, &other.object) {
            (Some(one), Some(another)) => one == another,
            _ => self.change.snapshot == other.change.snapshot,
        };
        same && (self.previous.is_none() || self.previous == other.previous) && self.is_first() == other.is_first()
    }

    /// Whether this event's previous values are those in `other`. None without previous values.
    fn fits_behind(&self, other: &Shown) -> Option<bool> {
        let (Some(previous), Some(object)) = (&self.previous, &other.object) else { return None };
        Some(has(object, previous))
    }

    /// Before this event, `other`'s change had not happened yet.
    fn lacks_the_change_of(&self, other: &Shown) -> bool {
        matches!((&other.previous, self.before()), (Some(previous), Some(before)) if has(before, previous))
    }

    /// The cost of this directly after `other`.
    fn doubt_behind(&self, other: &Shown) -> Doubt {
        let (this, that) = (&self.change.stamp, &other.change.stamp);
        let created_late = u32::from(self.is_first());
        let fits = self.fits_behind(other);
        // Another API version has other fields: a missing one need not have changed.
        let contradicts = fits == Some(false) && self.api_version == other.api_version;
        let names_status = self.previous.as_ref().is_some_and(|previous| previous.get("status").is_some());
        Doubt {
            created_late,
            contradicted: u32::from(contradicts) + u32::from(self.lacks_the_change_of(other)),
            status_back: u32::from(this.rank < that.rank && !names_status && created_late == 0),
            counters_back: u32::from(this.progress < that.progress && fits != Some(true)),
            unexplained: self.unexplained_behind(other),
            start: 0,
        }
    }

    fn unexplained_behind(&self, other: &Shown) -> u32 {
        match (self.before(), &other.object) {
            (Some(before), Some(object)) if self.api_version == other.api_version => differences(before, object),
            _ => differences(&value(&self.change.snapshot), &value(&other.change.snapshot)),
        }
    }
}

/// The newest of an object's snapshots, each of another event: depends only on the set, not on the
/// order. None for an empty set.
pub fn newest(shown: &[&Shown]) -> Option<Choice> {
    let second = shown.iter().map(|one| one.change.stamp.second()).max()?;
    let of_second = of(shown, second);
    let earlier = shown.iter().filter(|one| !one.is_fetched()).map(|one| one.change.stamp.second()).filter(|other| *other < second).max();
    let before = earlier.and_then(|earlier| {
        let (place, decided) = last(shown, &of(shown, earlier), None);
        Some(shown[place?]).filter(|_| decided)
    });
    let (place, decided) = last(shown, &of_second, before);
    Some(Choice { place: place?, decided, among: of_second.len() })
}

/// The indexes of the snapshots of a second.
fn of(shown: &[&Shown], second: (bool, OffsetDateTime)) -> Vec<usize> {
    (0..shown.len()).filter(|place| shown[*place].change.stamp.second() == second).collect()
}

/// The last of the snapshots at these indexes, all of one second, and whether the events determine
/// it. `before`: the last one of an earlier second.
fn last(shown: &[&Shown], places: &[usize], before: Option<&Shown>) -> (Option<usize>, bool) {
    let (place, decided) = last_of_sent(shown, places, before);
    // An event may omit data that a fetch in its second included: the same state, but complete.
    let completes = |other: &&usize| place.is_some_and(|place| shown[**other].change.snapshot.completes(&shown[place].change.snapshot));
    let complete = places.iter().filter(completes).max_by(|one, other| shown[**one].change.stamp.cmp(&shown[**other].change.stamp));
    (complete.copied().or(place), decided)
}

/// As [`last`], using sent events; fetched ones only if there are no others.
fn last_of_sent(shown: &[&Shown], places: &[usize], before: Option<&Shown>) -> (Option<usize>, bool) {
    let sent: Vec<usize> = places.iter().copied().filter(|place| !shown[*place].is_fetched()).collect();
    let candidates = if sent.is_empty() { places.to_vec() } else { sent };
    // The last resort for indistinguishable snapshots: unrelated to time, but the same for every
    // reader.
    let chosen = |among: &[usize]| among.iter().copied().max_by(|one, other| shown[*one].change.stamp.cmp(&shown[*other].change.stamp));
    let decided = |among: &[usize]| among.windows(2).all(|two| shown[two[0]].change.snapshot == shown[two[1]].change.snapshot);
    if candidates.iter().all(|place| shown[*place].previous.is_none()) {
        // No event has previous values: the status' rank decides, then the counters.
        let along = |place: &usize| (shown[*place].change.stamp.rank, shown[*place].change.stamp.progress);
        let furthest = candidates.iter().map(along).max();
        let ends: Vec<usize> = candidates.into_iter().filter(|place| Some(along(place)) == furthest).collect();
        return (chosen(&ends), decided(&ends));
    }
    let steps = steps(shown, &candidates);
    let step = |n: usize| shown[steps[n][0]];
    let first = |n: usize| {
        before.map_or(Doubt::default(), |before| {
            let doubt = step(n).doubt_behind(before);
            Doubt { start: doubt.contradicted.saturating_mul(1_000).saturating_add(doubt.unexplained.min(999)), ..Doubt::default() }
        })
    };
    let follows = |n: usize, m: usize| step(m).fits_behind(step(n)) == Some(true);
    let ends = last_of(steps.len(), first, |n, m| step(m).doubt_behind(step(n)), follows);
    let ends: Vec<usize> = ends.into_iter().flat_map(|n| steps[n].iter().copied()).collect();
    (chosen(&ends), decided(&ends))
}

/// The changes of a second, each with the indexes of its events. Stripe creates several events of
/// one change, but not two of one type: the same change in two events of one type happened twice.
/// An event without previous values is no change if another event contains the same object.
fn steps(shown: &[&Shown], places: &[usize]) -> Vec<Vec<usize>> {
    let mut places = places.to_vec();
    places.sort_by_key(|place| (shown[*place].previous.is_none(), shown[*place].event_id()));
    let mut steps: Vec<Vec<usize>> = Vec::new();
    for place in places {
        let one = shown[place];
        let takes = |step: &&mut Vec<usize>| {
            let shown_by_its_type = one.previous.is_some() && step.iter().any(|other| shown[*other].event_type == one.event_type);
            one.repeats(shown[step[0]]) && !shown_by_its_type
        };
        match steps.iter_mut().find(takes) {
            Some(step) => step.push(place),
            None => steps.push(vec![place]),
        }
    }
    steps
}

/// The object with this id in a list of its parent: payments of an invoice, refunds of a charge.
fn within<'a>(object: &'a Value, id: &str) -> Option<&'a Value> {
    ["payments", "refunds"].into_iter().find_map(|list| {
        let list = object.get(list)?;
        list.as_array().or_else(|| list.get("data")?.as_array())?.iter().find(|entry| entry["id"] == id)
    })
}

fn id(value: &Value) -> Option<&str> {
    value.get("id").and_then(Value::as_str)
}

/// Whether an object has the values in `previous_attributes`. They contain the changed fields of an
/// object, and the whole array for an array ("The Event object"). Null and absent are the same.
fn has(object: &Value, previous: &Value) -> bool {
    match (previous, object) {
        (Value::Object(named), Value::Null) => named.values().all(|value| has(&Value::Null, value)),
        (Value::Object(named), Value::Object(fields)) if named.is_empty() => fields.values().all(Value::is_null),
        (Value::Object(named), Value::Object(fields)) => {
            named.iter().all(|(key, value)| has(fields.get(key).unwrap_or(&Value::Null), value))
        }
        (Value::Array(named), Value::Null) => named.is_empty(),
        (Value::Array(named), Value::Array(entries)) => {
            let entry = |place: usize, named: &Value| {
                id(named).map_or_else(|| entries.get(place), |named| entries.iter().find(|entry| id(entry) == Some(named)))
            };
            named.len() == entries.len()
                && named.iter().enumerate().all(|(place, named)| entry(place, named).is_some_and(|entry| has(entry, named)))
        }
        // An object may be expanded or an id.
        (Value::String(named), Value::Object(_)) => id(object) == Some(named),
        _ => previous == object,
    }
}

/// Restores the values in `previous_attributes`.
fn restore(object: &mut Value, previous: &Value) {
    match (previous, object) {
        (Value::Object(named), Value::Object(fields)) if !named.is_empty() => {
            for (key, value) in named {
                restore(fields.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(named), Value::Array(entries)) => {
            let was = |named: &Value| {
                let same = id(named).and_then(|named| entries.iter().find(|entry| id(entry) == Some(named)));
                let mut was = same.cloned().unwrap_or(Value::Null);
                restore(&mut was, named);
                was
            };
            *entries = named.iter().map(was).collect();
        }
        (previous, object) => *object = previous.clone(),
    }
}

/// The number of differing values of two objects. Null and absent are the same.
fn differences(one: &Value, other: &Value) -> u32 {
    match (one, other) {
        (Value::Object(some), Value::Object(others)) => {
            let keys: BTreeSet<&String> = some.keys().chain(others.keys()).collect();
            let of = |key: &String| differences(some.get(key).unwrap_or(&Value::Null), others.get(key).unwrap_or(&Value::Null));
            keys.into_iter().map(of).fold(0, u32::saturating_add)
        }
        (Value::Array(some), Value::Array(others)) => {
            let of = |place: usize| differences(some.get(place).unwrap_or(&Value::Null), others.get(place).unwrap_or(&Value::Null));
            (0..some.len().max(others.len())).map(of).fold(0, u32::saturating_add)
        }
        _ => u32::from(one != other),
    }
}

/// The mirrored fields of the object, in one shape for all API versions.
fn value(snapshot: &Snapshot) -> Value {
    serde_json::to_value(snapshot).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(id: &str, version: &str, more: Value, previous: Value) -> Shown {
        let mut object = json!({"id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "currency": "usd", "created": 1_790_000_000});
        for (key, value) in more.as_object().unwrap() {
            object[key] = value.clone();
        }
        let event = json!({"id": id, "type": "customer.subscription.updated", "api_version": version, "created": 1_790_000_000,
            "data": {"object": object, "previous_attributes": previous}});
        Shown::all(&ParsedEvent::parse(&event.to_string(), None), None).remove(0)
    }

    /// The event with the last state, and whether that is certain; the same in either order.
    fn last_of_two(one: Shown, other: Shown) -> (String, bool) {
        let choose = |shown: &[&Shown]| {
            let choice = newest(shown).unwrap();
            (shown[choice.place].event_id().to_owned(), choice.decided)
        };
        let chosen = choose(&[&one, &other]);
        assert_eq!(choose(&[&other, &one]), chosen);
        chosen
    }

    fn items(ids: &[&str]) -> Value {
        json!({"data": ids.iter().map(|id| json!({"id": id, "quantity": 1})).collect::<Vec<_>>()})
    }

    #[test]
    fn added_and_removed_items_order_two_events() {
        let before = || event("evt_9", "v", json!({"items": items(&["si_1"])}), Value::Null);
        let added = event("evt_1", "v", json!({"items": items(&["si_1", "si_2"])}), json!({"items": items(&["si_1"])}));
        assert_eq!(last_of_two(before(), added), ("evt_1".into(), true));
        let swapped = event("evt_1", "v", json!({"items": items(&["si_2"])}), json!({"items": items(&["si_1"])}));
        assert_eq!(last_of_two(before(), swapped), ("evt_1".into(), true));
    }

    #[test]
    fn fields_of_another_api_version_decide_nothing() {
        let older = event("evt_1", "2024-06-20", json!({"current_period_start": 5, "cancel_at": 6}), Value::Null);
        let newer =
            event("evt_9", "2026-08-26", json!({"current_period_start": 5, "items": items(&["si_1"])}), json!({"items": items(&["si_0"])}));
        assert_eq!(last_of_two(older, newer), ("evt_9".into(), false));
    }

    #[test]
    fn empty_and_unchanged_previous_attributes_decide_nothing() {
        let plain = || event("evt_1", "v", json!({"cancel_at": 5}), Value::Null);
        for previous in [json!({}), json!(null), json!("nonsense"), json!({"cancel_at": 6})] {
            let other = event("evt_2", "v", json!({"cancel_at": 6}), previous.clone());
            assert_eq!(last_of_two(plain(), other), ("evt_2".into(), false), "{previous}");
        }
    }

    #[test]
    fn null_and_absent_values_are_the_same_before_a_change() {
        let before = event("evt_9", "v", json!({"metadata": {}}), Value::Null);
        let after = event("evt_1", "v", json!({"metadata": {"plan_type": "growth"}}), json!({"metadata": {"plan_type": null}}));
        assert_eq!(last_of_two(before, after), ("evt_1".into(), true));
    }
}
