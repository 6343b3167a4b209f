//! The account that runs PostgreSQL: our own, unless we are root, which PostgreSQL refuses.

use super::{At, ClusterError};
use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    Ourselves,
    /// Root in a user namespace: files stay root's, PostgreSQL sees the user `nobody`.
    #[cfg(target_os = "linux")]
    UserNamespace,
    Other {
        uid: u32,
        gid: u32,
    },
}

impl Account {
    /// The owner of an existing cluster remains its owner. Changes the owner of `dir` if necessary.
    pub fn choose(dir: &Path, programs: &Path) -> Result<Account, ClusterError> {
        if effective_user() != 0 {
            return Ok(Account::Ourselves);
        }
        let owner = fs::metadata(dir.join("data")).ok().map(|data| (data.uid(), data.gid()));
        #[cfg(target_os = "linux")]
        if owner.is_none_or(|(uid, _)| uid == 0) && namespace_allowed() {
            return Ok(Account::UserNamespace);
        }
        let (uid, gid) = match owner {
            Some((0, _)) => return Err(ClusterError::NotOurs(dir.join("data"))),
            Some(owner) => owner,
            None => [c"postgres", c"nobody"].into_iter().find_map(ids_of).ok_or(ClusterError::NoAccount)?,
        };
        for folder in dir.ancestors().skip(1).chain(programs.ancestors()) {
            let found = fs::metadata(folder).at(folder)?;
            if found.mode() & 0o001 == 0 && found.uid() != uid {
                return Err(ClusterError::ClosedFolder(folder.to_owned()));
            }
        }
        let account = Account::Other { uid, gid };
        for path in [dir.to_owned(), dir.join("log"), super::socket_dir(dir, &dir.join("data"))?] {
            if path.exists() {
                account.own(&path)?;
            }
        }
        Ok(account)
    }

    /// Makes the account the owner of files that we have written for it.
    pub fn own(self, path: &Path) -> Result<(), ClusterError> {
        match self {
            Account::Other { uid, gid } => chown(path, Some(uid), Some(gid)).at(path),
            _ => Ok(()),
        }
    }

    pub fn apply(self, command: &mut Command) {
        match self {
            Account::Ourselves => {}
            #[cfg(target_os = "linux")]
            // SAFETY: `enter_namespace` only makes system calls, allocates nothing and takes no
            // lock, as required between fork and exec.
            Account::UserNamespace => unsafe {
                command.pre_exec(enter_namespace);
            },
            Account::Other { uid, gid } => {
                command.uid(uid).gid(gid);
            }
        }
    }
}

pub(super) fn effective_user() -> u32 {
    // SAFETY: reads a process attribute; can't fail.
    unsafe { libc::geteuid() }
}

fn ids_of(name: &CStr) -> Option<(u32, u32)> {
    // SAFETY: `name` ends with a zero byte. The result points into a buffer of libc that is valid
    // until the next such call; it is copied at once, and no other code here makes such calls.
    unsafe {
        let entry = libc::getpwnam(name.as_ptr());
        (!entry.is_null()).then(|| ((*entry).pw_uid, (*entry).pw_gid))
    }
}

/// Many containers refuse it.
#[cfg(target_os = "linux")]
fn namespace_allowed() -> bool {
    let mut command = Command::new("true");
    command.process_group(0);
    Account::UserNamespace.apply(&mut command);
    command.status().is_ok_and(|status| status.success())
}

/// Enters a user namespace as the user 65534, without other users.
#[cfg(target_os = "linux")]
fn enter_namespace() -> std::io::Result<()> {
    use std::io::Error;

    fn put(path: &CStr, text: &[u8]) -> std::io::Result<()> {
        // SAFETY: the path ends with a zero byte, the length is the text's, and the descriptor is
        // ours and closed once.
        unsafe {
            let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
            if file < 0 {
                return Err(Error::last_os_error());
            }
            let written = libc::write(file, text.as_ptr().cast(), text.len());
            let error = Error::last_os_error();
            libc::close(file);
            if usize::try_from(written) == Ok(text.len()) { Ok(()) } else { Err(error) }
        }
    }

    // SAFETY: a system call without pointers.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        return Err(Error::last_os_error());
    }
    put(c"/proc/self/setgroups", b"deny")?;
    put(c"/proc/self/uid_map", b"65534 0 1")?;
    put(c"/proc/self/gid_map", b"65534 0 1")
}
