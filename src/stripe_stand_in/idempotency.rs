//! Idempotency keys: a repeated request has one effect and the same response.

use super::errors::{ApiError, Checked};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Stripe removes a key after at least a day.
const KEPT: i64 = 86_400;
const LONGEST: usize = 255;

/// A saved response: its status and its body.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    /// The id of the request that ran.
    pub request: String,
}

struct Kept {
    /// Method, path and body.
    asked: String,
    since: i64,
    /// None while it runs.
    answer: Option<Answer>,
}

#[derive(Clone, Default)]
pub struct Keys(Arc<Mutex<HashMap<String, Kept>>>);

/// The state of a key.
pub enum Turn {
    First(Running),
    Replay(Answer),
}

/// Holds a key while its request runs; dropping it frees the key.
pub struct Running {
    keys: Keys,
    key: String,
}

impl Keys {
    pub fn enter(&self, key: &str, asked: &str, now: i64) -> Checked<Turn> {
        if key.len() > LONGEST {
            let message = format!("Idempotency keys must be at most {LONGEST} characters.");
            return Err(ApiError::idempotency(400, None, &message));
        }
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keys.get(key).filter(|kept| kept.answer.is_none() || now - kept.since < KEPT);
        match known {
            None => {
                keys.insert(key.to_owned(), Kept { asked: asked.to_owned(), since: now, answer: None });
                Ok(Turn::First(Running { keys: self.clone(), key: key.to_owned() }))
            }
            Some(kept) if kept.asked != asked => {
                let message = format!(
                    "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                     Try using a key other than '{key}' if you meant to execute a different request."
                );
                Err(ApiError::idempotency(400, None, &message))
            }
            Some(Kept { answer: Some(answer), .. }) => Ok(Turn::Replay(answer.clone())),
            Some(_) => {
                let message = format!("There is currently another in-progress request using this Idempotency-Key '{key}'.");
                Err(ApiError::idempotency(409, Some("idempotency_key_in_use"), &message))
            }
        }
    }
}

impl Running {
    /// Saves the response for repeated requests. A request that was rejected before it ran may be
    /// repeated.
    pub fn done(self, answer: &Answer) {
        if matches!(answer.status, 400 | 401 | 404 | 409 | 429) {
            return;
        }
        let mut keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = keys.get_mut(&self.key) {
            kept.answer = Some(answer.clone());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut keys = self.keys.0.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.get(&self.key).is_some_and(|kept| kept.answer.is_none()) {
            keys.remove(&self.key);
        }
    }
}
