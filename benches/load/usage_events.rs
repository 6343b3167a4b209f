//! Generated usage events: the same number gives the same event for every store.

use std::fmt::Write;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

const METRICS: [&str; 3] = ["impressions", "api_calls", "data_transfer_bytes"];
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "JP", "BR", "IN", "PL", "TR"];
const APPS: u64 = 20;
/// Events are spread over this much time before the newest.
const SPREAD: u64 = 50 * 60 * 1000;

/// One event.
pub struct Event {
    pub id: String,
    pub metric: &'static str,
    pub quantity: u64,
    pub at: OffsetDateTime,
    pub app: String,
    pub properties: String,
}

/// The event with a number, not later than `newest`. Ids are random, like those of most senders.
pub fn event(number: u64, newest: OffsetDateTime) -> Event {
    let random = mixed(number);
    let id = Uuid::from_u64_pair(random, mixed(random ^ number)).to_string();
    Event {
        id,
        metric: METRICS[(random % 3) as usize],
        quantity: 1 + (random >> 8) % 1000,
        at: newest - Duration::milliseconds((SPREAD - 1 - number / 100 % SPREAD) as i64),
        app: format!("app_{}", (random >> 20) % APPS),
        properties: format!(
            r#"{{"placement": "rewarded", "country": "{}", "sdk": "4.{}.0"}}"#,
            COUNTRIES[((random >> 30) % 8) as usize],
            (random >> 40) % 10
        ),
    }
}

/// SplitMix64's last step.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// As a line of `application/x-ndjson`.
pub fn line(event: &Event, into: &mut String) -> anyhow::Result<()> {
    let Event { id, metric, quantity, at, app, properties } = event;
    let at = at.format(&Rfc3339)?;
    writeln!(
        into,
        r#"{{"id":"{id}","metric":"{metric}","quantity":{quantity},"timestamp":"{at}","app_id":"{app}","properties":{properties}}}"#
    )?;
    Ok(())
}
