//! The last of an object's snapshots within one second.
//!
//! Timestamps can't order them, but contents can: an event that changed an object contains the
//! previous values ("The Event object": `data.previous_attributes`), so it fits after one snapshot
//! and not after another. Every possible sequence of the snapshots gets a cost for contradictions,
//! and the sequence with the lowest cost wins. The whole sequence matters: if a value changes and
//! changes back, no pair of events shows which came last.

use std::ops::Add;

/// Maximum number of snapshots in a sequence. The effort doubles with each; Stripe creates only a
/// few events of one object in a second.
pub const MOST: usize = 10;

/// The cost of a sequence of snapshots. Fields are in the order of their weight: one contradiction
/// in an earlier field outweighs any number in a later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// The object is created after another event.
    pub created_late: u32,
    /// A snapshot differs from the next event's previous values.
    pub contradicted: u32,
    /// The status goes back in its life cycle, and the event doesn't list the status as changed.
    pub status_back: u32,
    /// A counter that never decreases is less than before.
    pub counters_back: u32,
    /// Values that differ between neighbours without an event that lists them as changed.
    pub unexplained: u32,
    /// How much the first snapshot differs from the last one of an earlier second. Lowest weight:
    /// changes without an event may lie between.
    pub start: u32,
}

impl Add for Doubt {
    type Output = Doubt;

    fn add(self, other: Doubt) -> Doubt {
        Doubt {
            created_late: self.created_late.saturating_add(other.created_late),
            contradicted: self.contradicted.saturating_add(other.contradicted),
            status_back: self.status_back.saturating_add(other.status_back),
            counters_back: self.counters_back.saturating_add(other.counters_back),
            unexplained: self.unexplained.saturating_add(other.unexplained),
            start: self.start.saturating_add(other.start),
        }
    }
}

/// Which of `count` snapshots may be last: those that end a sequence of all of them with the lowest
/// cost. `first(n)`: the cost of a sequence that begins with n. `step(n, m)`: the cost of m
/// directly after n.
///
/// With more than [`MOST`] snapshots, the result is those that none `follows`, or all if each has a
/// successor.
pub fn last_of(
    count: usize,
    first: impl Fn(usize) -> Doubt,
    step: impl Fn(usize, usize) -> Doubt,
    follows: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    if count > MOST {
        let ends: Vec<usize> = (0..count).filter(|n| !(0..count).any(|m| m != *n && follows(*n, m))).collect();
        return if ends.is_empty() { (0..count).collect() } else { ends };
    }
    let steps: Vec<Doubt> =
        (0..count * count).map(|at| if at / count == at % count { Doubt::default() } else { step(at / count, at % count) }).collect();
    // The lowest cost of sequences of a set's members that end with one of them; sets are bit
    // masks.
    let sets = 1usize << count;
    let mut least: Vec<Option<Doubt>> = vec![None; sets * count];
    for n in 0..count {
        least[(1 << n) * count + n] = Some(first(n));
    }
    for set in 1..sets {
        for last in 0..count {
            let Some(doubt) = least[set * count + last] else { continue };
            for next in (0..count).filter(|next| set & (1 << next) == 0) {
                let longer = doubt + steps[last * count + next];
                let known = &mut least[(set | (1 << next)) * count + next];
                if known.is_none_or(|known| longer < known) {
                    *known = Some(longer);
                }
            }
        }
    }
    let ends = &least[(sets - 1) * count..];
    let best = ends.iter().flatten().min();
    (0..count).filter(|n| ends[*n].as_ref() == best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Events as edges between values, before and after. The start is unknown unless given.
    fn ends(events: &[(u8, u8)], start: Option<u8>) -> Vec<u8> {
        let doubt = |fits: bool| Doubt { contradicted: u32::from(!fits), ..Doubt::default() };
        let first = |n: usize| Doubt { start: u32::from(start.is_some_and(|start| start != events[n].0)), ..Doubt::default() };
        let fits = |n: usize, m: usize| events[n].1 == events[m].0;
        let mut ends: Vec<u8> = last_of(events.len(), first, |n, m| doubt(fits(n, m)), fits).into_iter().map(|n| events[n].1).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    #[test]
    fn a_chain_ends_at_its_last_change() {
        assert_eq!(ends(&[(1, 2), (0, 1), (2, 3)], None), [3]);
        assert!(ends(&[], None).is_empty());
        assert_eq!(ends(&[(0, 1)], None), [1]);
    }

    #[test]
    fn a_reverted_value_needs_a_third_event_or_a_start() {
        assert_eq!(ends(&[(0, 1), (1, 0)], None), [0, 1]);
        assert_eq!(ends(&[(0, 1), (1, 0)], Some(0)), [0]);
        assert_eq!(ends(&[(0, 1), (1, 0)], Some(1)), [1]);
        assert_eq!(ends(&[(0, 1), (1, 0), (0, 2)], None), [2]);
        assert_eq!(ends(&[(0, 1), (1, 0), (0, 1)], None), [1]);
    }

    #[test]
    fn a_missing_link_leaves_both_ends_open() {
        assert_eq!(ends(&[(0, 1), (2, 3)], None), [1, 3]);
    }

    #[test]
    fn a_long_chain_ends_where_no_event_follows() {
        let count = u8::try_from(MOST).unwrap() + 5;
        let mut chain: Vec<(u8, u8)> = (0..count).map(|n| (n, n + 1)).collect();
        chain.reverse();
        assert_eq!(ends(&chain, None), [count]);
        chain.push((count, 0));
        assert_eq!(ends(&chain, None).len(), chain.len(), "a circle has no end");
    }

    #[test]
    fn an_earlier_cost_field_outweighs_later_ones() {
        let lighter = Doubt { unexplained: 1_000, start: u32::MAX, ..Doubt::default() };
        assert!(Doubt { status_back: 1, ..Doubt::default() } > Doubt { counters_back: 9, ..lighter });
        assert!((lighter + lighter).start == u32::MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_walk_with_known_start_has_its_true_end(walk in prop::collection::vec(0u8..4, 2..=MOST), shuffle in any::<u64>()) {
            let mut events: Vec<(u8, u8)> = walk.windows(2).filter(|step| step[0] != step[1]).map(|step| (step[0], step[1])).collect();
            prop_assume!(!events.is_empty());
            let end = events[events.len() - 1].1;
            let by = usize::try_from(shuffle % 97).unwrap();
            let count = events.len();
            events.rotate_left(by % count);
            if shuffle % 2 == 0 {
                events.reverse();
            }
            prop_assert_eq!(ends(&events, Some(walk[0])), [end]);
        }
    }
}
