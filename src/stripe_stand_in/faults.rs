//! Faults on demand.

use serde::Deserialize;
use tokio::sync::watch;

/// The kind of fault.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trouble {
    /// An error with this status.
    Status {
        status: u16,
        /// Seconds.
        retry_after: Option<u64>,
    },
    /// No response until the client disconnects.
    Hang,
    /// The response is held until all held ones are released.
    Hold,
    /// The connection closes in the middle of the body.
    HalfABody,
    /// A complete response with truncated JSON.
    MalformedJson,
    /// An empty list, whatever is stored.
    EmptyList {
        /// Whether it still has `has_more`.
        has_more: bool,
    },
    /// A list's page in reverse order: a client that continues after its last object gets the
    /// others again.
    OldestFirst,
}

/// A fault with its conditions and count.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    #[serde(flatten)]
    pub trouble: Trouble,
    #[serde(default = "once")]
    pub times: u32,
    /// Number of matching requests that pass first.
    #[serde(default)]
    pub skip: u32,
    pub method: Option<String>,
    /// A path, or a prefix with a trailing `*`.
    pub path: Option<String>,
    /// Whether the operation runs, and only its response is lost.
    #[serde(default)]
    pub after_the_work: bool,
}

const fn once() -> u32 {
    1
}

impl Fault {
    fn of(trouble: Trouble) -> Fault {
        Fault { trouble, times: 1, skip: 0, method: None, path: None, after_the_work: false }
    }

    /// An error with this status, once, for any request.
    pub fn status(status: u16) -> Fault {
        Fault::of(Trouble::Status { status, retry_after: None })
    }

    pub fn hang() -> Fault {
        Fault::of(Trouble::Hang)
    }

    /// The response is held until it is released.
    pub fn hold() -> Fault {
        Fault::of(Trouble::Hold)
    }

    pub fn half_a_body() -> Fault {
        Fault::of(Trouble::HalfABody)
    }

    pub fn malformed_json() -> Fault {
        Fault::of(Trouble::MalformedJson)
    }

    pub fn empty_list(has_more: bool) -> Fault {
        Fault::of(Trouble::EmptyList { has_more })
    }

    /// Reverses a list's page.
    pub fn oldest_first() -> Fault {
        Fault::of(Trouble::OldestFirst)
    }

    /// In seconds; for an error.
    pub fn retry_after(mut self, seconds: u64) -> Fault {
        if let Trouble::Status { retry_after, .. } = &mut self.trouble {
            *retry_after = Some(seconds);
        }
        self
    }

    pub fn times(self, times: u32) -> Fault {
        Fault { times, ..self }
    }

    /// Lets this many requests pass first.
    pub fn after(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// Only for this method and path; a path may end with `*`.
    pub fn on(self, method: &str, path: &str) -> Fault {
        Fault { method: Some(method.to_owned()), path: Some(path.to_owned()), ..self }
    }

    /// The operation runs, and only the response is lost.
    pub fn after_the_work(self) -> Fault {
        Fault { after_the_work: true, ..self }
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let on_path = self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == wanted,
        });
        on_path && self.method.as_deref().is_none_or(|wanted| wanted == method)
    }
}

/// The fault that applies to this request, if any; uses it up.
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

/// Held responses.
#[derive(Default)]
pub struct Held(pub watch::Sender<Gate>);

/// Number of responses held since the last release.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    pub waiting: usize,
    opened: u64,
}

impl Held {
    pub async fn wait(&self) {
        let mut gate = self.0.subscribe();
        let mut opened = 0;
        self.0.send_modify(|gate| {
            gate.waiting += 1;
            opened = gate.opened;
        });
        let _place = Place { gate: &self.0, opened };
        // It only fails without a sender, which this struct holds.
        gate.wait_for(|gate| gate.opened > opened).await.ok();
    }

    /// Releases all of them, and returns how many.
    pub fn release(&self) -> usize {
        let mut waited = 0;
        self.0.send_modify(|gate| {
            waited = std::mem::take(&mut gate.waiting);
            gate.opened += 1;
        });
        waited
    }
}

/// Registers a held response; its client may disconnect.
struct Place<'a> {
    gate: &'a watch::Sender<Gate>,
    opened: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.send_if_modified(|gate| {
            let gave_up = gate.opened == self.opened;
            gate.waiting -= usize::from(gave_up);
            gave_up
        });
    }
}
