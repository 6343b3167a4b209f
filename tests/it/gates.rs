//! Attacks and bad days: ambiguous paths, external text, slow clients, floods, a full disk.

mod guard;
mod markup;
mod navigations;
mod sign_ins;
mod storage;

use crate::support::{
    TestApp,
    app::PASSWORD,
    client::{Answer, Client},
};
use apex_billing::{
    demo::stripe_events::{Address, DemoCustomer, Outcome, month_events},
    domain::{identity::CustomerId, period::Period, plan::PlanType, role::Role},
    service::users,
};
use serde_json::{Value, json};
use time::{Duration, macros::datetime};

const FORM: &str = "application/x-www-form-urlencoded";
const OPS: &str = "ops@people.example";

/// Events of a customer's October with this outcome.
fn october(stripe_id: &str, outcome: Outcome) -> Vec<Value> {
    let customer = DemoCustomer { stripe_id: stripe_id.to_owned(), ..lumen() };
    month_events(&customer, october_itself(), outcome, &[])
}

fn october_itself() -> Period {
    Period::calendar_month(datetime!(2026-10-01 0:00 UTC))
}

fn lumen() -> DemoCustomer {
    DemoCustomer {
        stripe_id: "cus_lumen".into(),
        name: "Lumen".into(),
        email: "billing@lumen.example".into(),
        address: Address {
            line1: "1 Main Street".into(),
            city: "Springfield".into(),
            state: None,
            postal_code: "12345".into(),
            country: "US".into(),
        },
        tax_id: Some(("us_ein".into(), "12-3456789".into())),
        currency: "usd".parse().unwrap(),
        plan: PlanType::Growth,
        tax_percent: 19,
        discount_percent: 10,
    }
}

/// Staff without a second factor, where one is required.
async fn staff_without_second_factor() -> (TestApp, Client) {
    let app = TestApp::start_with_settings(&[("require-totp-for-admins = false", "require-totp-for-admins = true")]).await;
    users::put(&app.platform, OPS, PASSWORD, Role::Admin, None).await.unwrap();
    let answer = log_in(&app.client(), OPS, PASSWORD).await;
    let client = app.client().with_cookies_of(&answer);
    (app, client)
}

async fn log_in(client: &Client, email: &str, password: &str) -> Answer {
    client.post_json("/api/v1/auth/login", &json!({"email": email, "password": password})).await
}

async fn publisher(app: &TestApp, name: &str) -> (CustomerId, Client) {
    let customer = app.add_customer(name).await;
    (customer, app.sign_in(Role::Publisher, Some(customer)).await)
}
