//! Statistics that are robust against outliers.

/// 0 without values. Reorders them.
pub fn median(values: &mut [f64]) -> f64 {
    let count = values.len();
    if count == 0 {
        return 0.0;
    }
    let (below, upper, _) = values.select_nth_unstable_by(count / 2, f64::total_cmp);
    if count % 2 == 1 { *upper } else { f64::midpoint(*upper, below.iter().copied().fold(f64::NEG_INFINITY, f64::max)) }
}

/// The mean without the highest and the lowest of five or more values; 0 without values.
pub fn trimmed_mean(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let kept = if values.len() >= 5 { &values[1..values.len() - 1] } else { &*values };
    kept.iter().sum::<f64>() / kept.len().max(1) as f64
}
