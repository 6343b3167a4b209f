//! Sums of invoices: they add up for every possible Stripe invoice, and page, PDF, API and CSV
//! agree.

mod model;

use crate::{
    pdf::{words, words_of},
    support::{Client, TestApp},
};
use apex_billing::domain::{
    invoice::{
        SumKind, SumRole, SumRow,
        sums::{Figures, sums},
    },
    money::{Currency, Money},
    role::Role,
};
use model::{Invoice, figures, invoices};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

/// Delivers an invoice object of the customer `cus_lumen` as Stripe does.
pub async fn deliver(app: &TestApp, object: &Value) {
    let mut object = object.clone();
    object["customer"] = json!("cus_lumen");
    let id = format!("evt_{}", uuid::Uuid::new_v4());
    let event = json!({
        "id": id, "object": "event", "api_version": "2026-10-28.endive", "created": app.now().unix_timestamp(), "livemode": false,
        "type": "invoice.updated", "data": {"object": object},
    });
    app.deliver(&[event]).await;
}

/// The invoice in the API.
pub async fn detail(person: &Client, stripe_id: &str) -> Value {
    let list = person.get("/api/v1/billing/invoices?limit=100").await.json();
    let found = list["invoices"].as_array().unwrap().iter().find(|invoice| invoice["stripe_invoice_id"] == stripe_id).unwrap().clone();
    person.get(&format!("/api/v1/billing/invoices/{}", found["id"].as_str().unwrap())).await.json()
}

/// The pairs of a page's definition lists of this class.
pub fn pairs(page: &str, class: &str) -> Vec<(String, String)> {
    let list = page.split_once(&format!("<dl class=\"{class}\">")).expect("the list").1.split_once("</dl>").unwrap().0;
    let text = |html: &str, tag: &str| {
        let inner = html.split_once(&format!("<{tag}>")).unwrap().1.split_once(&format!("</{tag}>")).unwrap().0;
        let plain: String = inner.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
        plain.replace("&#x27;", "'").replace("&amp;", "&").replace('\u{a0}', " ")
    };
    list.split("<dt>").skip(1).map(|entry| format!("<dt>{entry}")).map(|entry| (text(&entry, "dt"), text(&entry, "dd"))).collect()
}

/// The rows of a CSV file by column.
pub fn csv(text: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let text = text.strip_prefix('\u{feff}').expect("a byte order mark");
    // It refuses rows of different lengths.
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().expect("a CSV file")
}

fn adds_up(rows: &[SumRow]) -> Result<(), TestCaseError> {
    let mut running = 0i128;
    for (place, row) in rows.iter().enumerate() {
        match row.role {
            SumRole::Sum if place == 0 => running = row.amount.into(),
            SumRole::Sum => prop_assert_eq!(running, i128::from(row.amount), "{:?}", rows),
            SumRole::Part => running += i128::from(row.amount),
            SumRole::Note => {}
        }
    }
    Ok(())
}

#[test]
fn the_rows_of_every_invoice_add_up() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&invoices(), |invoice| {
            let figures = figures(&invoice.object);
            let sums = sums(&figures);
            adds_up(&sums.rows)?;
            let is_void = invoice.object["status"] == "void";
            let last = sums.rows.iter().rfind(|row| row.role == SumRole::Sum).unwrap();
            prop_assert_eq!(last.amount, if is_void { 0 } else { figures.remaining });
            prop_assert_eq!(sums.of(SumKind::Total), figures.total);
            prop_assert!(is_void || sums.of(SumKind::AmountDue) == figures.due, "{:?}", sums.rows);
            // Item discounts are unknown while negative lines are missing; the row shows that.
            let is_known = |row: &SumRow| row.kind != SumKind::OtherAdjustments || row.label == "Not known before all lines are read";
            prop_assert!(sums.rows.iter().all(is_known), "{:?}", sums.rows);
            prop_assert!(!sums.unexplained);
            prop_assert_eq!(sums.of(SumKind::CreditNotes), -invoice.credit_notes);
            prop_assert_eq!(sums.of(SumKind::PretaxCredits), -invoice.credits);
            prop_assert_eq!(sums.of(SumKind::TaxIncluded), invoice.included_tax);
            if invoice.has_all_lines {
                prop_assert_eq!(sums.of(SumKind::OtherAdjustments), 0, "{:?}", sums.rows);
                prop_assert_eq!(sums.of(SumKind::Discount), -invoice.discount);
                prop_assert_eq!(sums.of(SumKind::Tax), invoice.added_tax);
            }
            Ok(())
        })
        .unwrap();
}

proptest! {
    /// Extreme amounts that no invoice has: nothing panics.
    #[test]
    fn no_amount_is_too_large(amounts in prop::collection::vec(prop_oneof![Just(i64::MIN), Just(i64::MAX), any::<i64>()], 13), invoice in invoices()) {
        let figures = figures(&invoice.object);
        let extreme = Figures {
            subtotal: amounts[0], discount: amounts[1], tax: amounts[2], total: amounts[3], due: amounts[4], paid: amounts[5],
            remaining: amounts[6], overpaid: amounts[7], refunded: amounts[8], starting_balance: amounts[9], ending_balance: Some(amounts[10]),
            credit_notes_before_payment: amounts[11], credit_notes_after_payment: amounts[12], ..figures
        };
        sums(&extreme);
    }
}

/// Invoices of the model, and one of each rare kind.
fn samples(count: usize) -> Vec<Invoice> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| invoices().new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test]
async fn page_pdf_api_and_csv_agree() {
    let app = TestApp::start().await;
    let customer = app.add_customer("lumen").await;
    sqlx::query("INSERT INTO tax_rates (stripe_tax_rate_id, display_name, percentage, inclusive) VALUES ('txr_19', 'VAT', 19.00, false), ('txr_7', 'VAT', 7, false)")
        .execute(&app.db)
        .await
        .unwrap();
    let person = app.sign_in(Role::Readonly, Some(customer)).await;
    let samples = samples(24);
    for (number, invoice) in samples.iter().enumerate() {
        let mut object = invoice.object.clone();
        object["id"] = json!(format!("in_{number}"));
        object["number"] = json!(format!("B1-{number:04}"));
        deliver(&app, &object).await;
    }
    let decimals = csv(&person.get("/api/v1/billing/invoices.csv").await.text());
    let minor = csv(&person.get("/api/v1/billing/invoices.csv?units=minor").await.text());
    assert_eq!((decimals.len(), minor.len()), (samples.len(), samples.len()));
    for (number, invoice) in samples.iter().enumerate() {
        let id = format!("in_{number}");
        let api = detail(&person, &id).await;
        let currency: Currency = api["currency"].as_str().unwrap().parse().unwrap();
        let rows: Vec<SumRow> = serde_json::from_value(api["sums"].clone()).unwrap();
        adds_up(&rows).unwrap();
        let is_explained = !invoice.has_all_lines || rows.iter().all(|row| row.kind != SumKind::OtherAdjustments);
        assert!(is_explained, "{id}: {rows:?}");
        let shown: Vec<(String, String)> = rows
            .iter()
            .map(|row| (row.label.replace('\u{a0}', " "), Money::new(row.amount, currency).to_string().replace('\u{a0}', " ")))
            .collect();

        let page = person.get(&format!("/billing/invoices/{}", api["id"].as_str().unwrap())).await.page();
        assert_eq!(pairs(&page, "sums"), shown, "{id}: page");

        let pdf = person.get(&format!("/api/v1/billing/invoices/{}/pdf", api["id"].as_str().unwrap())).await;
        let text = words_of(pdf.body);
        let mut rest = text.as_str();
        for (label, amount) in &shown {
            let row = words(&format!("{label} {amount}"));
            rest = rest.split_once(&row).unwrap_or_else(|| panic!("{id}: `{row}` is not in order in the PDF:\n{text}")).1;
        }

        let of = |kind| rows.iter().filter(|row| row.kind == kind).map(|row| row.amount).sum::<i64>();
        let cells = minor.iter().find(|row| row["stripe_invoice_id"] == id).unwrap();
        let cell = |name: &str| cells[name].parse::<i64>().unwrap();
        for (name, kind, sign) in [
            ("subtotal", SumKind::Subtotal, 1),
            ("discount", SumKind::Discount, -1),
            ("credits_before_tax", SumKind::PretaxCredits, -1),
            ("shipping", SumKind::Shipping, 1),
            ("tax_included", SumKind::TaxIncluded, 1),
            ("other_adjustments", SumKind::OtherAdjustments, 1),
            ("total", SumKind::Total, 1),
        ] {
            assert_eq!(cell(name), sign * of(kind), "{id}: {name}");
        }
        let added = cell("tax") - cell("tax_included");
        assert_eq!(cell("subtotal") - cell("discount") - cell("credits_before_tax") + cell("shipping") + added, cell("total"), "{id}");
        assert_eq!(cell("total") - (cell("credited") - cell("credited_after_payment")) + cell("balance"), cell("amount_due"), "{id}");
        assert_eq!(cell("net"), cell("total") - cell("tax"), "{id}");
        assert_eq!(cell("tax"), invoice.added_tax + invoice.included_tax, "{id}");
        let decimal = decimals.iter().find(|row| row["stripe_invoice_id"] == id).unwrap();
        for name in ["total", "net", "tax", "amount_due", "amount_remaining", "balance"] {
            assert_eq!(decimal[name], Money::new(cell(name), currency).decimal(), "{id}: {name}");
        }
    }
}
