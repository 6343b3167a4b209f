//! Pairs the records of two streams, each newest first. It only holds the current pages and one
//! second of records.
//!
//! Within a second the order is undefined on both sides, so a second is paired as a whole, by id.
//! If a stream is out of order, nothing is lost: its records come out unpaired, and the look-up by
//! id finds them.

use super::Record;
use std::collections::{BTreeMap, VecDeque};

/// An object here and at Stripe; at least one of the two.
pub type Pair = (Option<Record>, Option<Record>);

#[derive(Debug, Default)]
struct Stream {
    waiting: VecDeque<Record>,
    ended: bool,
}

impl Stream {
    fn head(&self) -> Option<i64> {
        self.waiting.front().map(|record| record.created)
    }

    /// Whether all records of this second have been read.
    fn is_past(&self, second: i64) -> bool {
        self.ended || self.waiting.back().is_some_and(|record| record.created != second)
    }

    fn take(&mut self, second: i64) -> Vec<Record> {
        let length = self.waiting.iter().take_while(|record| record.created == second).count();
        self.waiting.drain(..length).collect()
    }
}

/// The next result.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    NeedsInternal,
    NeedsStripe,
    /// All objects of this second, by id. Earlier seconds are complete.
    Second(i64, Vec<Pair>),
    Done,
}

#[derive(Debug, Default)]
pub struct Merge {
    internal: Stream,
    stripe: Stream,
}

impl Merge {
    /// Adds a page of ours; an empty page is the end.
    pub fn push_internal(&mut self, page: Vec<Record>) {
        self.internal.ended |= page.is_empty();
        self.internal.waiting.extend(page);
    }

    /// Adds a page of Stripe's; an empty page is the end.
    pub fn push_stripe(&mut self, page: Vec<Record>) {
        self.stripe.ended |= page.is_empty();
        self.stripe.waiting.extend(page);
    }

    /// Number of buffered records.
    pub fn held(&self) -> usize {
        self.internal.waiting.len() + self.stripe.waiting.len()
    }

    pub fn step(&mut self) -> Step {
        let heads = [&self.internal, &self.stripe].map(|stream| (stream.head(), stream.ended));
        let second = match heads {
            [(None, false), _] => return Step::NeedsInternal,
            [_, (None, false)] => return Step::NeedsStripe,
            [(internal, _), (stripe, _)] => match internal.max(stripe) {
                None => return Step::Done,
                Some(second) => second,
            },
        };
        if !self.internal.is_past(second) {
            return Step::NeedsInternal;
        }
        if !self.stripe.is_past(second) {
            return Step::NeedsStripe;
        }
        let mut pairs: BTreeMap<String, Pair> = BTreeMap::new();
        for record in self.internal.take(second) {
            let id = record.id.clone();
            pairs.entry(id).or_default().0 = Some(record);
        }
        for record in self.stripe.take(second) {
            let id = record.id.clone();
            pairs.entry(id).or_default().1 = Some(record);
        }
        Step::Second(second, pairs.into_values().collect())
    }
}
