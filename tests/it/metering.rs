//! The metered subscription and period, from Stripe's events to the API, the pages and the alerts.

use crate::{
    outgoing::connected_to,
    stand_in::client::post,
    stripe::StandIn,
    support::{Client, TestApp, app::NOW, stand_in::TestStandIn},
};
use apex_billing::{
    domain::{identity::CustomerId, role::Role},
    service::{alerts, billed_usage, complete_objects, customers},
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339, macros::datetime};

const CURRENT: &str = "/api/v1/billing/usage/current";

fn unix(at: OffsetDateTime) -> i64 {
    at.unix_timestamp()
}

fn text(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap()
}

fn price(interval: &str, usage_type: &str, lookup_key: &str) -> Value {
    json!({"id": format!("price_{lookup_key}"), "object": "price", "currency": "usd", "lookup_key": lookup_key,
        "recurring": {"interval": interval, "interval_count": 1, "usage_type": usage_type}})
}

fn item(id: &str, price: Value, (start, end): (OffsetDateTime, OffsetDateTime)) -> Value {
    json!({"id": id, "object": "subscription_item", "price": price, "current_period_start": unix(start), "current_period_end": unix(end)})
}

/// An active subscription of `cus_lumen` since a year ago.
fn subscription(id: &str, items: &[Value], more: Value) -> Value {
    let mut object = json!({
        "id": id, "object": "subscription", "customer": "cus_lumen", "status": "active", "currency": "usd",
        "created": unix(NOW - Duration::days(365)), "start_date": unix(NOW - Duration::days(365)), "metadata": {},
        "cancel_at": null, "cancel_at_period_end": false, "canceled_at": null, "ended_at": null, "pause_collection": null,
        "items": {"object": "list", "has_more": false, "data": items},
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

fn updated(object: Value) -> Value {
    let id = format!("evt_{}", object["id"].as_str().unwrap());
    json!({"id": id, "object": "event", "api_version": "2026-08-26.dahlia", "created": unix(NOW), "livemode": false,
        "type": "customer.subscription.updated", "data": {"object": object}})
}

const MONTH: (OffsetDateTime, OffsetDateTime) = (datetime!(2026-11-15 0:00 UTC), datetime!(2026-12-15 0:00 UTC));

/// A monthly growth plan.
fn growth(id: &str, more: Value) -> Value {
    subscription(id, &[item("si_1", price("month", "licensed", "growth_monthly"), MONTH)], more)
}

/// A customer `lumen` with these subscriptions, and its API key.
async fn lumen(subscriptions: &[Value]) -> (TestApp, CustomerId, Client) {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    app.deliver(&subscriptions.iter().cloned().map(updated).collect::<Vec<_>>()).await;
    let machine = app.machine(customer).await;
    (app, customer, machine)
}

async fn send(machine: &Client, id: &str, quantity: u64, at: OffsetDateTime) {
    let event = json!({"id": id, "metric": "impressions", "quantity": quantity, "timestamp": text(at), "app_id": "app_42"});
    let answer = machine.post_json("/api/v1/usage/events", &event).await;
    assert_eq!((answer.status, &answer.json()["accepted"]), (202, &json!(1)), "{}", answer.text());
}

fn period(usage: &Value) -> (Value, Value) {
    (usage["current_period"]["start"].clone(), usage["current_period"]["end"].clone())
}

fn span((start, end): (OffsetDateTime, OffsetDateTime)) -> (Value, Value) {
    (json!(text(start)), json!(text(end)))
}

/// A1.
#[tokio::test]
async fn usage_beside_a_yearly_fee_is_metered_by_the_month() {
    let year = (datetime!(2026-03-15 0:00 UTC), datetime!(2027-03-15 0:00 UTC));
    let items = [
        item("si_fee", price("year", "licensed", "growth_yearly"), year),
        item("si_usage", price("month", "metered", "growth_usage"), MONTH),
    ];
    let anchor = json!({"billing_cycle_anchor": unix(year.0), "start_date": unix(year.0)});
    let new = subscription("sub_1", &items, anchor);
    let mut old = new.clone();
    for entry in old["items"]["data"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().retain(|name, _| !name.starts_with("current_period"));
    }
    (old["current_period_start"], old["current_period_end"]) = (json!(unix(MONTH.0)), json!(unix(MONTH.1)));
    let mut mirrored = Vec::new();
    for shape in [new, old] {
        let (app, _, machine) = lumen(&[shape]).await;
        send(&machine, "before", 20_000_000, datetime!(2026-11-10 12:00 UTC)).await;
        send(&machine, "within", 5, datetime!(2026-11-20 12:00 UTC)).await;
        let usage = machine.get(CURRENT).await.json();
        assert_eq!(period(&usage), span(MONTH));
        assert_eq!(
            (&usage["current_period"]["impressions"], &usage["overages"]["total_overage_cost"], &usage["subscription"]["plan_type"]),
            (&json!(5), &json!(0), &json!("growth"))
        );
        let rows: Value =
            sqlx::query_scalar("SELECT jsonb_agg(to_jsonb(item) - 'subscription_id' ORDER BY stripe_item_id) FROM subscription_items item")
                .fetch_one(&app.db)
                .await
                .unwrap();
        mirrored.push(rows);
    }
    assert_eq!(mirrored[0], mirrored[1]);
}

/// A2.
#[tokio::test]
async fn an_add_on_does_not_replace_the_plan() {
    let scale = subscription("sub_1", &[item("si_1", price("month", "licensed", "scale_monthly"), MONTH)], json!({}));
    let days = |days: i64| (NOW - Duration::days(days), NOW + Duration::days(30 - days));
    let support = subscription(
        "sub_2",
        &[item("si_2", price("month", "licensed", "priority_support"), days(2))],
        json!({"created": unix(NOW - Duration::days(2)), "start_date": unix(NOW - Duration::days(2))}),
    );
    let (app, customer, machine) = lumen(&[scale, support.clone()]).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!((&usage["subscription"]["plan_type"], period(&usage)), (&json!("scale"), span(MONTH)));
    let staff = app.sign_in(Role::Admin, None).await;
    let listed = staff.get("/api/v1/admin/customers").await.json()["customers"][0].clone();
    assert_eq!((&listed["plan_type"], &listed["id"]), (&json!("scale"), &json!(customer)));

    // Alone, it is used: shown with its status, not as a missing subscription.
    let (_app, _, machine) = lumen(&[support]).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!(usage["subscription"]["status"], "active");
    assert_eq!((&usage["subscription"]["plan_type"], &usage["subscription"]["plan_name"]), (&Value::Null, &json!("priority_support")));
    assert_eq!(usage["overages"]["total_overage_cost"], Value::Null);
}

/// A3.
#[tokio::test]
async fn an_unknown_price_still_alerts() {
    let mut pounds = growth("sub_1", json!({"currency": "gbp"}));
    pounds["items"]["data"][0]["price"]["currency"] = json!("gbp");
    let (app, customer, machine) = lumen(&[pounds]).await;
    send(&machine, "a", 12_000_000, NOW - Duration::HOUR).await;
    let usage = machine.get(CURRENT).await.json();
    let subscription = &usage["subscription"];
    assert_eq!(
        (&subscription["plan_type"], &subscription["status"], &subscription["included_impressions"]),
        (&json!("growth"), &json!("active"), &json!(10_000_000))
    );
    let overages = &usage["overages"];
    assert_eq!((&overages["currency"], &overages["unpriced"]), (&json!("gbp"), &json!("no price in GBP")));
    assert_eq!(overages["impressions"], json!({"amount": 2_000_000, "cost": null}));
    assert_eq!(overages["total_overage_cost"], Value::Null);

    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 4);
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let fired = person.get("/api/v1/billing/alerts/fired").await.json();
    assert_eq!((&fired["alerts"][0]["kind"], &fired["alerts"][0]["cost"]), (&json!("percent"), &Value::Null));
    let page = person.get("/billing/usage").await.text();
    assert!(page.contains("no price in GBP") && page.contains("Growth plan") && !page.contains("No active subscription"), "{page}");

    let staff = app.sign_in(Role::Admin, None).await;
    let listed = staff.get("/api/v1/admin/customers").await.json()["customers"][0].clone();
    assert_eq!((&listed["plan_type"], &listed["unpriced"]), (&json!("growth"), &json!("no price in GBP")));
    assert!(staff.get("/admin/customers").await.text().contains("Cost unknown: no price in GBP"));
    let found = customers::find_unpriced(&app.platform).await.unwrap();
    assert_eq!(found.into_iter().map(|(who, why)| (who, why.label())).collect::<Vec<_>>(), [(customer, "no_price")]);
}

/// A3.
#[tokio::test]
async fn an_unknown_plan_is_shown_by_its_name() {
    let platinum =
        subscription("sub_1", &[item("si_1", price("month", "licensed", "basic"), MONTH)], json!({"metadata": {"plan_type": "platinum"}}));
    let (app, customer, machine) = lumen(&[platinum]).await;
    send(&machine, "a", 12_000_000, NOW - Duration::HOUR).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!((&usage["subscription"]["plan_type"], &usage["subscription"]["plan_name"]), (&Value::Null, &json!("platinum")));
    assert_eq!((&usage["subscription"]["status"], &usage["subscription"]["included_impressions"]), (&json!("active"), &Value::Null));
    assert_eq!(usage["overages"]["impressions"], json!({"amount": null, "cost": null}));
    assert_eq!((&usage["overages"]["unpriced"], period(&usage)), (&json!("unknown plan platinum"), span(MONTH)));
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let page = person.get("/billing/usage").await.text();
    assert!(page.contains("Plan platinum") && page.contains("Cost unknown") && !page.contains("No active subscription"), "{page}");
}

const BEGINS: OffsetDateTime = datetime!(2026-11-22 14:34:17 UTC);

/// A4: growth since 14:34:17 today; the anchor gives the day of the month.
fn within_the_hour() -> Value {
    let month = (BEGINS, datetime!(2026-12-22 14:34:17 UTC));
    let anchor = datetime!(2026-09-22 14:34:17 UTC);
    let more = json!({"billing_cycle_anchor": unix(anchor), "start_date": unix(anchor), "created": unix(anchor)});
    subscription("sub_1", &[item("si_1", price("month", "metered", "growth_monthly"), month)], more)
}

/// A4.
#[tokio::test]
async fn an_event_is_in_the_period_that_holds_its_timestamp() {
    let (app, customer, machine) = lumen(&[within_the_hour()]).await;
    send(&machine, "before", 300, BEGINS - Duration::SECOND).await;
    send(&machine, "first", 1_000_000, BEGINS).await;
    send(&machine, "later", 1_000_000, datetime!(2026-11-22 14:49 UTC)).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!(usage["current_period"]["start"], text(BEGINS));
    assert_eq!((&usage["current_period"]["impressions"], &usage["as_of"]), (&json!(2_000_000), &json!("2026-11-22T14:49:00Z")));
    assert_eq!(usage["daily"][0]["impressions"], 2_000_000);

    let history = async |granularity: &str, from: OffsetDateTime, to: OffsetDateTime| {
        let path =
            format!("/api/v1/billing/usage/history?metric=impressions&granularity={granularity}&from={}&to={}", text(from), text(to));
        machine.get(&path).await.json()["series"][0]["points"].clone()
    };
    let end = datetime!(2026-12-22 14:34:17 UTC);
    assert_eq!(history("day", BEGINS, end).await[0], json!({"start": "2026-11-22T00:00:00Z", "quantity": 2_000_000}));
    let before = history("day", datetime!(2026-10-22 14:34:17 UTC), BEGINS).await;
    assert_eq!(before.as_array().unwrap().last().unwrap(), &json!({"start": "2026-11-22T00:00:00Z", "quantity": 300}));
    let hour = history("hour", datetime!(2026-11-22 14:00 UTC), datetime!(2026-11-22 15:00 UTC)).await;
    assert_eq!(hour, json!([{"start": "2026-11-22T14:00:00Z", "quantity": 2_000_300}]));

    // A correction, a late event and many events at once are counted in their parts too.
    let correction = json!({"id": "c", "corrects": "before", "metric": "impressions", "quantity": 100, "timestamp": text(BEGINS - Duration::SECOND),
        "app_id": "app_42"});
    assert_eq!(machine.post_json("/api/v1/usage/events", &correction).await.json()["accepted"], 1);
    let many: Vec<Value> = (0..400)
        .map(|n| {
            json!({"id": format!("m{n}"), "metric": "impressions", "quantity": 1, "timestamp": text(BEGINS + Duration::seconds(n - 200)),
            "app_id": "app_42"})
        })
        .collect();
    assert_eq!(machine.post_json("/api/v1/usage/events", &json!(many)).await.json()["accepted"], 400);
    assert_eq!(machine.get(CURRENT).await.json()["current_period"]["impressions"], 2_000_200);
    let before = history("day", datetime!(2026-10-22 14:34:17 UTC), BEGINS).await;
    assert_eq!(before.as_array().unwrap().last().unwrap()["quantity"], 300);

    // Alerts and caps use the same usage.
    let set =
        json!({"metrics": {"impressions": {"percent": [20], "cap": {"quantity": 2_000_200}}}, "confirm": true}).to_string().into_bytes();
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let put = person.send(axum::http::Method::PUT, "/api/v1/billing/alerts", Some("application/json"), set).await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 2);
    let refused = json!({"id": "r", "metric": "impressions", "quantity": 1, "timestamp": text(NOW), "app_id": "app_42"});
    machine.post_json("/api/v1/usage/events", &refused).await.problem(402, "usage_cap_reached");
    let of_before =
        json!({"id": "late", "metric": "impressions", "quantity": 1, "timestamp": text(BEGINS - Duration::MINUTE), "app_id": "app_42"});
    assert_eq!(machine.post_json("/api/v1/usage/events", &of_before).await.json()["accepted"], 1);
}

/// A4: the period becomes known after its usage.
#[tokio::test]
async fn an_hour_that_was_counted_whole_is_split() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let machine = app.machine(customer).await;
    send(&machine, "before", 300, BEGINS - Duration::SECOND).await;
    send(&machine, "after", 2_000_000, datetime!(2026-11-22 14:49 UTC)).await;
    assert_eq!(machine.get(CURRENT).await.json()["current_period"]["impressions"], 2_000_300);
    app.deliver(&[updated(within_the_hour())]).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!((&usage["current_period"]["impressions"], &usage["as_of"]), (&json!(2_000_000), &json!("2026-11-22T14:49:00Z")));
    let parts: Vec<(OffsetDateTime, i64)> = sqlx::query_as(
        "SELECT hour, quantity FROM usage_customer_metric_hours WHERE customer_id = $1 AND (hour, as_of) IN (
             SELECT hour, max(as_of) FROM usage_records GROUP BY hour) ORDER BY hour",
    )
    .bind(customer.0)
    .fetch_all(&app.db)
    .await
    .unwrap();
    assert_eq!(parts, [(datetime!(2026-11-22 14:00 UTC), 300), (BEGINS, 2_000_000)]);
}

/// A4: billed usage is exact to the second.
#[tokio::test]
async fn billed_usage_ends_where_its_period_ends() {
    let (app, customer, machine) = lumen(&[within_the_hour()]).await;
    send(&machine, "before", 300, BEGINS - Duration::SECOND).await;
    send(&machine, "after", 7, BEGINS).await;
    sqlx::query(
        "INSERT INTO invoices (customer_id, stripe_invoice_id, stripe_subscription_id, status, currency, subtotal, total, amount_due, amount_paid,
                               amount_remaining, period_start, period_end, created_at, finalized_at, event_created_at, event_rank, event_id)
         VALUES ($1, 'in_1', 'sub_1', 'open', 'usd', 100, 100, 100, 0, 100, $2, $3, $3, $3, $3, 2, 'evt_1')",
    )
    .bind(customer.0)
    .bind(datetime!(2026-10-22 14:34:17 UTC))
    .bind(BEGINS)
    .execute(&app.db)
    .await
    .unwrap();
    billed_usage::check(&app.platform).await.unwrap();
    let kept: i64 = sqlx::query_scalar("SELECT quantity FROM billed_usage WHERE metric = 'impressions'").fetch_one(&app.db).await.unwrap();
    assert_eq!(kept, 300);
}

/// A10.
#[tokio::test]
async fn late_renewals_have_stripes_length() {
    let late = |id: &str, interval: &str, (start, end): (OffsetDateTime, OffsetDateTime), anchor: OffsetDateTime, more: Value| {
        let mut object = subscription(id, &[item("si_1", price(interval, "licensed", "growth"), (start, end))], json!({}));
        object["billing_cycle_anchor"] = json!(unix(anchor));
        object["start_date"] = json!(unix(anchor));
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        object
    };
    let at = async |object: Value, now: OffsetDateTime| {
        let (app, _, machine) = lumen(&[object]).await;
        app.advance(now - NOW);
        let usage = machine.get(CURRENT).await.json();
        (period(&usage), usage["subscription"].clone())
    };
    let end_of_month = (datetime!(2026-10-31 9:00 UTC), datetime!(2026-11-30 9:00 UTC));
    let anchor = datetime!(2026-08-31 9:00 UTC);
    let (shown, _) = at(late("sub_1", "month", end_of_month, anchor, json!({})), datetime!(2026-11-30 15:00 UTC)).await;
    assert_eq!(shown, span((datetime!(2026-11-30 9:00 UTC), datetime!(2026-12-31 9:00 UTC))));
    let year = (datetime!(2025-11-22 15:00 UTC), datetime!(2026-11-22 15:00 UTC));
    let (shown, _) = at(late("sub_1", "year", year, year.0, json!({})), NOW).await;
    assert_eq!(shown, span((datetime!(2026-11-22 15:00 UTC), datetime!(2027-11-22 15:00 UTC))));
    let ending = json!({"cancel_at_period_end": true, "cancel_at": unix(end_of_month.1), "canceled_at": unix(NOW)});
    let (shown, subscription) = at(late("sub_1", "month", end_of_month, anchor, ending), datetime!(2026-11-30 15:00 UTC)).await;
    assert_eq!(subscription, Value::Null);
    assert_eq!(shown, span((datetime!(2026-11-01 0:00 UTC), datetime!(2026-12-01 0:00 UTC))));
}

/// C17.
#[tokio::test]
async fn the_page_shows_when_it_ends_and_that_it_is_paused() {
    let pause = json!({"behavior": "void", "resumes_at": unix(datetime!(2027-01-10 0:00 UTC))});
    let flexible = growth(
        "sub_1",
        json!({"billing_mode": {"type": "flexible"}, "cancel_at": unix(datetime!(2027-02-01 0:00 UTC)), "pause_collection": pause}),
    );
    let (app, customer, machine) = lumen(&[flexible]).await;
    let usage = machine.get(CURRENT).await.json();
    assert_eq!(
        (&usage["subscription"]["cancel_at"], &usage["subscription"]["cancel_at_period_end"], &usage["subscription"]["pause_collection"]),
        (&json!("2027-02-01T00:00:00Z"), &json!(false), &json!({"behavior": "void", "resumes_at": "2027-01-10T00:00:00Z"}))
    );
    let page = app.sign_in(Role::Readonly, Some(customer)).await.get("/billing/usage").await.text();
    assert!(page.contains("Ends on 1 Feb 2027") && page.contains("Invoicing paused until 10 Jan 2027"), "{page}");
    let mode: String = sqlx::query_scalar("SELECT billing_mode FROM subscriptions").fetch_one(&app.db).await.unwrap();
    assert_eq!(mode, "flexible");
}

/// B7.
#[tokio::test]
async fn items_that_an_event_omits_are_fetched() {
    let stand_in = StandIn::start().await;
    let app = connected_to(&stand_in).await;
    stand_in.seed_customer("lumen");
    let customer = app.add_customer("lumen").await;
    let mut items = Vec::new();
    for n in 0..14 {
        let form = format!("currency=usd&unit_amount=100&recurring[interval]=month&lookup_key=add_on_{n}");
        items.push(post(&stand_in, "v1/prices", &form).await["id"].as_str().unwrap().to_owned());
    }
    let growth = post(&stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month&lookup_key=growth_monthly").await;
    items.push(growth["id"].as_str().unwrap().to_owned());
    let form: Vec<String> = items.iter().enumerate().map(|(n, price)| format!("items[{n}][price]={price}")).collect();
    let made = post(&stand_in, "v1/subscriptions", &format!("customer=cus_lumen&{}", form.join("&"))).await;
    assert_eq!(made["items"]["has_more"], true);
    let mut event = updated(made);
    event["type"] = json!("customer.subscription.created");
    app.deliver(std::slice::from_ref(&event)).await;
    let state = "SELECT items_complete || ' ' || coalesce(plan_type, 'none') || ' ' || (SELECT count(*) FROM subscription_items) FROM subscriptions";
    let state = async || sqlx::query_scalar::<_, String>(state).fetch_one(&app.db).await.unwrap();
    assert_eq!(state().await, "false none 10");
    app.advance(Duration::MINUTE);
    stand_in.advance(Duration::MINUTE);
    complete_objects::run(&app.platform, 10).await.unwrap();
    assert_eq!(state().await, "true growth 15");
    let usage = app.machine(customer).await.get(CURRENT).await.json();
    assert_eq!(usage["subscription"]["plan_type"], "growth");

    // The first ten again, a second later: the others stay until they are fetched again.
    event["id"] = json!("evt_later");
    event["created"] = json!(unix(app.now() + Duration::MINUTE));
    event["type"] = json!("customer.subscription.updated");
    app.deliver(&[event]).await;
    assert_eq!(state().await, "false growth 15");
    app.advance(Duration::minutes(5));
    stand_in.advance(Duration::minutes(5));
    complete_objects::run(&app.platform, 10).await.unwrap();
    assert_eq!(state().await, "true growth 15");
}
