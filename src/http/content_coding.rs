//! Content codings of request bodies (RFC 9110, section 8.4): gzip with all its members (RFC 1952,
//! section 2.2) and zstd with all its frames (RFC 8878, section 3.1), in sequence if a sender
//! applied several.
//!
//! A body is decoded completely or rejected: trailing bytes and truncated members or frames are
//! errors.

use crate::{domain::error_code::ErrorCode, service::Error};
use axum::http::{HeaderMap, header};
use std::io::{self, BufRead, BufReader, Read};

/// `Accept-Encoding` of a 415 (RFC 9110, section 15.5.16).
pub const ACCEPTED: &str = "gzip, zstd";

/// Maximum number of codings in sequence.
const MAX_CODINGS: usize = 3;

/// Maximum zstd window: encoders may use 8 MiB as a content coding (RFC 9659), and twice that for a
/// body of 10 MiB.
const MAX_WINDOW_LOG: u32 = 24;

const BUFFER: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Zstd,
}

/// The codings of a body in the order in which they were applied. Names are case-insensitive,
/// `x-gzip` is `gzip`, `identity` is ignored (RFC 9110, section 8.4.1).
///
/// # Errors
/// `unsupported_media_type` for other names, and for too many.
pub fn of(headers: &HeaderMap) -> Result<Vec<Coding>, Error> {
    let mut codings = Vec::new();
    for line in headers.get_all(header::CONTENT_ENCODING) {
        let names = line.to_str().map_err(|_| Error::UnsupportedContentEncoding(ACCEPTED))?;
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name.to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => codings.push(Coding::Gzip),
                "zstd" => codings.push(Coding::Zstd),
                "identity" => {}
                _ => return Err(Error::UnsupportedContentEncoding(ACCEPTED)),
            }
        }
    }
    if codings.len() > MAX_CODINGS { Err(Error::UnsupportedContentEncoding(ACCEPTED)) } else { Ok(codings) }
}

/// Decodes the body, last coding first. `grown` is called with the number of decoded bytes before
/// they are stored, and may refuse them.
///
/// # Errors
/// `body_too_large` if a stage yields more than `limit` bytes, `bad_request` if the body doesn't
/// match its codings.
pub fn decode(body: &[u8], codings: &[Coding], limit: usize, mut grown: impl FnMut(usize) -> Result<(), Error>) -> Result<Vec<u8>, Error> {
    let mut stage: Box<dyn BufRead + '_> = Box::new(body);
    for coding in codings.iter().rev() {
        let decoded: Box<dyn Read + '_> = match coding {
            Coding::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(stage)),
            Coding::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(stage).map_err(|error| Error::Internal(error.into()))?;
                decoder.window_log_max(MAX_WINDOW_LOG).map_err(|error| Error::Internal(error.into()))?;
                Box::new(decoder)
            }
        };
        stage = Box::new(BufReader::with_capacity(BUFFER, Bounded { inner: decoded, left: limit }));
    }
    let mut plain = Vec::new();
    loop {
        let part = match stage.fill_buf() {
            Ok(part) => part,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => return Err(Error::TooLarge { limit }),
            Err(_) => {
                let detail = "The body does not match its Content-Encoding, or is incomplete. Nothing was stored. Send it again.";
                return Err(Error::refused(ErrorCode::BadRequest, detail));
            }
        };
        let length = part.len();
        if length == 0 {
            return Ok(plain);
        }
        grown(plain.len() + length)?;
        plain.extend_from_slice(part);
        stage.consume(length);
    }
}

/// Fails beyond a limit. Also between two stages, because the final output may be small.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use proptest::prelude::*;
    use std::io::Write;

    const LIMIT: usize = 1 << 20;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    /// RFC 8878 section 3.1.2.
    fn skippable(bytes: &[u8]) -> Vec<u8> {
        [&0x184D_2A53_u32.to_le_bytes()[..], &(bytes.len() as u32).to_le_bytes(), bytes].concat()
    }

    fn encode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => gzip(bytes),
            Coding::Zstd => zstd(bytes),
        }
    }

    fn plain(body: &[u8], codings: &[Coding]) -> Result<Vec<u8>, ErrorCode> {
        decode(body, codings, LIMIT, |_| Ok(())).map_err(|error| error.code())
    }

    fn named(lines: &[&'static str]) -> Result<Vec<Coding>, ErrorCode> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        of(&headers).map_err(|error| error.code())
    }

    #[test]
    fn names_parse_as_in_rfc_9110() {
        use Coding::{Gzip, Zstd};
        for (lines, expected) in [
            (&[][..], &[][..]),
            (&["GZIP"], &[Gzip]),
            (&["x-gzip"], &[Gzip]),
            (&["X-GZip"], &[Gzip]),
            (&["Zstd"], &[Zstd]),
            (&["identity"], &[]),
            (&["Identity, gzip"], &[Gzip]),
            (&["gzip,zstd"], &[Gzip, Zstd]),
            (&["gzip", " zstd , "], &[Gzip, Zstd]),
            (&[""], &[]),
        ] {
            assert_eq!(named(lines).unwrap(), expected, "{lines:?}");
        }
        for lines in [&["br"][..], &["deflate"], &["gzip, br"], &["gzip;q=1"], &["gzip", "gzip", "gzip", "gzip"]] {
            assert_eq!(named(lines), Err(ErrorCode::UnsupportedMediaType), "{lines:?}");
        }
    }

    #[test]
    fn several_members_and_frames_are_one_body() {
        let members = [gzip(b"a"), gzip(b""), gzip(b"bc")].concat();
        assert_eq!(plain(&members, &[Coding::Gzip]).unwrap(), b"abc");
        let frames = [skippable(b"note"), zstd(b"a"), skippable(b""), zstd(b""), zstd(b"bc"), skippable(b"end")].concat();
        assert_eq!(plain(&frames, &[Coding::Zstd]).unwrap(), b"abc");
    }

    #[test]
    fn a_part_of_a_body_is_an_error() {
        let (one, two) = (gzip(b"first"), gzip(b"second"));
        for body in [
            [&one[..], b"garbage"].concat(),
            [&one[..], &[0; 512]].concat(),
            [&one[..], &two[..two.len() - 1]].concat(),
            [&one[..], &two[..5]].concat(),
            one[..one.len() - 4].to_vec(),
            Vec::new(),
            b"plain".to_vec(),
        ] {
            assert_eq!(plain(&body, &[Coding::Gzip]), Err(ErrorCode::BadRequest), "{body:?}");
        }
        let (one, two) = (zstd(b"first"), zstd(b"second"));
        for body in [
            [&one[..], b"garbage"].concat(),
            [&one[..], &[0; 512]].concat(),
            [&one[..], &two[..two.len() - 1]].concat(),
            [&one[..], &two[..2]].concat(),
            [&one[..], &skippable(b"cut")[..9]].concat(),
            b"plain".to_vec(),
        ] {
            assert_eq!(plain(&body, &[Coding::Zstd]), Err(ErrorCode::BadRequest), "{body:?}");
        }
        // One byte of the checksum is wrong.
        let mut wrong = gzip(b"first");
        let at = wrong.len() - 5;
        wrong[at] ^= 1;
        assert_eq!(plain(&wrong, &[Coding::Gzip]), Err(ErrorCode::BadRequest));
    }

    #[test]
    fn what_is_decoded_is_bounded_at_every_stage() {
        let zeros = vec![0; LIMIT + 1];
        for codings in [&[Coding::Gzip][..], &[Coding::Zstd], &[Coding::Gzip, Coding::Zstd], &[Coding::Zstd, Coding::Gzip]] {
            let body = codings.iter().fold(zeros.clone(), |body, coding| encode(*coding, &body));
            assert_eq!(plain(&body, codings), Err(ErrorCode::BodyTooLarge), "{codings:?}");
            let body = codings.iter().fold(zeros[..LIMIT].to_vec(), |body, coding| encode(*coding, &body));
            assert_eq!(plain(&body, codings).unwrap().len(), LIMIT);
        }
        // Empty members, far more than the limit has bytes.
        let nothing = gzip(b"").repeat(LIMIT / 10);
        assert_eq!(plain(&zstd(&nothing), &[Coding::Gzip, Coding::Zstd]), Err(ErrorCode::BodyTooLarge));
        let refused =
            decode(&gzip(&zeros[..LIMIT]), &[Coding::Gzip], LIMIT, |length| if length > 1000 { Err(Error::Overloaded) } else { Ok(()) });
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Overloaded);
    }

    proptest! {
        #[test]
        fn any_split_into_members_or_frames_is_the_same_body(
            body in prop::collection::vec(any::<u8>(), 0..2000),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            coding in prop::sample::select(vec![Coding::Gzip, Coding::Zstd]),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).chain([0, body.len()]).collect();
            at.sort_unstable();
            let coded: Vec<u8> = at.windows(2).flat_map(|pair| encode(coding, &body[pair[0]..pair[1]])).collect();
            prop_assert_eq!(plain(&coded, &[coding]), Ok(body));
        }

        #[test]
        fn a_cut_body_never_decodes_to_a_part(
            body in prop::collection::vec(any::<u8>(), 1..500),
            cut in any::<prop::sample::Index>(),
            coding in prop::sample::select(vec![Coding::Gzip, Coding::Zstd]),
        ) {
            let coded = encode(coding, &body);
            let cut = 1 + cut.index(coded.len() - 1);
            prop_assert_eq!(plain(&coded[..cut], &[coding]), Err(ErrorCode::BadRequest));
        }
    }
}
