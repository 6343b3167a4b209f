//! Usage compared with Stripe's meters and with invoices.

use super::{AT_ONCE, Ahead, by, found, import, run};
use crate::{
    stand_in::client::post,
    stripe::{StandIn, lines::Line},
    support::{
        TestApp,
        stand_in::{SECRET_KEY, TestStandIn},
    },
};
use apex_billing::{
    domain::{identity::CustomerId, reconcile::Kind},
    service::{meters, reconcile},
};
use serde_json::{Value, json};
use time::{Duration, macros::datetime};

/// Stripe with a meter, and a customer known to both, with usage sent to Stripe.
async fn metered() -> (StandIn, TestApp, CustomerId, String) {
    let stand_in = StandIn::start().await;
    let settings = [AT_ONCE[0], ("enabled = false", "enabled = true")];
    let app = TestApp::start_with_all(&[("STRIPE_SECRET_KEY", SECRET_KEY), ("STRIPE_API_BASE", &stand_in.base_url())], &settings).await;
    stand_in.seed_customer("lumen");
    let customer = app.add_customer("lumen").await;
    let meter =
        post(&stand_in, "v1/billing/meters", "display_name=Impressions&event_name=impressions&default_aggregation[formula]=sum").await;
    for hour in [datetime!(2026-11-20 10:00 UTC), datetime!(2026-11-20 11:00 UTC)] {
        sqlx::query(
            "INSERT INTO usage_records (customer_id, metric, hour, app_id, quantity, event_count, as_of)
             VALUES ($1, 'impressions', $2, 'app', 500, 1, $2)",
        )
        .bind(customer.0)
        .bind(hour)
        .execute(&app.db)
        .await
        .unwrap();
    }
    meters::run(&app.platform).await.unwrap();
    import(&app).await;
    (stand_in, app, customer, meter["id"].as_str().unwrap().to_owned())
}

async fn use_in_all(app: &TestApp, quantity: i64) {
    sqlx::query("UPDATE usage_records SET quantity = $1 WHERE hour = '2026-11-20 10:00Z'")
        .bind(quantity - 500)
        .execute(&app.db)
        .await
        .unwrap();
}

#[tokio::test]
async fn usage_is_compared_with_stripes_meters() {
    let (_stand_in, app, ..) = metered().await;
    let well = run(&app).await;
    assert_eq!((found(&app, &well).await, well.within_tolerance), (vec![], Some(true)));
    assert!(well.checked.metrics >= 3, "{:?}", well.checked);
    for (quantity, within) in [(1005, true), (1006, false), (1100, false)] {
        use_in_all(&app, quantity).await;
        let drifted = run(&app).await;
        let found = reconcile::first_found(&app.platform, &drifted.id.to_string()).await.unwrap();
        assert_eq!(found.len(), 1);
        let it = &found[0].discrepancy;
        assert_eq!((it.kind, it.metric.as_deref(), it.difference), (Kind::UsageQuantity, Some("impressions"), Some(quantity - 1000)));
        assert_eq!((it.within_tolerance, drifted.within_tolerance), (within, Some(within)));
    }
}

#[tokio::test]
async fn a_repair_sends_missing_usage_once() {
    let (stand_in, app, ..) = metered().await;
    let repaired = async || {
        let run = run(&app).await;
        let repair = reconcile::repair_all(&app.platform, &by(), &run.id.to_string()).await.unwrap();
        (run.discrepancies, repair.repaired, repair.failed)
    };
    assert_eq!(repaired().await, (0, 0, 0));
    // Usage that arrived since then and was never sent.
    use_in_all(&app, 1100).await;
    assert_eq!(repaired().await, (1, 1, 0));
    assert_eq!(repaired().await, (0, 0, 0));
    // Usage that Stripe accepted and lost. Within the hour it may still be missing from the totals.
    stand_in.work(|store| store.meters.lose());
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::minutes(1));
    }
    assert_eq!(repaired().await, (1, 0, 1));
    assert_eq!(stand_in.requests().iter().filter(|request| request.path == "/v1/billing/meter_events").count(), 3);
    for both in [&stand_in as &dyn Ahead, &app] {
        both.ahead(Duration::hours(2));
    }
    assert_eq!(repaired().await, (1, 1, 0));
    assert_eq!(repaired().await, (0, 0, 0));
    let quantities: Vec<Value> =
        sqlx::query_scalar("SELECT data -> 'quantity' FROM billing_audit WHERE event_type = 'usage.meter_lost' ORDER BY id")
            .fetch_all(&app.db)
            .await
            .unwrap();
    assert_eq!(quantities.iter().map(|quantity| quantity.as_i64().unwrap()).sum::<i64>(), 1100);
    // Usage from another sender can't be cancelled.
    let other = format!(
        "event_name=impressions&identifier=other&timestamp={}&payload[stripe_customer_id]=cus_lumen&payload[value]=7",
        datetime!(2026-11-20 10:00 UTC).unix_timestamp()
    );
    post(&stand_in, "v1/billing/meter_events", &other).await;
    assert_eq!(repaired().await, (1, 0, 1));
}

/// An invoice that bills impressions of November up to the 21st, and a flat fee.
async fn billed(stand_in: &StandIn, meter: &str, quantity: i64) -> String {
    let price = |extra: &str| format!("currency=usd&unit_amount=1&recurring[interval]=month{extra}");
    let metered = post(stand_in, "v1/prices", &price(&format!("&recurring[usage_type]=metered&recurring[meter]={meter}"))).await;
    let flat = post(stand_in, "v1/prices", &price("")).await;
    let day = |at: time::OffsetDateTime| at.unix_timestamp();
    let period = (day(datetime!(2026-11-01 00:00 UTC)), day(datetime!(2026-11-21 00:00 UTC)));
    stand_in.work(|store| {
        let customer = store.get("customer", "cus_lumen").cloned().unwrap();
        let mut invoice = store.draft(&customer, "usd", None, "subscription_cycle");
        // Two tiers of one price, each with its own line.
        for (price, quantity) in [(&metered, 400), (&metered, quantity - 400), (&flat, 1)] {
            let line = Line {
                description: "Usage".into(),
                amount: quantity,
                quantity,
                unit_amount: "1".into(),
                period,
                subscription_item: None,
                price: Some((price["id"].as_str().unwrap().to_owned(), "prod_1".into())),
            };
            store.add_line(&mut invoice, &line);
        }
        invoice["status"] = json!("open");
        let id = invoice["id"].as_str().unwrap().to_owned();
        store.put("invoice", invoice);
        id
    })
}

#[tokio::test]
async fn billed_usage_is_compared_with_used_quantities() {
    let (stand_in, app, _, meter) = metered().await;
    let mut invoices = Vec::new();
    for quantity in [1000, 1004, 900] {
        invoices.push(billed(&stand_in, &meter, quantity).await);
    }
    import(&app).await;
    let run = run(&app).await;
    let mut found: Vec<_> = reconcile::first_found(&app.platform, &run.id.to_string())
        .await
        .unwrap()
        .into_iter()
        .map(|found| found.discrepancy)
        .map(|it| (it.kind, it.invoice_id.unwrap(), it.metric.unwrap(), it.difference.unwrap(), it.within_tolerance))
        .collect();
    found.sort_by_key(|found| found.3);
    let of = |at: usize, difference, within| (Kind::UsageQuantity, invoices[at].clone(), "impressions".to_owned(), difference, within);
    assert_eq!(found, [of(1, -4, true), of(2, 100, false)]);
    assert_eq!(run.within_tolerance, Some(false));
    // Finalized invoices stay, and their quantities can't drift unnoticed either.
    let repair = reconcile::repair_all(&app.platform, &by(), &run.id.to_string()).await.unwrap();
    assert_eq!((repair.repaired, repair.failed), (0, 2));
    stand_in.tamper("invoice", &invoices[0], |invoice| invoice["lines"]["data"][0]["quantity"] = json!(401));
    let drifted = super::run(&app).await;
    let kinds: Vec<_> =
        super::found(&app, &drifted).await.into_iter().filter(|(.., id)| *id == invoices[0]).map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["amount"]);
}
