//! Who decides the language of pages, mails and invoices.

use crate::{
    invoice_sums::deliver,
    pdf::words_of,
    support::{TestApp, client::Answer, smtp::SmtpServer},
};
use apex_billing::{domain::role::Role, service::alerts};
use axum::http::Method;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";

async fn set_locale(app: &TestApp, locale: &str) {
    sqlx::query("UPDATE customers SET preferred_locale = $1").bind(locale).execute(&app.db).await.unwrap();
}

fn is_in(language: &str, page: &Answer) -> bool {
    page.text().contains(&format!(r#"<html lang="{language}""#))
}

#[tokio::test]
async fn the_login_page_is_in_the_browsers_language() {
    let app = TestApp::start().await;
    let german = app.client().with_header("accept-language", "de-AT,de;q=0.9,en;q=0.5").get("/login").await;
    assert!(is_in("de", &german), "{}", german.text());
    let varies = german.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().to_lowercase().contains("accept-language"));
    assert!(varies, "{:?}", german.headers);
    assert!(is_in("en", &app.client().with_header("accept-language", "ja").get("/login").await));
    assert!(is_in("fr", &app.client().with_header("accept-language", "fr").get("/no-such-page").await));
}

#[tokio::test]
async fn a_browsers_choice_is_a_cookie() {
    let app = TestApp::start().await;
    let answer = app.client().post("/language", FORM, b"language=fr&next=/login".to_vec()).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login")));
    let page = app.client().with_header("accept-language", "de").with_cookies_of(&answer).get("/login").await;
    assert!(is_in("fr", &page), "{}", page.text());
    assert_eq!(app.client().post("/language", FORM, b"language=es".to_vec()).await.status, 422);
    let foreign = app.client().with_header("sec-fetch-site", "cross-site").post("/language", FORM, b"language=fr".to_vec()).await;
    assert_eq!(foreign.status, 403);
    let away = app.client().post("/language", FORM, b"language=de&next=//evil.example".to_vec()).await;
    assert_eq!(away.header("location"), Some("/billing/usage"));
}

#[tokio::test]
async fn a_users_choice_is_stored_and_audited() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    assert!(is_in("en", &person.get("/account").await));
    set_locale(&app, "fr-FR").await;
    assert!(is_in("fr", &person.get("/account").await));
    assert_eq!(person.post("/language", FORM, b"language=de&next=/account".to_vec()).await.status, 303);
    let page = person.get("/account").await;
    assert!(is_in("de", &page) && page.text().contains("Abmelden"), "{}", page.text());
    assert_eq!(person.get("/api/v1/auth/me").await.json()["language"], "de");
    // The same choice again is no change.
    person.post("/language", FORM, b"language=de".to_vec()).await;
    person.post("/language", FORM, b"language=".to_vec()).await;
    assert!(is_in("fr", &person.get("/account").await));
    let entries: Vec<Value> = sqlx::query_scalar("SELECT data FROM billing_audit WHERE event_type = 'user.language_changed' ORDER BY id")
        .fetch_all(&app.db)
        .await
        .unwrap();
    assert_eq!(entries, [json!({"before": null, "after": "de"}), json!({"before": "de", "after": null})]);
    // The database accepts no other language.
    assert!(sqlx::query("UPDATE users SET language = 'es'").execute(&app.db).await.is_err());
}

#[tokio::test]
async fn mails_are_in_each_recipients_language() {
    let server = SmtpServer::start();
    let app = TestApp::start_with(&[("SMTP_URL", &server.url())]).await;
    let customer = crate::alerts::subscribed(&app, "lumen").await;
    set_locale(&app, "de-DE").await;
    let person = app.sign_in(Role::Publisher, Some(customer)).await;
    person.post("/language", FORM, b"language=fr".to_vec()).await;
    let email = person.get("/api/v1/auth/me").await.json()["email"].as_str().unwrap().to_owned();
    let body = json!({"recipients": [email, "finance@lumen.example"]}).to_string().into_bytes();
    assert_eq!(person.send(Method::PUT, "/api/v1/billing/alerts", Some("application/json"), body).await.status, 200);
    crate::alerts::use_impressions(&app, customer, "a", 800_000).await;
    alerts::fire_for(&app.platform, customer).await.unwrap();
    assert_eq!(alerts::send_owed(&app.platform, 100).await.unwrap(), 1);
    let mails = server.received();
    let subject = |to: &str| {
        let mail = mails.iter().find(|mail| mail.to == [to]).unwrap_or_else(|| panic!("no mail to {to}"));
        mail.text.lines().find(|line| line.starts_with("Subject: ")).unwrap().to_owned()
    };
    assert!(subject(&email).contains("Alerte de consommation"), "{}", subject(&email));
    // RFC 2047 encodes the umlaut.
    let german = subject("finance@lumen.example");
    assert!(german.contains("=?utf-8?") && !german.contains("Usage"), "{german}");
}

#[tokio::test]
async fn an_invoice_is_in_the_customers_language() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    deliver(
        &app,
        &json!({
            "id": "in_1", "object": "invoice", "status": "open", "currency": "eur", "number": "B1-0001", "created": 1_796_000_000,
            "livemode": false, "subtotal": 10_000, "total": 11_900, "amount_due": 11_900, "amount_paid": 0, "amount_remaining": 11_900,
            "amount_overpaid": 0, "starting_balance": 0, "ending_balance": 0, "pre_payment_credit_notes_amount": 0,
            "post_payment_credit_notes_amount": 0, "total_discount_amounts": [], "total_pretax_credit_amounts": [],
            "total_taxes": [{"amount": 1_900, "tax_behavior": "exclusive", "taxability_reason": "standard_rated", "taxable_amount": 10_000,
                             "type": "tax_rate_details", "tax_rate_details": {"tax_rate": "txr_1"}}],
            "customer_address": {"line1": "Hauptstr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE", "line2": null, "state": null},
            "period_start": 1_793_408_000, "period_end": 1_796_000_000, "effective_at": null, "due_date": null, "hosted_invoice_url": null,
            "status_transitions": {"finalized_at": 1_796_003_600, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null},
            "lines": {"object": "list", "has_more": false, "data": []},
        }),
    )
    .await;
    let printed = async || words_of(person.get("/api/v1/billing/invoices/in_1/pdf").await.body).replace(['\u{a0}', '\u{202f}'], " ");
    let english = printed().await;
    assert!(english.contains("10115 Berlin") && english.contains("Germany") && english.contains("€119.00"), "{english}");
    set_locale(&app, "de").await;
    let german = printed().await;
    for text in ["Rechnung", "Rechnungsnummer", "Rechnungsempfänger", "Nettobetrag", "Steuer auf 100,00 €", "119,00 €", "Deutschland"]
    {
        assert!(german.contains(text), "{text} in {german}");
    }
    set_locale(&app, "fr-CA").await;
    let french = printed().await;
    for text in ["Facture", "Numéro de facture", "Facturé à", "Total HT", "Total TTC", "Allemagne"] {
        assert!(french.contains(text), "{text} in {french}");
    }
}
