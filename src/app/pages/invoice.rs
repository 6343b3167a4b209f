//! One invoice: the amount due and its date, then its lines and history.

use crate::{
    app::{
        Page,
        calls::invoices::invoice,
        components::{Glyph, Icon, InvoiceBadges, Moment, ProblemNotice, Relative, invoice_lines::InvoiceLines},
        local_path::INVOICES,
        pages::{console::Session, paused::paused_page},
        usage_summary::Tone,
    },
    domain::{
        format,
        invoice::{CreditNote, InvoiceDetail, InvoiceStatus, InvoiceSummary, Payment, Refund, TimelineEntry},
        refund::counts,
    },
};
use leptos::{either::Either, prelude::*};
use time::OffsetDateTime;

/// `/billing/invoices/:id`.
pub async fn page(id: String) -> Page {
    let session = expect_context::<Session>();
    if session.paused() {
        return paused_page();
    }
    let (title, content) = match invoice(id).await {
        Ok(invoice) => {
            let title = title(&invoice.summary);
            (title.clone(), Either::Left(show(invoice, title, session.has_invoice_pdfs())))
        }
        Err(problem) => ("Invoice".to_owned(), Either::Right(view! { <ProblemNotice problem page=true /> })),
    };
    let content = view! {
        <p class="back"><a href=INVOICES><Icon glyph=Glyph::Previous /><span>"All invoices"</span></a></p>
        {content}
    };
    Page::new(title, content)
}

fn title(invoice: &InvoiceSummary) -> String {
    invoice.number.as_ref().map_or_else(|| "Draft invoice".to_owned(), |number| format!("Invoice {number}"))
}

fn show(invoice: InvoiceDetail, title: String, pdf: bool) -> impl IntoView {
    let summary = &invoice.summary;
    let download = pdf.then(|| {
        view! {
            <a class="button" href=format!("/api/v1/billing/invoices/{}/pdf", summary.id) rel="external">
                <Icon glyph=Glyph::Download />
                <span>"Download PDF"</span>
            </a>
        }
    });
    // Stripe accepts payments of written-off invoices too.
    let can_be_paid = match summary.status {
        InvoiceStatus::Open => true,
        InvoiceStatus::Uncollectible => summary.amount_remaining > 0,
        InvoiceStatus::Draft | InvoiceStatus::Paid | InvoiceStatus::Void => false,
    };
    let pay = invoice.hosted_invoice_url.clone().filter(|_| can_be_paid).map(|url| {
        let text = match summary.status {
            InvoiceStatus::Uncollectible => format!("Pay {}", summary.money(summary.amount_remaining)),
            _ => "Pay now".to_owned(),
        };
        view! {
            <a class="button primary" href=url rel="external noopener">
                <span>{text}</span>
                <Icon glyph=Glyph::External />
            </a>
        }
    });
    let custom_fields = invoice
        .custom_fields
        .iter()
        .map(|field| view! { <div><dt>{field.name.clone()}</dt><dd>{field.value.clone()}</dd></div> })
        .collect_view();
    let facts = view! {
        <dl class="facts wide-facts">
            <div>
                <dt>{if summary.issued_at.is_some() { "Issued" } else { "Created" }}</dt>
                <dd><Moment at=summary.dated() /></dd>
            </div>
            {summary.due_date.map(|at| view! { <div><dt>"Due"</dt><dd><Moment at /></dd></div> })}
            {summary.period.as_ref().map(|period| view! { <div><dt>"Period"</dt><dd>{format::period(period)}</dd></div> })}
            {(!invoice.lines_complete).then(|| view! { <div><dt>"Period"</dt><dd>"Not known yet"</dd></div> })}
            <div><dt>"Total"</dt><dd>{summary.money(summary.total).to_string()}</dd></div>
            {custom_fields}
        </dl>
    };
    let money_moved = (!invoice.payments.is_empty() || !invoice.refunds.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="payments-title">
                <header class="panel-head"><h2 id="payments-title">"Payments and refunds"</h2></header>
                <ul class="entries">
                    {invoice.payments.iter().map(|payment| payment_entry(summary, payment)).collect_view()}
                    {invoice.refunds.iter().map(|refund| refund_entry(summary, refund)).collect_view()}
                </ul>
            </section>
        }
    });
    let credited = (!invoice.credit_notes.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="credit-notes-title">
                <header class="panel-head"><h2 id="credit-notes-title">"Credit notes"</h2></header>
                <ul class="entries">
                    {invoice.credit_notes.iter().map(|credit_note| credit_note_entry(summary, credit_note)).collect_view()}
                </ul>
            </section>
        }
    });
    view! {
        <header class="page-head">
            <div>
                <div class="title-row"><h1>{title}</h1><InvoiceBadges invoice=summary /></div>
                {owed(summary, pay.is_some())}
            </div>
            <div class="actions">{download} {pay}</div>
        </header>
        {facts}
        {invoice.description.clone().map(|text| view! { <p class="invoice-note">{text}</p> })}
        <InvoiceLines invoice=&invoice />
        <div class="columns even">
            {money_moved}
            {credited}
            <section class="panel" aria-labelledby="customer-title">
                <header class="panel-head"><h2 id="customer-title">"Billed to"</h2></header>
                <address class="address">
                    <strong>{invoice.customer.name.clone()}</strong>
                    {invoice.customer.address.iter().map(|line| view! { <span>{line.clone()}</span> }).collect_view()}
                    {invoice.customer.email.clone().map(|email| view! { <span>{email}</span> })}
                    {invoice.customer.tax_ids.iter().map(|id| view! { <span>{id.shown()}</span> }).collect_view()}
                </address>
            </section>
            {timeline(&invoice.timeline)}
        </div>
        {invoice.footer.clone().filter(|text| !text.trim().is_empty()).map(|text| view! { <p class="invoice-footer">{text}</p> })}
    }
}

/// The amount due and its date, in one sentence.
fn owed(invoice: &InvoiceSummary, can_be_paid: bool) -> impl IntoView + use<> {
    let left = invoice.money(invoice.amount_remaining);
    let (tone, sentence) = match (invoice.status, invoice.due_date, invoice.paid_at) {
        (InvoiceStatus::Draft, ..) => (Tone::Neutral, "Not issued yet: the amounts may still change.".to_owned()),
        (InvoiceStatus::Open, Some(due), _) if invoice.overdue => {
            (Tone::Danger, format!("{left} has been overdue since {}", format::date(due)))
        }
        (InvoiceStatus::Open, Some(due), _) => (Tone::Neutral, format!("{left} is due on {}", format::date(due))),
        (InvoiceStatus::Open, None, _) => (Tone::Neutral, format!("{left} is owed; no due date is set.")),
        (InvoiceStatus::Paid, _, Some(at)) if invoice.amount_paid == 0 => {
            (Tone::Good, format!("Settled on {}, nothing to pay.", format::date(at)))
        }
        (InvoiceStatus::Paid, _, None) if invoice.amount_paid == 0 => (Tone::Good, "Settled, nothing to pay.".to_owned()),
        (InvoiceStatus::Paid, _, Some(at)) => (Tone::Good, format!("Paid on {}. Nothing is owed.", format::date(at))),
        (InvoiceStatus::Paid, ..) => (Tone::Good, "Paid. Nothing is owed.".to_owned()),
        (InvoiceStatus::Void, ..) => (Tone::Neutral, "This invoice was voided: nothing is owed.".to_owned()),
        (InvoiceStatus::Uncollectible, ..) if can_be_paid => (Tone::Neutral, format!("Written off. You can still pay it: {left}.")),
        (InvoiceStatus::Uncollectible, ..) => (Tone::Neutral, format!("Written off: {left} was not paid.")),
    };
    let due = invoice.due_date.filter(|_| invoice.status == InvoiceStatus::Open);
    let distance = due.map(|at| view! { " (" <Relative at /> ")" });
    view! {
        <p class=format!("owed {}", tone.class())>
            {sentence}
            {distance}
        </p>
    }
}

fn payment_entry(invoice: &InvoiceSummary, payment: &Payment) -> impl IntoView + use<> {
    let method = match payment.method.as_deref() {
        Some("out_of_band") => "Paid outside Stripe".to_owned(),
        Some("sepa_debit") => "SEPA debit".to_owned(),
        Some(method) => format::words(method),
        None => "Payment".to_owned(),
    };
    entry(method, format::words(&payment.status), payment.at, invoice.money(payment.amount).to_string())
}

fn refund_entry(invoice: &InvoiceSummary, refund: &Refund) -> impl IntoView + use<> {
    let state = match &refund.reason {
        Some(reason) => format!("{}, {}", format::words(&refund.status), format::words(reason).to_lowercase()),
        None => format::words(&refund.status),
    };
    let (state, amount) = if counts(&refund.status) {
        (state, -refund.amount)
    } else {
        (format!("{state}: {} was not refunded", invoice.money(refund.amount)), 0)
    };
    entry("Refund".to_owned(), state, refund.at, invoice.money(amount).to_string())
}

fn credit_note_entry(invoice: &InvoiceSummary, credit_note: &CreditNote) -> impl IntoView + use<> {
    let title = credit_note.number.as_ref().map_or_else(|| "Credit note".to_owned(), |number| format!("Credit note {number}"));
    let state = match &credit_note.reason {
        Some(reason) => format!("{}, {}", format::words(&credit_note.status), format::words(reason).to_lowercase()),
        None => format::words(&credit_note.status),
    };
    entry(title, state, credit_note.at, invoice.money(-credit_note.amount).to_string())
}

fn entry(title: String, state: String, at: OffsetDateTime, amount: String) -> impl IntoView {
    view! {
        <li>
            <div>
                <strong>{title}</strong>
                <span class="quiet">{state} " · " <Moment at time=true /></span>
            </div>
            <span class="number">{amount}</span>
        </li>
    }
}

fn timeline(entries: &[TimelineEntry]) -> Option<impl IntoView + use<>> {
    let items =
        entries.iter().map(|entry| view! { <li><span>{entry.title.clone()}</span><Moment at=entry.at time=true /></li> }).collect_view();
    (!entries.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="timeline-title">
                <header class="panel-head"><h2 id="timeline-title">"Timeline"</h2></header>
                <ol class="timeline">{items}</ol>
            </section>
        }
    })
}
