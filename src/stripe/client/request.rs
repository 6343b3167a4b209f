//! Requests to Stripe's API: a path and its parameters, in the order of Stripe's reference.
//!
//! `async-stripe` has a type for each request, in crates of 160,000 lines. The server needs a dozen
//! of them and doesn't parse responses with the library, so it only compiles the library's core; a
//! test compares these requests with the library's.

use super::page::LIMIT;
use serde::Serialize;
use stripe::StripeRequest;
use stripe_client_core::{RequestBuilder, StripeMethod};

/// A request with parameters `P`: a GET query, or a POST form.
#[derive(Debug)]
pub struct Request<P> {
    method: StripeMethod,
    path: String,
    parameters: P,
}

impl<P: Serialize> Request<P> {
    pub fn get(path: impl Into<String>, parameters: P) -> Request<P> {
        Request { method: StripeMethod::Get, path: path.into(), parameters }
    }

    pub fn post(path: impl Into<String>, parameters: P) -> Request<P> {
        Request { method: StripeMethod::Post, path: path.into(), parameters }
    }
}

impl<P: Serialize> StripeRequest for Request<P> {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        let request = RequestBuilder::new(self.method, self.path.as_str());
        if matches!(self.method, StripeMethod::Post) { request.form(&self.parameters) } else { request.query(&self.parameters) }
    }
}

#[derive(Debug, Serialize)]
pub struct NoParameters {}

/// The parameters of a list, with the maximum page size.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct List<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Created>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    pub limit: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starting_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subscription: Option<&'a str>,
}

impl<'a> List<'a> {
    /// The page after this object, or the first one.
    pub const fn after(starting_after: Option<&'a str>) -> List<'a> {
        List { created: None, customer: None, email: None, limit: LIMIT, starting_after, status: None, subscription: None }
    }
}

/// Objects created in `[gte, lt)`, in Unix seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Created {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gte: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lt: Option<i64>,
}
