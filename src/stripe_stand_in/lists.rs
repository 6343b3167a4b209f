//! Stripe's list objects and paging.

use super::{
    errors::{ApiError, Checked},
    form::Params,
    store::{Collection, shown, text},
};
use serde_json::{Value, json};
use std::ops::Bound;

struct Page<'a> {
    limit: usize,
    after: Option<&'a str>,
    before: Option<&'a str>,
}

impl<'a> Page<'a> {
    fn read(params: &'a Params) -> Checked<Page<'a>> {
        let limit = match params.integer("limit")?.unwrap_or(10) {
            limit @ 1..=100 => usize::try_from(limit).unwrap_or(100),
            low if low < 1 => return Err(ApiError::invalid("This value must be greater than or equal to 1.", "limit")),
            high => {
                let message = format!("This value must be less than or equal to 100 (it currently is '{high}').");
                return Err(ApiError::invalid_code("parameter_invalid_integer", &message, "limit"));
            }
        };
        let (after, before) = (params.text("starting_after"), params.text("ending_before"));
        if after.is_some() && before.is_some() {
            return Err(ApiError::invalid(
                "You can only paginate in one direction; ending_before and starting_after can't both be given.",
                "ending_before",
            ));
        }
        Ok(Page { limit, after, before })
    }

    /// The page of entries after the cursor; entries before `ending_before` are nearest first.
    fn cut(&self, mut entries: Vec<&Value>, url: &str) -> Value {
        let has_more = entries.len() > self.limit;
        entries.truncate(self.limit);
        if self.before.is_some() {
            entries.reverse();
        }
        let mut list = json!({"object": "list", "has_more": has_more, "url": url});
        // Moved, because `json!` would serialize each object again.
        list["data"] = Value::Array(entries.into_iter().map(shown).collect());
        list
    }
}

/// A page of the objects that match, newest first.
pub fn newest_first(collection: &Collection, noun: &str, params: &Params, url: &str, keep: impl Fn(&Value) -> bool) -> Checked<Value> {
    let page = Page::read(params)?;
    let place = |id: &str, param: &str| collection.place(id).ok_or_else(|| ApiError::no_such(&noun.replace('_', " "), id, param));
    let wanted = page.limit + 1;
    let entries: Vec<&Value> = match (page.after, page.before) {
        (_, Some(before)) => {
            let newer = collection.objects.range((Bound::Excluded(place(before, "ending_before")?), Bound::Unbounded));
            newer.map(|(_, value)| value).filter(|value| keep(value)).take(wanted).collect()
        }
        (Some(after), None) => {
            let older = collection.objects.range(..place(after, "starting_after")?).rev();
            older.map(|(_, value)| value).filter(|value| keep(value)).take(wanted).collect()
        }
        (None, None) => collection.objects.values().rev().filter(|value| keep(value)).take(wanted).collect(),
    };
    Ok(page.cut(entries, url))
}

/// A page of these in their order, e.g. lines of an invoice.
pub fn in_order(entries: &[Value], noun: &str, params: &Params, url: &str) -> Checked<Value> {
    let page = Page::read(params)?;
    let place = |id: &str, param: &str| {
        entries.iter().position(|entry| text(entry, "id") == id).ok_or_else(|| ApiError::no_such(&noun.replace('_', " "), id, param))
    };
    let wanted = page.limit + 1;
    let found: Vec<&Value> = match (page.after, page.before) {
        (_, Some(before)) => entries[..place(before, "ending_before")?].iter().rev().take(wanted).collect(),
        (Some(after), None) => entries[place(after, "starting_after")? + 1..].iter().take(wanted).collect(),
        (None, None) => entries.iter().take(wanted).collect(),
    };
    Ok(page.cut(found, url))
}

/// A filter by time: `created=…` or `created[gt|gte|lt|lte]=…`, in Unix seconds.
pub struct TimeRange {
    from: i64,
    to: i64,
}

impl TimeRange {
    pub fn read(params: &Params, name: &str) -> Checked<TimeRange> {
        let bound = |operator: &str| params.integer(&format!("{name}[{operator}]"));
        if let Some(exactly) = if params.object(name).is_none() { params.integer(name)? } else { None } {
            return Ok(TimeRange { from: exactly, to: exactly });
        }
        let from = [bound("gte")?, bound("gt")?.map(|gt| gt.saturating_add(1))].into_iter().flatten().max();
        let to = [bound("lte")?, bound("lt")?.map(|lt| lt.saturating_sub(1))].into_iter().flatten().min();
        Ok(TimeRange { from: from.unwrap_or(i64::MIN), to: to.unwrap_or(i64::MAX) })
    }

    pub fn holds(&self, object: &Value, member: &str) -> bool {
        object[member].as_i64().is_some_and(|time| (self.from..=self.to).contains(&time))
    }
}

/// Whether a member has the filter's value, if the filter is set.
pub fn fits(object: &Value, member: &str, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| text(object, member) == wanted)
}
