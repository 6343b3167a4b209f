//! Trouble on demand.

use serde::Deserialize;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// An error of this status.
    Status {
        status: u16,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// No answer at all, until the caller gives up.
    Hang,
    /// The connection closes in the middle of the body.
    HalfABody,
    /// A whole answer, but of half a document.
    MalformedJson,
    /// A list without anything in it, whatever there is.
    EmptyList {
        /// It claims that there is more all the same.
        has_more: bool,
    },
}

/// Some trouble, where it strikes and how often.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub trouble: Trouble,
    #[serde(default = "once")]
    pub times: u32,
    /// So many requests that fit are let through first.
    #[serde(default)]
    pub skip: u32,
    pub method: Option<String>,
    /// With `*` at its end, every path that begins so.
    pub path: Option<String>,
    /// Whether the work is done, and only its answer lost.
    #[serde(default)]
    pub after_the_work: bool,
}

const fn once() -> u32 {
    1
}

impl Fault {
    fn fits(&self, method: &str, path: &str) -> bool {
        let on_path = self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == wanted,
        });
        on_path && self.method.as_deref().is_none_or(|wanted| wanted == method)
    }
}

/// The fault that strikes this request, if any; it is used up by it.
pub fn strike(faults: &mut Vec<Fault>, method: &str, path: &str) -> Option<Fault> {
    let at = faults.iter_mut().position(|fault| {
        if !fault.fits(method, path) {
            return false;
        }
        let strikes = fault.skip == 0;
        fault.skip = fault.skip.saturating_sub(1);
        strikes
    })?;
    faults[at].times = faults[at].times.saturating_sub(1);
    if faults[at].times == 0 { Some(faults.remove(at)) } else { Some(faults[at].clone()) }
}
