//! Stripe's typed Rust client parses the stand-in's responses: each type in each state.

use super::client::{get, ids, post};
use crate::{
    stripe::StandIn,
    support::{app::NOW, stand_in::TestStandIn},
};
use futures::TryStreamExt;
use stripe::{Client, ClientBuilder, StripeError};
use stripe_billing::{
    billing_meter::ListBillingMeter,
    billing_meter_event::CreateBillingMeterEvent,
    billing_meter_event_summary::ListIdBillingMeterEventSummary,
    billing_portal_session::CreateBillingPortalSession,
    credit_note::ListCreditNote,
    invoice::{CreateInvoice, FinalizeInvoiceInvoice, ListInvoice, RetrieveInvoice},
    invoice_line_item::ListInvoiceInvoiceLineItem,
    invoice_payment::ListInvoicePayment,
    subscription::{ListSubscription, ListSubscriptionStatus},
};
use stripe_core::{
    charge::ListCharge,
    customer::{CreateCustomer, ListCustomer, RetrieveCustomer},
    event::ListEvent,
    refund::{CreateRefund, ListRefund},
};

fn client(stand_in: &StandIn) -> Client {
    ClientBuilder::new(stand_in.secret_key()).url(stand_in.base_url()).build().expect("a client")
}

/// A stand-in with objects in all states.
async fn lived() -> (StandIn, String) {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    stand_in.seed_invoices(&customer, 12);
    let price = post(&stand_in, "v1/prices", "currency=usd&unit_amount=49900&recurring[interval]=month&lookup_key=growth").await;
    let metered = post(&stand_in, "v1/prices", "currency=usd&unit_amount=8&recurring[interval]=month&recurring[usage_type]=metered").await;
    let items =
        format!("items[0][price]={}&items[1][price]={}", price["id"].as_str().expect("an id"), metered["id"].as_str().expect("an id"));
    for method in ["charge_automatically", "send_invoice&days_until_due=14"] {
        let made = post(&stand_in, "v1/subscriptions", &format!("customer={customer}&{items}&collection_method={method}")).await;
        let path = format!("v1/subscriptions/{}", made["id"].as_str().expect("an id"));
        post(&stand_in, &path, "cancel_at_period_end=true&metadata[plan_type]=growth").await;
        if method == "charge_automatically" {
            super::client::ask(&stand_in, "DELETE", &path, "").await.done();
        }
    }
    for end in ["", "finalize", "pay", "void", "mark_uncollectible"] {
        let invoice = post(&stand_in, "v1/invoices", &format!("customer={customer}")).await;
        let path = format!("v1/invoices/{}", invoice["id"].as_str().expect("an id"));
        let lines: Vec<String> = (0..12).map(|line| format!("lines[{line}][amount]=1000&lines[{line}][description]=l{line}")).collect();
        post(&stand_in, &format!("{path}/add_lines"), &lines.join("&")).await;
        if !matches!(end, "" | "finalize" | "pay") {
            post(&stand_in, &format!("{path}/finalize"), "").await;
        }
        if !end.is_empty() {
            post(&stand_in, &format!("{path}/{end}"), "").await;
        }
        let invoice = invoice["id"].as_str().expect("an id");
        match end {
            "finalize" => drop(post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&amount=500&reason=order_change")).await),
            "pay" => drop(
                post(&stand_in, "v1/credit_notes", &format!("invoice={invoice}&lines[0][amount]=500&refund_amount=300&credit_amount=200"))
                    .await,
            ),
            _ => {}
        }
    }
    (stand_in, customer)
}

#[tokio::test]
async fn every_list_parses() {
    let (stand_in, customer) = lived().await;
    let client = client(&stand_in);
    macro_rules! all {
        ($list:expr) => {{
            let list = $list;
            let read: Result<Vec<_>, StripeError> = list.paginate().stream(&client).try_collect().await;
            read.unwrap_or_else(|error| panic!("{}: {error}", stringify!($list)))
        }};
    }
    assert_eq!(all!(ListCustomer::new().limit(3)).len(), 1);
    assert_eq!(all!(ListSubscription::new().status(ListSubscriptionStatus::All)).len(), 2);
    assert_eq!(all!(ListSubscription::new()).len(), 1);
    let invoices = all!(ListInvoice::new().limit(5).customer(&customer));
    assert_eq!(invoices.len(), 12 + 2 + 5);
    assert_eq!(all!(ListInvoicePayment::new()).len(), 12 + 1 + 1);
    assert_eq!(all!(ListCharge::new()).len(), 12 + 1 + 1);
    assert_eq!(all!(ListRefund::new()).len(), 1);
    assert_eq!(all!(ListCreditNote::new()).len(), 2);
    assert_eq!(all!(ListEvent::new().limit(7)).len(), stand_in.events().len());
    let long = invoices.iter().find(|invoice| invoice.lines.has_more).expect("an invoice of many lines");
    let id = long.id.clone().expect("an id");
    assert_eq!(all!(ListInvoiceInvoiceLineItem::new(id)).len(), 12);
    for invoice in &invoices {
        let id = invoice.id.clone().expect("an id");
        let one = RetrieveInvoice::new(id).expand(["payments".into(), "customer".into()]).send(&client).await.expect("an invoice");
        assert_eq!(one.total, invoice.total);
        assert!(one.payments.is_some() && one.customer.is_some_and(|customer| customer.is_object()));
    }
}

#[tokio::test]
async fn usage_and_portal_work_with_the_typed_client() {
    let stand_in = StandIn::start().await;
    let customer = stand_in.seed_customer("forge");
    let client = client(&stand_in);
    post(&stand_in, "v1/billing/meters", "display_name=Calls&event_name=calls&default_aggregation[formula]=sum").await;
    let hour = NOW.unix_timestamp() / 3600 * 3600;
    for (identifier, value, at) in [("a", "5", hour), ("b", "7", hour - 1), ("c", "11", hour - 3600)] {
        let payload =
            [("stripe_customer_id", customer.as_str()), ("value", value)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let event = CreateBillingMeterEvent::new("calls", payload).identifier(identifier).timestamp(at);
        assert_eq!(event.send(&client).await.expect("an event").identifier, identifier);
    }
    let meters = ListBillingMeter::new().send(&client).await.expect("meters");
    let meter = meters.data[0].id.clone();
    let summed = async |from: i64, to: i64| {
        let list = ListIdBillingMeterEventSummary::new(meter.clone(), &*customer, to, from).send(&client).await.expect("summaries");
        list.data.iter().map(|summary| summary.aggregated_value).sum::<f64>()
    };
    assert_eq!(summed(hour - 3600, hour + 3600).await, 23.0);
    assert_eq!(summed(hour - 3600, hour).await, 18.0);
    assert_eq!(summed(hour - 7200, hour - 3600).await, 0.0);

    let session = CreateBillingPortalSession::new().customer(&*customer).return_url("http://127.0.0.1:3000/billing");
    let session = session.send(&client).await.expect("a session");
    assert!(session.url.starts_with(&stand_in.base_url()), "{}", session.url);
}

#[tokio::test]
async fn objects_and_errors_work_with_the_typed_client() {
    let stand_in = StandIn::start().await;
    let client = client(&stand_in);
    let metadata = [("apex_customer".to_owned(), "new".to_owned())];
    let customer = CreateCustomer::new().name("Pixel Forge").email("billing@pixelforge.test").metadata(metadata).send(&client).await;
    let customer = customer.expect("a customer").id;
    assert_eq!(get(&stand_in, &format!("v1/customers/{customer}")).await["metadata"]["apex_customer"], "new");
    assert!(RetrieveCustomer::new(customer.clone()).send(&client).await.is_ok());
    post(&stand_in, "v1/invoiceitems", &format!("customer={customer}&amount=1234&currency=usd&description=Set-up")).await;
    let draft = CreateInvoice::new()
        .customer(customer.to_string())
        .pending_invoice_items_behavior(stripe_billing::invoice::CreateInvoicePendingInvoiceItemsBehavior::Include)
        .send(&client)
        .await
        .expect("a draft");
    let open = FinalizeInvoiceInvoice::new(draft.id.clone().expect("an id")).send(&client).await.expect("an invoice");
    assert_eq!((open.total, open.amount_due, open.lines.data.len()), (1234, 1234, 1));

    let refused = CreateRefund::new().charge("ch_nothing").send(&client).await.expect_err("no such charge");
    let StripeError::Stripe(error, 400) = refused else { panic!("{refused}") };
    assert_eq!((error.code.map(|code| code.to_string()), error.param.as_deref()), (Some("resource_missing".into()), Some("charge")));
    let stranger = ClientBuilder::new("sk_test_of_another").url(stand_in.base_url()).build().expect("a client");
    assert!(matches!(ListInvoice::new().send(&stranger).await, Err(StripeError::Stripe(_, 401))));
    assert_eq!(ids(&get(&stand_in, "v1/invoices").await).len(), 1);
}
