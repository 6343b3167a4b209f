//! Keeps texts such as "3 minutes ago" true while a page is open: every `<time data-relative>`.

#[cfg(feature = "hydrate")]
use crate::dom::{all, document};
#[cfg(feature = "hydrate")]
use js_sys::{Array, Date, Intl::RelativeTimeFormat, Object, Reflect};
#[cfg(feature = "hydrate")]
use leptos::leptos_dom::helpers::set_interval;
#[cfg(feature = "hydrate")]
use std::time::Duration;

const DAY: i64 = 86_400;

/// Starts updating the page's texts, once a second while it is visible.
#[cfg(feature = "hydrate")]
pub fn start() {
    update();
    set_interval(update, Duration::from_secs(1));
}

#[cfg(feature = "hydrate")]
fn update() {
    let Some(document) = document().filter(|document| !document.hidden()) else { return };
    let times = all(&document, "time[data-relative]");
    if times.is_empty() {
        return;
    }
    let language = document.document_element().and_then(|html| html.get_attribute("lang")).unwrap_or_default();
    // The server writes "1 day ago", not "yesterday", and "now" below five seconds.
    let numeric = |kind: &str| {
        let options = Object::new();
        let _ = Reflect::set(&options, &"numeric".into(), &kind.into());
        RelativeTimeFormat::new(&Array::of1(&language.as_str().into()), &options)
    };
    let (in_numbers, in_words) = (numeric("always"), numeric("auto"));
    let now = (Date::now() / 1000.0) as i64;
    for time in times {
        let at = time.get_attribute("datetime").map(|text| Date::parse(&text) / 1000.0).filter(|at| at.is_finite());
        let Some(at) = at else { continue };
        let (count, unit) = distance(at as i64, now);
        let format = if count == 0 { &in_words } else { &in_numbers };
        let text = format.format(count as f64, unit).as_string();
        if time.text_content() != text {
            time.set_text_content(text.as_deref());
        }
    }
}

/// How far an instant is from now, in seconds since 1970: in hours within a day, beyond that in
/// calendar days (UTC), as the server counts.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
fn distance(at: i64, now: i64) -> (i64, &'static str) {
    let seconds = at - now;
    match seconds.abs() {
        0..5 => (0, "second"),
        5..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..DAY => (seconds / 3_600, "hour"),
        _ => (at.div_euclid(DAY) - now.div_euclid(DAY), "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_a_day_calendar_days_count() {
        assert_eq!(distance(100, 98), (0, "second"));
        assert_eq!(distance(100, 40), (1, "minute"));
        assert_eq!(distance(0, 7_200), (-2, "hour"));
        // 15:00 to midnight of the tenth day after it.
        assert_eq!(distance(10 * DAY, 15 * 3_600), (10, "day"));
        assert_eq!(distance(-1, 2 * DAY), (-3, "day"));
    }
}
