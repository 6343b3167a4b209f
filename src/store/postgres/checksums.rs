//! Checksums of migrations whose comments were reworded.
//!
//! sqlx stores the SHA-384 of each applied migration in `_sqlx_migrations` and refuses to start if
//! the file's differs. Older programs and existing databases have the checksum of the old text, so
//! that one stays in use: upgrade and rollback work as before.

/// One reworded migration.
#[derive(Clone, Copy, Debug)]
pub struct Reworded {
    pub version: i64,
    /// SHA-384 of the released file, in hexadecimal: the checksum in databases.
    pub released: &'static str,
    /// SHA-384 of the SQL without comments, trailing blanks and empty lines, in hexadecimal.
    pub sql: &'static str,
}

/// All reworded migrations, in order.
pub fn reworded() -> impl Iterator<Item = Reworded> {
    include_str!("checksums.txt").lines().filter_map(|line| {
        let mut columns = line.split(' ');
        let version = columns.next()?.parse().ok()?;
        Some(Reworded { version, released: columns.next()?, sql: columns.next()? })
    })
}

/// The checksum of a reworded migration as released.
pub(super) fn released(version: i64) -> Option<Vec<u8>> {
    hex::decode(reworded().find(|migration| migration.version == version)?.released).ok()
}
