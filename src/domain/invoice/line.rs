//! Display of an invoice line: its quantity, its price, and notes next to its description.

use super::{
    InvoiceDetail, LineItem, PretaxCreditKind, TaxAmount, TaxId,
    sums::{self, TaxGroup},
};
use crate::domain::money::{Currency, Money, group_thousands};

/// Quantity and price of a line. Uncertain values are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinePrice {
    /// `2.5`, `1,250,000`.
    pub quantity: Option<String>,
    /// `$5.00`.
    pub unit_price: Option<String>,
    /// `per 100`, for a package price.
    pub per: Option<String>,
    /// `250 at $5.00 per 100, rounded up to 300`.
    pub arithmetic: Option<String>,
}

/// Quantity and price of a line as numbers. Uncertain values are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pricing<'a> {
    pub quantity: Option<Decimal>,
    /// In minor units: an exact decimal.
    pub unit_price: Option<&'a str>,
    /// The number of units that the price is for; None: one.
    pub per: Option<u64>,
    pub package: Option<Package>,
}

/// How a price converts the quantity into packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    pub round_up: bool,
    /// The quantity in whole packages, if it differs from the quantity.
    pub rounded_to: Option<Decimal>,
}

impl LineItem {
    /// Quantity and price, in English. A proration has no unit price: its amount is part of a
    /// price.
    pub fn price(&self, currency: Currency) -> LinePrice {
        let Pricing { quantity, unit_price, per, package } = self.pricing(currency);
        let quantity = quantity.map(|quantity| quantity.to_string());
        let shown = unit_price.and_then(|minor_units| self::unit_price(minor_units, currency));
        let per = per.map(|divisor| format!("per {}", group_thousands(divisor)));
        let arithmetic = package.zip(quantity.as_ref().zip(shown.as_ref().zip(per.as_ref()))).map(|(package, (quantity, (shown, per)))| {
            let rounded = package.rounded_to.map(|whole| format!(", rounded {} to {whole}", if package.round_up { "up" } else { "down" }));
            format!("{quantity} at {shown} {per}{}", rounded.unwrap_or_default())
        });
        LinePrice { quantity, unit_price: shown, per, arithmetic }
    }

    /// Quantity and price as numbers.
    pub fn pricing(&self, currency: Currency) -> Pricing<'_> {
        let quantity = self.quantity_decimal.as_deref().and_then(Decimal::parse).or_else(|| self.quantity.map(Decimal::whole));
        let price = self.unit_amount.as_deref().filter(|_| !self.proration);
        let price = price.filter(|price| unit_price_number(price, currency).is_some());
        let Some((minor_units, price)) = price.and_then(|text| Some((text, Decimal::parse(text)?))) else {
            return Pricing { quantity, ..Pricing::default() };
        };
        if let Some(transform) = self.transform_quantity.filter(|transform| transform.divide_by > 1) {
            let rounded_to = quantity
                .and_then(|quantity| quantity.in_packages(transform.divide_by, transform.round_up))
                .map(|whole| Decimal { digits: whole, scale: 0 });
            let package = Package { round_up: transform.round_up, rounded_to };
            let per = u64::try_from(transform.divide_by).ok();
            return Pricing { quantity, unit_price: Some(minor_units), per, package: Some(package) };
        }
        // Without a price object, a price is only shown if it yields the amount: per unit, or per
        // package of ten, a hundred, a thousand….
        let divisor = match quantity {
            Some(quantity) => power_of_ten(quantity, price, self.amount),
            None => Some(1),
        };
        match divisor {
            Some(divisor) => {
                Pricing { quantity, unit_price: Some(minor_units), per: Some(divisor).filter(|divisor| *divisor > 1), package: None }
            }
            None => Pricing { quantity, ..Pricing::default() },
        }
    }

    /// Taxes by rate; for a line stored before individual taxes were, their sum.
    pub fn tax_groups(&self) -> Vec<TaxGroup> {
        if self.taxes.is_empty() && self.tax != 0 {
            let sum = TaxAmount { amount: self.tax, ..TaxAmount::default() };
            return sums::by_rate(&[sum]);
        }
        sums::by_rate(&self.taxes)
    }

    /// Billing credits applied to the line, a positive amount.
    pub fn credits_before_tax(&self) -> i64 {
        let credits = self.pretax_credits.iter().filter(|credit| credit.kind == PretaxCreditKind::CreditBalanceTransaction);
        credits.fold(0, |all, credit| all.saturating_add(credit.amount))
    }

    /// Texts next to the description: packages, discounts, tax rates.
    pub fn remarks(&self, invoice: &InvoiceDetail) -> Vec<String> {
        let currency = invoice.summary.currency;
        let discount = (self.discount != 0 && invoice.item_discount != 0).then(|| {
            let amount = Money::new(self.discount.saturating_neg(), currency);
            if invoice.discount == 0 { format!("Discount {amount}") } else { format!("Discounts {amount}, some of them below") }
        });
        let several_rates = sums::rates(&invoice.taxes).is_some_and(|rates| rates.contains(','));
        let rates = several_rates.then(|| sums::rates(&self.taxes)).flatten();
        [self.price(currency).arithmetic, discount, rates].into_iter().flatten().collect()
    }
}

impl TaxId {
    /// `VAT ID DE123456789`.
    pub fn shown(&self) -> String {
        let name = match self.kind.as_str() {
            kind if kind.ends_with("_vat") => "VAT ID",
            "us_ein" => "EIN",
            "au_abn" => "ABN",
            "in_gst" => "GSTIN",
            "ca_bn" => "BN",
            kind if kind.ends_with("_gst") => "GST ID",
            _ => "Tax ID",
        };
        format!("{name} {}", self.value)
    }
}

/// An exact decimal: `digits` shifted right by `scale` places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    scale: u32,
}

impl Decimal {
    /// `-1234.5`: without separators.
    pub fn plain(self) -> String {
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let point = if fraction.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{fraction}", if self.digits < 0 { "-" } else { "" })
    }

    const fn whole(number: i64) -> Decimal {
        Decimal { digits: number as i128, scale: 0 }
    }

    /// None if it is not a plain decimal or has too many digits.
    fn parse(text: &str) -> Option<Decimal> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(fraction) || (digits.contains('.') && fraction.is_empty()) {
            return None;
        }
        let fraction = fraction.trim_end_matches('0');
        let scale = u32::try_from(fraction.len()).ok().filter(|scale| *scale <= 20)?;
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal { digits: sign * digits, scale })
    }

    /// The quantity rounded to whole packages, unless it already is.
    fn in_packages(self, divide_by: i64, round_up: bool) -> Option<i128> {
        let package = i128::from(divide_by).checked_mul(10i128.checked_pow(self.scale)?)?;
        let rest = self.digits.rem_euclid(package);
        let down = self.digits.div_euclid(package).checked_mul(divide_by.into())?;
        (rest != 0).then(|| if round_up { down.saturating_add(divide_by.into()) } else { down })
    }
}

impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:0>width$}", self.digits.unsigned_abs(), width = self.scale as usize + 1);
        let (whole, fraction) = digits.split_at(digits.len() - self.scale as usize);
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{}{}{point}{fraction}", if self.digits < 0 { "-" } else { "" }, grouped(whole))
    }
}

fn grouped(digits: &str) -> String {
    match digits.parse::<u64>() {
        Ok(number) => group_thousands(number),
        Err(_) => digits.to_owned(),
    }
}

/// The power of ten by which quantity times price must be divided to get the amount; 1 if it is the
/// product. None if no power of ten fits.
fn power_of_ten(quantity: Decimal, price: Decimal, amount: i64) -> Option<u64> {
    let product = quantity.digits.checked_mul(price.digits)?;
    let scale = 10i128.checked_pow(quantity.scale + price.scale)?;
    let amount = i128::from(amount);
    // Stripe rounds each amount to a minor unit.
    let is_amount = |divisor: i128| {
        let unit = scale.checked_mul(divisor)?;
        Some(product.checked_sub(amount.checked_mul(unit)?)?.unsigned_abs() < unit.unsigned_abs())
    };
    if is_amount(1)? {
        return Some(1);
    }
    // For a greater divisor, any small amount would match.
    let exact = |divisor: &u64| amount != 0 && amount.checked_mul(scale).and_then(|a| a.checked_mul(i128::from(*divisor))) == Some(product);
    (1..=9).map(|power| 10u64.pow(power)).find(exact)
}

/// A unit price in the major unit with all digits: `0.008` US cents are `$0.00008`. None if
/// `minor_units` is not a plain decimal.
pub fn unit_price(minor_units: &str, currency: Currency) -> Option<String> {
    let number = unit_price_number(minor_units, currency)?;
    let (sign, number) = number.strip_prefix('-').map_or(("", number.as_str()), |number| ("-", number));
    // The symbol's position is that of a zero amount.
    let zero = Money::new(0, currency);
    let shown = zero.to_string();
    let symbol = shown.strip_suffix(&zero.number())?;
    Some(format!("{sign}{symbol}{number}"))
}

/// The same without the currency's symbol.
pub fn unit_price_number(minor_units: &str, currency: Currency) -> Option<String> {
    let (sign, digits) = minor_units.strip_prefix('-').map_or(("", minor_units), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_decimal = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !is_decimal(whole) || !is_decimal(fraction) || (digits.contains('.') && fraction.is_empty()) {
        return None;
    }
    let exponent = currency.exponent() as usize;
    let whole = format!("{whole:0>width$}", width = exponent + 1);
    let (major, minor) = whole.split_at(whole.len() - exponent);
    let mut decimals = format!("{minor}{fraction}");
    while decimals.len() > exponent && decimals.ends_with('0') {
        decimals.pop();
    }
    let mut number = group_thousands(major.parse().ok()?);
    if !decimals.is_empty() {
        number = format!("{number}.{decimals}");
    }
    Some(format!("{sign}{number}"))
}

#[cfg(test)]
mod tests;
