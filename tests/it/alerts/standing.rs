//! Alerts and caps on the usage page, and the response that it polls.

use super::{steady_month, subscribed, use_impressions};
use crate::support::TestApp;
use apex_billing::{domain::role::Role, service::alerts};
use axum::http::Method;
use serde_json::json;

const PATH: &str = "/api/v1/billing/alerts/standing";

/// The page's section without tags.
pub(super) fn section(html: &str) -> String {
    let from = html.find("id=\"alerts-title\"").expect("the section");
    let rest = &html[from..];
    let section = &rest[..rest.find("</section>").expect("its end")];
    section
        .split('<')
        .filter_map(|part| part.split_once('>'))
        .map(|(_, text)| text.trim())
        .filter(|text| !text.is_empty())
        .fold(String::new(), |said, text| format!("{said}{}{text}", if said.is_empty() { "" } else { " " }))
}

#[tokio::test]
async fn the_page_shows_alerts_and_caps_without_scripts() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let page = async || section(&person.get("/billing/usage").await.text());
    let nothing = page().await;
    assert!(nothing.contains("No threshold has been reached in this period") && nothing.contains("No cap is set"), "{nothing}");

    let body = json!({"metrics": {
        "impressions": {"percent": [80, 300], "cost": [1], "cap": {"percent": 120}},
        "data_transfer_bytes": {"percent": [], "cap": {"quantity": 900_500_000_000_u64}},
    }});
    let set = person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body.to_string().into_bytes()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    use_impressions(&app, customer, "a", 1_200_000).await;
    assert_eq!(alerts::fire_for(&app.platform, customer).await.unwrap(), 3);
    let shown = page().await;
    for row in [
        "Impressions Cap of 1,200,000 Reached, more is refused 22 Nov 2026, 15:50",
        "Impressions 80% of 1,000,000 included Reached 22 Nov 2026, 15:50",
        "Impressions $0.01 of overage Reached 22 Nov 2026, 15:50",
        "Data transfer Cap of 900.5 GB In force",
    ] {
        assert!(shown.contains(row), "{row} in {shown}");
    }
    assert!(!shown.contains("300"), "{shown}");
    assert!(person.get("/billing/usage").await.text().contains("href=\"/billing/settings\""));
}

#[tokio::test]
async fn a_forecast_threshold_is_expected_with_its_cost() {
    let app = TestApp::start().await;
    let customer = subscribed(&app, "lumen").await;
    steady_month(&app, customer).await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    let current = person.get("/api/v1/billing/usage/current").await.json();
    let amount = current["forecast"]["impressions"]["amount"].as_u64().unwrap();
    assert!((850_000..950_000).contains(&amount), "{current}");
    assert_eq!(current["forecast"]["overage_costs"], json!({"impressions": 0, "api_calls": 0, "data_transfer": 0}));
    let shown = section(&person.get("/billing/usage").await.text());
    assert!(shown.contains("Impressions 80% of 1,000,000 included Expected Likely by 30 Nov"), "{shown}");
    assert!(!shown.contains("100%"), "{shown}");
}

#[tokio::test]
async fn users_read_only_their_own_standing() {
    let app = TestApp::start().await;
    let (lumen, orbit) = (subscribed(&app, "lumen").await, subscribed(&app, "orbit").await);
    use_impressions(&app, orbit, "a", 900_000).await;
    assert_eq!(alerts::fire_for(&app.platform, orbit).await.unwrap(), 2);
    let reader = app.sign_in(Role::Readonly, Some(lumen)).await;
    assert_eq!(reader.get(PATH).await.json()["fired"], json!([]));
    reader.get(&format!("{PATH}?customer_id={orbit}")).await.problem(404, "not_found");
    app.client().get(PATH).await.problem(401, "unauthenticated");
    let staff = app.sign_in(Role::Admin, None).await;
    let seen = staff.get(&format!("{PATH}?customer_id={orbit}")).await.json();
    let thresholds: Vec<_> = seen["fired"].as_array().unwrap().iter().map(|alert| alert["threshold"].as_i64().unwrap()).collect();
    assert_eq!((thresholds, &seen["settings"]["currency"]), (vec![90, 80], &json!("usd")));
}
