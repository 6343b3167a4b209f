//! Rows of single invoices, one per kind that Stripe documents. `tests/it/invoice_sums` has the
//! property over all kinds.

use super::*;
use crate::domain::invoice::TaxRate;

/// An open invoice of $100.00 with one line.
fn invoice() -> Figures {
    Figures {
        status: InvoiceStatus::Open,
        currency: Currency::USD,
        subtotal: 10_000,
        discount: 0,
        tax: 0,
        taxes: Some(Vec::new()),
        pretax_credits: Some(Vec::new()),
        shipping: None,
        total: 10_000,
        credit_notes_before_payment: 0,
        credit_notes_after_payment: 0,
        due: 10_000,
        paid: 0,
        remaining: 10_000,
        overpaid: 0,
        refunded: 0,
        starting_balance: 0,
        ending_balance: Some(0),
        paid_out_of_band: false,
        tax_exempt: None,
        lines: Some(LineFigures { amount: 10_000, ..LineFigures::default() }),
    }
}

fn tax(amount: i64, behavior: TaxBehavior) -> TaxAmount {
    TaxAmount { amount, behavior, ..TaxAmount::default() }
}

fn rated(amount: i64, taxable: i64, percentage: &str) -> TaxAmount {
    let rate =
        TaxRate { id: format!("txr_{percentage}"), display_name: "VAT".into(), percentage: Some(percentage.into()), ..TaxRate::default() };
    TaxAmount { amount, taxable_amount: Some(taxable), rate_id: Some(rate.id.clone()), rate: Some(rate), ..TaxAmount::default() }
}

/// The rows as text; asserts that they add up.
fn rows(figures: &Figures) -> Vec<String> {
    let sums = sums(figures);
    let mut running = 0;
    for (place, row) in sums.rows.iter().enumerate() {
        match row.role {
            SumRole::Sum if place == 0 => running = row.amount,
            SumRole::Sum => assert_eq!(running, row.amount, "{:?}", sums.rows),
            SumRole::Part => running += row.amount,
            SumRole::Note => {}
        }
    }
    sums.rows.iter().map(|row| format!("{} {}", row.label, row.money(figures.currency))).collect()
}

#[test]
fn billing_credits_stand_before_the_total() {
    let credit = |amount, kind| PretaxCredit { amount, kind };
    let figures = Figures {
        total: 7_500,
        due: 7_500,
        remaining: 7_500,
        pretax_credits: Some(vec![credit(2_500, PretaxCreditKind::CreditBalanceTransaction)]),
        ..invoice()
    };
    let expected = ["Subtotal $100.00", "Credits applied (before tax) -$25.00", "Total $75.00", "Amount due $75.00"];
    assert_eq!(rows(&figures), expected);
    // A total that repeats the discount changes nothing.
    let discounted = Figures {
        discount: 1_000,
        total: 6_500,
        due: 6_500,
        remaining: 6_500,
        pretax_credits: Some(vec![credit(1_000, PretaxCreditKind::Discount), credit(2_500, PretaxCreditKind::CreditBalanceTransaction)]),
        ..figures
    };
    assert_eq!(rows(&discounted)[1..4], ["Discount -$10.00", "Credits applied (before tax) -$25.00", "Total $65.00"]);
}

#[test]
fn pre_payment_credit_notes_reduce_the_amount_due() {
    let figures = Figures { due: 7_000, remaining: 7_000, credit_notes_before_payment: 3_000, ..invoice() };
    assert_eq!(rows(&figures), ["Subtotal $100.00", "Total $100.00", "Credit notes -$30.00", "Amount due $70.00"]);
    let only_remaining = Figures { due: 10_000, ..figures };
    assert_eq!(rows(&only_remaining)[1..], ["Total $100.00", "Amount due $100.00", "Credit notes -$30.00", "Amount remaining $70.00"]);
}

#[test]
fn item_discounts_are_part_of_the_subtotal() {
    let lines = LineFigures { amount: 10_000, discount: 2_000, ..LineFigures::default() };
    let figures =
        Figures { subtotal: 8_000, total: 8_000, due: 8_000, remaining: 8_000, discount: 2_000, lines: Some(lines.clone()), ..invoice() };
    assert_eq!(rows(&figures), ["Subtotal $80.00", "Total $80.00", "Amount due $80.00"]);
    assert_eq!(sums(&figures).item_discount, 2_000);
    // If an invoice has both, only the discount on the whole invoice is subtracted.
    let both = Figures { total: 7_200, due: 7_200, remaining: 7_200, discount: 2_800, ..figures.clone() };
    assert_eq!(rows(&both)[..3], ["Subtotal $80.00", "Discount -$8.00", "Total $72.00"]);
    assert_eq!(rows(&Figures { lines: None, ..both })[..3], ["Subtotal $80.00", "Discount -$8.00", "Total $72.00"]);
}

#[test]
fn balances_count_in_both_directions() {
    let owed = Figures {
        subtotal: 5_000,
        total: 5_000,
        due: 6_500,
        remaining: 6_500,
        starting_balance: 1_500,
        lines: Some(LineFigures { amount: 5_000, ..LineFigures::default() }),
        ..invoice()
    };
    assert_eq!(rows(&owed)[1..], ["Total $50.00", "Previous balance $15.00", "Amount due $65.00"]);
    // Since clover the balances don't explain what was applied.
    let credited = Figures {
        status: InvoiceStatus::Paid,
        subtotal: 20_000,
        total: 20_000,
        due: 0,
        remaining: 0,
        ending_balance: Some(-30_000),
        lines: Some(LineFigures { amount: 20_000, ..LineFigures::default() }),
        ..invoice()
    };
    assert_eq!(rows(&credited)[1..], ["Total $200.00", "Credit applied -$200.00", "Amount due $0.00"]);
    let draft =
        Figures { status: InvoiceStatus::Draft, due: 7_000, remaining: 7_000, starting_balance: -3_000, ending_balance: None, ..invoice() };
    assert_eq!(rows(&draft)[1..], ["Total $100.00", "Credit to be applied -$30.00", "Amount due $70.00"]);
    assert_eq!(rows(&Figures { starting_balance: 0, ..draft })[2], "Credit to be applied -$30.00");
}

#[test]
fn amounts_below_the_minimum_charge_carry_over() {
    let lines = Some(LineFigures { amount: 30, ..LineFigures::default() });
    let figures = Figures {
        status: InvoiceStatus::Paid,
        subtotal: 30,
        total: 30,
        due: 0,
        remaining: 0,
        ending_balance: Some(30),
        lines,
        ..invoice()
    };
    assert_eq!(rows(&figures)[1..], ["Total $0.30", "Carried to the next invoice -$0.30", "Amount due $0.00"]);
    // Part of it was credit.
    let both = Figures { starting_balance: -10, ending_balance: Some(20), ..figures };
    assert_eq!(rows(&both)[2..4], ["Credit applied -$0.10", "Carried to the next invoice -$0.20"]);
}

#[test]
fn a_negative_total_becomes_credit() {
    let lines = Some(LineFigures { amount: -4_000, ..LineFigures::default() });
    let figures = Figures {
        status: InvoiceStatus::Paid,
        subtotal: -4_000,
        total: -4_000,
        due: 0,
        remaining: 0,
        ending_balance: Some(-4_000),
        lines,
        ..invoice()
    };
    assert_eq!(rows(&figures)[1..], ["Total -$40.00", "Added to credit balance $40.00", "Amount due $0.00"]);
    assert_eq!(rows(&Figures { ending_balance: None, ..figures.clone() })[2], "Added to credit balance $40.00");
    let owing = Figures { starting_balance: 1_000, ending_balance: Some(-3_000), ..figures };
    assert_eq!(rows(&owing)[2..4], ["Previous balance $10.00", "Added to credit balance $30.00"]);
}

#[test]
fn included_tax_stands_below_the_total() {
    let included = Figures {
        subtotal: 11_900,
        total: 11_900,
        due: 11_900,
        remaining: 11_900,
        tax: 1_900,
        taxes: Some(vec![tax(1_900, TaxBehavior::Inclusive)]),
        lines: Some(LineFigures { amount: 11_900, ..LineFigures::default() }),
        ..invoice()
    };
    let expected = ["Subtotal $119.00", "Total $119.00", "Tax included in total $19.00", "Amount due $119.00"];
    assert_eq!(rows(&included), expected);
    assert_eq!(sums(&included).net, 10_000);
    // Each tax by its own behaviour.
    let mixed = Figures {
        total: 12_000,
        due: 12_000,
        remaining: 12_000,
        tax: 2_000,
        taxes: Some(vec![tax(1_900, TaxBehavior::Inclusive), tax(100, TaxBehavior::Exclusive)]),
        ..included.clone()
    };
    assert_eq!(rows(&mixed)[1..4], ["Tax $1.00", "Total $120.00", "Tax included in total $19.00"]);
    // Rows stored before individual taxes were: only the sums are known.
    assert_eq!(rows(&Figures { taxes: None, ..included }), expected);
}

#[test]
fn taxes_stand_by_rate() {
    let figures = Figures {
        total: 11_420,
        due: 11_420,
        remaining: 11_420,
        tax: 1_420,
        taxes: Some(vec![rated(1_140, 6_000, "19"), rated(280, 4_000, "7")]),
        ..invoice()
    };
    assert_eq!(rows(&figures)[1..3], ["VAT 19% on $60.00 $11.40", "VAT 7% on $40.00 $2.80"]);
}

#[test]
fn a_reverse_charge_has_its_row_and_its_sentence() {
    let reversed = TaxAmount { reason: Some("reverse_charge".into()), ..rated(0, 10_000, "0") };
    let figures = Figures { taxes: Some(vec![reversed]), ..invoice() };
    assert_eq!(rows(&figures)[1], "VAT 0% on $100.00, reverse charge $0.00");
    assert_eq!(notes(&sums(&figures).taxes, None), ["Reverse charge: the customer is liable for the tax."]);
    assert_eq!(notes(&[], Some("reverse")).len(), 1);
    assert_eq!(notes(&[], Some("none")), Vec::<String>::new());
}

#[test]
fn missing_totals_come_from_the_lines() {
    let lines = LineFigures {
        amount: 10_000,
        discount: 1_000,
        tax: 500,
        taxes: vec![tax(500, TaxBehavior::Exclusive)],
        pretax_credits: vec![PretaxCredit { amount: 2_000, kind: PretaxCreditKind::CreditBalanceTransaction }],
    };
    let figures =
        Figures { total: 7_500, due: 7_500, remaining: 7_500, taxes: None, pretax_credits: None, lines: Some(lines), ..invoice() };
    assert_eq!(rows(&figures)[1..5], ["Discount -$10.00", "Credits applied (before tax) -$20.00", "Tax $5.00", "Total $75.00"]);
}

#[test]
fn shipping_and_its_tax_count_once() {
    let shipping = ShippingCost { subtotal: 1_000, tax: 190, total: 1_190, taxes: vec![rated(190, 1_000, "19")] };
    let among_all = Figures {
        total: 13_090,
        due: 13_090,
        remaining: 13_090,
        tax: 2_090,
        taxes: Some(vec![rated(2_090, 11_000, "19")]),
        shipping: Some(shipping),
        ..invoice()
    };
    let expected = ["Subtotal $100.00", "Shipping $10.00", "VAT 19% on $110.00 $20.90", "Total $130.90", "Amount due $130.90"];
    assert_eq!(rows(&among_all), expected);
    let apart = Figures { tax: 1_900, taxes: Some(vec![rated(1_900, 10_000, "19")]), ..among_all };
    assert_eq!(rows(&apart), expected);
}

#[test]
fn payments_lead_to_the_amount_remaining() {
    let paid =
        Figures { status: InvoiceStatus::Paid, paid: 10_000, remaining: 0, refunded: 500, credit_notes_after_payment: 5_000, ..invoice() };
    let expected = ["Amount due $100.00", "Paid -$100.00", "Amount remaining $0.00", "Refunded $5.00", "Credited after payment $50.00"];
    assert_eq!(rows(&paid)[2..], expected);
    let overpaid = Figures { paid: 12_000, overpaid: 2_000, refunded: 0, credit_notes_after_payment: 0, ..paid.clone() };
    assert_eq!(rows(&overpaid)[3..], ["Paid -$120.00", "Overpaid, added to credit balance $20.00", "Amount remaining $0.00"]);
    let elsewhere = Figures { paid: 0, paid_out_of_band: true, refunded: 0, credit_notes_after_payment: 0, ..paid };
    assert_eq!(rows(&elsewhere)[3..], ["Paid outside Stripe -$100.00", "Amount remaining $0.00"]);
    let void = Figures { status: InvoiceStatus::Void, ..invoice() };
    assert_eq!(rows(&void)[1..], ["Total $100.00", "Voided -$100.00", "Amount due $0.00"]);
    let written_off = Figures { status: InvoiceStatus::Uncollectible, ..invoice() };
    assert_eq!(rows(&written_off)[2], "Amount due (written off) $100.00");
}

#[test]
fn unexplained_differences_have_their_own_row() {
    let figures = Figures { total: 9_000, due: 9_000, remaining: 8_000, ..invoice() };
    let expected =
        ["Other adjustments -$10.00", "Total $90.00", "Amount due $90.00", "Other adjustments -$10.00", "Amount remaining $80.00"];
    assert_eq!(rows(&figures)[1..], expected);
    assert!(sums(&figures).unexplained);
    // While lines are missing, they may explain it.
    let incomplete = Figures { remaining: 9_000, lines: None, ..figures };
    assert_eq!(rows(&incomplete)[1], "Not known before all lines are read -$10.00");
    assert!(!sums(&incomplete).unexplained);
}
