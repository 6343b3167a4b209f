//! The effects of each change on objects, and the resulting events.

use super::client::{ask, get, post};
use crate::{stripe::StandIn, support::stand_in::TestStandIn};
use serde_json::{Value, json};

/// The types of new events since the last call.
struct News {
    known: usize,
}

impl News {
    fn of(&mut self, stand_in: &StandIn) -> Vec<String> {
        let events = stand_in.events();
        let news = events[self.known..].iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect();
        self.known = events.len();
        news
    }
}

async fn draft(stand_in: &StandIn, customer: &str, amounts: &[i64]) -> String {
    let invoice = post(stand_in, "v1/invoices", &format!("customer={customer}&collection_method=send_invoice&days_until_due=30")).await;
    let path = format!("v1/invoices/{}", invoice["id"].as_str().expect("an id"));
    let lines: Vec<String> = amounts.iter().enumerate().map(|(at, amount)| format!("lines[{at}][amount]={amount}")).collect();
    post(stand_in, &format!("{path}/add_lines"), &lines.join("&")).await;
    path
}

async fn figures(stand_in: &StandIn, path: &str) -> Value {
    let invoice = get(stand_in, path).await;
    json!([invoice["status"], invoice["total"], invoice["amount_due"], invoice["amount_paid"], invoice["amount_remaining"]])
}

#[tokio::test]
async fn an_invoices_life_cycle() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let mut news = News { known: 0 };
    let path = draft(&stand_in, &customer, &[40_000, 10_000]).await;
    assert_eq!(news.of(&stand_in), ["invoice.created", "invoice.updated"]);
    assert_eq!(figures(&stand_in, &path).await, json!(["draft", 50_000, 50_000, 0, 50_000]));

    let open = post(&stand_in, &format!("{path}/finalize"), "").await;
    assert_eq!(news.of(&stand_in), ["invoice.updated", "invoice.finalized"]);
    assert_eq!((&open["status"], open["number"].is_string(), open["hosted_invoice_url"].is_string()), (&json!("open"), true, true));
    post(&stand_in, &format!("{path}/send"), "").await;
    assert_eq!(news.of(&stand_in), ["invoice.sent"]);

    ask(&stand_in, "POST", &format!("{path}/pay"), "payment_method=pm_card_chargeDeclined").await.error(402, "card_error");
    assert_eq!(news.of(&stand_in), ["charge.failed", "invoice.updated", "invoice.payment_failed"]);
    post(&stand_in, "v1/credit_notes", &format!("invoice={}&amount=5000", open["id"].as_str().expect("an id"))).await;
    assert_eq!(news.of(&stand_in), ["credit_note.created", "invoice.updated"]);
    assert_eq!(figures(&stand_in, &path).await, json!(["open", 50_000, 45_000, 0, 45_000]));

    let paid = post(&stand_in, &format!("{path}/pay"), "").await;
    assert_eq!(
        news.of(&stand_in),
        ["charge.succeeded", "invoice_payment.paid", "invoice.updated", "invoice.paid", "invoice.payment_succeeded"]
    );
    assert_eq!(figures(&stand_in, &path).await, json!(["paid", 50_000, 45_000, 45_000, 0]));
    assert_eq!(paid["attempt_count"], 2);
    // The last event has the current invoice; an update has the previous values.
    let events = stand_in.events();
    let last = events.last().expect("an event");
    assert_eq!((&last["data"]["object"], &last["created"]), (&paid, &json!(crate::support::app::NOW.unix_timestamp())));
    assert_eq!(events[events.len() - 3]["data"]["previous_attributes"]["status"], "open");

    let id = open["id"].as_str().expect("an id");
    let payment = get(&stand_in, &format!("v1/invoice_payments?invoice={id}")).await["data"][0].clone();
    let charge = payment["payment"]["charge"].as_str().expect("a charge");
    post(&stand_in, "v1/refunds", &format!("charge={charge}&amount=5000&reason=requested_by_customer")).await;
    assert_eq!(news.of(&stand_in), ["refund.created", "charge.refunded"]);
    let charged = get(&stand_in, &format!("v1/charges/{charge}")).await;
    assert_eq!((&charged["amount_refunded"], &charged["refunded"]), (&json!(5000), &json!(false)));
    let error = ask(&stand_in, "POST", "v1/refunds", &format!("charge={charge}&amount=40001")).await.error(400, "invalid_request_error");
    assert_eq!(error["code"], "amount_too_large");
    post(&stand_in, "v1/refunds", &format!("charge={charge}")).await;
    assert_eq!(get(&stand_in, &format!("v1/charges/{charge}")).await["refunded"], true);
    let error = ask(&stand_in, "POST", "v1/refunds", &format!("charge={charge}")).await.error(400, "invalid_request_error");
    assert_eq!(error["code"], "charge_already_refunded");
    for step in ["finalize", "pay", "void", "mark_uncollectible"] {
        ask(&stand_in, "POST", &format!("{path}/{step}"), "").await.error(400, "invalid_request_error");
    }
}

#[tokio::test]
async fn other_ends_of_an_invoice() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let mut news = News { known: 0 };
    for (step, status, event) in
        [("void", "void", "invoice.voided"), ("mark_uncollectible", "uncollectible", "invoice.marked_uncollectible")]
    {
        let path = draft(&stand_in, &customer, &[1000]).await;
        ask(&stand_in, "POST", &format!("{path}/{step}"), "").await.error(400, "invalid_request_error");
        post(&stand_in, &format!("{path}/finalize"), "").await;
        news.of(&stand_in);
        assert_eq!(post(&stand_in, &format!("{path}/{step}"), "").await["status"], status);
        assert_eq!(news.of(&stand_in), ["invoice.updated", event]);
    }
    let path = draft(&stand_in, &customer, &[1000]).await;
    news.of(&stand_in);
    assert_eq!(ask(&stand_in, "DELETE", &path, "").await.done()["deleted"], true);
    assert_eq!(news.of(&stand_in), ["invoice.deleted"]);
    ask(&stand_in, "GET", &path, "").await.error(404, "invalid_request_error");

    let path = draft(&stand_in, &customer, &[1000]).await;
    news.of(&stand_in);
    assert_eq!(post(&stand_in, &format!("{path}/pay"), "paid_out_of_band=true").await["status"], "paid");
    let types = news.of(&stand_in);
    assert!(types.contains(&"invoice_payment.paid".to_owned()) && !types.contains(&"charge.succeeded".to_owned()), "{types:?}");
}

#[tokio::test]
async fn credit_is_used_first_and_the_rest_stays() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    post(&stand_in, &format!("v1/customers/{customer}"), "balance=-1500").await;
    for (expected, balance) in [(json!(["paid", 1000, 0, 0, 0]), -500), (json!(["open", 1000, 500, 0, 500]), 0)] {
        let path = draft(&stand_in, &customer, &[1000]).await;
        post(&stand_in, &format!("{path}/finalize"), "").await;
        assert_eq!(figures(&stand_in, &path).await, expected);
        assert_eq!(get(&stand_in, &format!("v1/customers/{customer}")).await["balance"], balance);
    }
}

#[tokio::test]
async fn credit_notes_reduce_refund_and_can_be_voided() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let path = draft(&stand_in, &customer, &[1000]).await;
    let invoice = path.trim_start_matches("v1/invoices/").to_owned();
    ask(&stand_in, "POST", "v1/credit_notes", &format!("invoice={invoice}&amount=1")).await.error(400, "invalid_request_error");
    post(&stand_in, &format!("{path}/finalize"), "").await;
    let note = post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&amount=400")).await;
    assert_eq!((figures(&stand_in, &path).await, &note["type"]), (json!(["open", 1000, 600, 0, 600]), &json!("pre_payment")));
    let note = format!("v1/credit_notes/{}/void", note["id"].as_str().expect("an id"));
    assert_eq!(post(&stand_in, &note, "").await["status"], "void");
    assert_eq!(figures(&stand_in, &path).await, json!(["open", 1000, 1000, 0, 1000]));
    ask(&stand_in, "POST", &note, "").await.error(400, "invalid_request_error");

    post(&stand_in, &format!("{path}/pay"), "").await;
    for wrong in ["amount=400", "amount=400&refund_amount=100", "amount=1001&refund_amount=1001"] {
        ask(&stand_in, "POST", "v1/credit_notes", &format!("invoice={invoice}&{wrong}")).await.error(400, "invalid_request_error");
    }
    let note = post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&amount=400&refund_amount=300&credit_amount=100")).await;
    assert_eq!((&note["type"], &note["refunds"][0]["amount_refunded"]), (&json!("post_payment"), &json!(300)));
    assert_eq!(get(&stand_in, &path).await["post_payment_credit_notes_amount"], 400);
    assert_eq!(get(&stand_in, &format!("v1/customers/{customer}")).await["balance"], -100);
    // An open invoice that is fully credited is paid.
    let path = draft(&stand_in, &customer, &[1000]).await;
    post(&stand_in, &format!("{path}/finalize"), "").await;
    post(&stand_in, "v1/credit_notes", &format!("invoice={}&amount=900", path.trim_start_matches("v1/invoices/"))).await;
    assert_eq!(figures(&stand_in, &path).await, json!(["paid", 1000, 0, 0, 0]));
}

#[tokio::test]
async fn a_subscriptions_life_cycle() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let price = async |amount: i64| {
        let made = post(&stand_in, "v1/prices", &format!("currency=usd&unit_amount={amount}&recurring[interval]=month")).await;
        made["id"].as_str().expect("an id").to_owned()
    };
    let (growth, scale) = (price(49_900).await, price(199_900).await);
    let mut news = News { known: stand_in.events().len() };
    let made = post(&stand_in, "v1/subscriptions", &format!("customer={customer}&items[0][price]={growth}&items[0][quantity]=2")).await;
    let path = format!("v1/subscriptions/{}", made["id"].as_str().expect("an id"));
    assert_eq!(news.of(&stand_in)[..2], ["customer.subscription.created", "invoice.created"]);
    let invoice = format!("v1/invoices/{}", made["latest_invoice"].as_str().expect("an invoice"));
    assert_eq!(figures(&stand_in, &invoice).await, json!(["paid", 99_800, 99_800, 99_800, 0]));
    let item = &made["items"]["data"][0];
    // From 22 November to 22 December.
    assert_eq!(
        item["current_period_end"].as_i64().zip(item["current_period_start"].as_i64()).map(|(end, start)| end - start),
        Some(30 * 86_400)
    );

    let item = item["id"].as_str().expect("an id");
    let changed =
        post(&stand_in, &path, &format!("items[0][id]={item}&items[0][price]={scale}&items[0][quantity]=1&metadata[plan_type]=scale"))
            .await;
    assert_eq!((&changed["items"]["data"][0]["price"]["id"], &changed["metadata"]["plan_type"]), (&json!(scale), &json!("scale")));
    assert_eq!(post(&stand_in, &path, "cancel_at_period_end=true").await["cancel_at_period_end"], true);
    assert_eq!(post(&stand_in, &path, &format!("items[0][price]={growth}")).await["items"]["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        post(&stand_in, &path, &format!("items[0][id]={item}&items[0][deleted]=true")).await["items"]["data"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(news.of(&stand_in)[..].iter().filter(|event| *event == "customer.subscription.updated").count(), 4);

    let count = async |filter: &str| {
        let list = get(&stand_in, &format!("v1/subscriptions?customer={customer}{filter}")).await;
        list["data"].as_array().map(Vec::len)
    };
    assert_eq!((count("").await, count("&status=canceled").await), (Some(1), Some(0)));
    assert_eq!(ask(&stand_in, "DELETE", &path, "").await.done()["status"], "canceled");
    assert_eq!(news.of(&stand_in), ["customer.subscription.deleted"]);
    assert_eq!((count("").await, count("&status=canceled").await, count("&status=all").await), (Some(0), Some(1), Some(1)));
    ask(&stand_in, "DELETE", &path, "").await.error(404, "invalid_request_error");

    // Deleting a customer cancels its subscriptions; it can still be fetched.
    post(&stand_in, "v1/subscriptions", &format!("customer={customer}&items[0][price]={growth}")).await;
    news.of(&stand_in);
    ask(&stand_in, "DELETE", &format!("v1/customers/{customer}"), "").await.done();
    assert_eq!(news.of(&stand_in), ["customer.subscription.deleted", "customer.deleted"]);
    assert_eq!(get(&stand_in, &format!("v1/customers/{customer}")).await["deleted"], true);
}

#[tokio::test]
async fn lists_are_filtered() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let ids = stand_in.seed_invoices(&customer, 50);
    let created = |id: &str| stand_in.object("invoice", id).expect("an invoice")["created"].as_i64().expect("a time");
    let (from, to) = (created(&ids[10]), created(&ids[20]));
    for (filter, expected) in [
        (format!("created[gte]={from}&created[lte]={to}"), 11),
        (format!("created[gt]={from}&created[lt]={to}"), 9),
        (format!("created={from}"), 1),
        ("status=open".to_owned(), 0),
        ("customer=cus_other".to_owned(), 0),
        ("subscription=sub_other".to_owned(), 0),
    ] {
        let list = get(&stand_in, &format!("v1/invoices?limit=100&{filter}")).await;
        assert_eq!(list["data"].as_array().map(Vec::len), Some(expected), "{filter}");
    }
    ask(&stand_in, "GET", "v1/invoices?status=late", "").await.error(400, "invalid_request_error");
    let count = async |query: &str| get(&stand_in, &format!("v1/events?{query}")).await["data"].as_array().map(Vec::len);
    post(&stand_in, "v1/customers", "name=a").await;
    draft(&stand_in, &customer, &[1]).await;
    assert_eq!(count("type=customer.created").await, Some(1));
    assert_eq!(count("types[]=customer.created&types[]=invoice.created").await, Some(2));
    assert_eq!(count("type=invoice.*").await, Some(2));
    ask(&stand_in, "GET", "v1/events?type=a&types[]=b", "").await.error(400, "invalid_request_error");
}

#[tokio::test]
async fn usage_is_counted_once_and_within_the_window() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let meter = post(&stand_in, "v1/billing/meters", "display_name=Calls&event_name=calls&default_aggregation[formula]=sum").await;
    let meter = format!("v1/billing/meters/{}", meter["id"].as_str().expect("an id"));
    let now = crate::support::app::NOW.unix_timestamp();
    let usage = |rest: &str| format!("event_name=calls&payload[stripe_customer_id]={customer}&{rest}");
    let sum = async || {
        let query = format!("customer={customer}&start_time={}&end_time={}", now / 60 * 60 - 86_400, now / 60 * 60 + 600);
        get(&stand_in, &format!("{meter}/event_summaries?{query}")).await["data"][0]["aggregated_value"].clone()
    };
    let send = async |rest: &str| ask(&stand_in, "POST", "v1/billing/meter_events", &usage(rest)).await;
    send("payload[value]=5&identifier=a").await.done();
    let again = send("payload[value]=5&identifier=a").await.error(400, "invalid_request_error");
    assert_eq!(again["param"], "identifier");
    assert_eq!(sum().await, 5);
    for (rest, param) in [
        (format!("payload[value]=1&timestamp={}", now - 35 * 86_400 - 1), "timestamp"),
        (format!("payload[value]=1&timestamp={}", now + 301), "timestamp"),
        ("payload[value]=some".into(), "payload[value]"),
        ("identifier=x".into(), "payload[value]"),
    ] {
        assert_eq!(send(&rest).await.error(400, "invalid_request_error")["param"], param, "{rest}");
    }
    send(&format!("payload[value]=7&timestamp={}", now - 35 * 86_400)).await.done();
    send(&format!("payload[value]=2&timestamp={}", now + 300)).await.done();
    assert_eq!(sum().await, 7);
    let other = "event_name=other&payload[stripe_customer_id]=cus_forge&payload[value]=1";
    ask(&stand_in, "POST", "v1/billing/meter_events", other).await.error(400, "invalid_request_error");

    let adjust =
        async || ask(&stand_in, "POST", "v1/billing/meter_event_adjustments", "event_name=calls&type=cancel&cancel[identifier]=a").await;
    assert_eq!(adjust().await.done()["status"], "complete");
    assert_eq!(sum().await, 2);
    // A day later Stripe no longer knows the identifier.
    stand_in.advance(time::Duration::DAY);
    adjust().await.error(400, "invalid_request_error");
    send(&format!("payload[value]=5&identifier=a&timestamp={now}")).await.done();
    assert_eq!(sum().await, 7);

    post(&stand_in, &format!("{meter}/deactivate"), "").await;
    send("payload[value]=1").await.error(400, "invalid_request_error");
    post(&stand_in, &format!("{meter}/reactivate"), "").await;
    send("payload[value]=1").await.done();
    post(&stand_in, &meter, "display_name=API calls").await;
    assert_eq!(get(&stand_in, &meter).await["display_name"], "API calls");
}
