//! Stripe invoices of every kind with their expected sums.

use apex_billing::domain::{
    invoice::{
        PretaxCredit, PretaxCreditKind, ShippingCost, TaxAmount, TaxBehavior,
        sums::{Figures, LineFigures},
    },
    money::Currency,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// An invoice object and its expected values.
#[derive(Clone, Debug)]
pub struct Invoice {
    pub object: Value,
    pub discount: i64,
    pub credits: i64,
    pub added_tax: i64,
    pub included_tax: i64,
    pub credit_notes: i64,
    pub has_all_lines: bool,
}

#[derive(Clone, Copy, Debug)]
enum Balance {
    None,
    /// Before clover: the balances explain the applied amounts.
    Starting(i64),
    /// Since clover they don't.
    Unexplained(i64),
}

#[derive(Clone, Debug)]
struct LinePlan {
    amount: i64,
    discount_percent: i64,
    rate: i64,
    included: bool,
}

#[derive(Clone, Debug)]
struct Plan {
    currency: &'static str,
    status: &'static str,
    lines: Vec<LinePlan>,
    discount_percent: i64,
    credit_percent: i64,
    /// Before tax, its rate, and whether the invoice's taxes contain the tax.
    shipping: Option<(i64, i64, bool)>,
    balance: Balance,
    credit_note_percent: i64,
    paid_percent: i64,
    overpaid: i64,
    credited: i64,
    without_roll_ups: bool,
    has_all_lines: bool,
}

pub fn invoices() -> impl Strategy<Value = Invoice> {
    let line = (-20_000i64..100_000, prop::sample::select(vec![0, 0, 10, 25]), prop::sample::select(vec![0, 7, 19]), any::<bool>())
        .prop_map(|(amount, discount_percent, rate, included)| LinePlan { amount, discount_percent, rate, included });
    let small =
        prop::collection::vec((1i64..60).prop_map(|amount| LinePlan { amount, discount_percent: 0, rate: 0, included: false }), 1..=1);
    let lines = prop_oneof![4 => prop::collection::vec(line, 1..5), 1 => small];
    let balance = prop_oneof![
        2 => Just(Balance::None),
        2 => (-60_000i64..60_000).prop_map(Balance::Starting),
        1 => (1i64..300_000).prop_map(Balance::Unexplained),
    ];
    let shipping = prop::option::of((1i64..5_000, prop::sample::select(vec![0, 19]), any::<bool>()));
    let money =
        (balance, shipping, 0i64..=100, 0i64..=100, prop::sample::select(vec![0, 0, 1, 777]), prop::sample::select(vec![0, 0, 500]));
    let kind = (
        prop::sample::select(vec!["usd", "eur", "jpy", "kwd", "gbp", "huf"]),
        prop::sample::select(vec!["draft", "open", "paid", "void", "uncollectible"]),
        prop::sample::select(vec![0i64, 0, 5, 33, 100]),
        prop::sample::select(vec![0i64, 0, 30, 100]),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.85),
    );
    (kind, lines, money).prop_map(|(kind, lines, money)| {
        let (currency, status, discount_percent, credit_percent, without_roll_ups, has_all_lines) = kind;
        let (balance, shipping, credit_note_percent, paid_percent, overpaid, credited) = money;
        build(&Plan {
            currency,
            status,
            lines,
            discount_percent,
            credit_percent,
            shipping: shipping.filter(|_| !without_roll_ups),
            balance,
            credit_note_percent: if credit_note_percent > 60 { credit_note_percent } else { 0 },
            paid_percent,
            overpaid,
            credited,
            without_roll_ups: without_roll_ups && has_all_lines,
            has_all_lines,
        })
    })
}

/// As Stripe computes it.
fn build(plan: &Plan) -> Invoice {
    let share = |amount: i64, percent: i64| amount * percent / 100;
    let item_discounts: Vec<i64> = plan.lines.iter().map(|line| share(line.amount, line.discount_percent)).collect();
    let subtotal: i64 = plan.lines.iter().zip(&item_discounts).map(|(line, discount)| line.amount - discount).sum();
    let discount = share(subtotal.max(0), plan.discount_percent);
    let credits = share((subtotal - discount).max(0), plan.credit_percent);
    let mut taxes: Vec<(bool, i64, i64, i64)> = Vec::new();
    let mut tax = |included: bool, rate: i64, amount: i64, taxable: i64| match taxes
        .iter_mut()
        .find(|known| (known.0, known.1) == (included, rate))
    {
        Some(known) => (known.2, known.3) = (known.2 + amount, known.3 + taxable),
        None => taxes.push((included, rate, amount, taxable)),
    };
    let mut lines = Vec::new();
    for (place, line) in plan.lines.iter().enumerate() {
        // Discounts on the whole invoice go to the first line.
        let (of_discount, of_credits) = if place == 0 { (discount, credits) } else { (0, 0) };
        let taxable = line.amount - item_discounts[place] - of_discount - of_credits;
        let amount = if line.included { taxable * line.rate / (100 + line.rate) } else { taxable * line.rate / 100 };
        let mut line_taxes = Vec::new();
        if line.rate != 0 && amount != 0 {
            tax(line.included, line.rate, amount, taxable);
            line_taxes.push(tax_json(line.included, line.rate, amount, taxable));
        }
        let discounts = item_discounts[place] + of_discount;
        lines.push(json!({
            "id": format!("il_{place}"), "object": "line_item", "amount": line.amount, "currency": plan.currency,
            "description": format!("Line {place}"), "quantity": 1, "quantity_decimal": "1", "period": {"start": 1_796_000_000, "end": 1_798_592_000},
            "discount_amounts": if discounts == 0 { json!([]) } else { json!([{"amount": discounts, "discount": "di_1"}]) },
            "pretax_credit_amounts": pretax(discounts, of_credits), "taxes": line_taxes,
        }));
    }
    let shipping = plan.shipping.map(|(amount, rate, is_among_all)| {
        let of_shipping = share(amount, rate);
        if rate != 0 && is_among_all {
            tax(false, rate, of_shipping, amount);
        }
        let own = if rate == 0 { json!([]) } else { json!([tax_json(false, rate, of_shipping, amount)]) };
        (
            amount,
            of_shipping,
            json!({"amount_subtotal": amount, "amount_tax": of_shipping, "amount_total": amount + of_shipping, "taxes": own}),
        )
    });
    let added = |wanted: bool| taxes.iter().filter(|tax| tax.0 == wanted).map(|tax| tax.2).sum::<i64>();
    let apart =
        shipping.as_ref().filter(|_| plan.shipping.is_some_and(|(.., is_among_all)| !is_among_all)).map_or(0, |shipping| shipping.1);
    let added_tax = added(false) + apart;
    let total = subtotal - discount - credits + shipping.as_ref().map_or(0, |shipping| shipping.0) + added_tax;

    let is_draft = plan.status == "draft";
    let least = match plan.currency {
        "usd" | "eur" | "jpy" => 50,
        "gbp" => 30,
        "huf" => 17_500,
        _ => 0,
    };
    let (starting, due, ending) = match plan.balance {
        Balance::Unexplained(credit) if total > 0 => (0, total - credit.min(total), -(credit + 1)),
        balance => {
            let starting = if let Balance::Starting(amount) = balance { amount } else { 0 };
            let owed = starting + total;
            if owed < least.max(1) { (starting, 0, owed) } else { (starting, owed, 0) }
        }
    };
    let credit_notes = if is_draft { 0 } else { share(due, plan.credit_note_percent) };
    let due = due - credit_notes;
    let (paid, remaining) = match plan.status {
        "paid" => (due + if due > 0 { plan.overpaid } else { 0 }, 0),
        "draft" => (0, due),
        _ => (share(due, plan.paid_percent), due - share(due, plan.paid_percent)),
    };
    let discounts = item_discounts.iter().sum::<i64>() + discount;
    let roll_up = |value: Value| if plan.without_roll_ups { Value::Null } else { value };
    let object = json!({
        "object": "invoice", "status": plan.status, "currency": plan.currency, "created": 1_796_000_000, "livemode": false,
        "subtotal": subtotal, "total": total, "amount_due": due, "amount_paid": paid, "amount_remaining": remaining,
        "amount_overpaid": (paid - due).max(0), "starting_balance": starting, "ending_balance": if is_draft { Value::Null } else { ending.into() },
        "pre_payment_credit_notes_amount": credit_notes, "post_payment_credit_notes_amount": if paid > 0 { plan.credited } else { 0 },
        "total_discount_amounts": roll_up(if discounts == 0 { json!([]) } else { json!([{"amount": discounts, "discount": "di_1"}]) }),
        "total_taxes": roll_up(taxes.iter().map(|(included, rate, amount, taxable)| tax_json(*included, *rate, *amount, *taxable)).collect()),
        "total_pretax_credit_amounts": roll_up(pretax(discounts, credits)), "shipping_cost": shipping.map(|shipping| shipping.2),
        "period_start": 1_793_408_000, "period_end": 1_796_000_000, "effective_at": null, "due_date": null,
        "status_transitions": {
            "finalized_at": if is_draft { Value::Null } else { 1_796_003_600.into() }, "paid_at": null, "voided_at": null, "marked_uncollectible_at": null,
        },
        "lines": {"object": "list", "has_more": !plan.has_all_lines, "data": lines},
    });
    let included_tax = added(true);
    Invoice { object, discount, credits, added_tax, included_tax, credit_notes, has_all_lines: plan.has_all_lines }
}

fn tax_json(included: bool, rate: i64, amount: i64, taxable: i64) -> Value {
    json!({
        "amount": amount, "taxable_amount": taxable, "tax_behavior": if included { "inclusive" } else { "exclusive" },
        "taxability_reason": "standard_rated", "type": "tax_rate_details", "tax_rate_details": {"tax_rate": format!("txr_{rate}")},
    })
}

fn pretax(discounts: i64, credits: i64) -> Value {
    let entry = |amount: i64, kind: &str| (amount != 0).then(|| json!({"amount": amount, "type": kind}));
    [entry(discounts, "discount"), entry(credits, "credit_balance_transaction")].into_iter().flatten().collect()
}

/// The amounts of an invoice object.
pub fn figures(object: &Value) -> Figures {
    let amount = |key: &str| object[key].as_i64().unwrap_or(0);
    let mut lines = LineFigures::default();
    for line in object["lines"]["data"].as_array().unwrap() {
        let added = taxes(&line["taxes"]).iter().filter(|tax| tax.behavior == TaxBehavior::Exclusive).map(|tax| tax.amount).sum();
        lines.add(
            line["amount"].as_i64().unwrap(),
            sum(&line["discount_amounts"]),
            added,
            &taxes(&line["taxes"]),
            &credits(&line["pretax_credit_amounts"]),
        );
    }
    Figures {
        status: object["status"].as_str().unwrap().parse().unwrap(),
        currency: object["currency"].as_str().unwrap().parse::<Currency>().unwrap(),
        subtotal: amount("subtotal"),
        discount: sum(&object["total_discount_amounts"]),
        tax: sum(&object["total_taxes"]),
        taxes: object["total_taxes"].is_array().then(|| taxes(&object["total_taxes"])),
        pretax_credits: object["total_pretax_credit_amounts"].is_array().then(|| credits(&object["total_pretax_credit_amounts"])),
        shipping: shipping(&object["shipping_cost"]),
        total: amount("total"),
        credit_notes_before_payment: amount("pre_payment_credit_notes_amount"),
        credit_notes_after_payment: amount("post_payment_credit_notes_amount"),
        due: amount("amount_due"),
        paid: amount("amount_paid"),
        remaining: amount("amount_remaining"),
        overpaid: amount("amount_overpaid"),
        refunded: 0,
        starting_balance: amount("starting_balance"),
        ending_balance: object["ending_balance"].as_i64(),
        paid_out_of_band: false,
        tax_exempt: None,
        lines: (object["lines"]["has_more"] == false).then_some(lines),
    }
}

fn sum(list: &Value) -> i64 {
    list.as_array().into_iter().flatten().filter_map(|entry| entry["amount"].as_i64()).sum()
}

fn taxes(list: &Value) -> Vec<TaxAmount> {
    let tax = |tax: &Value| TaxAmount {
        amount: tax["amount"].as_i64().unwrap(),
        taxable_amount: tax["taxable_amount"].as_i64(),
        behavior: if tax["tax_behavior"] == "inclusive" { TaxBehavior::Inclusive } else { TaxBehavior::Exclusive },
        reason: tax["taxability_reason"].as_str().map(str::to_owned),
        rate_id: tax["tax_rate_details"]["tax_rate"].as_str().map(str::to_owned),
        rate: None,
    };
    list.as_array().into_iter().flatten().map(tax).collect()
}

fn credits(list: &Value) -> Vec<PretaxCredit> {
    let kind = |kind: &Value| match kind.as_str() {
        Some("credit_balance_transaction") => PretaxCreditKind::CreditBalanceTransaction,
        Some("discount") => PretaxCreditKind::Discount,
        _ => PretaxCreditKind::Other,
    };
    let credit = |credit: &Value| PretaxCredit { amount: credit["amount"].as_i64().unwrap(), kind: kind(&credit["type"]) };
    list.as_array().into_iter().flatten().map(credit).collect()
}

fn shipping(cost: &Value) -> Option<ShippingCost> {
    let amount = |key: &str| cost[key].as_i64().unwrap_or(0);
    cost.is_object().then(|| ShippingCost {
        subtotal: amount("amount_subtotal"),
        tax: amount("amount_tax"),
        total: amount("amount_total"),
        taxes: taxes(&cost["taxes"]),
    })
}
