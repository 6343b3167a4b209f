//! Paging and filters.

use super::client::{ask, get, ids, post};
use crate::{stripe::StandIn, support::stand_in::TestStandIn};
use serde_json::Value;

/// Every non-empty list: at least 23 of each.
async fn filled() -> (StandIn, Vec<String>) {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    stand_in.seed_invoices(&customer, 23);
    post(&stand_in, "v1/billing/meters", "display_name=Calls&event_name=calls&default_aggregation[formula]=sum").await;
    let price = post(&stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month").await;
    let price = price["id"].as_str().expect("an id");
    let meter = get(&stand_in, "v1/billing/meters").await["data"][0]["id"].as_str().expect("an id").to_owned();
    let now = crate::support::app::NOW.unix_timestamp();
    let hour = now - now % 3600;
    let mut open = String::new();
    for i in 0..23 {
        post(&stand_in, "v1/customers", &format!("name=c{i}")).await;
        post(&stand_in, "v1/prices", &format!("currency=usd&unit_amount={i}")).await;
        post(&stand_in, "v1/billing/meters", &format!("display_name={i}&event_name=m{i}&default_aggregation[formula]=sum")).await;
        let at = hour - i * 3600;
        let usage = format!("event_name=calls&payload[stripe_customer_id]={customer}&payload[value]=5&timestamp={at}");
        post(&stand_in, "v1/billing/meter_events", &usage).await;
        post(&stand_in, "v1/subscriptions", &format!("customer={customer}&items[0][price]={price}&items[0][quantity]=2")).await;
        if i == 0 {
            let invoice = post(&stand_in, "v1/invoices", &format!("customer={customer}")).await;
            open = invoice["id"].as_str().expect("an id").to_owned();
            let lines: Vec<String> = (0..23).map(|line| format!("lines[{line}][amount]=1000&lines[{line}][description]=l{line}")).collect();
            post(&stand_in, &format!("v1/invoices/{open}/add_lines"), &lines.join("&")).await;
            post(&stand_in, &format!("v1/invoices/{open}/finalize"), "").await;
        }
        post(&stand_in, "v1/credit_notes", &format!("invoice={open}&amount=10")).await;
    }
    let charges = get(&stand_in, "v1/charges?limit=100").await;
    for charge in ids(&charges).iter().take(23) {
        post(&stand_in, "v1/refunds", &format!("charge={charge}&amount=100")).await;
    }
    let items: Vec<String> = (0..22).map(|i| format!("items[{i}][price]={price}")).collect();
    let wide = post(&stand_in, "v1/subscriptions", &format!("customer={customer}&{}", items.join("&"))).await;
    let wide = wide["id"].as_str().expect("an id");
    post(&stand_in, &format!("v1/subscriptions/{wide}"), &format!("items[0][price]={price}")).await;
    let lists = [
        "customers?".into(),
        "subscriptions?status=all&".into(),
        format!("subscription_items?subscription={wide}&"),
        "prices?".into(),
        "invoices?".into(),
        format!("invoices?customer={customer}&status=paid&"),
        format!("invoices/{open}/lines?"),
        "invoice_payments?".into(),
        "charges?".into(),
        "refunds?".into(),
        "credit_notes?".into(),
        "events?".into(),
        "billing/meters?".into(),
        format!(
            "billing/meters/{meter}/event_summaries?customer={customer}&start_time={}&end_time={}&value_grouping_window=hour&",
            hour - 40 * 3600,
            hour + 3600
        ),
    ];
    (stand_in, lists.into_iter().map(|list| format!("v1/{list}")).collect())
}

#[tokio::test]
async fn every_list_pages_both_ways_and_misses_nothing() {
    let (stand_in, lists) = filled().await;
    for list in &lists {
        let whole = get(&stand_in, &format!("{list}limit=100")).await;
        let mut all = ids(&whole);
        let mut has_more = whole["has_more"] == true;
        while has_more {
            let next = get(&stand_in, &format!("{list}limit=100&starting_after={}", all.last().expect("a last"))).await;
            all.extend(ids(&next));
            has_more = next["has_more"] == true;
        }
        assert!(all.len() >= 23, "{list}: {}", all.len());
        let plain = get(&stand_in, list.trim_end_matches(['&', '?'])).await;
        assert_eq!((ids(&plain), &plain["object"]), (all[..10].to_vec(), &Value::from("list")), "{list}");
        assert!(plain["url"].as_str().is_some_and(|url| list.starts_with(&url[1..])), "{list}: {}", plain["url"]);

        for limit in [7, all.len()] {
            let limit = limit.min(100);
            let mut paged: Vec<String> = Vec::new();
            loop {
                let after = paged.last().map_or_else(String::new, |id| format!("&starting_after={id}"));
                let page = get(&stand_in, &format!("{list}limit={limit}{after}")).await;
                paged.extend(ids(&page));
                assert_eq!(page["has_more"] == true, paged.len() < all.len(), "{list}");
                if page["has_more"] == false {
                    break;
                }
            }
            assert_eq!(paged, all, "{list}");
            let mut back: Vec<String> = vec![all.last().expect("a last").clone()];
            loop {
                let page = get(&stand_in, &format!("{list}limit={limit}&ending_before={}", back[0])).await;
                back.splice(0..0, ids(&page));
                if page["has_more"] == false {
                    break;
                }
            }
            assert_eq!(back, all, "{list}, backwards");
        }
    }
}

#[tokio::test]
async fn invalid_pages_are_refused() {
    let (stand_in, lists) = filled().await;
    for list in &lists {
        for (query, param) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=ten", "limit"),
            ("starting_after=nothing", "starting_after"),
            ("ending_before=nothing", "ending_before"),
            ("starting_after=a&ending_before=b", "ending_before"),
            ("page=2", "page"),
        ] {
            let error = ask(&stand_in, "GET", &format!("{list}{query}"), "").await.error(400, "invalid_request_error");
            assert_eq!(error["param"], param, "{list}{query}: {error}");
        }
    }
}

#[tokio::test]
async fn direct_changes_show_without_events() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let seeded = stand_in.seed_invoices(&customer, 3);
    stand_in.tamper("invoice", &seeded[0], |invoice| invoice["total"] = 1.into());
    let mut lost = stand_in.lose("invoice", &seeded[1]);
    assert_eq!(get(&stand_in, &format!("v1/invoices/{}", seeded[0])).await["total"], 1);
    ask(&stand_in, "GET", &format!("v1/invoices/{}", seeded[1]), "").await.error(404, "invalid_request_error");
    lost["created"] = 1.into();
    stand_in.put(lost);
    // The oldest now.
    assert_eq!(ids(&get(&stand_in, "v1/invoices").await), [&*seeded[2], &seeded[0], &seeded[1]]);
    assert!(stand_in.events().iter().all(|event| event["type"] != "invoice.updated"));
}

#[tokio::test]
async fn thousands_are_seeded_and_paged_through() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let mut seeded = stand_in.seed_invoices(&customer, 2_000);
    let mut found = Vec::new();
    loop {
        let after = found.last().map_or_else(String::new, |id| format!("&starting_after={id}"));
        let page = get(&stand_in, &format!("v1/invoices?limit=100{after}")).await;
        found.extend(ids(&page));
        if page["has_more"] == false {
            break;
        }
    }
    seeded.reverse();
    assert_eq!(found, seeded);
}
