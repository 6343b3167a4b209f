//! Request parameters: form-encoded names with brackets, as Stripe's libraries send them.

use super::errors::{ApiError, Checked};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Maximum depth of nested names.
const DEEPEST: usize = 8;

/// A request's parameters: an object of strings, lists and objects.
#[derive(Clone, Debug)]
pub struct Params {
    values: Value,
    /// Prefix of names in errors, e.g. `items[0]`.
    place: String,
}

impl Params {
    /// Parses `a=1&b[c]=2&d[]=3&e[0][f]=4`.
    pub fn parse(encoded: &str) -> Checked<Params> {
        let mut values = Value::Object(Map::new());
        // An empty name is ignored, as by Stripe: its Rust library sends one without parameters.
        for pair in encoded.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with('=')) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            put(&mut values, &path(&decoded(name)?)?, decoded(value)?)?;
        }
        settle(&mut values);
        Ok(Params { values, place: String::new() })
    }

    /// Adds parameters of another source, e.g. of the query to those of the body.
    pub fn and(mut self, other: Params) -> Params {
        if let (Value::Object(values), Value::Object(more)) = (&mut self.values, other.values) {
            values.extend(more);
        }
        self
    }

    /// Rejects unknown names, as Stripe does.
    pub fn only(&self, known: &[&str]) -> Checked<()> {
        let Value::Object(values) = &self.values else { return Ok(()) };
        match values.keys().find(|name| *name != "expand" && !known.contains(&name.as_str())) {
            Some(unknown) => Err(ApiError::unknown(&self.name(unknown))),
            None => Ok(()),
        }
    }

    /// The same for a list, which also accepts paging parameters.
    pub fn only_filters(&self, filters: &[&str]) -> Checked<()> {
        self.only(&[&["limit", "starting_after", "ending_before"], filters].concat())
    }

    /// Whether the parameter was sent, also if empty.
    pub fn sent(&self, name: &str) -> bool {
        self.at(name).is_some()
    }

    /// The string under a name such as `limit` or `payload[value]`; None if empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.at(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub fn need(&self, name: &str) -> Checked<&str> {
        self.text(name).ok_or_else(|| ApiError::missing(&self.name(name)))
    }

    pub fn integer(&self, name: &str) -> Checked<Option<i64>> {
        let not_one =
            |text: &str| ApiError::invalid_code("parameter_invalid_integer", &format!("Invalid integer: {text}"), &self.name(name));
        self.text(name).map(|text| text.parse().map_err(|_| not_one(text))).transpose()
    }

    pub fn boolean(&self, name: &str) -> Checked<Option<bool>> {
        match self.text(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => Err(ApiError::invalid(&format!("Invalid boolean: {other}"), &self.name(name))),
        }
    }

    /// One of these values.
    pub fn word(&self, name: &str, words: &[&str]) -> Checked<Option<&str>> {
        match self.text(name) {
            Some(word) if !words.contains(&word) => {
                Err(ApiError::invalid(&format!("Invalid {name}: must be one of {}", words.join(", or ")), &self.name(name)))
            }
            word => Ok(word),
        }
    }

    /// The strings of a list: `types[]=a&types[]=b`.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.at(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The objects of a list: `items[0][price]=…`.
    pub fn objects(&self, name: &str) -> Vec<Params> {
        let Some(Value::Array(list)) = self.at(name) else { return Vec::new() };
        let nested = |(index, values): (usize, &Value)| Params { values: values.clone(), place: format!("{}[{index}]", self.name(name)) };
        list.iter().enumerate().map(nested).collect()
    }

    /// An object of strings: `metadata[a]=b`.
    pub fn object(&self, name: &str) -> Option<&Map<String, Value>> {
        self.at(name).and_then(Value::as_object)
    }

    /// All parameters, for the request log.
    pub fn values(&self) -> &Value {
        &self.values
    }

    /// The name for errors.
    pub fn name(&self, name: &str) -> String {
        if self.place.is_empty() {
            return name.to_owned();
        }
        match name.split_once('[') {
            Some((first, rest)) => format!("{}[{first}][{rest}", self.place),
            None => format!("{}[{name}]", self.place),
        }
    }

    fn at(&self, name: &str) -> Option<&Value> {
        name.split('[').map(|part| part.trim_end_matches(']')).try_fold(&self.values, |values, part| values.get(part))
    }
}

fn decoded(text: &str) -> Checked<String> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned());
    decoded.map_err(|_| ApiError::invalid("Invalid UTF-8 in the request", ""))
}

/// The parts of `a[b][]`; a list's next index is the empty part.
fn path(name: &str) -> Checked<Vec<&str>> {
    let parts: Vec<&str> = name.split('[').enumerate().map(|(at, part)| if at == 0 { part } else { part.trim_end_matches(']') }).collect();
    if parts.len() > DEEPEST || parts.first().is_none_or(|first| first.is_empty()) {
        return Err(ApiError::unknown(name));
    }
    Ok(parts)
}

fn put(values: &mut Value, path: &[&str], value: String) -> Checked<()> {
    let [first, rest @ ..] = path else { return Ok(()) };
    let Value::Object(map) = values else { return Err(ApiError::invalid("Invalid object", path.first().copied().unwrap_or_default())) };
    // An empty index is the next free one; `settle` converts objects with numbered names into
    // lists.
    let key = if first.is_empty() { map.len().to_string() } else { (*first).to_owned() };
    if rest.is_empty() {
        map.insert(key, Value::String(value));
        return Ok(());
    }
    put(map.entry(key).or_insert_with(|| Value::Object(Map::new())), rest, value)
}

/// Converts objects whose names are all numbers into lists.
fn settle(values: &mut Value) {
    let Value::Object(map) = values else { return };
    map.values_mut().for_each(settle);
    let mut numbered: Vec<(u32, Value)> = Vec::new();
    for (key, value) in map.iter() {
        let Ok(number) = key.parse() else { return };
        numbered.push((number, value.clone()));
    }
    if !numbered.is_empty() {
        numbered.sort_by_key(|(number, _)| *number);
        *values = Value::Array(numbered.into_iter().map(|(_, value)| value).collect());
    }
}
