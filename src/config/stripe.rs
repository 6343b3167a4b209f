//! The table `[stripe]` of `Leptos.toml`.

use super::ConfigError;
use serde::Deserialize;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Stripe {
    /// Maximum rate of API calls of this process.
    pub operations_per_second: u32,
}

impl Default for Stripe {
    fn default() -> Self {
        Stripe { operations_per_second: 100 }
    }
}

impl Stripe {
    /// Operations per second, and the burst after a pause: together not more than the setting.
    pub fn rate(&self) -> (u32, u32) {
        let burst = (self.operations_per_second / 10).max(1);
        (self.operations_per_second.saturating_sub(burst).max(1), burst)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.operations_per_second {
            2..=100_000 => Ok(()),
            got => Err(ConfigError(format!("Leptos.toml: stripe.operations-per-second is {got}, but must be 2 to 100000"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const LINE: &str = "operations-per-second = 100";

    fn read(line: &str) -> Result<Config, String> {
        Config::read(&include_str!("../../Leptos.toml").replace(LINE, line), &|_: &str| None).map_err(|error| error.to_string())
    }

    #[test]
    fn no_second_exceeds_the_configured_rate() {
        let without = include_str!("../../Leptos.toml").replace("[stripe]", "").replace(LINE, "");
        let without = Config::read(&without, &|_: &str| None).unwrap().file.stripe;
        for (config, rate) in [(without, (90, 10)), (read(LINE).unwrap().file.stripe, (90, 10))] {
            assert_eq!(config.rate(), rate);
        }
        for set in [2, 3, 25, 100_000] {
            let (rate, burst) = read(&format!("operations-per-second = {set}")).unwrap().file.stripe.rate();
            assert!(rate >= 1 && burst >= 1 && rate + burst == set, "{set}: {rate} and {burst}");
        }
        for wrong in ["0", "1", "100001", "-5", "\"many\""] {
            let error = read(&format!("operations-per-second = {wrong}")).unwrap_err();
            assert!(error.starts_with("Leptos.toml: ") && !error.contains('\n'), "{error}");
        }
    }
}
