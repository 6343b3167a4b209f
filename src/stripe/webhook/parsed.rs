//! A delivered event with its effect on the mirror.

use super::{
    event::{Account, Document, Event},
    read::{Reading, read},
};
use crate::domain::mirror::snapshot::Change;

/// An event, and its effect on the mirror.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedEvent {
    pub event: Event,
    /// As delivered, byte for byte.
    pub body: String,
    pub meaning: Meaning,
}

/// The mirrored mode and account: events of others are stored and ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The mode; None: both.
    pub livemode: Option<bool>,
    /// A connected account whose events are mirrored. Events without an account always are.
    pub account: Option<&'a str>,
}

impl From<Option<bool>> for Scope<'_> {
    fn from(livemode: Option<bool>) -> Self {
        Scope { livemode, account: None }
    }
}

impl Scope<'_> {
    /// Why an event is outside this scope; None if it is inside.
    pub fn foreign(&self, event: &Event) -> Option<String> {
        match (self.livemode, event.livemode) {
            (Some(true), Some(false)) => return Some("a test mode event, but live mode is mirrored".into()),
            (Some(false), Some(true)) => return Some("a live mode event, but test mode is mirrored".into()),
            _ => {}
        }
        match &event.account {
            Account::Own => None,
            Account::Other(id) if self.account == Some(id.as_str()) => None,
            Account::Other(id) => Some(format!("an event of the account {id}, which is not mirrored (STRIPE_ACCOUNT)")),
            Account::Unreadable => Some("an event of another account, whose id can't be parsed".into()),
        }
    }
}

/// An event's effect on the mirror.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The event's object, then the objects inside it; never empty.
    Changes(Vec<Change>),
    /// No effect, for this reason.
    Nothing(String),
    /// It can't be parsed, for this reason.
    Unreadable(String),
}

impl ParsedEvent {
    /// Parses an authentic body.
    pub fn parse<'a>(body: &str, scope: impl Into<Scope<'a>>) -> ParsedEvent {
        let document = Document::read(body);
        let event = &document.event;
        let meaning = match (event.check(), scope.into().foreign(event)) {
            (Err(error), _) => Meaning::Unreadable(error.0),
            (_, Some(reason)) => Meaning::Nothing(reason),
            _ => match read(&document) {
                Ok(Reading::Changes { subject, along }) => Meaning::Changes(std::iter::once(*subject).chain(along).collect()),
                Ok(Reading::Ignored(reason)) => Meaning::Nothing(reason.to_owned()),
                Err(error) => Meaning::Unreadable(error.0),
            },
        };
        ParsedEvent { event: document.event, body: body.to_owned(), meaning }
    }

    /// The snapshots: the event's object, then the objects inside it.
    pub fn changes(&self) -> &[Change] {
        match &self.meaning {
            Meaning::Changes(changes) => changes,
            Meaning::Nothing(_) | Meaning::Unreadable(_) => &[],
        }
    }

    fn subject(&self) -> Option<&Change> {
        self.changes().first()
    }

    /// Stripe's id of the event's object.
    pub fn subject_id(&self) -> Option<&str> {
        self.subject().map(|change| change.snapshot.id())
    }

    /// Stripe's id of the event's customer.
    pub fn stripe_customer(&self) -> Option<&str> {
        self.subject().and_then(|change| change.snapshot.customer())
    }

    /// It has no customer: the customer is that of its parent, if the parent is mirrored.
    pub fn is_orphan(&self) -> bool {
        self.subject().is_some_and(|change| change.snapshot.customer().is_none())
    }
}
