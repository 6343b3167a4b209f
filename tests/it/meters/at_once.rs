//! Several servers on one database, while Stripe is slow.

use super::{CLOSED, EVENTS, METRICS, Metered, event, metering, report};
use crate::{
    stripe::{faults::Fault, overlaps::GreatestOf},
    support::stand_in::TestStandIn,
};
use apex_billing::{
    service::{Platform, meters::run},
    stripe::client::Client,
};
use futures::future::{join_all, try_join_all};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

/// Three servers with four customers' metrics each process all of these concurrently.
const CUSTOMERS: [&str; 4] = ["atlas", "forge", "lumen", "north"];
const SERVERS: usize = 3;
const HOURS: i64 = 6;
/// Less than a server's timeout.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server with a long timeout.
fn server(metered: &Metered) -> Platform {
    let platform = metering(&metered.app, |_| {});
    platform.with(|parts| parts.stripe = Client::of(&parts.config).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_call_at_a_time_per_customer_and_metric() {
    let metered = Metered::start().await;
    let hours: BTreeMap<_, _> = (0..HOURS).map(|back| (CLOSED - time::Duration::hours(back), 10 + back.unsigned_abs())).collect();
    for name in CUSTOMERS {
        metered.stand_in.seed_customer(name);
        let customer = metered.app.add_customer(name).await;
        let events = METRICS
            .iter()
            .flat_map(|metric| hours.iter().map(move |(hour, used)| event(&format!("{metric} {hour}"), metric, *hour, *used)));
        report(&metered.app.machine(customer).await, &Value::from_iter(events)).await;
    }
    let each: Vec<(&str, &str)> = METRICS.into_iter().flat_map(|metric| CUSTOMERS.map(|name| (metric, name))).collect();
    let on_their_way = |at_once: usize| {
        let mut of_each: Vec<_> = each
            .iter()
            .map(|(metric, name)| GreatestOf { event_name: (*metric).to_owned(), customer: format!("cus_{name}"), at_once })
            .collect();
        of_each.sort_by(|one, other| (&one.event_name, &one.customer).cmp(&(&other.event_name, &other.customer)));
        of_each
    };
    let greatest = || metered.stand_in.shared.overlaps.greatest();

    metered.stand_in.fault(Fault::hold().on("POST", EVENTS).times(u32::MAX));
    let servers = [(); SERVERS].map(|()| server(&metered));
    let running = servers.clone().map(|server| tokio::spawn(async move { run(&server).await }));
    for _ in 0..HOURS {
        let all_held = timeout(PATIENCE, metered.stand_in.held(each.len())).await;
        // Meanwhile every server finds all rows claimed.
        let looks = timeout(PATIENCE, join_all(servers.iter().map(run))).await;
        assert_eq!(greatest().of_each, on_their_way(1));
        all_held.expect("an hour of each is on its way");
        let turns = looks.expect("they have nothing to wait for").into_iter().map(|turns| turns.unwrap());
        assert_eq!(turns.collect::<Vec<_>>(), [0; SERVERS]);
        metered.stand_in.shared.held.release();
    }
    let turns = try_join_all(running).await.unwrap().into_iter().map(|turns| turns.unwrap());
    assert_eq!(turns.sum::<usize>(), each.len());

    assert_eq!((greatest().of_all, greatest().of_each), (each.len(), on_their_way(1)));
    assert_eq!(metered.posts(EVENTS).len(), each.len() * hours.len());
    for (metric, name) in each {
        assert_eq!(metered.at_stripe_of(&format!("cus_{name}"), metric).await, hours, "{name} {metric}");
    }
}
