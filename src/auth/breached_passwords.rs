//! Passwords known from breaches, in the file of Have I Been Pwned's downloader: one line
//! `SHA1:COUNT` each, ordered by hash.
//!
//! The file is local, so that no part of a password leaves the machine. It has some forty gigabytes
//! and is never read whole: a look-up is a binary search of some forty short reads. Each look-up
//! opens it, so a replaced file takes effect at once.

use super::error::{CredentialError, Result};
use crate::domain::field_error::Fault;
use sha1::{Digest, Sha1};
use std::{
    cmp::Ordering,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// The SHA-1 of a password.
type Hash = [u8; 20];

const HASH_CHARS: usize = 40;
/// Maximum length of a line: hash, colon, a count of up to twenty digits, and line end.
const MAX_LINE_BYTES: usize = 64;
/// Number of lines checked at start; enough to detect a file ordered by count.
const CHECKED_LINES: u64 = 64;

/// Rejects a breached password.
///
/// # Errors
/// `invalid_parameter`; `unavailable` if the file can't be read.
pub async fn refuse(file: &Path, password: &str) -> Result<()> {
    let (file, hash): (PathBuf, Hash) = (file.to_owned(), Sha1::digest(password.as_bytes()).into());
    let looked_up = tokio::task::spawn_blocking(move || holds(open(&file)?, &hash)).await;
    match looked_up.map_err(|error| CredentialError::Internal(error.into()))? {
        Ok(false) => Ok(()),
        Ok(true) => {
            Err(CredentialError::Refused { detail: "is known from a breach; choose another".into(), fault: Fault::BreachedPassword })
        }
        Err(error) => Err(CredentialError::Unavailable(error)),
    }
}

/// Checks the first line and samples of the file.
///
/// # Errors
/// The file can't be read, a line has another format, or lines are out of order.
pub fn check(file: &Path) -> io::Result<()> {
    are_in_order(open(file)?)
}

fn open(file: &Path) -> io::Result<File> {
    // Opening a pipe would block until a writer opens it.
    if !fs::metadata(file)?.is_file() {
        return Err(malformed("it is not a file"));
    }
    File::open(file)
}

fn are_in_order(file: impl Read + Seek) -> io::Result<()> {
    let mut lines = Lines::of(file)?;
    let mut last = lines.first_from(0)?.ok_or_else(|| malformed("it is empty"))?;
    for part in 1..CHECKED_LINES {
        let Some(line) = lines.first_from(lines.bytes / CHECKED_LINES * part)? else { break };
        if line.start > last.start && line.hash <= last.hash {
            return Err(malformed("it is not ordered by hash"));
        }
        last = line;
    }
    Ok(())
}

fn holds(file: impl Read + Seek, wanted: &Hash) -> io::Result<bool> {
    let mut lines = Lines::of(file)?;
    // Where the line may begin.
    let (mut from, mut to) = (0, lines.bytes);
    while from < to {
        let middle = from + (to - from) / 2;
        match lines.first_from(middle)?.filter(|line| line.start < to) {
            None => to = middle,
            Some(line) => match line.hash.cmp(wanted) {
                Ordering::Equal => return Ok(true),
                Ordering::Less => from = line.end,
                Ordering::Greater => to = middle,
            },
        }
    }
    Ok(false)
}

/// Finds the lines of a file by offset.
struct Lines<F> {
    file: F,
    bytes: u64,
}

/// A line from `start` to before `end`, including its line end.
struct Line {
    hash: Hash,
    start: u64,
    end: u64,
}

impl<F: Read + Seek> Lines<F> {
    fn of(mut file: F) -> io::Result<Lines<F>> {
        let bytes = file.seek(SeekFrom::End(0))?;
        Ok(Lines { file, bytes })
    }

    /// The first line that begins at this offset or later.
    fn first_from(&mut self, at: u64) -> io::Result<Option<Line>> {
        // A line begins here if the previous byte ends one.
        let read_from = at.saturating_sub(1);
        self.file.seek(SeekFrom::Start(read_from))?;
        let mut read = Vec::with_capacity(2 * MAX_LINE_BYTES);
        Read::by_ref(&mut self.file).take(2 * MAX_LINE_BYTES as u64).read_to_end(&mut read)?;
        let is_end_of_file = read_from + read.len() as u64 >= self.bytes;
        let mut rest = read.as_slice();
        if at > 0 {
            match end_of_line(rest) {
                Some(end) => rest = rest.get(end..).unwrap_or_default(),
                None if is_end_of_file => return Ok(None),
                None => return Err(no_such_line()),
            }
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let start = read_from + (read.len() - rest.len()) as u64;
        let length = match end_of_line(rest) {
            Some(end) => end,
            None if is_end_of_file => rest.len(),
            None => return Err(no_such_line()),
        };
        let hash = rest.get(..length).and_then(hash_of).ok_or_else(no_such_line)?;
        Ok(Some(Line { hash, start, end: start + length as u64 }))
    }
}

/// The bytes up to the first end of a line.
fn end_of_line(text: &[u8]) -> Option<usize> {
    text.iter().take(MAX_LINE_BYTES).position(|byte| *byte == b'\n').map(|at| at + 1)
}

/// The hash of `SHA1:COUNT`.
fn hash_of(line: &[u8]) -> Option<Hash> {
    let (hash, rest) = line.split_at_checked(HASH_CHARS)?;
    let count = rest.strip_prefix(b":")?.trim_ascii_end();
    let mut bytes = Hash::default();
    hex::decode_to_slice(hash, &mut bytes).ok()?;
    (!count.is_empty() && count.iter().all(u8::is_ascii_digit)).then_some(bytes)
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The message omits the line's position, which would reveal the beginning of the password's hash.
fn no_such_line() -> io::Error {
    malformed("a line of it is not SHA1:COUNT")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        collections::{BTreeSet, HashSet},
        io::Cursor,
    };

    fn file_of<'a>(hashes: impl IntoIterator<Item = &'a Hash>, line_end: &str, is_ended: bool) -> Cursor<Vec<u8>> {
        let lines: Vec<String> = hashes
            .into_iter()
            .enumerate()
            .map(|(index, hash)| format!("{}:{}", hex::encode_upper(hash), 1 + index * index * 7919))
            .collect();
        let end = if is_ended && !lines.is_empty() { line_end } else { "" };
        Cursor::new((lines.join(line_end) + end).into_bytes())
    }

    /// The next hash in order, and the previous one.
    fn neighbours(hash: &Hash) -> [Hash; 2] {
        let (mut next, mut before) = (*hash, *hash);
        next.iter_mut().rev().any(|byte| {
            *byte = byte.wrapping_add(1);
            *byte != 0
        });
        before.iter_mut().rev().any(|byte| {
            *byte = byte.wrapping_sub(1);
            *byte != u8::MAX
        });
        [next, before]
    }

    proptest! {
        #[test]
        fn look_ups_agree_with_a_set(
            sorted in prop::collection::btree_set(prop::array::uniform20(any::<u8>()), 0..120),
            others in prop::collection::vec(prop::array::uniform20(any::<u8>()), 0..20),
            line_end in prop_oneof![Just("\n"), Just("\r\n")],
            is_ended in any::<bool>(),
        ) {
            let set: HashSet<Hash> = sorted.iter().copied().collect();
            let mut file = file_of(&sorted, line_end, is_ended);
            prop_assert_eq!(are_in_order(&mut file).is_ok(), !sorted.is_empty());
            let around = sorted.iter().flat_map(neighbours);
            for hash in sorted.iter().copied().chain(around).chain(others).chain([[0; 20], [u8::MAX; 20]]) {
                prop_assert_eq!(holds(&mut file, &hash).unwrap(), set.contains(&hash), "{}", hex::encode(hash));
            }
        }

        #[test]
        fn look_ups_end_on_arbitrary_files(text in prop::collection::vec(any::<u8>(), 0..600), hash in prop::array::uniform20(any::<u8>())) {
            if let Ok(found) = holds(Cursor::new(&text), &hash) {
                let hex = hex::encode_upper(hash).into_bytes();
                prop_assert_eq!(found, text.windows(hex.len()).any(|part| part.eq_ignore_ascii_case(&hex)));
            }
        }
    }

    #[test]
    fn look_ups_in_a_huge_file_read_little() {
        /// A file of ordered lines whose hashes begin with the line number; generated while it is
        /// read.
        struct Made {
            lines: u64,
            at: u64,
            read: u64,
        }

        fn hash(line: u64) -> Hash {
            let mut hash = Hash::default();
            hash[..8].copy_from_slice(&line.to_be_bytes());
            hash
        }

        const LINE_BYTES: u64 = HASH_CHARS as u64 + 4;

        impl Read for Made {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let left = usize::try_from(self.lines * LINE_BYTES - self.at).unwrap_or(usize::MAX);
                let count = buffer.len().min(left);
                for byte in &mut buffer[..count] {
                    let line = format!("{}:1\r\n", hex::encode_upper(hash(self.at / LINE_BYTES)));
                    *byte = line.as_bytes()[usize::try_from(self.at % LINE_BYTES).unwrap()];
                    self.at += 1;
                }
                self.read += count as u64;
                Ok(count)
            }
        }

        impl Seek for Made {
            fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                self.at = match to {
                    SeekFrom::Start(at) => at,
                    SeekFrom::End(by) => (self.lines * LINE_BYTES).saturating_add_signed(by),
                    SeekFrom::Current(by) => self.at.saturating_add_signed(by),
                };
                Ok(self.at)
            }
        }

        let mut file = Made { lines: 1_000_000_000, at: 0, read: 0 };
        for (line, is_there) in [(0, true), (999_999_999, true), (123_456_789, true), (1_000_000_000, false)] {
            file.read = 0;
            assert_eq!(holds(&mut file, &hash(line)).unwrap(), is_there);
            assert!(file.read < 8_000, "{} bytes", file.read);
        }
    }

    #[test]
    fn files_in_another_format_are_detected() {
        let sorted: BTreeSet<Hash> = (0..=u8::MAX).map(|first| [first; 20]).collect();
        assert!(are_in_order(file_of(&sorted, "\r\n", true)).is_ok());
        assert!(are_in_order(file_of(sorted.iter().rev(), "\n", true)).unwrap_err().to_string().contains("ordered by hash"));
        let good = "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3:86495";
        assert!(are_in_order(Cursor::new(good)).is_ok());
        for bad in [
            "",
            "\n",
            "password",
            "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3",
            "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3:",
            "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3:many",
            "A94A8FE5CCB19BA61C4C0873D391E987982FBBD3 86495",
            // NTLM hashes are shorter.
            "8846F7EAEE8FB117AD06BDD830B7586C:86495",
            &"0".repeat(1_000_000),
        ] {
            assert!(are_in_order(Cursor::new(bad)).is_err(), "{bad}");
        }
    }
}
