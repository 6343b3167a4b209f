//! Display of an invoice's lines, dates and parties: the same on page, PDF, API and CSV.

use crate::{
    invoice_sums::{csv, deliver, detail, pairs},
    pdf::words_of,
    support::{Client, TestApp},
};
use apex_billing::domain::role::Role;
use serde_json::{Value, json};

/// An open invoice over $100.00 of the customer `cus_lumen`, with changes.
fn invoice(changes: &Value) -> Value {
    let mut object = json!({
        "id": "in_1", "object": "invoice", "customer": "cus_lumen", "status": "open", "currency": "usd", "number": "B1-0001",
        "created": 1_796_000_000, "livemode": false, "subtotal": 10_000, "total": 10_000, "amount_due": 10_000, "amount_paid": 0,
        "amount_remaining": 10_000, "amount_overpaid": 0, "starting_balance": 0, "ending_balance": 0, "pre_payment_credit_notes_amount": 0,
        "post_payment_credit_notes_amount": 0, "total_discount_amounts": [], "total_taxes": [], "total_pretax_credit_amounts": [],
        "period_start": 1_793_408_000, "period_end": 1_796_000_000, "effective_at": null, "due_date": null,
        "hosted_invoice_url": "https://invoice.stripe.com/i/in_1",
        "status_transitions": {"finalized_at": 1_796_003_600, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null},
        "lines": {"object": "list", "has_more": false, "data": [line(&json!({}))]},
    });
    merge(&mut object, changes);
    object
}

fn line(changes: &Value) -> Value {
    let mut line = json!({
        "id": "il_1", "object": "line_item", "amount": 10_000, "currency": "usd", "description": "Growth plan", "quantity": 1,
        "quantity_decimal": "1", "discount_amounts": [], "taxes": [], "pretax_credit_amounts": [],
        "period": {"start": 1_796_000_000, "end": 1_798_592_000},
    });
    merge(&mut line, changes);
    line
}

fn lines(lines: &[Value]) -> Value {
    json!({"object": "list", "has_more": false, "data": lines})
}

fn merge(object: &mut Value, changes: &Value) {
    for (key, value) in changes.as_object().unwrap() {
        object[key] = value.clone();
    }
}

/// A customer's user, and all representations of an invoice.
struct Shop {
    app: TestApp,
    person: Client,
}

struct Shown {
    api: Value,
    page: String,
    pdf: String,
    pdf_name: String,
}

impl Shop {
    async fn open() -> Shop {
        let app = TestApp::start().await;
        let customer = app.add_customer("lumen").await;
        let person = app.sign_in(Role::Readonly, Some(customer)).await;
        Shop { app, person }
    }

    async fn show(&self, object: &Value) -> Shown {
        deliver(&self.app, object).await;
        self.shown(object["id"].as_str().unwrap()).await
    }

    async fn shown(&self, stripe_id: &str) -> Shown {
        shown(&self.person, stripe_id).await
    }

    async fn file(&self, query: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        csv(&self.person.get(&format!("/api/v1/billing/invoices.csv{query}")).await.text())
    }
}

async fn shown(person: &Client, stripe_id: &str) -> Shown {
    let api = detail(person, stripe_id).await;
    let id = api["id"].as_str().unwrap().to_owned();
    let page = person.get(&format!("/billing/invoices/{id}")).await.page().replace('\u{a0}', " ");
    let answer = person.get(&format!("/api/v1/billing/invoices/{id}/pdf")).await;
    let pdf_name = answer.header("content-disposition").unwrap().to_owned();
    let pdf = words_of(answer.body);
    Shown { api, page, pdf, pdf_name }
}

#[tokio::test]
async fn quantities_show_all_digits() {
    let shop = Shop::open().await;
    let line = line(&json!({"quantity": 2, "quantity_decimal": "2.5", "amount": 25_000, "pricing": {"unit_amount_decimal": "10000"}}));
    let shown = shop.show(&invoice(&json!({"lines": lines(&[line])}))).await;
    assert_eq!(shown.api["line_items"][0]["quantity_decimal"], "2.5");
    assert!(shown.page.contains(">2.5</td>") && shown.page.contains("$100.00"), "{}", shown.page);
    assert!(shown.pdf.contains("2.5 $100.00 $250.00"), "{}", shown.pdf);
    let rows = shop.file("?rows=lines").await;
    assert_eq!((rows[0]["quantity"].as_str(), rows[0]["unit_price"].as_str()), ("2.5", "100.00"));
}

#[tokio::test]
async fn there_is_one_date_of_issue() {
    let shop = Shop::open().await;
    // Effective on 1 October 2026, finalized on 31 October.
    let transitions = json!({"finalized_at": 1_793_448_000, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null});
    let object = invoice(&json!({"created": 1_793_440_000, "effective_at": 1_790_856_000, "status_transitions": transitions}));
    let one = shop.show(&object).await;
    assert_eq!(one.api["issued_at"], "2026-10-01T12:00:00Z");
    assert!(one.page.contains("1 Oct 2026</time>") && !one.page.contains("31 Oct 2026"), "{}", one.page);
    assert!(one.pdf.contains("Issue date 1 October 2026"), "{}", one.pdf);
    assert_eq!(shop.file("").await[0]["issue_date"], "2026-10-01");
    let list = shop.person.get("/billing/invoices").await.page();
    assert!(list.contains("1 Oct 2026</time>") && !list.contains("31 Oct 2026"), "{list}");
    let count =
        async |query: &str| shop.person.get(&format!("/api/v1/billing/invoices?{query}")).await.json()["pagination"]["total"].clone();
    assert_eq!((count("from=2026-10-01&to=2026-10-01").await, count("from=2026-10-02").await), (json!(1), json!(0)));

    // Finalized on the day after the month in which it was created.
    let transitions = json!({"finalized_at": 1_793_494_800, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null});
    let two =
        shop.show(&invoice(&json!({"id": "in_2", "number": "B1-0002", "created": 1_793_489_400, "status_transitions": transitions}))).await;
    assert_eq!(two.api["issued_at"], "2026-11-01T01:00:00Z");
    let transitions = json!({"finalized_at": null, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null});
    let changes = json!({"id": "in_3", "number": null, "status": "draft", "created": 1_793_489_400, "ending_balance": null, "status_transitions": transitions});
    let draft = shop.show(&invoice(&changes)).await;
    assert_eq!(draft.api["issued_at"], Value::Null);
    assert!(draft.page.contains("<dt>Created</dt>") && draft.pdf.contains("Created 31 October 2026"), "{}", draft.pdf);
    let sorted = shop.person.get("/api/v1/billing/invoices?sort=issued").await.json();
    let order: Vec<&str> = sorted["invoices"].as_array().unwrap().iter().map(|one| one["stripe_invoice_id"].as_str().unwrap()).collect();
    assert_eq!(order, ["in_1", "in_3", "in_2"]);
    let old_name = shop.person.get("/api/v1/billing/invoices?sort=created").await.json();
    assert_eq!(old_name["invoices"], sorted["invoices"]);
}

#[tokio::test]
async fn a_pdf_keeps_its_date_whatever_happens_later() {
    let shop = Shop::open().await;
    let before = shop.show(&invoice(&json!({}))).await;
    shop.app.advance(time::Duration::minutes(5));
    let transitions = json!({"finalized_at": 1_796_003_600, "paid_at": 1_796_200_000, "voided_at": null, "marked_uncollectible_at": null});
    let paid = json!({"status": "paid", "amount_paid": 10_000, "amount_remaining": 0, "status_transitions": transitions});
    let after = shop.show(&invoice(&paid)).await;
    for shown in [before, after] {
        assert!(shown.pdf.contains("Issue date 30 November 2026"), "{}", shown.pdf);
    }
}

#[tokio::test]
async fn the_period_covers_the_lines() {
    let shop = Shop::open().await;
    // In advance: the invoice's own period is the previous one.
    let cycle = json!({"period_start": 1_789_430_400, "period_end": 1_792_022_400,
        "lines": lines(&[line(&json!({"period": {"start": 1_792_022_400, "end": 1_794_700_800}}))])});
    let shown = shop.show(&invoice(&cycle)).await;
    let period = json!({"start": "2026-10-15T00:00:00Z", "end": "2026-11-15T00:00:00Z"});
    assert_eq!(shown.api["period"], period);
    assert!(pairs(&shown.page, "facts wide-facts").contains(&("Period".into(), "15 Oct – 14 Nov 2026".into())), "{}", shown.page);
    assert!(shown.pdf.contains("Period 15 October – 14 November 2026"), "{}", shown.pdf);
    let row = &shop.file("").await[0];
    assert_eq!((row["period_start"].as_str(), row["period_end"].as_str()), ("2026-10-15", "2026-11-14"));
    // While lines are missing, it is unknown.
    let incomplete = json!({"lines": {"object": "list", "has_more": true, "data": [line(&json!({}))]}});
    let shown = shop.show(&invoice(&json!({"id": "in_2", "lines": incomplete["lines"]}))).await;
    assert_eq!(shown.api["period"], Value::Null);
    assert!(shown.page.contains("Not known yet") && shown.page.contains("Not all items have been read"), "{}", shown.page);
}

#[tokio::test]
async fn a_zero_invoice_is_settled_not_paid() {
    let shop = Shop::open().await;
    let object = invoice(&json!({
        "status": "paid", "subtotal": 0, "total": 0, "amount_due": 0, "amount_remaining": 0, "lines": lines(&[line(&json!({"amount": 0}))]),
        "status_transitions": {"finalized_at": 1_796_003_600, "paid_at": 1_796_003_600, "voided_at": null, "marked_uncollectible_at": null},
    }));
    let event = json!({
        "id": "evt_paid", "object": "event", "api_version": "2026-10-28.endive", "created": 1_796_003_600, "livemode": false,
        "type": "invoice.paid", "data": {"object": object},
    });
    shop.app.deliver(&[event]).await;
    let shown = shop.shown("in_1").await;
    assert_eq!(shown.api["timeline"][0]["title"], "Settled, nothing to pay");
    assert!(shown.page.contains("Settled on 30 Nov 2026, nothing to pay.") && !shown.page.contains("Payment received"), "{}", shown.page);
    assert!(shown.pdf.contains("Settled on 30 November 2026, nothing to pay"), "{}", shown.pdf);
}

#[tokio::test]
async fn only_staff_see_fraud_reasons() {
    let shop = Shop::open().await;
    let paid = json!({"status": "paid", "amount_paid": 10_000, "amount_remaining": 0, "payment_intent": "pi_1", "charge": "ch_1"});
    deliver(&shop.app, &invoice(&paid)).await;
    let refund = json!({"id": "re_1", "object": "refund", "amount": 500, "currency": "usd", "charge": "ch_1", "payment_intent": "pi_1",
        "created": 1_796_100_000, "status": "succeeded", "reason": "fraudulent"});
    let credit_note = json!({"id": "cn_1", "object": "credit_note", "invoice": "in_1", "customer": "cus_lumen", "amount": 700, "subtotal": 700,
        "total": 700, "currency": "usd", "created": 1_796_100_000, "status": "issued", "type": "post_payment", "number": "CN-1", "reason": "fraudulent"});
    for (event_type, object) in [("refund.created", refund), ("credit_note.created", credit_note)] {
        let event = json!({"id": format!("evt_{event_type}"), "object": "event", "created": 1_796_100_000, "livemode": false, "type": event_type,
            "data": {"object": object}});
        shop.app.deliver(&[event]).await;
    }
    let Shown { api, page, pdf, .. } = shop.shown("in_1").await;
    assert_eq!((&api["refunds"][0]["reason"], &api["credit_notes"][0]["reason"]), (&Value::Null, &Value::Null));
    assert_eq!(api["refunds"][0]["amount"], 500);
    for text in [&page, &pdf, &api.to_string()] {
        assert!(!text.to_lowercase().contains("fraud"), "{text}");
    }
    assert!(pdf.contains("Credit note CN-1 -$7.00") && page.contains("Credit note CN-1 for $7.00 issued"), "{pdf}");
    let staff = shop.app.sign_in(Role::Admin, None).await;
    let path = format!("/api/v1/billing/invoices/{}", api["id"].as_str().unwrap());
    let seen = staff.get(&path).await.json();
    assert_eq!((&seen["refunds"][0]["reason"], &seen["credit_notes"][0]["reason"]), (&json!("fraudulent"), &json!("fraudulent")));
}

#[tokio::test]
async fn a_price_is_named_as_it_is_charged() {
    let shop = Shop::open().await;
    let proration = line(&json!({"id": "il_1", "description": "Unused time on CPM 1,000 per 1,000", "amount": 2_500, "proration": true,
        "price": {"id": "price_1", "object": "price", "unit_amount_decimal": "5000"}}));
    let packages = line(&json!({"id": "il_2", "description": "Reports", "amount": 1_500, "quantity": 250, "quantity_decimal": "250",
        "price": {"id": "price_2", "object": "price", "unit_amount_decimal": "500", "transform_quantity": {"divide_by": 100, "round": "up"}}}));
    let fine =
        line(&json!({"id": "il_3", "description": "Impressions, CPM", "amount": 6_000, "quantity": 120_000, "quantity_decimal": "120000",
        "price": {"id": "price_3", "object": "price", "unit_amount_decimal": "0.05"}}));
    let shown = shop.show(&invoice(&json!({"lines": lines(&[proration, packages, fine])}))).await;
    assert!(!shown.pdf.contains("$50.00") && !shown.page.contains("$50.00"), "{}", shown.pdf);
    for text in [&shown.pdf, &shown.page] {
        assert!(text.contains("250 at $5.00 per 100, rounded up to 300"), "{text}");
    }
    assert!(shown.page.contains("$0.0005</td>") && shown.pdf.contains("120,000 $0.0005 $60.00"), "{}", shown.pdf);
    let rows = shop.file("?rows=lines").await;
    let prices: Vec<[&str; 2]> = rows.iter().map(|row| [row["unit_price"].as_str(), row["unit_price_per"].as_str()]).collect();
    assert_eq!(prices, [["", ""], ["5.00", "100"], ["0.0005", ""]]);
}

#[tokio::test]
async fn a_reverse_charge_and_the_sellers_fields_are_shown() {
    let shop = Shop::open().await;
    let tax = json!([{"amount": 0, "taxable_amount": 10_000, "tax_behavior": "exclusive", "taxability_reason": "reverse_charge",
        "type": "tax_rate_details", "tax_rate_details": {"tax_rate": "txr_0"}}]);
    let shown = shop
        .show(&invoice(&json!({
            "total_taxes": tax, "customer_tax_ids": [{"type": "eu_vat", "value": "DE123456789"}, {"type": "gb_vat", "value": "GB987654321"}],
            "customer_tax_exempt": "reverse", "footer": "Registered in Dublin.\nBank: 4711", "custom_fields": [{"name": "Purchase order", "value": "PO-1"}],
        })))
        .await;
    for text in [&shown.page, &shown.pdf] {
        for part in [
            "Reverse charge: the customer is liable for the tax.",
            "VAT ID DE123456789",
            "VAT ID GB987654321",
            "Registered in Dublin.",
            "Purchase order",
            "PO-1",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(shown.api["tax_notes"], json!(["Reverse charge: the customer is liable for the tax."]));
    assert_eq!(shown.api["customer"]["tax_ids"][1], json!({"type": "gb_vat", "value": "GB987654321"}));
    assert_eq!(
        (&shown.api["footer"], &shown.api["custom_fields"][0]["name"]),
        (&json!("Registered in Dublin.\nBank: 4711"), &json!("Purchase order"))
    );
    assert_eq!(shop.file("").await[0]["customer_tax_id"], "DE123456789; GB987654321");
}

#[tokio::test]
async fn item_discounts_are_shown_at_their_lines() {
    let shop = Shop::open().await;
    let discounts = json!([{"amount": 2_000, "discount": "di_1"}]);
    let shown = shop
        .show(&invoice(&json!({"subtotal": 8_000, "total": 8_000, "amount_due": 8_000, "amount_remaining": 8_000,
            "total_discount_amounts": discounts, "lines": lines(&[line(&json!({"discount_amounts": discounts}))])})))
        .await;
    let sums = [("Subtotal", "$80.00"), ("Total", "$80.00"), ("Amount due", "$80.00")];
    assert_eq!(pairs(&shown.page, "sums"), sums.map(|(label, amount)| (label.to_owned(), amount.to_owned())));
    assert!(shown.page.contains("<small>Discount -$20.00</small>") && shown.pdf.contains("Discount -$20.00"), "{}", shown.pdf);
    assert_eq!((&shown.api["discount"], &shown.api["item_discount"]), (&json!(0), &json!(2_000)));
}

#[tokio::test]
async fn a_written_off_invoice_can_still_be_paid() {
    let shop = Shop::open().await;
    let shown = shop.show(&invoice(&json!({"status": "uncollectible"}))).await;
    assert!(
        shown.page.contains("Written off. You can still pay it: $100.00.") && shown.page.contains("Pay $100.00</span>"),
        "{}",
        shown.page
    );
    assert!(shown.page.contains("https://invoice.stripe.com/i/in_1") && !shown.page.contains("no longer being collected"));
    assert!(
        shown.pdf.contains("Written off. You can still pay it: $100.00.") && shown.pdf.contains("Amount due (written off) $100.00"),
        "{}",
        shown.pdf
    );
}

#[tokio::test]
async fn credited_amounts_are_marked_everywhere() {
    let shop = Shop::open().await;
    let paid = json!({"status": "paid", "amount_paid": 10_000, "amount_remaining": 0, "post_payment_credit_notes_amount": 5_000});
    let shown = shop.show(&invoice(&paid)).await;
    assert_eq!(shown.api["amount_credited"], 5_000);
    assert!(pairs(&shown.page, "sums").contains(&("Credited after payment".to_owned(), "$50.00".to_owned())));
    assert!(shown.pdf.contains("Credited after payment $50.00"), "{}", shown.pdf);
    assert!(shop.person.get("/billing/invoices").await.page().contains("Partly credited"));
    assert_eq!(shop.file("").await[0]["credited"], "50.00");
}

#[tokio::test]
async fn files_are_named_after_their_content() {
    let shop = Shop::open().await;
    let shown = shop.show(&invoice(&json!({"number": "№ 17/ÄÖ"}))).await;
    assert!(shown.pdf_name.ends_with("filename*=UTF-8''invoice-%E2%84%96%2017-%C3%84%C3%96.pdf"), "{}", shown.pdf_name);
    let name = async |query: &str| {
        let file = shop.person.get(&format!("/api/v1/billing/invoices.csv{query}")).await;
        file.header("content-disposition").unwrap().to_owned()
    };
    assert_eq!(name("?from=2026-01-01&to=2026-11-30").await, "attachment; filename=\"invoices-lumen-2026-01-01_2026-11-30.csv\"");
    assert_eq!(name("?rows=lines").await, "attachment; filename=\"invoice-lines-lumen-2026-11-30_2026-11-30.csv\"");
    shop.person.get("/api/v1/billing/invoices.csv?units=cents").await.problem(422, "invalid_parameter");
    shop.person.get("/api/v1/billing/invoices.csv?rows=days").await.problem(422, "invalid_parameter");
}

#[tokio::test]
async fn searches_ignore_case_and_know_amounts() {
    let shop = Shop::open().await;
    for (id, number, currency, total) in
        [("in_1", "№ 17/ÄÖ", "usd", 1_012), ("in_2", "STRASSE-2", "jpy", 1_013), ("in_3", "B_3%", "usd", 900)]
    {
        let changes = json!({"id": id, "number": number, "currency": currency, "subtotal": total, "total": total, "amount_due": total,
            "amount_remaining": total, "lines": lines(&[line(&json!({"amount": total, "description": format!("Über {id}")}))])});
        deliver(&shop.app, &invoice(&changes)).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let list = shop.person.get(&format!("/api/v1/billing/invoices?{query}")).await.json();
        list["invoices"].as_array().unwrap().iter().map(|one| one["stripe_invoice_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("q=%C3%A4%C3%B6").await, ["in_1"]);
    assert_eq!(found("q=%C3%84%C3%B6").await, ["in_1"]);
    assert_eq!(found("q=stra%C3%9Fe").await, ["in_2"]);
    assert_eq!(found("q=10.12").await, ["in_1"]);
    assert_eq!(found("q=1%2C013").await, ["in_2"]);
    assert_eq!(found("q=%C3%9CBER%20IN_2").await, ["in_2"]);
    assert_eq!(found("q=_3%25").await, ["in_3"]);
    for text in [".*", "(", "[", "\\", "^B", "***="] {
        assert_eq!(
            found(&format!("q={}", text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>())).await,
            Vec::<String>::new(),
            "{text}"
        );
    }
    // ¥1,013 is less than $10.12, so amounts are compared within a currency.
    for (sort, order) in [("-total", ["in_2", "in_1", "in_3"]), ("total", ["in_2", "in_3", "in_1"])] {
        assert_eq!(found(&format!("sort={sort}")).await, order, "{sort}");
        let file = shop.file(&format!("?sort={sort}")).await;
        assert_eq!(file.iter().map(|row| row["stripe_invoice_id"].as_str()).collect::<Vec<_>>(), order, "{sort}");
    }
}

#[tokio::test]
async fn a_file_for_accounting_has_decimals_and_taxes_by_rate() {
    let shop = Shop::open().await;
    sqlx::query("INSERT INTO tax_rates (stripe_tax_rate_id, display_name, percentage, inclusive) VALUES ('txr_19', 'VAT', 19, false)")
        .execute(&shop.app.db)
        .await
        .unwrap();
    let tax = json!([{"amount": 1_900, "taxable_amount": 10_000, "tax_behavior": "exclusive", "taxability_reason": "standard_rated",
        "type": "tax_rate_details", "tax_rate_details": {"tax_rate": "txr_19"}}]);
    let changes = json!({"total": 11_900, "amount_due": 11_900, "amount_remaining": 11_900, "total_taxes": tax, "due_date": 1_797_200_000,
        "customer_name": "=Lumen; Games", "lines": lines(&[line(&json!({"taxes": tax}))])});
    shop.show(&invoice(&changes)).await;
    let row = &shop.file("").await[0];
    for (column, cell) in [
        ("currency", "usd"),
        ("net", "100.00"),
        ("tax", "19.00"),
        ("tax_by_rate", "VAT 19% on $100.00: 19.00"),
        ("total", "119.00"),
        ("amount_due", "119.00"),
        ("issue_date", "2026-11-30"),
        ("due_date", "2026-12-13"),
        ("customer", "'=Lumen; Games"),
    ] {
        assert_eq!(row[column], cell, "{column}");
    }
    assert_eq!(shop.file("?units=minor").await[0]["net"], "10000");
    let line = &shop.file("?rows=lines").await[0];
    assert_eq!((line["line"].as_str(), line["net"].as_str(), line["tax"].as_str()), ("1", "100.00", "19.00"));
}
