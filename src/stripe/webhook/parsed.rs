//! An event as it was delivered, with what it means to the mirror.

use super::{
    event::{Account, Document, Event},
    read::{Reading, read},
};
use crate::domain::mirror::snapshot::Change;

/// An event, and what it means to the mirror.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedEvent {
    pub event: Event,
    /// As it was delivered, byte for byte.
    pub body: String,
    pub meaning: Meaning,
}

/// The mode and the account that are mirrored: events of others are stored and ignored.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope<'a> {
    /// The mode; None means both.
    pub livemode: Option<bool>,
    /// A connected account whose events are mirrored. Events that name no account always are.
    pub account: Option<&'a str>,
}

impl From<Option<bool>> for Scope<'_> {
    fn from(livemode: Option<bool>) -> Self {
        Scope { livemode, account: None }
    }
}

impl Scope<'_> {
    /// Why an event is outside of this scope; None if it is inside.
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
            Account::Unreadable => Some("an event of another account, whose id can't be read".into()),
        }
    }
}

/// What an event means to the mirror.
#[derive(Clone, Debug, PartialEq)]
pub enum Meaning {
    /// The object that the event is about, then the objects inside it; never empty.
    Changes(Vec<Change>),
    /// Nothing, for this reason.
    Nothing(String),
    /// It can't be read, for this reason.
    Unreadable(String),
}

impl ParsedEvent {
    /// Parses a body that comes from Stripe.
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

    /// What it changes: the object that it is about, then the objects inside it.
    pub fn changes(&self) -> &[Change] {
        match &self.meaning {
            Meaning::Changes(changes) => changes,
            Meaning::Nothing(_) | Meaning::Unreadable(_) => &[],
        }
    }

    fn subject(&self) -> Option<&Change> {
        self.changes().first()
    }

    /// Stripe's id of the object that the event is about.
    pub fn subject_id(&self) -> Option<&str> {
        self.subject().map(|change| change.snapshot.id())
    }

    /// Stripe's id of the customer that the event is about.
    pub fn stripe_customer(&self) -> Option<&str> {
        self.subject().and_then(|change| change.snapshot.customer())
    }

    /// It names no customer: the customer is that of its parent, if the mirror has the parent.
    pub fn is_orphan(&self) -> bool {
        self.subject().is_some_and(|change| change.snapshot.customer().is_none())
    }
}
