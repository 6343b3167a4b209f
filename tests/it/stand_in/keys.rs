//! Idempotency keys, authorization, headers and forms.

use super::client::{ask, get, ids, post, post_with_key, send};
use crate::{
    stripe::{StandIn, faults::Fault},
    support::stand_in::TestStandIn,
};
use serde_json::json;
use time::Duration;

#[tokio::test]
async fn the_same_key_has_one_effect_and_response() {
    let stand_in = StandIn::start().await;
    let first = post_with_key(&stand_in, "v1/customers", "name=Forge", "key-1").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let again = post_with_key(&stand_in, "v1/customers", "name=Forge", "key-1").await;
    assert_eq!((again.header("idempotent-replayed"), again.header("original-request")), (Some("true"), first.header("request-id")));
    assert_ne!(again.header("request-id"), first.header("request-id"));
    assert_eq!(again.done(), first.done());
    assert_eq!(stand_in.events().len(), 1);
    assert_eq!(stand_in.events()[0]["request"]["idempotency_key"], "key-1");

    post_with_key(&stand_in, "v1/customers", "name=Other", "key-1").await.error(400, "idempotency_error");
    post_with_key(&stand_in, "v1/prices", "name=Forge", "key-1").await.error(400, "idempotency_error");
    post_with_key(&stand_in, "v1/customers", "name=Forge", &"k".repeat(256)).await.error(400, "idempotency_error");
    assert_eq!(ids(&get(&stand_in, "v1/customers").await).len(), 1);

    // A malformed request may be corrected with the same key; a declined card stays declined.
    post_with_key(&stand_in, "v1/customers", "oops=1", "key-2").await.error(400, "invalid_request_error");
    post_with_key(&stand_in, "v1/customers", "name=Right", "key-2").await.done();
    let customer = stand_in.seed_customer("forge");
    let invoice = post(&stand_in, "v1/invoices", &format!("customer={customer}")).await;
    let invoice = invoice["id"].as_str().expect("an id");
    post(&stand_in, &format!("v1/invoices/{invoice}/add_lines"), "lines[0][amount]=1000").await;
    for replayed in [None, Some("true")] {
        let declined =
            post_with_key(&stand_in, &format!("v1/invoices/{invoice}/pay"), "payment_method=pm_card_chargeDeclined", "key-3").await;
        assert_eq!(declined.header("idempotent-replayed"), replayed);
        declined.error(402, "card_error");
    }
    assert_eq!(get(&stand_in, &format!("v1/invoices/{invoice}")).await["attempt_count"], 1);
}

#[tokio::test]
async fn a_key_is_known_for_a_day() {
    let stand_in = StandIn::start().await;
    for (hours, customers) in [(0, 1), (23, 1), (1, 2)] {
        stand_in.advance(Duration::hours(hours));
        post_with_key(&stand_in, "v1/customers", "name=Forge", "key").await.done();
        assert_eq!(ids(&get(&stand_in, "v1/customers").await).len(), customers);
    }
}

#[tokio::test]
async fn a_running_requests_key_is_refused() {
    let stand_in = StandIn::start().await;
    stand_in.fault(Fault::hang().on("POST", "/v1/customers"));
    let mut hanging = std::pin::pin!(post_with_key(&stand_in, "v1/customers", "name=Forge", "key"));
    // It hangs once it is logged.
    while stand_in.requests().is_empty() {
        assert!(futures::poll!(&mut hanging).is_pending());
        tokio::task::yield_now().await;
    }
    let refused = post_with_key(&stand_in, "v1/customers", "name=Forge", "key").await.error(409, "idempotency_error");
    assert_eq!(refused["code"], "idempotency_key_in_use");
    post_with_key(&stand_in, "v1/customers", "name=Other", "another").await.done();
    assert_eq!(stand_in.requests()[0].status, None);
}

#[tokio::test]
async fn a_disconnected_callers_key_is_free_again() {
    let stand_in = StandIn::start().await;
    stand_in.fault(Fault::hang());
    let patience = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(patience, post_with_key(&stand_in, "v1/customers", "name=Forge", "key")).await.is_err());
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        let answer = post_with_key(&stand_in, "v1/customers", "name=Forge", "key").await;
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 409);
        assert!(tokio::time::Instant::now() < deadline, "the key is still held");
    }
}

#[tokio::test]
async fn only_valid_secret_keys_are_served() {
    let stand_in = StandIn::start().await;
    // `sk_test_of_the_tests:` in base64.
    let basic = "Basic c2tfdGVzdF9vZl90aGVfdGVzdHM6";
    for authorization in ["Bearer sk_test_of_the_tests", basic] {
        let answer = send(&stand_in, "GET", "v1/customers", "", &[("authorization", authorization)]).await.expect("an answer");
        assert_eq!(answer.header("date"), Some("Sun, 22 Nov 2026 15:50:00 GMT"));
        assert!(answer.header("request-id").is_some_and(|id| id.starts_with("req_")));
        assert_eq!(answer.done(), json!({"object": "list", "data": [], "has_more": false, "url": "/v1/customers"}));
    }
    for headers in [
        &[][..],
        &[("authorization", "Bearer sk_test_other")],
        &[("authorization", "Basic ?")],
        &[("authorization", "sk_test_of_the_tests")],
    ] {
        send(&stand_in, "GET", "v1/customers", "", headers).await.expect("an answer").error(401, "invalid_request_error");
    }
    ask(&stand_in, "GET", "v1/nothing", "").await.error(404, "invalid_request_error");
    ask(&stand_in, "GET", "v1/customers/cus_nobody", "").await.error(404, "invalid_request_error");
}

#[tokio::test]
async fn forms_are_read_with_their_brackets() {
    let stand_in = StandIn::start().await;
    let body = "name=Caf%C3%A9+%26+Co&metadata%5Bapex_customer%5D=new&metadata[a.b]=1%2B1&address[city]=K%C3%B6ln&preferred_locales[]=de&preferred_locales[]=en";
    let customer = post(&stand_in, "v1/customers", body).await;
    assert_eq!(customer["name"], "Café & Co");
    assert_eq!(customer["metadata"], json!({"apex_customer": "new", "a.b": "1+1"}));
    assert_eq!((&customer["address"]["city"], &customer["preferred_locales"]), (&json!("Köln"), &json!(["de", "en"])));
    let path = format!("v1/customers/{}", customer["id"].as_str().expect("an id"));
    // An empty value removes a key; the rest stays.
    let changed = post(&stand_in, &path, "metadata[apex_customer]=&metadata[c]=3&name=").await;
    assert_eq!((&changed["metadata"], &changed["name"]), (&json!({"a.b": "1+1", "c": "3"}), &json!(null)));
    assert_eq!(post(&stand_in, &path, "metadata=").await["metadata"], json!({}));
    let logged = stand_in.requests();
    assert_eq!(logged[0].params["address"], json!({"city": "Köln"}));
    assert_eq!((logged[0].method.as_str(), logged[0].path.as_str(), logged[0].status), ("POST", "/v1/customers", Some(200)));

    for (path, body, param) in [
        ("v1/customers", "nam=x", "nam"),
        ("v1/customers", "a[b][c][d][e][f][g][h][i]=1", "a[b][c][d][e][f][g][h][i]"),
        ("v1/customers", "name=%FF", ""),
        ("v1/customers", "balance=much", "balance"),
        ("v1/subscriptions", "customer=cus_nobody", "customer"),
        ("v1/subscriptions", "", "customer"),
    ] {
        let error = ask(&stand_in, "POST", path, body).await.error(400, "invalid_request_error");
        assert_eq!(error["param"].as_str().unwrap_or_default(), param, "{body}: {error}");
    }
    let customer = stand_in.seed_customer("forge");
    let error = ask(&stand_in, "POST", "v1/subscriptions", &format!("customer={customer}&items[0][price]=price_none")).await;
    assert_eq!(error.error(400, "invalid_request_error")["param"], "items[0][price]");
}
