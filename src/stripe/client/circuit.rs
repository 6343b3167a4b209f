//! The circuit breaker: after repeated failures requests fail fast, until a probe succeeds.

use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Consecutive failures that open it.
    pub failures: u32,
    /// How long it stays open at first; each failed probe doubles it.
    pub pause: Duration,
    pub longest_pause: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed {
        failures: u32,
    },
    Open {
        until: Instant,
        pause: Duration,
    },
    /// One probe is in flight.
    Probing {
        pause: Duration,
    },
}

/// A state machine with the caller's clock.
#[derive(Clone, Copy, Debug)]
pub struct Circuit {
    rules: Rules,
    state: State,
}

impl Circuit {
    pub const fn new(rules: Rules) -> Circuit {
        Circuit { rules, state: State::Closed { failures: 0 } }
    }

    /// Requests a permit.
    ///
    /// # Errors
    /// How long the circuit stays open.
    pub fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until, pause } if until <= now => {
                self.state = State::Probing { pause };
                Ok(())
            }
            State::Open { until, .. } => Err(until - now),
            State::Probing { pause } => Err(pause),
        }
    }

    /// Stripe responded, possibly with a refusal.
    pub fn answered(&mut self) {
        // If open, this response belongs to an earlier request.
        if !matches!(self.state, State::Open { .. }) {
            self.state = State::Closed { failures: 0 };
        }
    }

    /// Stripe didn't respond, or reported that it is unavailable.
    pub fn failed(&mut self, now: Instant) {
        let open = |pause: Duration| State::Open { until: now + pause, pause };
        self.state = match self.state {
            State::Closed { failures } if failures + 1 >= self.rules.failures => open(self.rules.pause),
            State::Closed { failures } => State::Closed { failures: failures + 1 },
            State::Probing { pause } => open(pause.saturating_mul(2).min(self.rules.longest_pause)),
            open @ State::Open { .. } => open,
        };
    }

    /// The request ended without a result, because the caller cancelled it.
    pub fn abandoned(&mut self, now: Instant) {
        if let State::Probing { pause } = self.state {
            self.state = State::Open { until: now, pause };
        }
    }

    /// The metric's value: 0 closed, 1 half-open, 2 open.
    pub const fn level(&self) -> u8 {
        match self.state {
            State::Closed { .. } => 0,
            State::Probing { .. } => 1,
            State::Open { .. } => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules { failures: 3, pause: Duration::from_secs(5), longest_pause: Duration::from_secs(15) };

    fn opened(at: Instant) -> Circuit {
        let mut circuit = Circuit::new(RULES);
        for _ in 0..3 {
            circuit.admit(at).unwrap();
            circuit.failed(at);
        }
        circuit
    }

    #[test]
    fn consecutive_failures_open_it() {
        let at = Instant::now();
        let mut circuit = Circuit::new(RULES);
        for _ in 0..5 {
            circuit.failed(at);
            circuit.failed(at);
            circuit.answered();
        }
        assert_eq!(circuit.admit(at), Ok(()));
        assert_eq!(opened(at).admit(at + Duration::from_secs(2)), Err(Duration::from_secs(3)));
    }

    #[test]
    fn one_probe_decides() {
        let at = Instant::now();
        let later = at + Duration::from_secs(5);
        let mut circuit = opened(at);
        assert_eq!((circuit.level(), circuit.admit(later), circuit.level()), (2, Ok(()), 1));
        assert!(circuit.admit(later).is_err());
        circuit.answered();
        assert_eq!((circuit.admit(later), circuit.level()), (Ok(()), 0));

        let mut circuit = opened(at);
        circuit.admit(later).unwrap();
        circuit.failed(later);
        assert_eq!(circuit.admit(later), Err(Duration::from_secs(10)));
        circuit.admit(later + Duration::from_secs(10)).unwrap();
        circuit.failed(later);
        assert_eq!(circuit.admit(later), Err(RULES.longest_pause));
    }

    #[test]
    fn a_cancelled_probe_allows_another() {
        let at = Instant::now();
        let later = at + Duration::from_secs(5);
        let mut circuit = opened(at);
        circuit.admit(later).unwrap();
        circuit.abandoned(later);
        assert_eq!(circuit.admit(later), Ok(()));
    }

    #[test]
    fn a_late_response_does_not_close_it() {
        let at = Instant::now();
        let mut circuit = opened(at);
        circuit.answered();
        assert!(circuit.admit(at).is_err());
    }

    proptest! {
        /// It is never open longer than its maximum, and never permits two probes at once.
        #[test]
        fn it_always_permits_a_probe_again(steps in prop::collection::vec((0u8..4, 0u64..20), 1..60)) {
            let mut at = Instant::now();
            let mut circuit = Circuit::new(RULES);
            let mut probing = false;
            for (step, seconds) in steps {
                at += Duration::from_secs(seconds);
                match step {
                    0 => match circuit.admit(at) {
                        Ok(()) => {
                            prop_assert!(!probing);
                            probing = circuit.level() == 1;
                        }
                        Err(wait) => prop_assert!(wait <= RULES.longest_pause),
                    },
                    1 => circuit.answered(),
                    2 => circuit.failed(at),
                    _ => circuit.abandoned(at),
                }
                probing &= circuit.level() == 1;
            }
            circuit.abandoned(at);
            prop_assert!(circuit.admit(at + RULES.longest_pause).is_ok());
        }
    }
}
