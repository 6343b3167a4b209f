//! Tax rates and prices that events only reference by id are fetched once.

use crate::{
    outgoing::{connected_to, impatient},
    stripe::{StandIn, faults::Fault},
    support::{TestApp, stand_in::TestStandIn},
    webhooks::{
        ask,
        figures::{event, invoice},
    },
};
use apex_billing::service::complete_objects;
use serde_json::{Value, json};
use time::Duration;

async fn with_forge() -> (StandIn, TestApp) {
    let stand_in = StandIn::start().await;
    stand_in.seed_customer("forge");
    let app = connected_to(&stand_in).await;
    app.add_customer("forge").await;
    (stand_in, app)
}

fn taxed(id: &str, rate: &str) -> Value {
    let tax = json!({"amount": 1_900, "tax_behavior": "exclusive", "tax_rate_details": {"tax_rate": rate}});
    event(&format!("evt_{id}"), "invoice.finalized", invoice(json!({"id": id, "total_taxes": [tax]})))
}

fn rate(id: &str) -> Value {
    json!({"id": id, "object": "tax_rate", "created": 1, "display_name": "VAT", "percentage": 19, "effective_percentage": null, "inclusive": false, "country": "DE",
        "tax_type": "vat", "state": null, "jurisdiction": "Germany"})
}

fn asked(stand_in: &StandIn, path: &str) -> usize {
    stand_in.requests().iter().filter(|request| request.path.starts_with(path)).count()
}

const WAITING: &str = "SELECT stripe_invoice_id, version, lookups FROM invoices ORDER BY 1";

#[tokio::test]
async fn a_rate_is_fetched_once_for_all_its_invoices() {
    let (stand_in, app) = with_forge().await;
    stand_in.work(|store| store.put("tax_rate", rate("txr_1")));
    app.deliver(&[taxed("in_1", "txr_1"), taxed("in_2", "txr_1")]).await;
    assert_eq!(ask(&app.db, WAITING).await, r#"in_1|1|["txr_1"] in_2|1|["txr_1"]"#);
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(
        ask(&app.db, "SELECT stripe_tax_rate_id, display_name, percentage, inclusive, tax_type, country, jurisdiction FROM tax_rates")
            .await,
        "txr_1|VAT|19|false|vat|DE|Germany"
    );
    // They show it from now on.
    assert_eq!(
        ask(&app.db, "SELECT stripe_invoice_id, version, lookups IS NULL AS known FROM invoices ORDER BY 1").await,
        "in_1|2|true in_2|2|true"
    );
    app.deliver(&[taxed("in_3", "txr_1")]).await;
    assert_eq!(ask(&app.db, "SELECT version, lookups IS NULL AS known FROM invoices WHERE stripe_invoice_id = 'in_3'").await, "1|true");
    // Rows of a transaction that began earlier are found within a minute; then the queue is empty.
    sqlx::raw_sql("UPDATE invoices SET lookups = '{txr_1}' WHERE stripe_invoice_id = 'in_3'").execute(&app.db).await.unwrap();
    app.advance(Duration::minutes(2));
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    assert_eq!(ask(&app.db, "SELECT version, lookups IS NULL AS known FROM invoices WHERE stripe_invoice_id = 'in_3'").await, "2|true");
    assert_eq!(ask(&app.db, "SELECT count(*) FROM stripe_lookups").await, "0");
    assert_eq!(asked(&stand_in, "/v1/tax_rates/"), 1);
}

/// Case C18, in today's shape: only the price has it.
#[tokio::test]
async fn a_price_is_fetched_if_its_unit_is_not_enough() {
    let (stand_in, app) = with_forge().await;
    let transform = json!({"divide_by": 100, "round": "up"});
    stand_in.work(|store| {
        store.put("price", json!({"id": "price_1", "object": "price", "created": 1, "unit_amount": 500, "transform_quantity": transform}))
    });
    let line = |quantity: i64| {
        let pricing = json!({"type": "price_details", "unit_amount_decimal": "500", "price_details": {"price": "price_1"}});
        json!({"lines": {"data": [{"quantity": quantity, "quantity_decimal": quantity.to_string(), "amount": 1_500, "pricing": pricing}]}})
    };
    let with = |id: &str, quantity: i64| {
        let mut event = event(&format!("evt_{id}"), "invoice.finalized", invoice(line(quantity)));
        event["data"]["object"]["id"] = json!(id);
        event
    };
    app.deliver(&[with("in_1", 3)]).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    app.deliver(&[with("in_2", 250)]).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    const LINES: &str =
        "SELECT stripe_invoice_id, version, transform_quantity FROM invoices JOIN invoice_line_items ON invoice_id = id ORDER BY 1";
    assert_eq!(ask(&app.db, &format!("{LINES} OFFSET 1")).await, r#"in_2|2|{"round_up": true, "divide_by": 100}"#);
    // The next one has it at once.
    app.deliver(&[with("in_3", 300)]).await;
    assert_eq!(ask(&app.db, &format!("{LINES} OFFSET 2")).await, r#"in_3|1|{"round_up": true, "divide_by": 100}"#);
    assert_eq!(asked(&stand_in, "/v1/prices/"), 1);
}

#[tokio::test]
async fn unknown_objects_are_requested_once() {
    let (stand_in, app) = with_forge().await;
    app.deliver(&[taxed("in_1", "txr_gone")]).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    app.deliver(&[taxed("in_2", "txr_gone")]).await;
    app.advance(Duration::days(3));
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    assert_eq!(asked(&stand_in, "/v1/tax_rates/"), 1);
    assert_eq!(ask(&app.db, "SELECT count(*) FROM invoices WHERE lookups IS NOT NULL").await, "0");
    assert_eq!(ask(&app.db, "SELECT object_id, attempts, missing FROM stripe_lookups").await, "txr_gone|1|true");
}

#[tokio::test]
async fn a_refused_lookup_does_not_block_others() {
    let (stand_in, app) = with_forge().await;
    stand_in.work(|store| ["txr_1", "txr_2"].map(|id| store.put("tax_rate", rate(id))));
    stand_in.fault(Fault::status(403).on("GET", "/v1/tax_rates/txr_1"));
    app.deliver(&[taxed("in_1", "txr_1"), taxed("in_2", "txr_2")]).await;
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 2);
    assert_eq!(ask(&app.db, "SELECT stripe_tax_rate_id FROM tax_rates").await, "txr_2");
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 0);
    app.advance(Duration::minutes(2));
    assert_eq!(complete_objects::run(&app.platform, 10).await.unwrap(), 1);
    assert_eq!(
        ask(&app.db, "SELECT string_agg(stripe_tax_rate_id, ' ' ORDER BY stripe_tax_rate_id) AS known FROM tax_rates").await,
        "txr_1 txr_2"
    );
    // An unavailable Stripe ends the run; the next one continues.
    stand_in.work(|store| store.put("tax_rate", rate("txr_3")));
    app.deliver(&[taxed("in_3", "txr_3")]).await;
    stand_in.fault(Fault::status(500).times(100).on("GET", "/v1/tax_rates/*"));
    complete_objects::run(&impatient(&app), 10).await.unwrap_err();
    assert_eq!(ask(&app.db, "SELECT count(*) FROM tax_rates").await, "2");
}
