//! Parts of a whole in percent that add up to 100.

/// Each part's share in whole percent by the largest remainder method. Of equal remainders, the
/// larger part is rounded up first. All 0 if the whole is 0.
pub fn percentages(parts: &[u64]) -> Vec<u64> {
    let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
    if whole == 0 {
        return vec![0; parts.len()];
    }
    let scaled: Vec<u128> = parts.iter().map(|part| u128::from(*part) * 100).collect();
    let mut shares: Vec<u64> = scaled.iter().map(|part| u64::try_from(part / whole).unwrap_or(100)).collect();
    let missing = usize::try_from(100 - shares.iter().sum::<u64>()).unwrap_or(0);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse((scaled[*at] % whole, parts[*at])));
    for at in order.into_iter().take(missing) {
        shares[at] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_apps_add_up() {
        // Rounded down: 53, 30 and 15.
        assert_eq!(percentages(&[5_370, 3_050, 1_580]), [54, 30, 16]);
        assert_eq!(percentages(&[1, 1, 1]), [34, 33, 33]);
        assert_eq!(percentages(&[999, 1]), [100, 0]);
        assert_eq!(percentages(&[0, 7]), [0, 100]);
        assert_eq!(percentages(&[0, 0]), [0, 0]);
        assert_eq!(percentages(&[]), [] as [u64; 0]);
        assert_eq!(percentages(&[u64::MAX, u64::MAX]), [50, 50]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_are_off_by_less_than_one(parts in prop::collection::vec(prop_oneof![0u64..100, any::<u64>()], 1..30)) {
            let shares = percentages(&parts);
            let whole: u128 = parts.iter().map(|part| u128::from(*part)).sum();
            prop_assert_eq!(shares.iter().sum::<u64>(), if whole == 0 { 0 } else { 100 });
            for (part, share) in parts.iter().zip(&shares).filter(|_| whole > 0) {
                prop_assert!((u128::from(*part) * 100).abs_diff(u128::from(*share) * whole) < whole);
            }
        }
    }
}
