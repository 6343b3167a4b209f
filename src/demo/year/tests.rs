use super::{
    super::{
        kisetsu as kisetsu_customer, lumen as lumen_customer,
        traffic::{KISETSU, LUMEN, quantities},
    },
    *,
};
use crate::domain::{
    metric::{Metric, Unit},
    plan::Terms,
};
use std::collections::{BTreeMap, BTreeSet};
use time::macros::datetime;

/// As in the migrations, in cents or yen.
fn lines(traffic: &super::super::traffic::Traffic, index: usize, month: Period, scale: u64, prices: [u32; 3]) -> Vec<OverageLine> {
    let used = quantities(&traffic.events(index, month, month.end()));
    let included = [1_000_000, 100_000, 50_000_000_000].map(|one: u64| one * scale);
    let terms = Metric::ALL.into_iter().zip(included).zip(prices).map(|((metric, included), price_per_package)| {
        let package = if metric.unit() == Unit::Bytes { 1_000_000_000 } else { 1_000 };
        (metric, Terms { included, package: std::num::NonZeroU64::new(package).unwrap(), price_per_package })
    });
    terms.map(|(metric, terms)| OverageLine { metric, terms, used: used[metric] }).collect()
}

/// Every event of both customers' invoices in a year.
fn year() -> Vec<Value> {
    let months = super::super::months_until(datetime!(2026-11-10 0:00 UTC), datetime!(2026-11-30 10:00 UTC));
    let now = datetime!(2026-11-30 10:00 UTC);
    let mut all = Vec::new();
    for (customer, plan, traffic, scale, prices) in [
        (lumen_customer().unwrap(), lumen().unwrap(), LUMEN, 10, [8, 4, 8]),
        (kisetsu_customer().unwrap(), kisetsu(), KISETSU, 1, [15, 8, 15]),
    ] {
        let mut before = 0;
        for (index, (month, period)) in plan.iter().zip(&months).enumerate() {
            let overages = lines(&traffic, index, *period, scale, prices);
            let (events, invoices) = month.events(&customer, index, *period, &overages, before, now);
            before += invoices;
            all.extend(events);
        }
    }
    all
}

/// The last snapshot of each invoice.
fn invoices() -> Vec<Value> {
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for event in year() {
        let object = &event["data"]["object"];
        if object["object"] == "invoice" {
            last.insert(object["id"].as_str().unwrap().to_owned(), object.clone());
        }
    }
    last.into_values().collect()
}

fn sum(list: &Value, wanted: impl Fn(&Value) -> bool) -> i64 {
    list.as_array().into_iter().flatten().filter(|entry| wanted(entry)).map(|entry| entry["amount"].as_i64().unwrap()).sum()
}

fn taxes(invoice: &Value, inclusive: bool) -> i64 {
    sum(&invoice["total_taxes"], |tax| (tax["tax_behavior"] == "inclusive") == inclusive)
        + sum(&invoice["total_tax_amounts"], |tax| (tax["inclusive"] == true) == inclusive)
}

/// From subtotal to amount remaining, by Stripe's documentation ("The Invoice object"), independent
/// of the generator.
#[test]
fn each_invoice_of_the_year_adds_up() {
    for invoice in invoices() {
        let amount = |key: &str| invoice[key].as_i64().unwrap_or_default();
        let lines = invoice["lines"]["data"].as_array().unwrap();
        let own: BTreeSet<&str> = lines.iter().flat_map(|line| line["discounts"].as_array().unwrap()).filter_map(Value::as_str).collect();
        let of_items = |entry: &Value| entry["discount"].as_str().is_some_and(|discount| own.contains(discount));
        let per_line = |key: &str, wanted: &dyn Fn(&Value) -> bool| -> i64 { lines.iter().map(|line| sum(&line[key], wanted)).sum() };

        let gross: i64 = lines.iter().map(|line| line["amount"].as_i64().unwrap()).sum();
        assert_eq!(gross - per_line("discount_amounts", &of_items), amount("subtotal"), "{invoice}");
        let discounts = sum(&invoice["total_discount_amounts"], |_| true);
        assert_eq!(per_line("discount_amounts", &|_| true), discounts, "{invoice}");
        let credits = |entry: &Value| entry["type"] == "credit_balance_transaction";
        let credited = sum(&invoice["total_pretax_credit_amounts"], credits);
        assert_eq!(per_line("pretax_credit_amounts", &credits), credited, "{invoice}");
        let invoice_discounts = sum(&invoice["total_discount_amounts"], |entry| !of_items(entry));
        let shipping = amount("amount_shipping");
        assert_eq!(amount("subtotal") - invoice_discounts - credited + shipping + taxes(&invoice, false), amount("total"), "{invoice}");
        assert_eq!(amount("total") - taxes(&invoice, false) - taxes(&invoice, true), amount("total_excluding_tax"), "{invoice}");
        let shipping_tax = invoice["shipping_cost"]["amount_tax"].as_i64().unwrap_or(0);
        assert_eq!(
            per_line("taxes", &|_| true) + per_line("tax_amounts", &|_| true) + shipping_tax,
            taxes(&invoice, false) + taxes(&invoice, true),
            "{invoice}"
        );

        let due = amount("amount_due") + amount("pre_payment_credit_notes_amount");
        let after = amount("total") + amount("starting_balance") - due;
        match invoice["ending_balance"].as_i64() {
            Some(ending) => assert_eq!(after, ending, "{invoice}"),
            None => assert_eq!((after, invoice["status"].as_str()), (0, Some("draft")), "{invoice}"),
        }
        assert_eq!(amount("amount_due") - amount("amount_paid"), amount("amount_remaining"), "{invoice}");
        assert!(due >= 0 && amount("amount_remaining") >= 0, "{invoice}");
    }
}

#[test]
fn the_year_has_every_kind_of_sum() {
    let all = invoices();
    let amount = |invoice: &Value, key: &str| invoice[key].as_i64().unwrap_or_default();
    let has = |what: &str, test: &dyn Fn(&Value) -> bool| assert!(all.iter().any(test), "no invoice with {what}");
    let status = |invoice: &Value, wanted: &str| invoice["status"] == wanted;
    for wanted in ["draft", "open", "paid", "void", "uncollectible"] {
        has(wanted, &|invoice| status(invoice, wanted));
    }
    for currency in ["usd", "jpy", "kwd"] {
        has(currency, &|invoice| invoice["currency"] == currency);
    }
    has("billing credits", &|invoice| sum(&invoice["total_pretax_credit_amounts"], |entry| entry["type"] != "discount") > 0);
    has("a discount on a line and one on the invoice", &|invoice| {
        invoice["total_discount_amounts"].as_array().is_some_and(|discounts| discounts.len() == 2)
    });
    has("tax on top", &|invoice| taxes(invoice, false) > 0 && taxes(invoice, true) == 0);
    has("tax within", &|invoice| taxes(invoice, true) > 0 && taxes(invoice, false) == 0);
    has("tax within and on top", &|invoice| taxes(invoice, true) > 0 && taxes(invoice, false) > 0);
    has("reverse charge", &|invoice| invoice["customer_tax_exempt"] == "reverse");
    has("shipping", &|invoice| amount(invoice, "amount_shipping") > 0);
    has("a credit note before payment", &|invoice| amount(invoice, "pre_payment_credit_notes_amount") > 0);
    has("a credit note after payment", &|invoice| amount(invoice, "post_payment_credit_notes_amount") > 0);
    has("credit applied", &|invoice| amount(invoice, "starting_balance") < 0 && invoice["ending_balance"] == 0);
    has("credit to be applied", &|invoice| amount(invoice, "starting_balance") < 0 && invoice["ending_balance"].is_null());
    has("a debt carried over", &|invoice| amount(invoice, "ending_balance") > 0 && amount(invoice, "amount_due") == 0);
    has("a previous balance", &|invoice| {
        amount(invoice, "starting_balance") > 0 && amount(invoice, "amount_due") > amount(invoice, "total")
    });
    has("a negative total", &|invoice| amount(invoice, "total") < 0 && amount(invoice, "ending_balance") < 0);
    has("nothing to pay", &|invoice| amount(invoice, "total") == 0 && status(invoice, "paid"));
    has("too much paid", &|invoice| amount(invoice, "amount_overpaid") > 0);
    has("usage over the plan", &|invoice| invoice["lines"]["data"].as_array().is_some_and(|lines| lines.len() > 2));
}

#[test]
fn the_years_events_are_numbered_in_order_and_of_two_shapes() {
    let events = year();
    let versions: BTreeSet<&str> = events.iter().filter_map(|event| event["api_version"].as_str()).collect();
    assert_eq!(versions, BTreeSet::from(["2024-06-20", "2026-10-28.endive"]));
    let ids: BTreeSet<&str> = events.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), events.len());
    let mut numbers: BTreeMap<String, BTreeMap<i64, String>> = BTreeMap::new();
    for invoice in invoices() {
        if let Some((prefix, number)) = invoice["number"].as_str().and_then(|number| number.split_once('-')) {
            numbers.entry(prefix.to_owned()).or_default().insert(invoice["created"].as_i64().unwrap(), number.to_owned());
        }
    }
    assert_eq!(numbers.len(), 2);
    for numbers in numbers.values() {
        let expected: Vec<String> = (1..=numbers.len()).map(|number| format!("{number:04}")).collect();
        assert_eq!(numbers.values().cloned().collect::<Vec<_>>(), expected);
    }
}
