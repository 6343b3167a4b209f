//! Time-based one-time passwords (RFC 6238): six digits, thirty seconds, HMAC-SHA-1, which every
//! authenticator app supports. And the recovery codes for users who have lost the app.
//!
//! `totp-rs` makes and checks the codes. The clock, the refusal of a code that was used before and
//! the URI are ours: its URI refuses a colon in an account's name, which a user's address may have.

pub mod sealing;

use crate::domain::second_factor::QrSquares;
use data_encoding::BASE32_NOPAD;
use qrcode::{Color, EcLevel, QrCode};
use rand::Rng;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use totp_rs::{Builder, Totp};

/// As long as the hash, as RFC 4226 (section 4) recommends.
pub const SECRET_BYTES: usize = 20;
const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// Steps before and after the current one whose codes are accepted, since clocks differ.
const SKEW_STEPS: u16 = 1;
/// Number of recovery codes.
pub const RECOVERY_CODES: usize = 8;
/// 120 random bits can't be guessed, so a fast hash is enough (OWASP ASVS 5.0, 6.5.2).
const RECOVERY_BYTES: usize = 15;
const RECOVERY_CHARS: usize = 24;

/// A new secret.
pub fn generate() -> [u8; SECRET_BYTES] {
    let mut secret = [0; SECRET_BYTES];
    rand::rng().fill_bytes(&mut secret);
    secret
}

/// The secret as people type it.
pub fn base32(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// The URI in the QR code ("Key Uri Format" of google-authenticator's wiki).
pub fn uri(secret: &[u8], issuer: &str, email: &str) -> String {
    let encoded = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let issuer = encoded(issuer);
    format!("otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}", encoded(email), base32(secret))
}

/// The URI as a QR code, as an SVG path.
pub fn qr(uri: &str) -> anyhow::Result<QrSquares> {
    let code = QrCode::with_error_correction_level(uri, EcLevel::M)?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                path += &format!("M{x} {y}h{0}v1h-{0}z", run.len());
            }
            x += run.len();
        }
    }
    Ok(QrSquares { width: u32::try_from(width)?, path })
}

/// None for a secret that is shorter than RFC 4226 (section 4) allows.
fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new().with_digits(DIGITS).with_step_duration(STEP_SECONDS).with_skew(SKEW_STEPS).with_secret(secret).build().ok()
}

/// The code of an instant, as the owner's app shows it.
pub fn code_at(secret: &[u8], now: OffsetDateTime) -> Option<String> {
    Some(totp(secret)?.generate(u64::try_from(now.unix_timestamp()).ok()?).to_string())
}

/// The step that a code belongs to: the current one, the one before or the one after. None for any
/// other code, and for a step that is not newer than the last one used (RFC 6238 section 5.2).
pub fn accepted(secret: &[u8], given: &str, now: OffsetDateTime, last_used: i64) -> Option<i64> {
    // Apps show the code in groups, and people type it so.
    let given: String = given.chars().filter(|c| !c.is_whitespace()).take(usize::from(DIGITS) + 1).collect();
    let step = totp(secret)?.check(&given, u64::try_from(now.unix_timestamp()).ok()?)?;
    i64::try_from(step).ok().filter(|step| *step > last_used)
}

/// New recovery codes.
pub fn recovery_codes() -> Vec<String> {
    let one = |_| {
        let mut bytes = [0; RECOVERY_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        let text = BASE32_NOPAD.encode(&bytes).to_lowercase();
        text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
    };
    (0..RECOVERY_CODES).map(one).collect()
}

/// The SHA-256 of a recovery code in any spelling; None for invalid text.
pub fn recovery_hash(given: &str) -> Option<[u8; 32]> {
    let bare = given.chars().filter(|c| !c.is_whitespace() && *c != '-').take(RECOVERY_CHARS + 1).collect::<String>().to_ascii_uppercase();
    let bytes = BASE32_NOPAD.decode(bare.as_bytes()).ok()?;
    (bytes.len() == RECOVERY_BYTES).then(|| Sha256::digest(&bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RFC_SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(RFC_SECRET, at(seconds)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn the_uri_follows_the_key_uri_format() {
        assert_eq!(
            uri(RFC_SECRET, "Apex Billing", "ops+1@people.example"),
            "otpauth://totp/Apex%20Billing:ops%2B1%40people%2Eexample?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Apex%20Billing"
        );
        let squares = qr(&uri(RFC_SECRET, "Apex Billing", "ops@people.example")).unwrap();
        // The finder pattern in the corner.
        assert!(squares.width >= 21 && squares.path.starts_with("M0 0h7v1h-7z"), "{squares:?}");
    }

    #[test]
    fn recovery_codes_differ_and_may_be_typed_in_any_case() {
        let codes = recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), RECOVERY_CODES);
        for code in codes {
            assert_eq!(code.len(), RECOVERY_CHARS + 5);
            assert!(recovery_hash(&code).is_some());
            assert_eq!(recovery_hash(&code), recovery_hash(&format!(" {} ", code.replace('-', "").to_uppercase())));
        }
        for bad in ["", "123456", "aaaa-bbbb-cccc", "aaaa-bbbb-cccc-dddd-eeee-fffff", "1111-1111-1111-1111-1111-1111"] {
            assert_eq!(recovery_hash(bad), None, "{bad}");
        }
    }

    fn step_at(now: OffsetDateTime) -> i64 {
        now.unix_timestamp() / 30
    }

    proptest! {
        #[test]
        fn a_code_is_good_near_its_step_and_once(
            secret in prop::array::uniform20(any::<u8>()), seconds in 0i64..4_000_000_000, late in -4i64..5,
        ) {
            let shown = code_at(&secret, at(seconds)).unwrap();
            let now = at((seconds + late * 30).max(0));
            let step = step_at(at(seconds));
            if let Some(used) = accepted(&secret, &shown, now, -1) {
                prop_assert!((used - step_at(now)).abs() <= 1);
                // Neither it nor an older one again.
                prop_assert!(accepted(&secret, &shown, now, used).is_none_or(|next| next > used));
            } else {
                prop_assert!((step - step_at(now)).abs() > 1);
            }
        }

        #[test]
        fn other_codes_are_rejected(given in "\\PC*", seconds in 0i64..4_000_000_000) {
            let now = at(seconds);
            let good: Vec<_> = (-1..=1).filter_map(|by| code_at(RFC_SECRET, at(seconds + by * 30))).collect();
            let bare: String = given.chars().filter(|c| !c.is_whitespace()).collect();
            prop_assert_eq!(accepted(RFC_SECRET, &given, now, -2).is_some(), good.contains(&bare));
        }
    }
}
