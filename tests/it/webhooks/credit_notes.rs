//! Credit notes, from Stripe's events to the invoice that the customer reads.

use super::{INVOICE, ask, deliver, deliver_all, month, overage, pixel_forge, platform, september, titles};
use apex_billing::{
    demo::stripe_events::{Outcome, credit_note_events, credit_note_voided},
    domain::role::Role,
};
use serde_json::{Value, json};
use time::Duration;

fn credited(outcome: Outcome) -> Vec<Value> {
    let at = september().end() + Duration::days(20);
    credit_note_events(&pixel_forge(), september(), outcome, &[overage()], 1_050, at)
}

#[tokio::test]
async fn credit_notes_show_on_invoices_in_any_order() {
    for credit_note_first in [true, false] {
        let (app, customer) = platform().await;
        let mut events = month(Outcome::Paid);
        events.extend(credited(Outcome::Paid));
        if credit_note_first {
            events.reverse();
        }
        deliver_all(&app, &events).await;
        assert_eq!(ask(&app.db, INVOICE).await, "paid|81715|81715|0|0");
        assert_eq!(ask(&app.db, "SELECT credit_notes_pre_payment, credit_notes_post_payment FROM invoices").await, "0|1050");
        let number = ask(&app.db, "SELECT number FROM credit_notes").await;
        assert_eq!(
            titles(&app, customer).await,
            ["Draft created", "Invoice finalized", "Payment received", &format!("Credit note {number} for $10.50 issued")]
        );

        let client = app.sign_in(Role::Readonly, Some(customer)).await;
        let id = ask(&app.db, "SELECT id FROM invoices").await;
        let detail = client.get(&format!("/api/v1/billing/invoices/{id}")).await.json();
        let shown = &detail["credit_notes"][0];
        assert_eq!(
            (&shown["number"], &shown["amount"], &shown["type"], &shown["status"]),
            (&json!(number), &json!(1050), &json!("post_payment"), &json!("issued"))
        );
        let page = client.get(&format!("/billing/invoices/{id}")).await.page();
        assert!(page.contains(&format!("<strong>Credit note {number}</strong>")) && page.contains("-$10.50"), "{page}");
    }
}

#[tokio::test]
async fn credit_notes_reduce_the_amount_due_void_is_final() {
    let (app, customer) = platform().await;
    let (created, voided) = {
        let events = credited(Outcome::Open);
        let voided = credit_note_voided(&events[0], september().end() + Duration::days(20));
        (events, voided)
    };
    deliver_all(&app, &month(Outcome::Open)).await;
    // The same second, in the reverse order.
    deliver(&app, &voided).await;
    deliver_all(&app, &created).await;
    assert_eq!(ask(&app.db, INVOICE).await, "open|81715|0|80665|0");
    assert_eq!(ask(&app.db, "SELECT status, type, amount, voided_at IS NOT NULL FROM credit_notes").await, "void|pre_payment|1050|true");
    assert!(titles(&app, customer).await.last().is_some_and(|title| title.ends_with(" voided")));
    // Other customers don't see it.
    let other = app.add_customer("other").await;
    let client = app.sign_in(Role::Readonly, Some(other)).await;
    let id = ask(&app.db, "SELECT id FROM invoices").await;
    assert_eq!(client.get(&format!("/api/v1/billing/invoices/{id}")).await.status, 404);
}

#[tokio::test]
async fn invalid_credit_notes_have_a_reason() {
    let (app, _) = platform().await;
    for (field, value, reason) in [
        ("invoice", Value::Null, "credit_note.invoice is missing"),
        ("amount", json!("a dozen"), "credit_note.amount is another string, but should be a whole number"),
        ("status", json!("lost"), "credit_note.status is `lost`, but should be issued or void"),
    ] {
        let mut event = credited(Outcome::Paid)[0].clone();
        event["id"] = json!(format!("evt_{field}"));
        event["data"]["object"][field] = value;
        deliver(&app, &event).await;
        let sql = format!("SELECT status, last_error FROM stripe_webhook_events WHERE stripe_event_id = 'evt_{field}'");
        assert_eq!(ask(&app.db, &sql).await, format!("failed|{reason}"));
    }
}
