//! Moves PostgreSQL's raw events from before the switch, month by month: copies, compares, and only
//! then deletes.
//!
//! It can be interrupted at any time and resumes. The server keeps running meanwhile.

use super::{ClickHouseUsage, events, hours};
use crate::{
    domain::{
        period::Period,
        usage_hour::{HourDifference, differences},
    },
    store::{
        postgres::usage::{moves, records, shipping},
        usage::{Result, UsageStoreError},
    },
};
use time::{Duration, OffsetDateTime};

/// Progress of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Copied up to this instant of a month; number of events copied in this run.
    Copied { month: OffsetDateTime, until: OffsetDateTime, events: u64 },
    /// The month is equal on both sides, and deleted from PostgreSQL.
    Moved { month: OffsetDateTime },
}

/// The result of a move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Events copied in this run.
    pub events: u64,
    /// Months moved, in this run or earlier.
    pub months: u64,
    /// Hours that differ from billed usage in ClickHouse. Their months stay in PostgreSQL.
    pub differences: Vec<HourDifference>,
}

impl ClickHouseUsage {
    /// Moves everything. Stores its position after each `batch` events, at the end of an hour.
    pub async fn move_raw_events(&self, batch: u64, mut tell: impl FnMut(Step) + Send) -> Result<Moved> {
        self.ready().await?;
        shipping::switch(&self.db).await?;
        // Held until the end of this transaction.
        let mut turn = self.db.begin().await?;
        if !moves::try_turn(&mut turn).await? {
            return Err(UsageStoreError::Refused("another move is running".into()));
        }
        let mut done = Moved::default();
        for month in moves::months(&self.db).await? {
            let mut conn = self.db.acquire().await?;
            if !moves::any(&mut conn, month).await? {
                continue;
            }
            drop(conn);
            // Events that an older server has added meanwhile are copied by a second pass.
            let mut found = Vec::new();
            for _ in 0..2 {
                done.events += self.copy(month, batch, &mut tell).await?;
                found = self.compare_and_remove(month).await?;
                if found.is_empty() {
                    break;
                }
                moves::start_over(&self.db, month.start()).await?;
            }
            if found.is_empty() {
                done.months += 1;
                tell(Step::Moved { month: month.start() });
            }
            done.differences.extend(found);
        }
        turn.commit().await?;
        Ok(done)
    }

    async fn copy(&self, month: Period, batch: u64, tell: &mut (impl FnMut(Step) + Send)) -> Result<u64> {
        let from = moves::copied_until(&self.db, month.start()).await?.unwrap_or(month.start());
        let Some(rest) = Period::new(from, month.end()) else { return Ok(0) };
        let mut copied = 0;
        for span in spans(rest, &moves::hours(&self.db, rest).await?, batch) {
            let mut tx = self.db.begin().await?;
            moves::unlimited(&mut tx).await?;
            let events = events::write(&self.server, moves::events(&mut tx, span)).await?;
            tx.commit().await?;
            moves::copied(&self.db, month.start(), span.end(), events).await?;
            copied += events;
            tell(Step::Copied { month: month.start(), until: span.end(), events: copied });
        }
        Ok(copied)
    }

    /// With shipping and counting locked: if ClickHouse has, hour for hour, the billed usage, its
    /// hours are computed and PostgreSQL's copy is deleted. Otherwise nothing changes.
    async fn compare_and_remove(&self, month: Period) -> Result<Vec<HourDifference>> {
        // An interrupted batch is in ClickHouse and not billed yet.
        self.ship().await?;
        let mut tx = self.db.begin().await?;
        moves::unlimited(&mut tx).await?;
        shipping::take_turn(&mut tx).await?;
        shipping::hold_counting(&mut tx).await?;
        let mut found = Vec::new();
        // A day at a time, to limit memory.
        for day in days(month) {
            let raw = events::totals(&self.server, day).await?;
            found.extend(differences(&raw, &records::recorded(&mut tx, day).await?));
        }
        if found.is_empty() {
            let version = shipping::next_version(&mut tx).await?;
            for day in days(month) {
                hours::count_span(&self.server, day, version).await?;
            }
            moves::moved(&mut tx, month).await?;
            tx.commit().await?;
        }
        Ok(found)
    }
}

fn days(month: Period) -> impl Iterator<Item = Period> {
    std::iter::successors(Some(month.start()), |day| Some(*day + Duration::DAY))
        .map_while(move |day| Period::new(day, (day + Duration::DAY).min(month.end())))
}

/// Whole hours that together reach `batch` events; they end where `rest` ends.
fn spans(rest: Period, hours: &[(OffsetDateTime, u64)], batch: u64) -> Vec<Period> {
    let mut spans = Vec::new();
    let (mut start, mut events) = (rest.start(), 0);
    for (hour, count) in hours {
        events += count;
        let end = (*hour + Duration::HOUR).min(rest.end());
        if events >= batch {
            spans.extend(Period::new(start, end));
            (start, events) = (end, 0);
        }
    }
    spans.extend(Period::new(start, rest.end()));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn spans_tile_the_rest_of_the_month_and_end_with_whole_hours() {
        let month = Period::calendar_month(datetime!(2026-11-22 0:00 UTC));
        let rest = Period::new(datetime!(2026-11-03 4:00 UTC), month.end()).unwrap();
        let hours: Vec<(OffsetDateTime, u64)> = (0..40).map(|i| (datetime!(2026-11-03 5:00 UTC) + Duration::hours(i), 30)).collect();
        let spans = spans(rest, &hours, 100);
        assert_eq!(spans.len(), 11);
        assert_eq!((spans[0].start(), spans[0].end()), (rest.start(), datetime!(2026-11-03 9:00 UTC)));
        assert!(spans.windows(2).all(|pair| pair[0].end() == pair[1].start()));
        assert_eq!(spans.last().map(Period::end), Some(rest.end()));
        assert_eq!(super::spans(rest, &[], 100), [rest]);
    }

    #[test]
    fn days_tile_the_month() {
        let month = Period::calendar_month(datetime!(2028-02-10 0:00 UTC));
        let days: Vec<Period> = days(month).collect();
        assert_eq!((days.len(), days[0].start(), days[28].end()), (29, month.start(), month.end()));
    }
}
