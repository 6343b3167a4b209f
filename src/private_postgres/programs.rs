//! Finds PostgreSQL's programs. `scripts/lib.sh` searches the same folders.

use super::ClusterError;
use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The oldest major version that supports the migrations' SQL.
pub(super) const MIN_MAJOR: u32 = 15;

/// Folders of installed versions: entries start with the second item, with programs in `bin`.
const USUAL_PLACES: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// A folder with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Programs {
    pub folder: PathBuf,
    pub major: u32,
}

impl Programs {
    /// `APEX_PG_BIN` only, if set; otherwise PATH, the usual folders, and the one filled by
    /// `scripts/setup.sh`. An existing cluster needs the `major` version that created it.
    pub fn find(cluster: &Path, major: Option<u32>) -> Result<Programs, ClusterError> {
        if let Some(folder) = env::var_os("APEX_PG_BIN").filter(|folder| !folder.is_empty()).map(PathBuf::from) {
            return Programs::first([folder.clone()], major).ok_or(ClusterError::WrongFolder(folder, major));
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let installed = USUAL_PLACES.iter().flat_map(|(place, prefix)| newest_first(Path::new(place), prefix));
        let fetched = env::home_dir().map(|home| newest_first(&home.join(".cache/apex-billing"), "postgres-")).unwrap_or_default();
        Programs::first(env::split_paths(&path).chain(installed).chain(fetched), major).ok_or_else(|| match major {
            Some(major) => ClusterError::OtherMajor { dir: cluster.to_owned(), major },
            None => ClusterError::NoPrograms,
        })
    }

    fn first(folders: impl IntoIterator<Item = PathBuf>, wanted: Option<u32>) -> Option<Programs> {
        folders.into_iter().filter_map(|folder| Programs::in_folder(&folder)).find(|programs| match wanted {
            Some(major) => programs.major == major,
            None => programs.major >= MIN_MAJOR,
        })
    }

    fn in_folder(folder: &Path) -> Option<Programs> {
        // PATH often has links to single programs; the others are next to the link's target.
        let folder = fs::canonicalize(folder.join("postgres")).ok()?.parent()?.to_owned();
        if !["initdb", "pg_ctl"].iter().all(|program| folder.join(program).is_file()) {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = major_in(&String::from_utf8_lossy(&output.stdout))?;
        Some(Programs { folder, major })
    }
}

/// Whether a shell finds a program by its name.
pub(super) fn is_in_path(program: &str) -> bool {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join(program).is_file())
}

/// Parses `postgres (PostgreSQL) 15.9 (Debian 15.9-0+deb12u1)`.
fn major_in(version: &str) -> Option<u32> {
    let (_, number) = version.split_once("(PostgreSQL) ")?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn newest_first(place: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut names: Vec<String> = fs::read_dir(place)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix))
        .collect();
    names.sort_by_cached_key(|name| Reverse(numbers_in(name)));
    names.into_iter().map(|name| place.join(name).join("bin")).collect()
}

fn numbers_in(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_parsed_from_the_output() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.9 (Debian 15.9-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_in("command not found"), None);
    }

    #[test]
    fn the_newest_version_of_a_folder_comes_first() {
        let place = env::temp_dir().join(format!("apex-programs-{}", std::process::id()));
        for name in ["postgresql@9", "postgresql@18", "postgresql@15", "redis"] {
            fs::create_dir_all(place.join(name)).unwrap();
        }
        let found = newest_first(&place, "postgresql");
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(found, ["postgresql@18", "postgresql@15", "postgresql@9"].map(|name| place.join(name).join("bin")));
    }

    #[test]
    fn a_folder_without_the_programs_is_skipped() {
        assert_eq!(Programs::first([PathBuf::from("/nonexistent"), env::temp_dir()], None), None);
    }
}
