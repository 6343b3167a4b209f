use super::*;
use crate::{
    domain::mirror::snapshot::{InvoiceSnapshot, Snapshot},
    stripe::webhook::{
        event::Document,
        read::{Reading, read},
    },
};
use std::collections::BTreeSet;
use time::macros::datetime;

fn customer() -> DemoCustomer {
    DemoCustomer {
        stripe_id: "cus_demo".into(),
        name: "Pixel Forge".into(),
        email: "billing@pixelforge.test".into(),
        address: Address {
            line1: "1 Main Street".into(),
            city: "Berlin".into(),
            state: None,
            postal_code: "10115".into(),
            country: "DE".into(),
        },
        tax_id: Some(("eu_vat".into(), "DE123456789".into())),
        currency: "eur".parse().unwrap(),
        plan: PlanType::Growth,
        tax_percent: 19,
        discount_percent: 10,
    }
}

fn overage() -> OverageLine {
    let terms = Terms { included: 10_000_000, package: 1000.try_into().unwrap(), price_per_package: 8 };
    OverageLine { metric: Metric::Impressions, terms, used: 12_345_678 }
}

fn month() -> Period {
    Period::calendar_month(datetime!(2026-09-10 0:00 UTC))
}

fn invoice(event: &Value) -> Option<InvoiceSnapshot> {
    match read(&Document::read(&event.to_string())).unwrap() {
        Reading::Changes { subject, .. } => match subject.snapshot {
            Snapshot::Invoice(invoice) => Some(*invoice),
            _ => None,
        },
        Reading::Ignored(reason) => panic!("{reason}"),
    }
}

#[test]
fn every_event_parses_and_its_amounts_add_up() {
    let mut ids = BTreeSet::new();
    for outcome in Outcome::ALL {
        let events = month_events(&customer(), month(), outcome, &[overage()]);
        assert_eq!(events, month_events(&customer(), month(), outcome, &[overage()]));
        assert!(events.iter().map(|event| event["created"].as_i64()).is_sorted(), "{outcome:?}");
        ids.extend(events.iter().map(|event| (event["type"].to_string(), event["id"].to_string())));
        for event in &events {
            let Some(invoice) = invoice(event) else { continue };
            let amounts = invoice.amounts;
            // 499.00 and 2,346 started thousands at 0.08 are 686.68; 10 % off are 618.01; 19 % on
            // top are 117.42.
            assert_eq!((amounts.subtotal, amounts.discount, amounts.tax, amounts.total), (68_668, 6_867, 11_742, 73_543), "{outcome:?}");
            assert_eq!(amounts.due, amounts.paid + amounts.remaining);
            assert_eq!(invoice.lines.iter().map(|line| line.amount).sum::<i64>(), amounts.subtotal);
            assert_eq!(invoice.lines[1].description, "Impressions over 10,000,000 (per 1,000 or part of it)");
            assert_eq!((invoice.lines[1].quantity, invoice.lines[1].unit_amount.as_deref()), (Some(2346), Some("8")));
        }
    }
    assert_eq!(ids.iter().map(|(_, id)| id).collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn the_old_shape_has_the_same_content() {
    for event in month_events(&customer(), month(), Outcome::PartiallyRefunded, &[overage()]) {
        let Some(old) = in_old_shape(&event) else { continue };
        assert_ne!(old["api_version"], event["api_version"]);
        assert_eq!(invoice(&old), invoice(&event));
    }
    for event in subscription_events(&customer(), &[month(), Period::calendar_month(month().end())]) {
        let read = |event: &Value| read(&Document::read(&event.to_string())).unwrap();
        let old = in_old_shape(&event).unwrap();
        assert!(old["data"]["object"]["items"]["data"][0].get("current_period_end").is_none());
        assert_eq!(read(&old), read(&event));
    }
}
