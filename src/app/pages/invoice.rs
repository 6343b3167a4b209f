//! One invoice: the amount due and its date, then its lines and history.

use crate::{
    app::{
        Page,
        calls::invoices::invoice,
        components::{Glyph, Icon, InvoiceBadges, Moment, ProblemNotice, Relative, invoice_lines::InvoiceLines},
        language,
        local_path::INVOICES,
        pages::{console::Session, paused::paused_page},
        usage_summary::Tone,
    },
    domain::{
        invoice::{CreditNote, InvoiceDetail, InvoiceStatus, InvoiceSummary, Payment, Refund, TimelineEntry},
        language::Language,
        refund::counts,
    },
    text::{common, document, format, invoices as words},
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
        Err(problem) => (words::invoice(language()).to_owned(), Either::Right(view! { <ProblemNotice problem page=true /> })),
    };
    let content = view! {
        <p class="back"><a href=INVOICES><Icon glyph=Glyph::Previous /><span>{words::all_invoices(language())}</span></a></p>
        {content}
    };
    Page::new(title, content)
}

fn title(invoice: &InvoiceSummary) -> String {
    let language = language();
    let number = invoice.number.as_deref();
    number.map_or_else(|| words::draft_invoice(language).to_owned(), |number| document::invoice_numbered(language, number))
}

fn show(invoice: InvoiceDetail, title: String, pdf: bool) -> impl IntoView {
    let language = language();
    let summary = &invoice.summary;
    let download = pdf.then(|| {
        view! {
            <a class="button" href=format!("/api/v1/billing/invoices/{}/pdf", summary.id) rel="external">
                <Icon glyph=Glyph::Download />
                <span>{words::download_pdf(language)}</span>
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
            InvoiceStatus::Uncollectible => words::pay(language, summary.money(summary.amount_remaining)),
            _ => words::pay_now(language).to_owned(),
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
                <dt>{if summary.issued_at.is_some() { words::issued(language) } else { words::created(language) }}</dt>
                <dd><Moment at=summary.dated() /></dd>
            </div>
            {summary.due_date.map(|at| view! { <div><dt>{words::due(language)}</dt><dd><Moment at /></dd></div> })}
            {summary.period.as_ref().map(|period| view! { <div><dt>{common::period(language)}</dt><dd>{format::period(language, period)}</dd></div> })}
            {(!invoice.lines_complete).then(|| view! { <div><dt>{common::period(language)}</dt><dd>{words::not_known_yet(language)}</dd></div> })}
            <div><dt>{words::total(language)}</dt><dd>{format::money(language, summary.money(summary.total))}</dd></div>
            {custom_fields}
        </dl>
    };
    let money_moved = (!invoice.payments.is_empty() || !invoice.refunds.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="payments-title">
                <header class="panel-head"><h2 id="payments-title">{words::payments_and_refunds(language)}</h2></header>
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
                <header class="panel-head"><h2 id="credit-notes-title">{document::credit_notes(language)}</h2></header>
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
                <header class="panel-head"><h2 id="customer-title">{words::billed_to(language)}</h2></header>
                <address class="address">
                    <strong>{invoice.customer.name.clone()}</strong>
                    {document::address_lines(language, &invoice.customer).into_iter().map(|line| view! { <span>{line}</span> }).collect_view()}
                    {invoice.customer.email.clone().map(|email| view! { <span>{email}</span> })}
                    {invoice.customer.tax_ids.iter().map(|id| view! { <span>{document::tax_id(language, id)}</span> }).collect_view()}
                </address>
            </section>
            {timeline(&invoice.timeline)}
        </div>
        {invoice.footer.clone().filter(|text| !text.trim().is_empty()).map(|text| view! { <p class="invoice-footer">{text}</p> })}
    }
}

/// The amount due and its date, in one sentence.
fn owed(invoice: &InvoiceSummary, can_be_paid: bool) -> impl IntoView + use<> {
    let (tone, sentence) = owed_sentence(language(), invoice, can_be_paid);
    let due = invoice.due_date.filter(|_| invoice.status == InvoiceStatus::Open);
    let distance = due.map(|at| view! { " (" <Relative at /> ")" });
    view! {
        <p class=format!("owed {}", tone.class())>
            {sentence}
            {distance}
        </p>
    }
}

fn owed_sentence(language: Language, invoice: &InvoiceSummary, can_be_paid: bool) -> (Tone, String) {
    let left = invoice.money(invoice.amount_remaining);
    let date = |at| format::date(language, at);
    match (invoice.status, invoice.due_date, invoice.paid_at) {
        (InvoiceStatus::Draft, ..) => (Tone::Neutral, words::draft_may_change(language).to_owned()),
        (InvoiceStatus::Open, Some(due), _) if invoice.overdue => (Tone::Danger, words::overdue_since(language, left, &date(due))),
        (InvoiceStatus::Open, Some(due), _) => (Tone::Neutral, words::due_on(language, left, &date(due))),
        (InvoiceStatus::Open, None, _) => (Tone::Neutral, words::owed_without_date(language, left)),
        (InvoiceStatus::Paid, _, Some(at)) if invoice.amount_paid == 0 => (Tone::Good, words::settled_on(language, &date(at))),
        (InvoiceStatus::Paid, _, None) if invoice.amount_paid == 0 => (Tone::Good, words::settled(language).to_owned()),
        (InvoiceStatus::Paid, _, Some(at)) => (Tone::Good, words::paid_on(language, &date(at))),
        (InvoiceStatus::Paid, ..) => (Tone::Good, words::paid(language).to_owned()),
        (InvoiceStatus::Void, ..) => (Tone::Neutral, words::voided(language).to_owned()),
        (InvoiceStatus::Uncollectible, ..) if can_be_paid => (Tone::Neutral, document::can_still_pay(language, left)),
        (InvoiceStatus::Uncollectible, ..) => (Tone::Neutral, words::written_off(language, left)),
    }
}

fn payment_entry(invoice: &InvoiceSummary, payment: &Payment) -> impl IntoView + use<> {
    let language = language();
    let method = document::payment_method(language, payment.method.as_deref().unwrap_or_default());
    let amount = format::money(language, invoice.money(payment.amount));
    entry(method, words::money_status(language, &payment.status), payment.at, amount)
}

fn refund_entry(invoice: &InvoiceSummary, refund: &Refund) -> impl IntoView + use<> {
    let language = language();
    let state = with_reason(language, &refund.status, refund.reason.as_deref());
    let (state, amount) = if counts(&refund.status) {
        (state, -refund.amount)
    } else {
        (words::not_refunded(language, &state, invoice.money(refund.amount)), 0)
    };
    entry(document::refund(language).to_owned(), state, refund.at, format::money(language, invoice.money(amount)))
}

fn credit_note_entry(invoice: &InvoiceSummary, credit_note: &CreditNote) -> impl IntoView + use<> {
    let language = language();
    let title = words::credit_note(language, credit_note.number.as_deref());
    let state = with_reason(language, &credit_note.status, credit_note.reason.as_deref());
    entry(title, state, credit_note.at, format::money(language, invoice.money(-credit_note.amount)))
}

/// `Succeeded, requested by customer`.
fn with_reason(language: Language, status: &str, reason: Option<&str>) -> String {
    let status = words::money_status(language, status);
    match reason {
        Some(reason) => format!("{status}, {}", words::reason(language, reason)),
        None => status,
    }
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
    let language = language();
    let items = entries.iter().map(|entry| {
        let title = words::happened(language, entry);
        view! { <li><span>{title}</span><Moment at=entry.at time=true /></li> }
    });
    let items = items.collect_view();
    (!entries.is_empty()).then(|| {
        view! {
            <section class="panel" aria-labelledby="timeline-title">
                <header class="panel-head"><h2 id="timeline-title">{words::timeline(language)}</h2></header>
                <ol class="timeline">{items}</ol>
            </section>
        }
    })
}
