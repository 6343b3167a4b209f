//! What this platform asks of Stripe.

use super::{
    Answer, Caller, Client, Page, StripeError,
    request::{Created, List, NoParameters, Request},
};
use crate::{
    domain::mirror::{Kind, snapshot::Lookup},
    stripe::fetched::is_askable,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use stripe::IdempotencyKey;
use time::OffsetDateTime;

/// Maximum number of pages of an object's lines.
const MOST_LINE_PAGES: usize = 1000;

#[derive(Debug, Serialize)]
struct PortalSession<'a> {
    customer: &'a str,
    return_url: &'a str,
}

#[derive(Debug, Serialize)]
struct NewCustomer<'a> {
    email: &'a str,
    metadata: BTreeMap<&'static str, &'a str>,
    name: &'a str,
}

#[derive(Debug, Serialize)]
struct ChangedCustomer<'a> {
    metadata: BTreeMap<&'static str, &'a str>,
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

/// The metadata key of a Stripe customer that contains our customer id.
pub const CLAIM: &str = "apex_customer";

/// A filter of a type's list: created in `[from, before)`, in Unix seconds, of one customer or of
/// all.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window<'a> {
    pub from: Option<i64>,
    pub before: Option<i64>,
    /// Stripe's id. Types that Stripe can't filter by customer return all customers' objects.
    pub customer: Option<&'a str>,
}

impl Window<'_> {
    fn created(&self) -> Option<Created> {
        (self.from.is_some() || self.before.is_some()).then_some(Created { gte: self.from, lt: self.before })
    }
}

/// A page of a type within a window, newest first, older than `after`.
fn list_of<'a>(kind: Kind, window: Window<'a>, after: Option<&'a str>) -> Request<List<'a>> {
    let customer = match kind {
        Kind::Subscription | Kind::Invoice | Kind::CreditNote | Kind::Charge => window.customer,
        Kind::Customer | Kind::InvoicePayment | Kind::Refund => None,
    };
    // Without a status filter Stripe omits ended subscriptions.
    let status = (kind == Kind::Subscription).then_some("all");
    Request::get(format!("/{}", kind.plural()), List { created: window.created(), customer, status, ..List::after(after) })
}

fn events_of<'a>(window: Window<'_>, after: Option<&'a str>) -> Request<List<'a>> {
    Request::get("/events", List { created: window.created(), ..List::after(after) })
}

fn retrieve_of(path: &str, id: &str) -> Request<NoParameters> {
    Request::get(format!("/{path}/{id}"), NoParameters {})
}

fn new_portal_session<'a>(customer: &'a str, return_url: &'a str) -> Request<PortalSession<'a>> {
    Request::post("/billing_portal/sessions", PortalSession { customer, return_url })
}

fn new_customer<'a>(ours: &'a str, name: &'a str, email: &'a str) -> Request<NewCustomer<'a>> {
    Request::post("/customers", NewCustomer { email, metadata: BTreeMap::from([(CLAIM, ours)]), name })
}

fn changed_customer<'a>(stripe_id: &str, ours: &'a str) -> Request<ChangedCustomer<'a>> {
    Request::post(format!("/customers/{stripe_id}"), ChangedCustomer { metadata: BTreeMap::from([(CLAIM, ours)]) })
}

impl Client {
    /// A page of a type within a window, newest first, older than `after`.
    pub async fn list_within(&self, kind: Kind, window: Window<'_>, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let operation = match kind {
            Kind::Customer => "customers.list",
            Kind::Subscription => "subscriptions.list",
            Kind::Invoice => "invoices.list",
            Kind::InvoicePayment => "invoice_payments.list",
            Kind::CreditNote => "credit_notes.list",
            Kind::Charge => "charges.list",
            Kind::Refund => "refunds.list",
        };
        let answer = self.get(operation, Caller::Job, &list_of(kind, window, after)).await?;
        Page::read(&answer).map(|page| (answer, page))
    }

    /// A page of events within a window, newest first, older than `after`.
    pub async fn events_within(&self, window: Window<'_>, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        let answer = self.get("events.list", Caller::Job, &events_of(window, after)).await?;
        Page::read(&answer).map(|page| (answer, page))
    }

    /// One event.
    pub async fn event(&self, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        self.get("events.retrieve", Caller::Job, &retrieve_of("events", id)).await
    }

    /// A page of events since an instant, newest first, older than `after`.
    pub async fn events(&self, since: OffsetDateTime, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        self.events_within(Window { from: Some(since.unix_timestamp()), ..Window::default() }, after).await
    }

    /// A page of all objects of a type, newest first, older than `after`.
    pub async fn list(&self, kind: Kind, after: Option<&str>) -> Result<(Answer, Page), StripeError> {
        self.list_within(kind, Window::default(), after).await
    }

    /// One object. A malformed id is as unknown as one that Stripe doesn't have.
    pub async fn retrieve(&self, kind: Kind, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        let operation = match kind {
            Kind::Customer => "customers.retrieve",
            Kind::Subscription => "subscriptions.retrieve",
            Kind::Invoice => "invoices.retrieve",
            Kind::InvoicePayment => "invoice_payments.retrieve",
            Kind::CreditNote => "credit_notes.retrieve",
            Kind::Charge => "charges.retrieve",
            Kind::Refund => "refunds.retrieve",
        };
        self.get(operation, Caller::Job, &retrieve_of(kind.plural(), id)).await
    }

    /// A tax rate or a price. A malformed id is as unknown as one that Stripe doesn't have.
    pub async fn retrieve_named(&self, lookup: Lookup, id: &str) -> Result<Answer, StripeError> {
        askable(id)?;
        let (operation, path) = match lookup {
            Lookup::TaxRate => ("tax_rates.retrieve", "tax_rates"),
            Lookup::Price => ("prices.retrieve", "prices"),
        };
        self.get(operation, Caller::Job, &retrieve_of(path, id)).await
    }

    /// All lines of an invoice or a credit note, in order.
    pub async fn lines(&self, kind: Kind, id: &str) -> Result<Vec<Box<RawValue>>, StripeError> {
        let operation = if kind == Kind::CreditNote { "credit_notes.lines" } else { "invoices.lines" };
        let path = if kind == Kind::CreditNote { Kind::CreditNote } else { Kind::Invoice }.plural();
        self.every_page(operation, &format!("/{path}/{id}/lines"), None).await
    }

    /// All items of a subscription.
    pub async fn items(&self, subscription: &str) -> Result<Vec<Box<RawValue>>, StripeError> {
        self.every_page("subscription_items.list", "/subscription_items", Some(subscription)).await
    }

    async fn every_page(&self, operation: &'static str, path: &str, subscription: Option<&str>) -> Result<Vec<Box<RawValue>>, StripeError> {
        let mut objects = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_LINE_PAGES {
            let request = Request::get(path, List { subscription, ..List::after(cursor.as_deref()) });
            let answer = self.get(operation, Caller::Job, &request).await?;
            let page = Page::read(&answer)?;
            cursor = page.objects()?.pop().map(|(id, _)| id);
            let more = page.has_more && cursor.is_some();
            objects.extend(page.data);
            if !more {
                return Ok(objects);
            }
        }
        Err(StripeError::Unreadable(format!("{path} has more than {MOST_LINE_PAGES} pages")))
    }

    /// The URL of a new portal session.
    pub async fn portal(&self, customer: &str, return_url: &str) -> Result<String, StripeError> {
        let request = new_portal_session(customer, return_url);
        // A session serves once, so no two requests share one.
        let answer = self.post("billing_portal.create", Caller::Page, &request, &IdempotencyKey::new_uuid_v4()).await?;
        answer.read::<Url>().map(|session| session.url)
    }

    /// The Stripe id of the customer with our id in its metadata; created if missing. The
    /// idempotency key protects against duplicates for a day ("Idempotent requests"), the search by
    /// e-mail address without limit.
    pub async fn put_customer(&self, ours: &str, name: &str, email: &str) -> Result<String, StripeError> {
        let mut cursor: Option<String> = None;
        loop {
            let request = Request::get("/customers", List { email: Some(email), ..List::after(cursor.as_deref()) });
            let answer = self.get("customers.list", Caller::Job, &request).await?;
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
        let request = new_customer(ours, name, email);
        let answer = self.post("customers.create", Caller::Job, &request, &key(&format!("apex-customer-{ours}"))?).await?;
        answer.read::<Id>().map(|customer| customer.id)
    }

    /// Stores our customer id in an existing Stripe customer's metadata.
    pub async fn claim_customer(&self, stripe_id: &str, ours: &str) -> Result<(), StripeError> {
        self.post("customers.update", Caller::Job, &changed_customer(stripe_id, ours), &IdempotencyKey::new_uuid_v4()).await.map(drop)
    }
}

/// Invalid ids never become part of a path.
fn askable(id: &str) -> Result<(), StripeError> {
    if is_askable(id) {
        return Ok(());
    }
    Err(StripeError::Rejected { status: 404, code: None, message: "this is not a Stripe id".into() })
}

fn key(text: &str) -> Result<IdempotencyKey, StripeError> {
    IdempotencyKey::new(text).map_err(|error| StripeError::Unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stripe::StripeRequest;
    use stripe_billing::{
        billing_portal_session::CreateBillingPortalSession,
        credit_note::{ListCreditNote, RetrieveCreditNote},
        invoice::{ListInvoice, RetrieveInvoice},
        invoice_line_item::ListInvoiceInvoiceLineItem,
        invoice_payment::{ListInvoicePayment, RetrieveInvoicePayment},
        subscription::{ListSubscription, ListSubscriptionStatus, RetrieveSubscription},
    };
    use stripe_core::{
        charge::{ListCharge, RetrieveCharge},
        customer::{CreateCustomer, ListCustomer, RetrieveCustomer, UpdateCustomer},
        event::{ListEvent, RetrieveEvent},
        refund::{ListRefund, RetrieveRefund},
    };
    use stripe_types::{RangeBoundsTs, RangeQueryTs};

    /// Method, path, query and body as they are sent.
    fn sent(request: &impl StripeRequest) -> (String, String, String, String) {
        let built = request.build();
        (format!("{:?}", built.method), built.path, built.query.unwrap_or_default(), built.body.unwrap_or_default())
    }

    #[test]
    fn lists_are_those_of_the_library() {
        let created = || RangeQueryTs::Bounds(RangeBoundsTs { gte: Some(5), lt: Some(7), ..Default::default() });
        let window = Window { from: Some(5), before: Some(7), customer: Some("cus_1") };
        macro_rules! like {
            ($kind:ident, $list:expr) => {
                assert_eq!(
                    sent(&list_of(Kind::$kind, window, Some("x_1"))),
                    sent(&$list.created(created()).limit(100).starting_after("x_1"))
                );
            };
        }
        like!(Customer, ListCustomer::new());
        like!(Subscription, ListSubscription::new().customer("cus_1").status(ListSubscriptionStatus::All));
        like!(Invoice, ListInvoice::new().customer("cus_1"));
        like!(InvoicePayment, ListInvoicePayment::new());
        like!(CreditNote, ListCreditNote::new().customer("cus_1"));
        like!(Charge, ListCharge::new().customer("cus_1"));
        like!(Refund, ListRefund::new());
        let since = Window { from: Some(5), ..Window::default() };
        assert_eq!(sent(&events_of(since, None)), sent(&ListEvent::new().created(RangeQueryTs::gte(5)).limit(100)));
        assert_eq!(sent(&list_of(Kind::Invoice, Window::default(), None)), sent(&ListInvoice::new().limit(100)));
        assert_eq!(
            sent(&Request::get("/customers", List { email: Some("a+b@c.example"), ..List::after(None) })),
            sent(&ListCustomer::new().email("a+b@c.example").limit(100))
        );
        let lines = Request::get("/invoices/in_1/lines", List::after(Some("il_1")));
        assert_eq!(sent(&lines), sent(&ListInvoiceInvoiceLineItem::new("in_1").limit(100).starting_after("il_1")));
    }

    #[test]
    fn objects_are_retrieved_as_by_the_library() {
        let ours = |kind: Kind| sent(&retrieve_of(kind.plural(), "x_1"));
        assert_eq!(ours(Kind::Customer), sent(&RetrieveCustomer::new("x_1")));
        assert_eq!(ours(Kind::Subscription), sent(&RetrieveSubscription::new("x_1")));
        assert_eq!(ours(Kind::Invoice), sent(&RetrieveInvoice::new("x_1")));
        assert_eq!(ours(Kind::InvoicePayment), sent(&RetrieveInvoicePayment::new("x_1")));
        assert_eq!(ours(Kind::CreditNote), sent(&RetrieveCreditNote::new("x_1")));
        assert_eq!(ours(Kind::Charge), sent(&RetrieveCharge::new("x_1")));
        assert_eq!(ours(Kind::Refund), sent(&RetrieveRefund::new("x_1")));
        assert_eq!(sent(&retrieve_of("events", "x_1")), sent(&RetrieveEvent::new("x_1")));
    }

    #[test]
    fn changes_are_those_of_the_library() {
        let url = "https://billing.example.com/a?b=c d";
        assert_eq!(sent(&new_portal_session("cus_1", url)), sent(&CreateBillingPortalSession::new().customer("cus_1").return_url(url)));
        let claim = || HashMap::from([(CLAIM.to_owned(), "7".to_owned())]);
        assert_eq!(
            sent(&new_customer("7", "Söhne & Co", "a+b@c.example")),
            sent(&CreateCustomer::new().name("Söhne & Co").email("a+b@c.example").metadata(claim()))
        );
        assert_eq!(sent(&changed_customer("cus_1", "7")), sent(&UpdateCustomer::new("cus_1").metadata(claim())));
    }
}
