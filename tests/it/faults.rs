//! Exactly-once under crashes: real servers on their own engines, senders that retry until they get
//! a response, and `kill -9` in between. `APEX_FAULT_ROUNDS` sets the number of kills (default
//! six), `APEX_FAULT_SEED` their times.

mod ledger;
pub mod postgres;
mod replicas;
pub mod senders;
mod site;
mod stored;

use ledger::Ledger;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use senders::Senders;
use site::{Fault, Site};
use std::{str::FromStr, thread, time::Instant};

/// Concurrent senders.
const SENDERS: u64 = 4;
const SERVERS: usize = 2;

fn setting<T: FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).map_or(usual, |text| text.parse().ok().unwrap_or_else(|| panic!("{name} is no number: {text}")))
}

/// Kills processes under load, and then compares counted usage with the senders' responses.
fn whatever_is_killed_each_event_counts_once(with_clickhouse: bool, faults: &[Fault]) {
    let (rounds, seed) = (setting("APEX_FAULT_ROUNDS", 6), setting("APEX_FAULT_SEED", 1));
    let mut rng = StdRng::seed_from_u64(seed);
    let mut site = Site::start(SERVERS, with_clickhouse);
    let ledger = Ledger::default();
    let senders = Senders::new(&ledger, site.addresses(), site.customers().to_vec());
    thread::scope(|scope| {
        let _until_the_end = senders.until_the_end();
        for number in 0..SENDERS {
            let (senders, seed) = (&senders, seed * SENDERS + number);
            scope.spawn(move || senders.send(seed));
        }
        let mut deck = Vec::new();
        for round in 1..=rounds {
            let fault = deck.pop().unwrap_or_else(|| {
                deck.extend_from_slice(faults);
                deck.shuffle(&mut rng);
                deck.pop().expect("a fault")
            });
            let begun = Instant::now();
            senders.wait_for_steps(rng.random_range(5..80));
            eprintln!("round {round} of {rounds} with seed {seed}: kill -9 {fault:?}");
            site.kill(fault, &mut rng);
            if site.takes_events_without(fault) {
                senders.wait_for_answers(rng.random_range(5..20));
            } else {
                senders.wait_for_steps(rng.random_range(0..8));
            }
            site.start_again();
            senders.wait_for_answers(10);
            eprintln!("  and back after {} ms", begun.elapsed().as_millis());
        }
        senders.finish();
    });
    stored::is_what_was_answered(&site, &ledger);
}

#[test]
fn events_count_once_despite_kills_in_postgresql() {
    whatever_is_killed_each_event_counts_once(
        false,
        &[Fault::Server, Fault::Server, Fault::Servers, Fault::PostgreSql, Fault::PostgreSql, Fault::Backend, Fault::Everything],
    );
}

#[test]
fn events_count_once_despite_kills_in_clickhouse() {
    whatever_is_killed_each_event_counts_once(
        true,
        &[Fault::Server, Fault::PostgreSql, Fault::Backend, Fault::ClickHouse, Fault::ClickHouseAndServer, Fault::Everything],
    );
}
