//! Quantities and prices of lines.

use super::*;
use crate::domain::invoice::TransformQuantity;
use proptest::prelude::*;

fn line(quantity: &str, unit_amount: &str, amount: i64) -> LineItem {
    LineItem {
        description: "Impressions, CPM (per 1,000)".to_owned(),
        quantity: quantity.split('.').next().and_then(|whole| whole.parse().ok()),
        quantity_decimal: Some(quantity.to_owned()),
        unit_amount: Some(unit_amount.to_owned()),
        amount,
        discount: 0,
        tax: 0,
        taxes: Vec::new(),
        pretax_credits: Vec::new(),
        transform_quantity: None,
        period: None,
        proration: false,
    }
}

fn shown(line: &LineItem) -> [Option<String>; 4] {
    let LinePrice { quantity, unit_price, per, arithmetic } = line.price(Currency::USD);
    [quantity, unit_price, per, arithmetic]
}

fn texts<const N: usize>(texts: [&str; N]) -> [Option<String>; N] {
    texts.map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()))
}

#[test]
fn quantities_show_all_digits() {
    assert_eq!(shown(&line("2.5", "10000", 25_000)), texts(["2.5", "$100.00", "", ""]));
    assert_eq!(shown(&line("1250000.500", "1", 1_250_001)), texts(["1,250,000.5", "$0.01", "", ""]));
    let old = LineItem { quantity_decimal: None, ..line("3", "1000", 3_000) };
    assert_eq!(shown(&old), texts(["3", "$10.00", "", ""]));
}

#[test]
fn a_price_of_packages_names_the_package() {
    let packed = |divide_by, round_up, quantity, amount| LineItem {
        transform_quantity: Some(TransformQuantity { divide_by, round_up }),
        ..line(quantity, "500", amount)
    };
    assert_eq!(shown(&packed(100, true, "250", 1_500)), texts(["250", "$5.00", "per 100", "250 at $5.00 per 100, rounded up to 300"]));
    assert_eq!(
        shown(&packed(1_000, false, "2500", 1_000)),
        texts(["2,500", "$5.00", "per 1,000", "2,500 at $5.00 per 1,000, rounded down to 2,000"])
    );
    assert_eq!(shown(&packed(100, true, "300", 1_500))[3].as_deref(), Some("300 at $5.00 per 100"));
}

#[test]
fn descriptions_never_imply_a_package() {
    // Only the numbers matter: 2,500,000 × $0.50 is a thousand times $1,250.00.
    assert_eq!(shown(&line("2500000", "50", 125_000)), texts(["2,500,000", "$0.50", "per 1,000", ""]));
    assert_eq!(shown(&line("2500000", "0.05", 125_000)), texts(["2,500,000", "$0.0005", "", ""]));
}

#[test]
fn a_price_that_contradicts_the_amount_is_hidden() {
    assert_eq!(shown(&line("250", "500", 1_500)), texts(["250", "", "", ""]));
    let proration = LineItem { proration: true, ..line("1", "5000", 5_000) };
    assert_eq!(shown(&proration), texts(["1", "", "", ""]));
}

#[test]
fn unit_prices_show_all_digits() {
    let price = |minor, code: &str| unit_price(minor, code.parse().unwrap());
    assert_eq!(price("0.008", "usd").as_deref(), Some("$0.00008"));
    assert_eq!(price("250", "usd").as_deref(), Some("$2.50"));
    assert_eq!(price("250.000", "usd").as_deref(), Some("$2.50"));
    assert_eq!(price("-5", "eur").as_deref(), Some("-€0.05"));
    assert_eq!(price("1234567.5", "usd").as_deref(), Some("$12,345.675"));
    assert_eq!(price("12", "jpy").as_deref(), Some("¥12"));
    assert_eq!(price("0.25", "jpy").as_deref(), Some("¥0.25"));
    assert_eq!(price("1", "kwd").as_deref(), Some("KWD\u{a0}0.001"));
    for bad in ["", "-", ".", "1.", ".5", "1e3", "1,5", "--1", "١", "99999999999999999999999"] {
        assert_eq!(price(bad, "usd"), None, "{bad}");
    }
}

#[test]
fn tax_ids_have_their_names() {
    let shown = |kind: &str| TaxId { kind: kind.to_owned(), value: "1".to_owned() }.shown();
    assert_eq!([shown("eu_vat"), shown("us_ein"), shown("sg_gst"), shown("")], ["VAT ID 1", "EIN 1", "GST ID 1", "Tax ID 1"]);
}

proptest! {
    #[test]
    fn a_unit_price_in_whole_minor_units_reads_as_money(amount in any::<i64>(), code in prop::sample::select(vec!["usd", "jpy", "kwd"])) {
        let currency: Currency = code.parse().unwrap();
        prop_assert_eq!(unit_price(&amount.to_string(), currency), Some(Money::new(amount, currency).to_string()));
    }

    #[test]
    fn no_line_panics(quantity in "-?[0-9]{1,40}(\\.[0-9]{1,30})?", price in "-?[0-9]{1,40}(\\.[0-9]{1,30})?", amount in any::<i64>(), divide_by in any::<i64>(), round_up in any::<bool>()) {
        let line = LineItem { transform_quantity: Some(TransformQuantity { divide_by, round_up }), ..line(&quantity, &price, amount) };
        line.price(Currency::USD);
        LineItem { transform_quantity: None, ..line }.price(Currency::USD);
    }
}
