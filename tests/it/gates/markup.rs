//! External text is text, in heads and in bodies, and links are `https` only.

use super::*;
use apex_billing::demo::stripe_events::credit_note_events;

/// Closes the surrounding elements, and opens one.
const MARKUP: &str = "x\"'></title></script></textarea><b class=mark>&amp;";
const ELEMENT: &str = "<b class=mark";

/// Every Stripe field with free text or a link.
const FREE: [&str; 24] = [
    "number",
    "description",
    "customer_name",
    "customer_email",
    "customer_phone",
    "name",
    "email",
    "phone",
    "line1",
    "line2",
    "city",
    "postal_code",
    "state",
    "value",
    "hosted_invoice_url",
    "invoice_pdf",
    "pdf",
    "receipt_url",
    "memo",
    "reason",
    "footer",
    "statement_descriptor",
    "nickname",
    "billing_reason",
];

fn mark(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if FREE.contains(&name.as_str()) && (value.is_string() || value.is_null()) {
                    *value = MARKUP.into();
                } else {
                    mark(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mark),
        _ => {}
    }
}

#[tokio::test]
async fn markup_in_any_field_of_stripes_is_text_on_every_page() {
    let app = TestApp::start().await;
    let (_, person) = publisher(&app, "lumen").await;
    let mut events = october("cus_lumen", Outcome::Paid);
    events.extend(credits(Outcome::Paid));
    events.push(json!({
        "id": "evt_customer", "object": "event", "api_version": "2026-08-26.dahlia", "created": app.now().unix_timestamp(), "livemode": false,
        "type": "customer.updated",
        "data": {"object": {"id": "cus_lumen", "object": "customer", "name": "x", "email": "x", "created": 1_700_000_000, "metadata": {}}},
    }));
    events.iter_mut().for_each(|event| mark(&mut event["data"]["object"]));
    for event in &events {
        assert_eq!(app.post_webhook(&event.to_string()).await.status, 200, "{event}");
    }
    let mut odd = events[0].clone();
    (odd["id"], odd["type"]) = ("evt_odd".into(), MARKUP.into());
    assert_eq!(app.post_webhook(&odd.to_string()).await.status, 200);

    let invoice = person.get("/api/v1/billing/invoices").await.json()["invoices"][0].clone();
    assert_eq!(invoice["number"], MARKUP);
    let staff = app.sign_in(Role::Admin, None).await;
    let id = invoice["id"].as_str().unwrap();
    let page = person.get(&format!("/billing/invoices/{id}")).await.text();
    let title = page.split_once("<title>").unwrap().1.split_once("</title>").unwrap().0;
    assert_eq!(
        title,
        format!(
            "Invoice x\"'&gt;&lt;/title&gt;&lt;/script&gt;&lt;/textarea&gt;&lt;b class=mark&gt;&amp;amp; · {}",
            apex_billing::domain::PRODUCT
        )
    );
    assert!(page.contains("&lt;b class=mark"), "the number is shown: {page}");
    for (client, path) in [
        (&person, format!("/billing/invoices/{id}")),
        (&person, "/billing/invoices".to_owned()),
        (&person, "/billing/usage".to_owned()),
        (&person, "/billing/settings".to_owned()),
        (&staff, format!("/billing/invoices/{id}")),
        (&staff, "/admin/webhooks".to_owned()),
        (&staff, "/admin/webhooks/evt_odd".to_owned()),
        (&staff, format!("/admin/webhooks/{}", events[0]["id"].as_str().unwrap())),
        (&staff, "/admin/customers".to_owned()),
        (&staff, "/admin/audit".to_owned()),
    ] {
        let answer = client.get(&path).await;
        assert!(answer.status == 200 && !answer.text().contains(ELEMENT), "{path}: {}", answer.text());
        assert_eq!(answer.text().matches("</title>").count(), 1, "{path}");
    }
    let pdf = person.get(&format!("/api/v1/billing/invoices/{id}/pdf")).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")), "{}", pdf.text());
}

/// Credit notes for October's invoice.
fn credits(outcome: Outcome) -> Vec<Value> {
    let october = october_itself();
    credit_note_events(&lumen(), october, outcome, &[], 500, october.end() + Duration::days(10))
}

#[tokio::test]
async fn only_https_links_of_stripes_are_passed_on() {
    for (link, passes) in [
        ("https://invoice.stripe.com/i/acct_1/test_1?s=ap", true),
        ("javascript:alert(1)", false),
        ("http://invoice.stripe.com/i", false),
        ("data:text/html,x", false),
        ("//evil.example", false),
        ("https://user@evil.example", false),
    ] {
        let app = TestApp::start().await;
        let (_, person) = publisher(&app, "lumen").await;
        let mut events = october("cus_lumen", Outcome::Open);
        events.extend(credits(Outcome::Open));
        for event in &mut events {
            let object = &mut event["data"]["object"];
            match object["object"].as_str() {
                Some("invoice") => object["hosted_invoice_url"] = link.into(),
                Some("credit_note") => object["pdf"] = link.into(),
                _ => {}
            }
        }
        app.deliver(&events).await;
        let id = person.get("/api/v1/billing/invoices").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
        let invoice = person.get(&format!("/api/v1/billing/invoices/{id}")).await.json();
        let expected = if passes { json!(link) } else { Value::Null };
        assert_eq!((&invoice["hosted_invoice_url"], &invoice["credit_notes"][0]["pdf_url"]), (&expected, &expected), "{link}");
        let page = person.get(&format!("/billing/invoices/{id}")).await.page();
        assert_eq!(page.contains("Pay now"), passes, "{link}");
        // Nor are those stored earlier.
        sqlx::query("UPDATE invoices SET hosted_invoice_url = 'javascript:alert(2)'").execute(&app.db).await.unwrap();
        assert!(!person.get(&format!("/billing/invoices/{id}")).await.text().contains("javascript:"), "{link}");
    }
}
