//! Values of an invoice in words: the labels of its sums, the prices of its lines, its parties.

use super::*;
use crate::{
    domain::{
        address::Address,
        invoice::{
            InvoiceCustomer, InvoiceDetail, InvoiceStatus, LineItem, SumKind, SumRow, TaxId,
            line::{LinePrice, Pricing, unit_price_number},
            sums::{self, REVERSE_CHARGE, TaxGroup},
        },
        language::Language,
        money::Currency,
    },
    text::{address, common, format},
};

/// The label of a row of the sums.
pub fn sum_label(language: Language, row: &SumRow, invoice: &InvoiceDetail) -> String {
    let currency = invoice.summary.currency;
    let written_off = invoice.summary.status == InvoiceStatus::Uncollectible;
    let has = |kinds: &[SumKind]| invoice.sums.iter().any(|row| kinds.contains(&row.kind) && row.amount != 0);
    let text = match row.kind {
        // The subtotal is the amount before tax if nothing else is between it and the total.
        SumKind::Subtotal
            if has(&[SumKind::Tax])
                && !has(&[
                    SumKind::Discount,
                    SumKind::PretaxCredits,
                    SumKind::Shipping,
                    SumKind::OtherAdjustments,
                    SumKind::TaxIncluded,
                ]) =>
        {
            net(language)
        }
        SumKind::Subtotal => subtotal(language),
        SumKind::Discount => discount(language),
        SumKind::PretaxCredits => pretax_credits(language),
        SumKind::Shipping => shipping(language),
        SumKind::Tax | SumKind::TaxIncluded => match &row.tax {
            None if row.kind == SumKind::Tax => tax(language),
            None => tax_included(language),
            Some(group) => {
                let label = tax_label(language, group, currency);
                return match (row.kind, label == tax(language)) {
                    (SumKind::Tax, _) => label,
                    (_, true) => tax_included(language).to_owned(),
                    (_, false) => format!("{} ({label})", tax_included(language)),
                };
            }
        },
        SumKind::OtherAdjustments if !invoice.lines_complete && row.label == not_known_yet(Language::English) => not_known_yet(language),
        SumKind::OtherAdjustments => other_adjustments(language),
        SumKind::Total if has(&[SumKind::Tax, SumKind::TaxIncluded]) => gross(language),
        SumKind::Total => total(language),
        SumKind::CreditNotes => credit_notes(language),
        SumKind::CreditApplied => credit_applied(language),
        SumKind::CreditToBeApplied => credit_to_be_applied(language),
        SumKind::CreditAdded => credit_added(language),
        SumKind::PreviousBalance => previous_balance(language),
        SumKind::CarriedOver => carried_over(language),
        // With payments below, the last sum says that the rest is written off.
        SumKind::AmountDue if written_off && !invoice.sums.iter().any(|row| row.kind == SumKind::AmountRemaining) => {
            amount_due_written_off(language)
        }
        SumKind::AmountDue => amount_due(language),
        SumKind::Paid => paid(language),
        SumKind::PaidOutsideStripe => paid_outside_stripe(language),
        SumKind::Overpaid => overpaid(language),
        SumKind::Voided => voided_sum(language),
        SumKind::AmountRemaining if invoice.summary.status == InvoiceStatus::Void => amount_due(language),
        SumKind::AmountRemaining if written_off => amount_remaining_written_off(language),
        SumKind::AmountRemaining => amount_remaining(language),
        SumKind::Refunded => refunded(language),
        SumKind::CreditedAfterPayment => credited_after_payment(language),
    };
    text.to_owned()
}

/// `VAT 19%`. A name other than `VAT` is the seller's own and stays as it is.
fn tax_rate(language: Language, group: &TaxGroup) -> String {
    let name = match group.name.as_str() {
        "VAT" => vat(language),
        "Tax" => tax(language),
        name => name,
    };
    match &group.percentage {
        Some(percentage) => format!("{name} {}", format::decimal_percent(language, percentage)),
        None => name.to_owned(),
    }
}

/// `VAT 19% (Germany) on €100.00, reverse charge`.
pub fn tax_label(language: Language, group: &TaxGroup, currency: Currency) -> String {
    let mut label = tax_rate(language, group);
    if let Some(jurisdiction) = &group.jurisdiction {
        label.push_str(&format!(" ({jurisdiction})"));
    }
    if let Some(taxable) = group.taxable_amount {
        label = tax_on(language, &label, Money::new(i64::try_from(taxable).unwrap_or(i64::MAX), currency));
    }
    match group.reason.as_deref() {
        Some("reverse_charge") => tax_reverse_charge(language, &label),
        Some("customer_exempt" | "product_exempt" | "product_exempt_holiday") => tax_exempt(language, &label),
        Some("zero_rated") => tax_zero_rated(language, &label),
        _ => label,
    }
}

/// Legally required statements.
pub fn tax_notes(language: Language, invoice: &InvoiceDetail) -> Vec<String> {
    let translated = |note: &String| if note == REVERSE_CHARGE { reverse_charge(language).to_owned() } else { note.clone() };
    invoice.tax_notes.iter().map(translated).collect()
}

/// `VAT ID DE123456789`.
pub fn tax_id(language: Language, id: &TaxId) -> String {
    let name = match id.kind.as_str() {
        kind if kind.ends_with("_vat") => vat_id(language),
        "us_ein" => "EIN",
        "au_abn" => "ABN",
        "in_gst" => "GSTIN",
        "ca_bn" => "BN",
        kind if kind.ends_with("_gst") => gst_id(language),
        _ => other_tax_id(language),
    };
    format!("{name} {}", id.value)
}

/// The customer's address.
pub fn address_lines(language: Language, customer: &InvoiceCustomer) -> Vec<String> {
    if customer.postal == Address::default() { customer.address.clone() } else { address::lines(language, &customer.postal) }
}

/// Quantity and price of a line.
pub fn line_price(language: Language, line: &LineItem, currency: Currency) -> LinePrice {
    let Pricing { quantity, unit_price, per: divisor, package } = line.pricing(currency);
    let quantity = quantity.map(|quantity| format::decimal(language, &quantity.plain()));
    let unit_price = unit_price.and_then(|minor_units| {
        let number = unit_price_number(minor_units, currency)?.replace(',', "");
        Some(format::decimal_money(language, &number, currency))
    });
    let per = divisor.map(|divisor| per(language, divisor));
    let arithmetic = match (package, &quantity, &unit_price, &per) {
        (Some(package), Some(quantity), Some(unit_price), Some(per)) => {
            let price = at_price(language, quantity, unit_price, per);
            let rounded = package.rounded_to.map(|whole| {
                let whole = format::decimal(language, &whole.plain());
                if package.round_up { rounded_up(language, &whole) } else { rounded_down(language, &whole) }
            });
            Some(rounded.map_or(price.clone(), |rounded| format!("{price}, {rounded}")))
        }
        _ => None,
    };
    LinePrice { quantity, unit_price, per, arithmetic }
}

/// Texts next to the description of a line: packages, discounts, tax rates.
pub fn remarks(language: Language, line: &LineItem, invoice: &InvoiceDetail) -> Vec<String> {
    let currency = invoice.summary.currency;
    let discount = (line.discount != 0 && invoice.item_discount != 0).then(|| {
        let amount = Money::new(line.discount.saturating_neg(), currency);
        if invoice.discount == 0 { line_discount(language, amount) } else { line_discounts(language, amount) }
    });
    let several_rates = sums::rates(&invoice.taxes).is_some_and(|rates| rates.contains(','));
    let rates = (several_rates && sums::rates(&line.taxes).is_some())
        .then(|| sums::by_rate(&line.taxes).iter().map(|group| tax_rate(language, group)).collect::<Vec<_>>().join(", "));
    [line_price(language, line, currency).arithmetic, discount, rates].into_iter().flatten().collect()
}

/// Display names of Stripe's payment method types.
pub fn payment_method(language: Language, method: &str) -> String {
    match method {
        "" => payment(language).to_owned(),
        "card" => card(language).to_owned(),
        "sepa_debit" => sepa_debit(language).to_owned(),
        "us_bank_account" => us_bank_account(language).to_owned(),
        "bacs_debit" => bacs_debit(language).to_owned(),
        "customer_balance" => bank_transfer(language).to_owned(),
        "paypal" => "PayPal".to_owned(),
        "out_of_band" => paid_by_other_means(language).to_owned(),
        other => common::words(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Language::*, *};
    use crate::domain::invoice::{TaxAmount, TaxRate};

    fn group(name: &str, reason: Option<&str>) -> TaxGroup {
        let rate = TaxRate { display_name: name.into(), percentage: Some("8.1".into()), ..TaxRate::default() };
        let tax = TaxAmount {
            amount: 810,
            taxable_amount: Some(10_000),
            reason: reason.map(str::to_owned),
            rate: Some(rate),
            ..TaxAmount::default()
        };
        sums::by_rate(&[tax]).remove(0)
    }

    #[test]
    fn taxes_are_named_as_the_language_does() {
        let eur = "eur".parse().unwrap();
        let written = |group: &TaxGroup| Language::ALL.map(|language| tax_label(language, group, eur).replace('\u{a0}', " "));
        assert_eq!(written(&group("VAT", None)), ["VAT 8.1% on €100.00", "USt. 8,1 % auf 100,00 €", "TVA 8,1 % sur 100,00 €"]);
        assert_eq!(written(&group("MwSt.", Some("zero_rated")))[2], "MwSt. 8,1 % sur 100,00 €, taux zéro");
        for reason in [None, Some("reverse_charge"), Some("product_exempt"), Some("zero_rated")] {
            let group = group("VAT", reason);
            assert_eq!(tax_label(English, &group, eur), group.label(eur));
        }
    }

    #[test]
    fn tax_ids_are_named_as_the_language_does() {
        let id = |kind: &str| TaxId { kind: kind.into(), value: "1".into() };
        assert_eq!(Language::ALL.map(|language| tax_id(language, &id("eu_vat"))), ["VAT ID 1", "USt-IdNr. 1", "N° de TVA 1"]);
        for kind in ["gb_vat", "us_ein", "au_abn", "in_gst", "sg_gst", ""] {
            assert_eq!(tax_id(English, &id(kind)), id(kind).shown());
        }
    }

    #[test]
    fn english_prices_are_those_of_the_domain() {
        let line = |quantity: &str, price: &str, transform: Option<(i64, bool)>| LineItem {
            description: String::new(),
            quantity: None,
            quantity_decimal: Some(quantity.into()),
            unit_amount: Some(price.into()),
            amount: 1_250_000,
            discount: 0,
            tax: 0,
            taxes: Vec::new(),
            pretax_credits: Vec::new(),
            transform_quantity: transform.map(|(divide_by, round_up)| crate::domain::invoice::TransformQuantity { divide_by, round_up }),
            period: None,
            proration: false,
        };
        let usd = Currency::USD;
        for (quantity, price, transform) in
            [("2500000", "500", Some((1_000, true))), ("2500", "500", None), ("250", "0.008", Some((100, false))), ("2.5", "x", None)]
        {
            let line = line(quantity, price, transform);
            assert_eq!(line_price(English, &line, usd), line.price(usd), "{quantity} {price}");
        }
        let german = line_price(German, &line("1250", "500.5", Some((1_000, true))), usd);
        assert_eq!(german.arithmetic.unwrap().replace('\u{a0}', " "), "1.250 zu 5,005 $ je 1.000, aufgerundet auf 2.000");
    }

    #[test]
    fn unknown_payment_methods_are_written_as_words() {
        assert_eq!(payment_method(German, "sepa_debit"), "SEPA-Lastschrift");
        assert_eq!(payment_method(English, "wechat_pay"), "Wechat pay");
        assert_eq!(payment_method(French, ""), "Paiement");
    }
}
