//! Stripe's exact decimals with up to twelve places, computed as integers, never as floating point.

/// Whether a quantity times a unit price gives an amount, up to rounding to whole minor units; None
/// if the numbers have too many digits.
pub fn makes(quantity: &str, unit_amount: &str, amount: i64) -> Option<bool> {
    let ((quantity, places), (unit, more_places)) = (scaled(quantity)?, scaled(unit_amount)?);
    let one = 10i128.checked_pow(places + more_places)?;
    let difference = quantity.checked_mul(unit)?.checked_sub(i128::from(amount).checked_mul(one)?)?;
    Some(difference.unsigned_abs() < one.unsigned_abs())
}

/// The sum, without trailing zeros; None if it has too many digits.
pub fn sum<'a>(decimals: impl Iterator<Item = &'a str>) -> Option<String> {
    let (mut sum, mut places) = (0i128, 0);
    for decimal in decimals {
        let (mut number, of_number) = scaled(decimal)?;
        let most = places.max(of_number);
        sum = sum.checked_mul(10i128.checked_pow(most - places)?)?;
        number = number.checked_mul(10i128.checked_pow(most - of_number)?)?;
        (sum, places) = (sum.checked_add(number)?, most);
    }
    let one = 10u128.checked_pow(places)?;
    let (sign, size) = (if sum < 0 { "-" } else { "" }, sum.unsigned_abs());
    if places == 0 {
        return Some(format!("{sign}{size}"));
    }
    let text = format!("{sign}{}.{:0width$}", size / one, size % one, width = usize::try_from(places).ok()?);
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

/// A decimal as an integer and its number of decimal places.
fn scaled(decimal: &str) -> Option<(i128, u32)> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let fraction = fraction.trim_end_matches('0');
    Some((format!("{whole}{fraction}").parse().ok()?, u32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_prices_are_checked_against_amounts() {
        assert_eq!(makes("2.5", "10000", 25_000), Some(true));
        assert_eq!(makes("250", "500", 1_500), Some(false));
        // Half a cent is rounded, in either direction.
        assert_eq!((makes("3", "0.5", 1), makes("3", "0.5", 2), makes("3", "0.5", 3)), (Some(true), Some(true), Some(false)));
        assert_eq!(makes("-1", "4990", -4_990), Some(true));
        assert_eq!(makes("0", "500", 0), Some(true));
        assert_eq!(makes("many", "500", 0), None);
        assert_eq!(makes("99999999999999999999.000000000001", "99999999999999999999.000000000001", 0), None);
    }

    #[test]
    fn sums_are_exact() {
        let sum = |decimals: &[&str]| sum(decimals.iter().copied());
        assert_eq!(sum(&[]).as_deref(), Some("0"));
        assert_eq!(sum(&["0.1", "0.2"]).as_deref(), Some("0.3"));
        assert_eq!(sum(&["2.5", "3.50", "1"]).as_deref(), Some("7"));
        assert_eq!(sum(&["-0.25", "0.000000000001"]).as_deref(), Some("-0.249999999999"));
        assert_eq!(sum(&["9223372036854775807", "9223372036854775807"]).as_deref(), Some("18446744073709551614"));
        assert_eq!(sum(&["1", "one"]), None);
    }
}
