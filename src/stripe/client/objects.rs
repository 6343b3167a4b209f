//! What this platform asks of Stripe, by the library's requests.

use super::{Answer, Caller, Client, Page, StripeError, page::LIMIT};
use crate::{
    domain::mirror::{Kind, snapshot::Lookup},
    stripe::fetched::is_askable,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use stripe::{IdempotencyKey, StripeRequest};
use stripe_billing::{
    billing_portal_session::CreateBillingPortalSession,
    credit_note::{ListCreditNote, RetrieveCreditNote},
    invoice::{ListInvoice, RetrieveInvoice},
    invoice_line_item::ListInvoiceInvoiceLineItem,
    invoice_payment::{ListInvoicePayment, RetrieveInvoicePayment},
    subscription::{ListSubscription, ListSubscriptionStatus, RetrieveSubscription},
};
use stripe_client_core::{RequestBuilder, StripeMethod};
use stripe_core::{
    charge::{ListCharge, RetrieveCharge},
    customer::{CreateCustomer, ListCustomer, RetrieveCustomer, UpdateCustomer},
    event::{ListEvent, RetrieveEvent},
    refund::{ListRefund, RetrieveRefund},
};
use stripe_types::{RangeBoundsTs, RangeQueryTs};
use time::OffsetDateTime;

/// Pages of one object's lines at most.
const MOST_LINE_PAGES: usize = 1000;

/// Items of a subscription, which the library's features in use don't know.
#[derive(Serialize)]
struct ListItems<'a> {
    subscription: &'a str,
    #[serde(flatten)]
    page: LinePage<'a>,
}

/// A tax rate or a price: the library has these in a crate of its own, of which nothing else is needed.
struct RetrieveNamed<'a>(Lookup, &'a str);

impl StripeRequest for RetrieveNamed<'_> {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        let path = match self.0 {
            Lookup::TaxRate => "tax_rates",
            Lookup::Price => "prices",
        };
        RequestBuilder::new(StripeMethod::Get, format!("/{path}/{}", self.1))
    }
}

/// A page of a credit note's lines.
struct ListCreditNoteLines<'a> {
    credit_note: &'a str,
    page: LinePage<'a>,
}

#[derive(Serialize)]
struct LinePage<'a> {
    limit: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
}

impl StripeRequest for ListItems<'_> {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Get, "/subscription_items").query(self)
    }
}

impl StripeRequest for ListCreditNoteLines<'_> {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Get, format!("/credit_notes/{}/lines", self.credit_note)).query(&self.page)
    }
}

#[derive(Deserialize)]
struct Url {
    url: String,
}

#[derive(Deserialize)]
struct Id {
    id: String,
    #[serde(default)]
    metadata: HashMap<String, String>,
}

/// The key of a customer's metadata that names this platform's id of it.
pub const CLAIM: &str = "apex_customer";

macro_rules! page_of {
    ($client:ident, $operation:literal, $request:expr, $after:ident) => {{
        let mut request = $request.limit(LIMIT);
        if let Some(after) = $after {
            request = request.starting_after(after);
        }
        $client.get($operation, Caller::Job, &request).await?
    }};
}

/// Which objects of a kind are listed: those made in `[from, before)`, in unix seconds, of one customer or of all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window<'a> {
    pub from: Option<i64>,
    pub before: Option<i64>,
    /// Stripe's id. Kinds that Stripe does not list by customer come of all of them.
    pub customer: Option<&'a str>,
}

macro_rules! page_within {
    ($client:ident, $operation:literal, $request:expr, $window:ident, $after:ident) => {{
        let mut request = $request;
        if $window.from.is_some() || $window.before.is_some() {
            request = request.created(RangeQueryTs::Bounds(RangeBoundsTs { gte: $window.from, lt: $window.before, ..Default::default() }));
        }
        page_of!($client, $operation, request, $after)
    }};
    ($client:ident, $operation:literal, $request:expr, $window:ident, $after:ident, by customer) => {{
        let mut request = $request;
        if let Some(customer) = $window.customer {
            request = request.customer(customer);
        }
        page_within!($client, $operation, request, $window, $after)
    }};
}

impl Client {
    /// A page of a kind within a window, newest first, older than the one `after`.
    pub async fn list_within(&self, kind: Kind, window: Window<'_>, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let answer = match kind {
            Kind::Customer => page_within!(self, "customers.list", ListCustomer::new(), window, after),
            Kind::Subscription => {
                let all = ListSubscription::new().status(ListSubscriptionStatus::All);
                page_within!(self, "subscriptions.list", all, window, after, by customer)
            }
            Kind::Invoice => page_within!(self, "invoices.list", ListInvoice::new(), window, after, by customer),
            Kind::InvoicePayment => page_within!(self, "invoice_payments.list", ListInvoicePayment::new(), window, after),
            Kind::CreditNote => page_within!(self, "credit_notes.list", ListCreditNote::new(), window, after, by customer),
            Kind::Charge => page_within!(self, "charges.list", ListCharge::new(), window, after, by customer),
            Kind::Refund => page_within!(self, "refunds.list", ListRefund::new(), window, after),
        };
        Page::read(&answer).map(|page| (answer, page))
    }

    /// A page of events within a window, newest first, older than the one `after`.
    pub async fn events_within(&self, window: Window<'_>, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let answer = page_within!(self, "events.list", ListEvent::new(), window, after);
        Page::read(&answer).map(|page| (answer, page))
    }

    /// One event.
    pub async fn event(&self, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        self.get("events.retrieve", Caller::Job, &RetrieveEvent::new(id)).await
    }

    /// A page of events, newest first: those since an instant, older than the one `after`.
    pub async fn events(&self, since: OffsetDateTime, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let request = ListEvent::new().created(RangeQueryTs::gte(since.unix_timestamp()));
        let answer = page_of!(self, "events.list", request, after);
        Page::read(&answer).map(|page| (answer, page))
    }

    /// A page of all objects of a kind, newest first, older than the one `after`.
    pub async fn list(&self, kind: Kind, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let answer = match kind {
            Kind::Customer => page_of!(self, "customers.list", ListCustomer::new(), after),
            // Without a status Stripe leaves out those that have ended.
            Kind::Subscription => {
                page_of!(self, "subscriptions.list", ListSubscription::new().status(ListSubscriptionStatus::All), after)
            }
            Kind::Invoice => page_of!(self, "invoices.list", ListInvoice::new(), after),
            Kind::InvoicePayment => page_of!(self, "invoice_payments.list", ListInvoicePayment::new(), after),
            Kind::CreditNote => page_of!(self, "credit_notes.list", ListCreditNote::new(), after),
            Kind::Charge => page_of!(self, "charges.list", ListCharge::new(), after),
            Kind::Refund => page_of!(self, "refunds.list", ListRefund::new(), after),
        };
        Page::read(&answer).map(|page| (answer, page))
    }

    /// One object. An id that is none is as unknown as one that Stripe doesn't have.
    pub async fn retrieve(&self, kind: Kind, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        match kind {
            Kind::Customer => self.get("customers.retrieve", Caller::Job, &RetrieveCustomer::new(id)).await,
            Kind::Subscription => self.get("subscriptions.retrieve", Caller::Job, &RetrieveSubscription::new(id)).await,
            Kind::Invoice => self.get("invoices.retrieve", Caller::Job, &RetrieveInvoice::new(id)).await,
            Kind::InvoicePayment => self.get("invoice_payments.retrieve", Caller::Job, &RetrieveInvoicePayment::new(id)).await,
            Kind::CreditNote => self.get("credit_notes.retrieve", Caller::Job, &RetrieveCreditNote::new(id)).await,
            Kind::Charge => self.get("charges.retrieve", Caller::Job, &RetrieveCharge::new(id)).await,
            Kind::Refund => self.get("refunds.retrieve", Caller::Job, &RetrieveRefund::new(id)).await,
        }
    }

    /// A tax rate or a price. An id that Stripe could not have made is as unknown as one that it does not have.
    pub async fn retrieve_named(&self, lookup: Lookup, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        let operation = match lookup {
            Lookup::TaxRate => "tax_rates.retrieve",
            Lookup::Price => "prices.retrieve",
        };
        self.get(operation, Caller::Job, &RetrieveNamed(lookup, id)).await
    }

    /// Every line of an invoice or a credit note, in its order.
    pub async fn lines(&self, kind: Kind, id: &str) -> Result<Vec<Box<RawValue>>, StripeError> {
        let mut lines = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_LINE_PAGES {
            let after = cursor.as_deref();
            let answer = match kind {
                Kind::CreditNote => {
                    let page = LinePage { limit: LIMIT, starting_after: after };
                    self.get("credit_notes.lines", Caller::Job, &ListCreditNoteLines { credit_note: id, page }).await?
                }
                _ => page_of!(self, "invoices.lines", ListInvoiceInvoiceLineItem::new(id), after),
            };
            let page = Page::read(&answer)?;
            cursor = page.objects()?.pop().map(|(id, _)| id);
            let more = page.has_more && cursor.is_some();
            lines.extend(page.data);
            if !more {
                return Ok(lines);
            }
        }
        Err(StripeError::Unreadable(format!("{id} has more than {MOST_LINE_PAGES} pages of lines")))
    }

    /// Every item of a subscription.
    pub async fn items(&self, subscription: &str) -> Result<Vec<Box<RawValue>>, StripeError> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_LINE_PAGES {
            let request = ListItems { subscription, page: LinePage { limit: LIMIT, starting_after: cursor.as_deref() } };
            let answer = self.get("subscription_items.list", Caller::Job, &request).await?;
            let page = Page::read(&answer)?;
            cursor = page.objects()?.pop().map(|(id, _)| id);
            let more = page.has_more && cursor.is_some();
            items.extend(page.data);
            if !more {
                return Ok(items);
            }
        }
        Err(StripeError::Unreadable(format!("{subscription} has more than {MOST_LINE_PAGES} pages of items")))
    }

    /// The address of a new session of Stripe's customer portal.
    pub async fn portal(&self, customer: &str, return_url: &str) -> Result<String, StripeError> {
        let request = CreateBillingPortalSession::new().customer(customer).return_url(return_url);
        // A session is of use once, so no two requests want the same one.
        let answer = self.post("billing_portal.create", Caller::Page, &request, &IdempotencyKey::new_uuid_v4()).await?;
        answer.read::<Url>().map(|session| session.url)
    }

    /// Stripe's id of the customer that claims to be this one of ours; made, if there is none. The key outlives a process that dies in between
    /// by a day ("Idempotent requests"), the search by e-mail address all that.
    pub async fn put_customer(&self, ours: &str, name: &str, email: &str) -> Result<String, StripeError> {
        let mut cursor: Option<String> = None;
        loop {
            let after = cursor.as_deref();
            let answer = page_of!(self, "customers.list", ListCustomer::new().email(email), after);
            let page = Page::read(&answer)?;
            for object in &page.data {
                let customer: Id = serde_json::from_str(object.get()).map_err(|error| StripeError::Unreadable(error.to_string()))?;
                if customer.metadata.get(CLAIM).is_some_and(|claim| claim == ours) {
                    return Ok(customer.id);
                }
                cursor = Some(customer.id);
            }
            if !page.has_more || page.data.is_empty() {
                break;
            }
        }
        let metadata = HashMap::from([(CLAIM.to_owned(), ours.to_owned())]);
        let request = CreateCustomer::new().name(name).email(email).metadata(metadata);
        let answer = self.post("customers.create", Caller::Job, &request, &key(&format!("apex-customer-{ours}"))?).await?;
        answer.read::<Id>().map(|customer| customer.id)
    }

    /// Has an existing customer of Stripe's claim to be this one of ours.
    pub async fn claim_customer(&self, stripe_id: &str, ours: &str) -> Result<(), StripeError> {
        let metadata = HashMap::from([(CLAIM.to_owned(), ours.to_owned())]);
        let request = UpdateCustomer::new(stripe_id).metadata(metadata);
        self.post("customers.update", Caller::Job, &request, &IdempotencyKey::new_uuid_v4()).await.map(drop)
    }
}

/// What is no id of Stripe's gets into no path.
fn askable(id: &str) -> Result<(), StripeError> {
    if is_askable(id) {
        return Ok(());
    }
    Err(StripeError::Rejected { status: 404, code: None, message: "this is no id of Stripe's".into() })
}

fn key(text: &str) -> Result<IdempotencyKey, StripeError> {
    IdempotencyKey::new(text).map_err(|error| StripeError::Unreadable(error.to_string()))
}
