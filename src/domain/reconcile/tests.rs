use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const TOLERANCE: Tolerance = Tolerance(Millionths(5_000));

fn invoice(n: usize, second: i64, total: i64) -> Record {
    Record {
        id: format!("in_{n:04}"),
        created: second,
        customer: Some("cus_1".into()),
        currency: Some(Currency::USD),
        status: Some("paid".into()),
        figures: vec![
            Figure::money("total", total),
            Figure::money("amount_paid", total),
            Figure::unsure("line_count", (!n.is_multiple_of(3)).then_some(2), Unit::Count),
        ],
        ..Record::default()
    }
}

fn subscription(n: usize, second: i64) -> Record {
    let facts = vec![("items", "si_1: price_1 x 2".to_owned()), ("cancel_at_period_end", "false".to_owned())];
    Record { id: format!("sub_{n:04}"), subscription: Some(format!("sub_{n:04}")), figures: Vec::new(), facts, ..invoice(n, second, 0) }
}

/// A change to one object on one side only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drift {
    None,
    LostHere,
    LostThere,
    Amount(i64),
    Status,
    Currency,
    Fact,
}

fn drifts() -> impl Strategy<Value = Vec<(Drift, i64)>> {
    let drift = prop_oneof![
        4 => Just(Drift::None),
        1 => Just(Drift::LostHere),
        1 => Just(Drift::LostThere),
        1 => (1_i64..1_000_000).prop_map(Drift::Amount),
        1 => Just(Drift::Status),
        1 => Just(Drift::Currency),
        1 => Just(Drift::Fact),
    ];
    // Many in a second, and gaps.
    prop::collection::vec((drift, prop::sample::select(vec![0_i64, 0, 0, 1, 5])), 0..60)
}

type Seeded = (Object, Vec<Record>, Vec<Record>, BTreeSet<(Kind, String)>);

/// Both sides, newest first, and the expected discrepancies.
fn seeded(object: Object, drifts: &[(Drift, i64)]) -> Seeded {
    let (mut internal, mut stripe, mut expected) = (Vec::new(), Vec::new(), BTreeSet::new());
    let mut second = 1_790_000_000;
    for (n, (drift, gap)) in drifts.iter().enumerate() {
        second -= gap;
        let record = if object == Object::Subscription { subscription(n, second) } else { invoice(n, second, 50_000) };
        let (mut here, there) = (Some(record.clone()), Some(record));
        let kind = match drift {
            Drift::LostHere => {
                here = None;
                Some(Kind::MissingLocally)
            }
            Drift::LostThere => {
                internal.extend(here);
                expected.insert((Kind::MissingInStripe, there.unwrap().id));
                continue;
            }
            Drift::Amount(by) => here.as_mut().and_then(|record| record.figures.first_mut()).map(|figure| {
                figure.value = figure.value.map(|value| value + by);
                Kind::Amount
            }),
            Drift::Status => here.as_mut().map(|record| {
                record.status = Some("open".into());
                Kind::Status
            }),
            Drift::Currency => here.as_mut().map(|record| {
                record.currency = "eur".parse().ok();
                Kind::Currency
            }),
            Drift::Fact => here.as_mut().and_then(|record| record.facts.first_mut()).map(|fact| {
                fact.1.push('!');
                Kind::SubscriptionDrift
            }),
            Drift::None => None,
        };
        let drifted = matches!(kind, Some(Kind::Amount | Kind::Status | Kind::Currency));
        let kind = if drifted && object == Object::Subscription { Some(Kind::SubscriptionDrift) } else { kind };
        let id = there.as_ref().map(|record| record.id.clone()).unwrap_or_default();
        expected.extend(kind.map(|kind| (kind, id)));
        internal.extend(here);
        stripe.extend(there);
    }
    (object, internal, stripe, expected)
}

/// Runs the merge over pages of these sizes. Returns the maximum number of buffered records, the
/// discrepancies, and the seconds in order.
fn found(object: Object, internal: &[Record], stripe: &[Record], pages: (usize, usize)) -> (usize, BTreeSet<(Kind, String)>, Vec<i64>) {
    let (mut ours, mut theirs) = (internal.chunks(pages.0), stripe.chunks(pages.1));
    let mut merge = Merge::default();
    let (mut held, mut seconds, mut kinds) = (0, Vec::new(), BTreeSet::new());
    loop {
        match merge.step() {
            Step::NeedsInternal => merge.push_internal(ours.next().unwrap_or_default().to_vec()),
            Step::NeedsStripe => merge.push_stripe(theirs.next().unwrap_or_default().to_vec()),
            Step::Done => return (held, kinds, seconds),
            Step::Second(second, pairs) => {
                seconds.push(second);
                for (internal, stripe) in pairs {
                    if let (Some(internal), Some(stripe)) = (&internal, &stripe)
                        && internal.agrees(stripe)
                    {
                        assert_eq!(compare(object, Some(internal), Some(stripe), TOLERANCE), []);
                        continue;
                    }
                    for discrepancy in compare(object, internal.as_ref(), stripe.as_ref(), TOLERANCE) {
                        assert!(kinds.insert((discrepancy.kind, discrepancy.object_id.clone())), "twice: {discrepancy:?}");
                    }
                }
            }
        }
        held = held.max(merge.held());
    }
}

/// Swaps neighbours of the same second: the only disorder that a side may have.
fn shuffled(records: &[Record], seed: u64) -> Vec<Record> {
    let mut records = records.to_vec();
    let turn = |record: &Record| {
        let mut hash = seed;
        record.id.bytes().for_each(|byte| hash = hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte));
        hash
    };
    records.sort_by_key(|record| (std::cmp::Reverse(record.created), turn(record)));
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn exactly_the_seeded_drift_is_found(
        subscriptions in any::<bool>(), drifts in drifts(), pages in (1_usize..9, 1_usize..9), seed in any::<u64>(),
    ) {
        let object = if subscriptions { Object::Subscription } else { Object::Invoice };
        let (object, internal, stripe, expected) = seeded(object, &drifts);
        let (_, found, seconds) = found(object, &shuffled(&internal, seed), &shuffled(&stripe, !seed), pages);
        prop_assert_eq!(found, expected);
        prop_assert!(seconds.is_sorted_by(|newer, older| newer > older));
    }

    #[test]
    fn equal_sides_have_no_drift_and_bounded_memory(gaps in prop::collection::vec(0_i64..3, 0..200), pages in (1_usize..20, 1_usize..20)) {
        let drifts: Vec<_> = gaps.into_iter().map(|gap| (Drift::None, gap)).collect();
        let (object, internal, stripe, _) = seeded(Object::Invoice, &drifts);
        let (held, found, seconds) = found(object, &internal, &stripe, pages);
        prop_assert!(found.is_empty());
        let largest = seconds.iter().map(|second| internal.iter().filter(|record| record.created == *second).count()).max().unwrap_or(0);
        prop_assert!(held <= 2 * largest + pages.0 + pages.1, "{held} held, {largest} in a second");
    }

    #[test]
    fn the_tolerance_is_exact_and_the_share_agrees(internal in any::<i64>(), stripe in any::<i64>()) {
        let holds = TOLERANCE.holds(internal, stripe);
        prop_assert!(!holds || internal == stripe || stripe != 0);
        if let Some(share) = compare::share(internal, stripe) {
            prop_assert!(!holds || share <= TOLERANCE.0);
            prop_assert!(holds || share >= TOLERANCE.0);
        }
    }
}

#[test]
fn each_object_counts_once_by_its_largest_difference() {
    let stripe = invoice(1, 0, 50_000);
    let mut internal = stripe.clone();
    internal.figures[0].value = Some(49_900);
    internal.figures[1].value = Some(0);
    let found = compare(Object::Invoice, Some(&internal), Some(&stripe), TOLERANCE);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].field.as_deref(), found[0].difference, found[0].amount), (Some("amount_paid"), Some(-50_000), 50_000));
    assert_eq!(found[0].percentage_diff.map(|share| share.to_string()).as_deref(), Some("100"));
    let differing: Vec<_> = found[0].fields.iter().filter(|field| field.differs).map(|field| field.name.as_str()).collect();
    assert_eq!(differing, ["total", "amount_paid"]);
}

#[test]
fn tolerated_differences_are_still_reported() {
    let stripe = invoice(1, 0, 100_000);
    let off_by = |by: i64| {
        let mut internal = stripe.clone();
        internal.figures[0].value = Some(100_000 + by);
        compare(Object::Invoice, Some(&internal), Some(&stripe), TOLERANCE).remove(0)
    };
    assert!(off_by(500).within_tolerance && off_by(-500).within_tolerance && !off_by(501).within_tolerance);
    assert_eq!(off_by(501).percentage_diff.map(|share| share.to_string()).as_deref(), Some("0.501"));
    let mut internal = stripe.clone();
    internal.figures[2].value = Some(3);
    let lines = compare(Object::Invoice, Some(&internal), Some(&stripe), TOLERANCE).remove(0);
    assert_eq!((lines.kind, lines.field.as_deref(), lines.amount, lines.within_tolerance), (Kind::Amount, Some("line_count"), 0, false));
}

/// Case C10: 2.5 is not 2.
#[test]
fn exact_quantities_are_compared_where_both_are_known() {
    let with = |quantity: Option<&str>, total: i64| {
        let facts = quantity.map(|quantity| ("line_quantity", quantity.to_owned())).into_iter().collect();
        Record { facts, ..invoice(1, 0, total) }
    };
    let (stripe, internal) = (with(Some("2.5"), 100), with(Some("2"), 100));
    let found = compare(Object::Invoice, Some(&internal), Some(&stripe), TOLERANCE).remove(0);
    assert_eq!((found.kind, found.field.as_deref(), found.within_tolerance), (Kind::Amount, Some("line_quantity"), false));
    assert_eq!((found.internal_value, found.stripe_value), (Some(Said::Text("2".into())), Some(Said::Text("2.5".into()))));
    assert!(!internal.agrees(&stripe) && stripe.agrees(&stripe));
    // A small tolerated amount doesn't hide it.
    let off = compare(Object::Invoice, Some(&with(Some("2"), 100_001)), Some(&with(Some("2.5"), 100_000)), TOLERANCE).remove(0);
    assert!(!off.within_tolerance);
    let unknown = with(None, 100);
    assert!(unknown.agrees(&stripe) && stripe.agrees(&unknown));
    assert!(compare(Object::Invoice, Some(&unknown), Some(&stripe), TOLERANCE).is_empty());
}

#[test]
fn streams_out_of_order_lose_no_records() {
    let records = [invoice(1, 5, 1), invoice(2, 9, 1), invoice(3, 3, 1)];
    let ordered = [records[1].clone(), records[0].clone(), records[2].clone()];
    let (_, found, _) = found(Object::Invoice, &records, &ordered, (1, 1));
    let ids: BTreeSet<_> = found.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["in_0002"]));
}

#[test]
fn totals_are_per_currency() {
    let (eur, jpy): (Currency, Currency) = ("eur".parse().unwrap(), "jpy".parse().unwrap());
    let mut totals = Totals::new();
    for (currency, amount) in [(Currency::USD, 100_000), (eur, 100_001), (jpy, 1_001), (eur, i64::MAX)] {
        add_up(&mut totals, currency, amount);
    }
    assert_eq!(totals[&eur], i64::MAX);
    assert_eq!(over(&totals, 1_000), [eur, jpy]);
}

#[test]
fn shares_serialize_as_percent() {
    assert_eq!(serde_json::to_string(&Millionths(5_000)).unwrap(), "0.5");
    assert_eq!(serde_json::from_str::<Millionths>("12.3456").unwrap(), Millionths(123_456));
    assert_eq!(Millionths(-1_000_000).to_string(), "-100");
}

/// The page deserializes the API's JSON: flattened structs must not share a field name.
#[test]
fn runs_round_trip_through_json() {
    let at = time::macros::datetime!(2026-11-26 12:00 UTC);
    let detail = ReconciliationDetail {
        summary: ReconciliationSummary {
            id: uuid::Uuid::from_u128(7),
            status: ReconciliationStatus::Running,
            actor: "ada@apex.example".into(),
            customer_id: None,
            customer: None,
            from: Some(at),
            to: at,
            repair: false,
            stage: "invoices".into(),
            checked: Checked::default(),
            rows_checked: 2,
            rows_total: Some(3),
            discrepancies: 1,
            repaired: 0,
            currency_totals: Totals::default(),
            within_tolerance: None,
            error: None,
            started_at: at,
            finished_at: None,
        },
        found: DiscrepancyPage {
            discrepancies: Vec::new(),
            kinds: vec![KindCount { kind: Kind::Amount, count: 1 }],
            pagination: crate::domain::list::Pagination { page: 1, limit: 20, total: 1, total_pages: 1 },
        },
    };
    let text = serde_json::to_string(&detail).unwrap();
    assert_eq!(serde_json::from_str::<ReconciliationDetail>(&text).unwrap(), detail, "{text}");
}

/// A missing invoice that Stripe voided differs, but no amount is at stake.
#[test]
fn a_missing_void_invoice_has_no_amount() {
    let amount = |status: &str| {
        let invoice = Record { status: Some(status.to_owned()), ..invoice(1, 1_790_000_000, 50_173) };
        compare(Object::Invoice, None, Some(&invoice), TOLERANCE).iter().map(|found| (found.kind, found.amount)).collect::<Vec<_>>()
    };
    assert_eq!(amount("void"), [(Kind::MissingLocally, 0)]);
    assert_eq!(amount("open"), [(Kind::MissingLocally, 50_173)]);
}
