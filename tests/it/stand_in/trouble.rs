//! Faults, in process and over HTTP.

use super::client::{ask, get, ids, post, post_with_key, send};
use crate::{
    stripe::{StandIn, faults::Fault},
    support::stand_in::TestStandIn,
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn faults_apply_where_and_as_often_as_configured() {
    let stand_in = StandIn::start().await;
    stand_in.fault(Fault::status(429).retry_after(1).times(2).after(1).on("GET", "/v1/events"));
    stand_in.fault(Fault::status(503).on("POST", "/v1/invoices*"));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        get(&stand_in, "v1/customers").await;
        let answer = ask(&stand_in, "GET", "v1/events", "").await;
        assert_eq!(answer.header("retry-after"), if answer.status == 429 { Some("1") } else { None });
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    ask(&stand_in, "POST", "v1/invoices/in_1/pay", "").await.error(503, "api_error");
    ask(&stand_in, "POST", "v1/invoices/in_1/pay", "").await.error(404, "invalid_request_error");
}

#[tokio::test]
async fn a_lost_response_is_repeated_by_its_key() {
    for fault in [Fault::status(500).after_the_work(), Fault::hang().after_the_work(), Fault::half_a_body(), Fault::malformed_json()] {
        let stand_in = StandIn::start().await;
        let bearer = format!("Bearer {}", stand_in.secret_key());
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "key")];
        let shown = format!("{fault:?}");
        stand_in.fault(fault);
        let lost = tokio::time::timeout(Duration::from_millis(500), send(&stand_in, "POST", "v1/customers", "name=Forge", &headers)).await;
        assert!(!matches!(&lost, Ok(Ok(answer)) if answer.status == 200), "{shown}");
        assert_eq!(stand_in.events().len(), 1, "{shown}");
        let found = post_with_key(&stand_in, "v1/customers", "name=Forge", "key").await;
        assert_eq!(found.header("idempotent-replayed"), Some("true"), "{shown}");
        assert_eq!(found.done()["name"], "Forge");
        assert_eq!(ids(&get(&stand_in, "v1/customers").await).len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn a_fault_before_the_operation_has_no_effect() {
    for fault in [Fault::status(500), Fault::hang()] {
        let stand_in = StandIn::start().await;
        stand_in.fault(fault.on("POST", "/v1/customers"));
        let lost = tokio::time::timeout(Duration::from_millis(100), ask(&stand_in, "POST", "v1/customers", "name=Forge")).await;
        assert!(!matches!(&lost, Ok(answer) if answer.status == 200));
        assert!(stand_in.events().is_empty());
        assert_eq!(ids(&get(&stand_in, "v1/customers").await).len(), 0);
    }
}

#[tokio::test]
async fn held_responses_show_concurrent_calls() {
    for hold in [Fault::hold(), Fault::hold().after_the_work()] {
        let stand_in = StandIn::start().await;
        post(&stand_in, "v1/billing/meters", "display_name=calls&event_name=calls&default_aggregation[formula]=sum").await;
        for name in ["forge", "lumen"] {
            stand_in.seed_customer(name);
        }
        stand_in.fault(hold.on("POST", "/v1/billing/*").times(3));
        let call = async |customer: &str, n: usize| {
            let event = format!("event_name=calls&identifier={customer}-{n}&payload[stripe_customer_id]={customer}&payload[value]=1");
            post(&stand_in, "v1/billing/meter_events", &event).await
        };
        let controls = async {
            stand_in.held(3).await;
            let held = send(&stand_in, "GET", "_held", "", &[]).await.unwrap().body;
            let released = send(&stand_in, "POST", "_release", "", &[]).await.unwrap().body;
            (held, released)
        };
        let (_, _, _, controlled) = tokio::join!(call("cus_forge", 1), call("cus_lumen", 1), call("cus_lumen", 2), controls);
        assert_eq!(controlled, (json!({"waiting": 3}), json!({"released": 3})));
        // None is held any more, and these run one after the other.
        call("cus_forge", 2).await;
        let cancel = "event_name=calls&type=cancel&cancel[identifier]=cus_forge-2";
        post(&stand_in, "v1/billing/meter_event_adjustments", cancel).await;
        let overlaps = send(&stand_in, "GET", "_overlaps", "", &[]).await.unwrap().body;
        let of = |customer: &str, at_once: usize| json!({"event_name": "calls", "customer": customer, "at_once": at_once});
        assert_eq!(overlaps, json!({"of_all": 3, "of_each": [of("cus_forge", 1), of("cus_lumen", 2)]}));
    }
}

#[tokio::test]
async fn half_a_page_ends_the_connection_and_malformed_json_does_not() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    stand_in.seed_invoices(&customer, 100);
    stand_in.fault(Fault::half_a_body());
    stand_in.fault(Fault::malformed_json());
    let bearer = format!("Bearer {}", stand_in.secret_key());
    let list = async || send(&stand_in, "GET", "v1/invoices?limit=100", "", &[("authorization", &bearer)]).await.err();
    let cut = list().await.expect("an error");
    assert!(cut.contains("body") || cut.contains("connection"), "{cut}");
    let malformed = list().await.expect("an error");
    assert!(malformed.contains("EOF while parsing"), "{malformed}");
    assert_eq!(list().await, None);
}

#[tokio::test]
async fn its_controls_work_over_http() {
    let stand_in = StandIn::start().await;
    let control = async |method: &str, name: &str, body: &str| {
        send(&stand_in, method, &format!("_{name}"), body, &[]).await.map(|answer| answer.body)
    };
    let fault = r#"{"kind":"status","status":429,"retry_after":2,"times":1,"method":"GET","path":"/v1/customers"}"#;
    control("POST", "faults", fault).await.expect("an answer");
    let answer = ask(&stand_in, "GET", "v1/customers", "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("2")));
    control("POST", "faults", r#"{"kind":"hang"}"#).await.expect("an answer");
    control("DELETE", "faults", "").await.expect("an answer");
    assert!(control("POST", "faults", r#"{"kind":"flood"}"#).await.is_err());
    control("POST", "objects", r#"[{"object":"customer","id":"cus_put","created":1,"name":"Put"}]"#).await.expect("an answer");
    assert_eq!(get(&stand_in, "v1/customers/cus_put").await["name"], "Put");
    assert!(control("POST", "objects", r#"[{"id":"cus_put"}]"#).await.is_err());
    let logged = control("GET", "requests", "").await.expect("an answer");
    assert_eq!((&logged[0]["path"], &logged[0]["status"]), (&"/v1/customers".into(), &429.into()));

    control("POST", "clock", r#"{"advance_s":86400}"#).await.expect("an answer");
    assert!(control("POST", "clock", r#"{"advance_s":-1}"#).await.is_err());
    let made = post(&stand_in, "v1/customers", "name=later").await;
    assert_eq!(made["created"], crate::support::app::NOW.unix_timestamp() + 86_400);

    let session = post(&stand_in, "v1/billing_portal/sessions", "customer=cus_put&return_url=http://127.0.0.1:3000/billing").await;
    let path = session["url"].as_str().and_then(|url| url.strip_prefix(&stand_in.base_url())).expect("an address here");
    let page = stand_in.shared.store().portal_page(path.strip_prefix("p/session/").expect("a session")).expect("a page");
    assert!(page.contains("href=\"http://127.0.0.1:3000/billing\""), "{page}");
}
