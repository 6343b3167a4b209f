//! Verifies that a webhook comes from Stripe ("Resolve webhook signature verification errors",
//! "Verify webhook signatures manually").
//!
//! The header is `t=<unix seconds>,v1=<hex>[,v1=<hex>…]`. Each `v1` is the HMAC-SHA256 of
//! `<t>.<body>`, keyed by the endpoint's secret including `whsec_`. `v0` is Stripe's fake scheme
//! for test events and is ignored.

use crate::config::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use time::{Duration, OffsetDateTime};

/// Tolerance of the header's time in both directions: the one of Stripe's libraries.
pub const TOLERANCE: Duration = Duration::minutes(5);

/// More signatures than any rotation has; further ones would only cost CPU time.
const MOST_SIGNATURES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("There is no `Stripe-Signature`. The event was not stored. Send Stripe's requests unchanged.")]
    Missing,
    #[error("The `Stripe-Signature` is not `t=<unix seconds>,v1=<hex>`. The event was not stored.")]
    Malformed,
    #[error("The time of the signature is more than {} s off. The event was not stored. Check the clocks.", TOLERANCE.whole_seconds())]
    Stale,
    #[error("The signature matches no active secret. The event was not stored.")]
    Mismatch,
}

impl SignatureError {
    /// The metric's label.
    pub const fn reason(self) -> &'static str {
        match self {
            SignatureError::Missing => "missing",
            SignatureError::Malformed => "malformed",
            SignatureError::Stale => "stale",
            SignatureError::Mismatch => "mismatch",
        }
    }
}

/// Succeeds if any `v1` of the header was created with any of the secrets over exactly this body.
///
/// The signature is checked before the time, so that only a holder of a secret learns that its
/// clock is off.
pub fn verify(header: &str, body: &[u8], secrets: &[Secret], now: OffsetDateTime, tolerance: Duration) -> Result<(), SignatureError> {
    let header = Header::read(header)?;
    let mut fits = Choice::from(0);
    for secret in secrets {
        let expected = digest(secret, header.timestamp, body);
        for signature in &header.signatures {
            fits |= expected.ct_eq(signature);
        }
    }
    if !bool::from(fits) {
        return Err(SignatureError::Mismatch);
    }
    // A time beyond the calendar is stale.
    let signed_at =
        header.timestamp.parse().ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok()).ok_or(SignatureError::Stale)?;
    if (now - signed_at).abs() > tolerance { Err(SignatureError::Stale) } else { Ok(()) }
}

/// A header that [`verify`] accepts, in Stripe's format: for the demo and for tests.
pub fn sign(body: &[u8], secret: &Secret, at: OffsetDateTime) -> String {
    let timestamp = at.unix_timestamp().to_string();
    format!("t={timestamp},v1={}", hex::encode(digest(secret, &timestamp, body)))
}

struct Header<'a> {
    /// The original characters, because they were signed.
    timestamp: &'a str,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    fn read(header: &'a str) -> Result<Self, SignatureError> {
        if header.trim().is_empty() {
            return Err(SignatureError::Missing);
        }
        let mut timestamp = None;
        let mut signatures = Vec::new();
        for (key, value) in header.split(',').filter_map(|part| part.split_once('=')).map(|(key, value)| (key.trim(), value.trim())) {
            match key {
                "t" if timestamp.is_none() => timestamp = Some(value),
                "t" => return Err(SignatureError::Malformed),
                "v1" if signatures.len() < MOST_SIGNATURES => {
                    let mut signature = [0; 32];
                    // An invalid hex value can't match; another one of the header may.
                    if hex::decode_to_slice(value, &mut signature).is_ok() {
                        signatures.push(signature);
                    }
                }
                _ => {}
            }
        }
        let timestamp = timestamp.filter(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit())).ok_or(SignatureError::Malformed)?;
        if signatures.is_empty() { Err(SignatureError::Malformed) } else { Ok(Header { timestamp, signatures }) }
    }
}

fn digest(secret: &Secret, timestamp: &str, body: &[u8]) -> [u8; 32] {
    // HMAC accepts keys of any length, so this can't fail.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.0.as_bytes()) else { unreachable!("HMAC refused a key") };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &[u8] = br#"{"id":"evt_1","object":"event"}"#;
    /// Computed by Python's `hmac` over `1750000000.` and [`BODY`].
    const KNOWN: &str = "3d37ae85cb1f2fe960f679940326d514e19edfe96a53d68b0dee6818f2a929ae";

    fn secret(text: &str) -> Secret {
        Secret(text.into())
    }

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_750_000_000 + seconds).unwrap()
    }

    fn check(header: &str) -> Result<(), SignatureError> {
        verify(header, BODY, &[secret("whsec_test_secret")], at(0), TOLERANCE)
    }

    #[test]
    fn agrees_with_another_implementation() {
        assert_eq!(sign(BODY, &secret("whsec_test_secret"), at(0)), format!("t=1750000000,v1={KNOWN}"));
        assert_eq!(check(&format!("t=1750000000,v1={KNOWN}")), Ok(()));
    }

    #[test]
    fn tolerates_order_spaces_other_schemes_and_other_signatures() {
        let other = "0".repeat(64);
        for header in [
            format!(" t = 1750000000 , v1 = {KNOWN} "),
            format!("v1={KNOWN},t=1750000000"),
            format!("t=1750000000,v1={other},v1=zz,v1={KNOWN},v0={other},v2=x,oops"),
            format!("t=1750000000,v1={}", KNOWN.to_uppercase()),
        ] {
            assert_eq!(check(&header), Ok(()), "{header}");
        }
    }

    #[test]
    fn any_active_secret_verifies_while_rotating() {
        let header = sign(BODY, &secret("whsec_old"), at(0));
        let verified = |secrets: &[Secret]| verify(&header, BODY, secrets, at(0), TOLERANCE);
        assert_eq!(verified(&[secret("whsec_new"), secret("whsec_old")]), Ok(()));
        assert_eq!(verified(&[secret("whsec_new")]), Err(SignatureError::Mismatch));
        assert_eq!(verified(&[]), Err(SignatureError::Mismatch));
    }

    #[test]
    fn errors_name_the_cause() {
        assert_eq!(check(""), Err(SignatureError::Missing));
        for header in ["nonsense", "t=1750000000", "v1=00", "t=x,v1=00", "t=,v1=00", "t=1750000000,v1=00"] {
            assert_eq!(check(header), Err(SignatureError::Malformed), "{header}");
        }
        // v0 alone is not enough; neither is a header with two times.
        assert_eq!(check(&format!("t=1750000000,v0={KNOWN}")), Err(SignatureError::Malformed));
        assert_eq!(check(&format!("t=1,t=1750000000,v1={KNOWN}")), Err(SignatureError::Malformed));
        assert_eq!(check(&format!("t=1750000000,v1={}", "0".repeat(64))), Err(SignatureError::Mismatch));
        assert_eq!(check(&format!("t=1750000001,v1={KNOWN}")), Err(SignatureError::Mismatch));
    }

    #[test]
    fn the_time_may_differ_by_five_minutes() {
        let key = secret("whsec_test_secret");
        for (offset, expected) in [(-301, Err(SignatureError::Stale)), (-300, Ok(())), (300, Ok(())), (301, Err(SignatureError::Stale))] {
            let header = sign(BODY, &key, at(offset));
            assert_eq!(verify(&header, BODY, std::slice::from_ref(&key), at(0), TOLERANCE), expected, "{offset}");
        }
    }

    proptest! {
        #[test]
        fn signed_bodies_verify(body in prop::collection::vec(any::<u8>(), 0..256), key in ".{0,80}", t in 0i64..4_000_000_000) {
            let (key, at) = (Secret(key), OffsetDateTime::from_unix_timestamp(t).unwrap());
            prop_assert_eq!(verify(&sign(&body, &key, at), &body, std::slice::from_ref(&key), at, TOLERANCE), Ok(()));
        }

        #[test]
        fn any_flipped_bit_of_the_body_fails(mut body in prop::collection::vec(any::<u8>(), 1..256), bit in any::<prop::sample::Index>()) {
            let key = secret("whsec_test_secret");
            let header = sign(&body, &key, at(0));
            let bit = bit.index(body.len() * 8);
            body[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(verify(&header, &body, &[key], at(0), TOLERANCE), Err(SignatureError::Mismatch));
        }

        #[test]
        fn any_changed_digit_of_the_signature_fails(place in 0usize..64, digit in prop::sample::select("0123456789abcdef".chars().collect::<Vec<_>>())) {
            let mut changed: Vec<char> = KNOWN.chars().collect();
            prop_assume!(changed[place] != digit);
            changed[place] = digit;
            prop_assert_eq!(check(&format!("t=1750000000,v1={}", String::from_iter(changed))), Err(SignatureError::Mismatch));
        }

        #[test]
        fn no_header_makes_it_panic(header in ".{0,200}") {
            prop_assert!(check(&header).is_err());
        }
    }
}
