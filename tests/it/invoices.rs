//! Invoices: the list, a single one, its PDF, and invalid requests.

use crate::support::TestApp;
use apex_billing::{
    demo::stripe_events::{Address, DemoCustomer, Outcome, month_events},
    domain::{
        identity::CustomerId,
        period::{Period, months_later},
        plan::PlanType,
        role::Role,
    },
};
use serde_json::{Value, json};
use time::macros::datetime;

fn stripe_customer(name: &str, currency: &str) -> DemoCustomer {
    DemoCustomer {
        stripe_id: format!("cus_{name}"),
        name: name.to_owned(),
        email: format!("billing@{name}.example"),
        address: Address {
            line1: "1 Main Street".into(),
            city: "Springfield".into(),
            state: None,
            postal_code: "12345".into(),
            country: "US".into(),
        },
        tax_id: None,
        currency: currency.parse().unwrap(),
        plan: PlanType::Growth,
        tax_percent: 0,
        discount_percent: 0,
    }
}

/// The month that ended this many months before November 2026.
fn month(before: i32) -> Period {
    let start = |back: i32| months_later(datetime!(2026-11-01 0:00 UTC), -back);
    Period::new(start(before + 1), start(before)).unwrap()
}

/// A customer with one invoice per outcome, newest first.
async fn customer_with(app: &TestApp, name: &str, currency: &str, outcomes: &[Outcome]) -> CustomerId {
    let id = app.add_customer_in(name, currency.parse().unwrap()).await;
    for (back, outcome) in outcomes.iter().enumerate() {
        app.deliver(&month_events(&stripe_customer(name, currency), month(back as i32), *outcome, &[])).await;
    }
    id
}

fn numbers(page: &Value) -> Vec<String> {
    page["invoices"].as_array().unwrap().iter().map(|invoice| invoice["created_at"].as_str().unwrap()[..7].to_owned()).collect()
}

#[tokio::test]
async fn the_list_is_paged_newest_first() {
    let app = TestApp::start().await;
    let customer = customer_with(&app, "lumen", "usd", &[Outcome::Paid; 7]).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let first = person.get("/api/v1/billing/invoices?limit=3").await.json();
    assert_eq!(first["pagination"], json!({"page": 1, "limit": 3, "total": 7, "total_pages": 3}));
    assert_eq!(numbers(&first), ["2026-11", "2026-10", "2026-09"]);
    let last = person.get("/api/v1/billing/invoices?limit=3&page=3").await.json();
    assert_eq!(numbers(&last), ["2026-05"]);
    let beyond = person.get("/api/v1/billing/invoices?page=99").await.json();
    assert_eq!((&beyond["invoices"], &beyond["pagination"]["total"]), (&json!([]), &json!(7)));
    let every = person.get("/api/v1/billing/invoices").await.json();
    assert_eq!(every["pagination"]["limit"], 20);
}

#[tokio::test]
async fn the_list_is_filtered_searched_and_sorted() {
    let app = TestApp::start().await;
    let customer = customer_with(
        &app,
        "lumen",
        "usd",
        &[Outcome::Open, Outcome::Draft, Outcome::Overdue, Outcome::Paid, Outcome::Void, Outcome::Uncollectible],
    )
    .await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let list = async |query: &str| person.get(&format!("/api/v1/billing/invoices?{query}")).await.json();

    for (status, count) in [("draft", 1), ("open", 2), ("paid", 1), ("void", 1), ("uncollectible", 1)] {
        let page = list(&format!("status={status}")).await;
        assert_eq!(page["pagination"]["total"], count, "{status}");
        assert!(page["invoices"].as_array().unwrap().iter().all(|invoice| invoice["status"] == status));
    }
    assert_eq!(numbers(&list("from=2026-08-01&to=2026-09-30").await), ["2026-09", "2026-08"]);
    assert_eq!(numbers(&list("to=2026-06-01").await), ["2026-06"]);
    assert_eq!(numbers(&list("sort=created&limit=2").await), ["2026-06", "2026-07"]);
    let number = list("status=paid").await["invoices"][0]["number"].as_str().unwrap().to_owned();
    assert_eq!(list(&format!("q={}", number.to_lowercase())).await["pagination"]["total"], 1);
    // Special characters of SQL are plain text.
    for text in ["%25", "i_", "'%3B%20DROP%20TABLE%20invoices%3B--", "%5C"] {
        assert_eq!(list(&format!("q={text}")).await["pagination"]["total"], 0, "{text}");
    }
    // An empty form field counts as missing.
    assert_eq!(list("status=&from=&to=&q=&sort=&page=&limit=").await["pagination"]["total"], 6);

    let totals = &list("").await["totals"];
    let amount = list("status=open").await["invoices"][0]["amount_remaining"].as_i64().unwrap();
    assert_eq!(totals, &json!([{"currency": "usd", "open": 2 * amount, "overdue": amount}]));
}

/// Without filters another statement reads the list; a filter that matches all must not change it.
#[tokio::test]
async fn the_unfiltered_list_equals_the_filtered_one() {
    let app = TestApp::start().await;
    let outcomes = [Outcome::Draft, Outcome::Open, Outcome::Overdue, Outcome::Paid, Outcome::Void, Outcome::Uncollectible, Outcome::Paid];
    let customer = customer_with(&app, "lumen", "usd", &outcomes).await;
    customer_with(&app, "vela", "eur", &[Outcome::Open, Outcome::Paid]).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    for page in ["limit=3", "limit=3&page=2", "limit=3&page=3", "limit=3&page=4", "limit=100"] {
        let unfiltered = person.get(&format!("/api/v1/billing/invoices?{page}")).await.json();
        let filtered = person.get(&format!("/api/v1/billing/invoices?{page}&from=2000-01-01")).await.json();
        assert_eq!(unfiltered, filtered, "{page}");
        assert_eq!(unfiltered["pagination"]["total"], 7, "{page}");
    }
}

#[tokio::test]
async fn invalid_parameters_are_named() {
    let app = TestApp::start().await;
    let person = app.sign_in(Role::Readonly, Some(app.add_customer("lumen").await)).await;
    for (query, parameter) in [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=two", "page"),
        ("page=99999999999", "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1e9", "limit"),
        ("status=foo", "status"),
        ("from=yesterday", "from"),
        ("to=2026-02-30", "to"),
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("sort=colour", "sort"),
        ("sort=issued_at", "sort"),
        ("q=%00", "q"),
        (&format!("q={}", "x".repeat(101)), "q"),
    ] {
        let problem = person.get(&format!("/api/v1/billing/invoices?{query}")).await.problem(422, "invalid_parameter");
        assert_eq!(problem["parameter"], parameter, "{query}");
    }
    for query in ["page=1&page=2", "page[]=1", "page%5Ba%5D%5Bb%5D=1"] {
        person.get(&format!("/api/v1/billing/invoices?{query}")).await.problem(422, "invalid_parameter");
    }
    person.get("/api/v1/billing/invoices?q=%ff%fe").await.problem(400, "not_utf8");
}

#[tokio::test]
async fn an_invoice_has_its_whole_timeline() {
    let app = TestApp::start().await;
    let customer = customer_with(&app, "lumen", "usd", &[Outcome::PartiallyRefunded]).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let id = person.get("/api/v1/billing/invoices").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
    let invoice = person.get(&format!("/api/v1/billing/invoices/{id}")).await.json();
    assert_eq!((&invoice["status"], &invoice["total"], &invoice["amount_refunded"]), (&json!("paid"), &json!(49_900), &json!(12_475)));
    assert_eq!(invoice["line_items"][0]["amount"], 49_900);
    assert_eq!(invoice["payments"].as_array().unwrap().len(), 1);
    assert_eq!(invoice["refunds"][0]["amount"], 12_475);
    let titles: Vec<&str> = invoice["timeline"].as_array().unwrap().iter().map(|entry| entry["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Draft created", "Invoice finalized", "Payment received", "Refund of $124.75 issued"]);
    // The page's server function returns the same.
    assert_eq!(person.get(&format!("/api/v1/billing/invoice?id={id}")).await.json(), invoice);
}

#[tokio::test]
async fn another_customers_invoice_is_not_found() {
    let app = TestApp::start().await;
    let (mine, theirs) =
        (customer_with(&app, "lumen", "usd", &[Outcome::Paid]).await, customer_with(&app, "orbit", "jpy", &[Outcome::Open]).await);
    let staff = app.sign_in(Role::Admin, None).await;
    let list = staff.get(&format!("/api/v1/billing/invoices?customer_id={theirs}")).await.json();
    let id = list["invoices"][0]["id"].as_str().unwrap();
    let person = app.sign_in(Role::Publisher, Some(mine)).await;
    for path in
        [format!("/api/v1/billing/invoices/{id}"), format!("/api/v1/billing/invoices/{id}/pdf"), format!("/api/v1/billing/invoice?id={id}")]
    {
        person.get(&path).await.problem(404, "not_found");
        assert_eq!(staff.get(&path).await.status, 200, "{path}");
    }
    for id in ["nonsense", "00000000-0000-0000-0000-000000000000", "%00", "..%2F..%2Fetc%2Fpasswd"] {
        person.get(&format!("/api/v1/billing/invoices/{id}")).await.problem(404, "not_found");
    }
    assert_eq!(person.get(&format!("/billing/invoices/{id}")).await.status, 404);
}

#[tokio::test]
async fn the_pdf_is_a_cacheable_download() {
    let app = TestApp::start().await;
    let customer = customer_with(&app, "orbit", "jpy", &[Outcome::Open]).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let invoice = person.get("/api/v1/billing/invoices").await.json()["invoices"][0].clone();
    let path = format!("/api/v1/billing/invoices/{}/pdf", invoice["id"].as_str().unwrap());
    let pdf = person.get(&path).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (200, Some("application/pdf")));
    assert!(pdf.body.starts_with(b"%PDF-"));
    let name = format!("attachment; filename=\"invoice-{}.pdf\"", invoice["number"].as_str().unwrap());
    assert_eq!(pdf.header("content-disposition"), Some(name.as_str()));
    assert_eq!(pdf.header("cache-control"), Some("private, no-cache"));

    let etag = pdf.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    for known in [etag.to_owned(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let again = person.clone().with_header("if-none-match", &known).get(&path).await;
        assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(etag)), "{known}");
    }
    let other = person.clone().with_header("if-none-match", "\"other\"").get(&path).await;
    assert_eq!((other.status, other.body == pdf.body), (200, true));
}

#[tokio::test]
async fn the_pdf_follows_what_happens_to_the_invoice() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    let events = month_events(&stripe_customer("lumen", "usd"), month(0), Outcome::Paid, &[]);
    let (before, after) = events.split_at(2);
    app.deliver(before).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let id = person.get("/api/v1/billing/invoices").await.json()["invoices"][0]["id"].as_str().unwrap().to_owned();
    let open = person.get(&format!("/api/v1/billing/invoices/{id}/pdf")).await;
    app.deliver(after).await;
    let paid = person.get(&format!("/api/v1/billing/invoices/{id}/pdf")).await;
    assert_ne!(open.header("etag"), paid.header("etag"));
}

#[tokio::test]
async fn the_list_is_also_a_csv_file() {
    let app = TestApp::start().await;
    let customer = customer_with(&app, "lumen", "usd", &[Outcome::Paid, Outcome::Open, Outcome::Paid]).await;
    customer_with(&app, "other", "usd", &[Outcome::Paid; 2]).await;
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let file = person.get("/api/v1/billing/invoices.csv").await;
    assert_eq!((file.status, file.header("content-type")), (200, Some("text/csv; charset=utf-8; header=present")));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"invoices-lumen-2026-09-01_2026-11-01.csv\""));
    let text = file.text();
    assert!(text.starts_with("\u{feff}id,stripe_invoice_id,number,status,currency,total,") && text.ends_with("\r\n"), "{text}");
    let ids = |text: &str| -> Vec<String> { text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect() };
    let listed = |page: &Value| -> Vec<String> {
        page["invoices"].as_array().unwrap().iter().map(|invoice| invoice["id"].as_str().unwrap().to_owned()).collect()
    };
    for filter in [
        "",
        "?status=paid",
        "?sort=issued",
        "?sort=created",
        "?sort=-total",
        "?sort=total",
        "?from=2026-10-01&to=2026-10-31",
        "?q=nothing-has-this",
    ] {
        let list = person.get(&format!("/api/v1/billing/invoices{filter}")).await.json();
        assert_eq!(ids(&person.get(&format!("/api/v1/billing/invoices.csv{filter}")).await.text()), listed(&list), "{filter}");
    }
    person.get("/api/v1/billing/invoices.csv?status=foo").await.problem(422, "invalid_parameter");
    person.get(&format!("/api/v1/billing/invoices.csv?customer_id={}", uuid::Uuid::new_v4())).await.problem(404, "not_found");
    app.client().get("/api/v1/billing/invoices.csv").await.problem(401, "unauthenticated");

    // A number that a spreadsheet would run as a formula.
    sqlx::query("UPDATE invoices SET number = '=HYPERLINK(\"x\"),1' WHERE customer_id = $1")
        .bind(customer.0)
        .execute(&app.db)
        .await
        .unwrap();
    assert!(person.get("/api/v1/billing/invoices.csv").await.text().contains(r#","'=HYPERLINK(""x""),1","#));
    let page = person.get("/billing/invoices?status=paid").await.text();
    assert!(page.contains("/api/v1/billing/invoices.csv?status=paid"), "{page}");
}

#[tokio::test]
async fn a_file_of_many_invoices_has_each_of_them_once_in_every_order() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    // Few distinct totals and instants, so that ties span pages.
    sqlx::query(
        "INSERT INTO invoices (customer_id, stripe_invoice_id, status, currency, subtotal, total, amount_due, amount_paid, amount_remaining, created_at,
                               event_created_at, event_rank, event_id)
         SELECT $1, 'in_' || n, 'paid', 'usd', n % 3 - 1, n % 3 - 1, 0, 0, 0, '2026-10-01Z'::timestamptz + interval '1 minute' * (n % 7), now(), 3, 'evt'
         FROM generate_series(1, 2345) n",
    )
    .bind(customer.0)
    .execute(&app.db)
    .await
    .unwrap();
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    for sort in ["-issued", "issued", "-total", "total"] {
        let text = person.get(&format!("/api/v1/billing/invoices.csv?units=minor&sort={sort}")).await.text();
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| row[0]).collect();
        assert_eq!((rows.len(), ids.len()), (2345, 2345), "{sort}");
        let totals: Vec<i64> = rows.iter().map(|row| row[5].parse().unwrap()).collect();
        let created: Vec<&str> = rows.iter().map(|row| row[12]).collect();
        assert!(match sort {
            "-issued" => created.is_sorted_by(|one, other| one >= other),
            "issued" => created.is_sorted(),
            "-total" => totals.is_sorted_by(|one, other| one >= other),
            _ => totals.is_sorted(),
        });
    }
}
