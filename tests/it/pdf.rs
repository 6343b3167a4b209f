//! Invoices as PDF, parsed with poppler and qpdf.

use apex_billing::{
    domain::{
        address::Address,
        invoice::{
            CreditNote, CustomField, InvoiceCustomer, InvoiceDetail, InvoiceStatus, InvoiceSummary, LineItem, Payment, Refund, TaxId,
            TimelineEntry,
            sums::{Figures, LineFigures},
        },
        language::Language,
        money::Currency,
        period::Period,
    },
    pdf::{CacheKey, InvoiceDocument, Limits, Pdf, PdfError, Renderer, Seller},
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{
    io::Write,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

fn period() -> Period {
    Period::calendar_month(datetime!(2026-11-10 0:00 UTC))
}

fn line(description: &str, quantity: i64, unit_amount: &str, amount: i64) -> LineItem {
    LineItem {
        description: description.to_owned(),
        quantity: Some(quantity),
        quantity_decimal: None,
        unit_amount: Some(unit_amount.to_owned()),
        amount,
        discount: 0,
        tax: 0,
        taxes: Vec::new(),
        pretax_credits: Vec::new(),
        transform_quantity: None,
        period: Some(period()),
        proration: false,
    }
}

/// An open usage invoice over $2,071.00.
fn invoice() -> InvoiceDetail {
    InvoiceDetail {
        summary: InvoiceSummary {
            id: Uuid::from_u128(0x5f3c),
            stripe_invoice_id: "in_1".to_owned(),
            number: Some("APX-2026-0042".to_owned()),
            status: InvoiceStatus::Open,
            currency: Currency::USD,
            total: 207_100,
            amount_due: 197_100,
            amount_paid: 0,
            amount_remaining: 197_100,
            amount_refunded: 0,
            amount_credited: 0,
            period: Some(period()),
            created_at: datetime!(2026-12-01 0:10 UTC),
            issued_at: Some(datetime!(2026-12-01 1:15 UTC)),
            due_date: Some(datetime!(2026-12-31 0:00 UTC)),
            paid_at: None,
            overdue: false,
        },
        customer: InvoiceCustomer {
            name: "Northwind Games Ltd".to_owned(),
            email: Some("accounts@northwind.example".to_owned()),
            address: vec!["12 Harbour Street".to_owned(), "Bristol BS1 4XY".to_owned(), "United Kingdom".to_owned()],
            postal: Address::default(),
            tax_id: Some("GB123456789".to_owned()),
            tax_ids: vec![TaxId { kind: String::new(), value: "GB123456789".to_owned() }],
            tax_exempt: None,
        },
        subtotal: 184_250,
        discount: 11_667,
        item_discount: 0,
        tax: 34_517,
        credit_applied: 10_000,
        sums: Vec::new(),
        taxes: Vec::new(),
        tax_notes: Vec::new(),
        shipping: None,
        custom_fields: Vec::new(),
        footer: None,
        description: Some("Purchase order 4711.\nThank you for your business.".to_owned()),
        line_items: vec![
            line("Studio plan", 1, "49900", 49_900),
            line("Impressions beyond the plan (per 1,000)", 2_500_000, "50", 125_000),
            line("API calls beyond the plan", 1_000_000, "0.008", 8_000),
            LineItem { proration: true, quantity: None, unit_amount: None, ..line("Extra seat from 12 November", 1, "0", 1_350) },
        ],
        lines_complete: true,
        payments: Vec::new(),
        refunds: Vec::new(),
        credit_notes: Vec::new(),
        timeline: vec![TimelineEntry {
            event_type: "invoice.finalized".to_owned(),
            title: "Invoice finalized".to_owned(),
            at: datetime!(2026-12-01 1:15 UTC),
            amount: None,
            number: None,
        }],
        hosted_invoice_url: Some(
            "https://invoice.stripe.com/i/acct_1032D82eZvKYlo2C/live_YWNjdF8xMDMyRDgyZVp2S1lsbzJDLF9Pb0ZrZ2pYUnF2?s=ap".to_owned(),
        ),
    }
}

fn with_status(status: InvoiceStatus) -> InvoiceDetail {
    let mut invoice = invoice();
    invoice.summary.status = status;
    invoice
}

fn paid_with_partial_refund() -> InvoiceDetail {
    let mut invoice = with_status(InvoiceStatus::Paid);
    let at = datetime!(2026-12-04 14:03 UTC);
    invoice.summary.amount_paid = 197_100;
    invoice.summary.amount_remaining = 0;
    invoice.summary.amount_refunded = 20_000;
    invoice.summary.paid_at = Some(at);
    invoice.payments = vec![payment("pay_1", 197_100, "canceled", datetime!(2026-12-03 9:00 UTC)), payment("pay_2", 197_100, "paid", at)];
    invoice.refunds = vec![Refund {
        id: "re_1".to_owned(),
        amount: 20_000,
        status: "succeeded".to_owned(),
        reason: Some("requested_by_customer".to_owned()),
        at: datetime!(2026-12-10 8:00 UTC),
    }];
    invoice
}

fn payment(id: &str, amount: i64, status: &str, at: OffsetDateTime) -> Payment {
    Payment { id: id.to_owned(), amount, method: Some("sepa_debit".to_owned()), status: status.to_owned(), at }
}

fn with_lines(count: usize) -> InvoiceDetail {
    let mut invoice = invoice();
    invoice.line_items =
        (1..=count).map(|n| line(&format!("Placement {n}: rewarded video in the level shop"), 1_000, "0.9", 900)).collect();
    invoice
}

/// The sums of an invoice.
fn figures(invoice: &InvoiceDetail) -> Figures {
    let summary = &invoice.summary;
    let mut lines = LineFigures::default();
    invoice.line_items.iter().for_each(|line| lines.add(line.amount, line.discount, line.tax, &line.taxes, &line.pretax_credits));
    Figures {
        status: summary.status,
        currency: summary.currency,
        subtotal: invoice.subtotal,
        discount: invoice.discount,
        tax: invoice.tax,
        taxes: None,
        pretax_credits: None,
        shipping: None,
        total: summary.total,
        credit_notes_before_payment: 0,
        credit_notes_after_payment: summary.amount_credited,
        due: summary.amount_due,
        paid: summary.amount_paid,
        remaining: summary.amount_remaining,
        overpaid: 0,
        refunded: summary.amount_refunded,
        starting_balance: -invoice.credit_applied,
        ending_balance: Some(0),
        paid_out_of_band: false,
        tax_exempt: None,
        lines: Some(lines),
    }
}

fn document(invoice: &InvoiceDetail) -> InvoiceDocument {
    InvoiceDocument::new(Language::English, &invoice.clone().with_sums(&figures(invoice)).0, &Seller::apex_mediation())
}

fn render(invoice: &InvoiceDetail) -> Pdf {
    Renderer::new().render_blocking(&document(invoice)).unwrap()
}

/// A program's output for the PDF on its standard input.
fn pipe(program: &str, arguments: &[&str], pdf: &Pdf) -> String {
    pipe_bytes(program, arguments, pdf.bytes.to_vec())
}

/// The words of a PDF in the order of its content.
pub fn words_of(pdf: Vec<u8>) -> String {
    words(&pipe_bytes("pdftotext", &["-raw", "-", "-"], pdf).replace('\u{a0}', " "))
}

fn pipe_bytes(program: &str, arguments: &[&str], bytes: Vec<u8>) -> String {
    let mut child =
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn text(invoice: &InvoiceDetail) -> String {
    pipe("pdftotext", &["-layout", "-", "-"], &render(invoice)).replace('\u{a0}', " ")
}

/// The text row by row, without the widths of gaps, which change with the layout.
fn rows(invoice: &InvoiceDetail) -> String {
    text(invoice).lines().map(words).filter(|row| !row.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Collapses white space, for text that may wrap.
pub fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_open_invoice_has_amount_and_payment_link() {
    insta::assert_snapshot!(rows(&invoice()));
}

#[test]
fn a_paid_invoice_lists_its_payment_and_its_refund() {
    insta::assert_snapshot!(rows(&paid_with_partial_refund()));
}

#[test]
fn poppler_and_qpdf_find_no_fault() {
    let pdf = render(&invoice());
    let mut file = std::env::temp_dir();
    file.push(format!("invoice-{}.pdf", std::process::id()));
    std::fs::write(&file, &pdf.bytes).unwrap();
    let checked = Command::new("qpdf").arg("--check").arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let info = pipe("pdfinfo", &["-"], &pdf);
    assert!(info.contains("Title:           Invoice APX-2026-0042"), "{info}");
    assert!(info.contains("(A4)"), "{info}");
}

#[test]
fn two_hundred_lines_repeat_the_header_and_count_the_pages() {
    let pages = text(&with_lines(200));
    let pages: Vec<&str> = pages.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert!(pages.len() > 4, "{} pages", pages.len());
    for (i, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Page {} of {}", i + 1, pages.len())), "{page}");
        assert!(words(page).contains("Description Period Quantity Unit price Amount"), "{page}");
    }
    for n in 1..=200 {
        assert_eq!(pages.iter().filter(|page| page.contains(&format!("Placement {n}:"))).count(), 1, "line {n}");
    }
    let last = pages.last().unwrap();
    assert!(last.contains("Subtotal") && last.contains("Amount due"), "the sums stay together: {last}");
}

#[test]
fn the_same_invoice_is_the_same_bytes() {
    let pdf = render(&invoice());
    // Other documents in between, so that typst's memoization of the first one ages.
    for status in InvoiceStatus::ALL.into_iter().cycle().take(12) {
        render(&with_status(status));
    }
    let again = render(&invoice());
    assert_eq!(pdf, again);
    assert_eq!(pdf.etag.len(), 66);
    assert!(pdf.etag.starts_with('"') && pdf.etag.ends_with('"'));
    assert_ne!(pdf.etag, render(&with_status(InvoiceStatus::Void)).etag);
}

#[test]
fn markup_in_names_is_plain_text() {
    let hostile = [
        r##"#set page("a0") $x$ "q" \ @ref <lab> *b* _i_ `c` /* n */ // d -> fi --- ... ~ == 'q' https"##,
        "#panic(1) #import \"x.typ\" {{name}} </script> %s \\u{41} &amp;",
    ];
    for name in hostile {
        let mut invoice = invoice();
        invoice.customer.name = name.to_owned();
        invoice.description = Some(name.to_owned());
        invoice.line_items[0].description = name.to_owned();
        let pdf = Renderer::new().render_blocking(&document(&invoice)).unwrap();
        // In the order of the content, so that a wrapped name isn't mixed with its neighbours.
        let text = words(&pipe("pdftotext", &["-raw", "-", "-"], &pdf));
        assert_eq!(text.matches(&words(name)).count(), 3, "{name}\n{text}");
    }
}

#[test]
fn scripts_beyond_latin_are_printed() {
    let mut invoice = invoice();
    let names = ["株式会社アペックス", "광고 주식회사", "🚀 Rocket", "Ελλάδα Москва", "ไทย", "ქართული", "Ærøskøbing"];
    invoice.customer.address = names.map(str::to_owned).to_vec();
    invoice.customer.address.push("שלום".to_owned());
    invoice.customer.address.push("شركة".to_owned());
    let pdf = render(&invoice);
    let text = pipe("pdftotext", &["-raw", "-", "-"], &pdf);
    for name in names {
        assert!(text.contains(name), "{name}\n{text}");
    }
    assert!(text.contains("שלום"), "{text}");
    assert!(text.contains("شركة"), "{text}");
}

/// The first page as an image; bytes differ if the page looks different.
fn picture(invoice: &InvoiceDetail) -> Vec<u8> {
    let pdf = render(invoice);
    let mut child = Command::new("pdftoppm")
        .args(["-r", "50", "-f", "1", "-l", "1", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&pdf.bytes).unwrap();
    child.wait_with_output().unwrap().stdout
}

#[test]
fn a_character_that_no_font_has_leaves_a_box() {
    let named = |name: &str| {
        let mut invoice = invoice();
        invoice.customer.name = name.to_owned();
        picture(&invoice)
    };
    // An Egyptian hieroglyph.
    assert!(named("Acme \u{13000}") != named("Acme"), "nothing stands where the character was");
}

#[test]
fn drafts_and_void_invoices_have_a_watermark() {
    // The watermark is rotated, so it is extracted letter by letter; `-raw` inserts no blanks.
    let shown = |status| {
        let pdf = render(&with_status(status));
        pipe("pdftotext", &["-raw", "-", "-"], &pdf).to_uppercase().split_whitespace().collect::<String>()
    };
    for (status, word) in [(InvoiceStatus::Draft, "DRAFT"), (InvoiceStatus::Void, "VOID")] {
        // Besides the badge and, for a void invoice, the headline and the row of the sums.
        let elsewhere = if status == InvoiceStatus::Void { 3 } else { 1 };
        assert_eq!(shown(status).matches(word).count(), elsewhere + 1, "{}", shown(status));
    }
    assert!(shown(InvoiceStatus::Uncollectible).contains("UNCOLLECTIBLE"));
    assert!(!shown(InvoiceStatus::Void).contains("PAYONLINE"));
    assert!(!shown(InvoiceStatus::Open).contains("DRAFT"));
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let mut invoice = invoice();
    invoice.summary.currency = "jpy".parse().unwrap();
    let yen = words(&text(&invoice));
    assert!(yen.contains("Amount due ¥197,100"), "{yen}");
    assert!(yen.contains("1,000,000 ¥0.008 ¥8,000"), "{yen}");
    invoice.summary.currency = "kwd".parse().unwrap();
    let dinar = words(&text(&invoice));
    assert!(dinar.contains("Amount due KWD 197.100"), "{dinar}");
    assert!(dinar.contains("1,000,000 KWD 0.000008 KWD 8.000"), "{dinar}");
}

#[test]
fn the_sellers_fields_are_printed() {
    let mut invoice = invoice();
    let id = |kind: &str, value: &str| TaxId { kind: kind.to_owned(), value: value.to_owned() };
    invoice.customer.tax_ids = vec![id("gb_vat", "GB123456789"), id("eu_vat", "IE6388047V")];
    invoice.custom_fields = vec![CustomField { name: "Purchase order".to_owned(), value: "PO-4711".to_owned() }];
    invoice.footer = Some("Registered in Dublin, 123456.\nDirectors on request.".to_owned());
    let credit_note = |number: &str, status: &str| CreditNote {
        id: format!("cn_{number}"),
        number: Some(number.to_owned()),
        amount: 5_000,
        status: status.to_owned(),
        kind: "post_payment".to_owned(),
        reason: Some("fraudulent".to_owned()),
        memo: None,
        pdf_url: None,
        at: datetime!(2026-12-05 0:00 UTC),
    };
    invoice.credit_notes = vec![credit_note("CN-1", "issued"), credit_note("CN-2", "void")];
    let text = words(&text(&invoice));
    for shown in ["VAT ID GB123456789", "VAT ID IE6388047V", "Purchase order PO-4711", "Directors on request.", "Credit note CN-1 -$50.00"]
    {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains("CN-2") && !text.to_lowercase().contains("fraud"), "{text}");
}

#[test]
fn missing_data_take_no_space() {
    let mut invoice = invoice();
    invoice.summary.due_date = None;
    invoice.summary.period = None;
    invoice.customer = InvoiceCustomer {
        name: "Solo".to_owned(),
        email: None,
        address: Vec::new(),
        postal: Address::default(),
        tax_id: None,
        tax_ids: Vec::new(),
        tax_exempt: None,
    };
    invoice.description = None;
    invoice.hosted_invoice_url = None;
    invoice.discount = 0;
    invoice.credit_applied = 0;
    invoice.summary.total = invoice.subtotal + invoice.tax;
    invoice.summary.amount_due = invoice.summary.total;
    invoice.summary.amount_remaining = invoice.summary.total;
    for line in &mut invoice.line_items {
        line.period = None;
        line.quantity = None;
        line.unit_amount = None;
    }
    let text = text(&invoice);
    for word in [
        "Due date",
        "Period",
        "Quantity",
        "Unit price",
        "Tax ID",
        "Notes",
        "How to pay",
        "Discount",
        "Credit",
        "Payments",
        "Refund",
        "none",
        "null",
        "N/A",
    ] {
        assert!(!text.contains(word), "{word}\n{text}");
    }
}

#[test]
fn long_words_wrap_and_copy_unbroken() {
    let mut invoice = invoice();
    let word = "W".repeat(90);
    invoice.customer.address = vec![word.clone()];
    let pdf = render(&invoice);
    let raw = pipe("pdftotext", &["-raw", "-", "-"], &pdf);
    let copied: String = raw.split_whitespace().collect();
    assert!(copied.contains(&word), "{raw}");
    assert!(raw.lines().all(|line| !line.contains(&word)), "it is broken into lines");
    // One for the words and one for the link, not one per piece of it.
    let links = pdf.bytes.windows(13).filter(|bytes| bytes == b"/Subtype/Link").count();
    assert_eq!(links, 2);
}

#[test]
fn any_text_renders() {
    // Few cases, because each is a whole page.
    let mut runner = TestRunner::new(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() });
    let strings = (any::<String>(), any::<String>(), ".{0,400}", "[a-zA-Z0-9]{0,400}", any::<i64>());
    runner
        .run(&strings, |(name, number, description, word, amount)| {
            let mut invoice = invoice();
            invoice.customer.name = name.clone();
            invoice.customer.address = vec![word, name];
            invoice.summary.number = Some(number.clone());
            invoice.summary.total = amount;
            invoice.discount = amount;
            invoice.line_items[0].description = description.clone();
            invoice.line_items[0].unit_amount = Some(number);
            invoice.line_items[0].amount = amount;
            invoice.line_items[0].quantity = Some(amount);
            invoice.description = Some(description);
            let rendered = Renderer::new().render_blocking(&document(&invoice));
            prop_assert!(rendered.is_ok(), "{rendered:?}");
            Ok(())
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_for_one_invoice_render_it_once() {
    let renderer = Renderer::with_limits(Limits { timeout: Duration::from_secs(120), ..Limits::default() });
    let made = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let requests = (0..50).map(|_| {
        let (renderer, made) = (renderer.clone(), Arc::clone(&made));
        tokio::spawn(async move {
            let key = CacheKey { invoice: Uuid::nil(), version: 7 };
            let make = || {
                made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                document(&invoice())
            };
            renderer.invoice(key, make).await
        })
    });
    let pdfs: Vec<Arc<Pdf>> = futures::future::join_all(requests).await.into_iter().map(|pdf| pdf.unwrap().unwrap()).collect();
    assert!(pdfs.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 1);
    let newer =
        renderer.invoice(CacheKey { invoice: Uuid::nil(), version: 8 }, || document(&with_status(InvoiceStatus::Void))).await.unwrap();
    assert_ne!(newer.etag, pdfs[0].etag);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_different_invoices_are_queued() {
    let renderer = Renderer::with_limits(Limits { timeout: Duration::from_secs(120), ..Limits::default() });
    let requests = (0..50).map(|n| {
        let mut invoice = invoice();
        invoice.summary.number = Some(format!("APX-{n}"));
        let renderer = renderer.clone();
        tokio::spawn(async move { renderer.render(document(&invoice)).await })
    });
    let pdfs = futures::future::join_all(requests).await;
    let etags: std::collections::HashSet<String> = pdfs.into_iter().map(|pdf| pdf.unwrap().unwrap().etag.clone()).collect();
    assert_eq!(etags.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_and_slow_renders_time_out() {
    let limits = Limits { workers: 1, waiting: 1, timeout: Duration::from_secs(120), ..Limits::default() };
    let renderer = Renderer::with_limits(limits);
    let results = futures::future::join_all((0..5).map(|_| renderer.render(document(&invoice())))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2);
    assert_eq!(results.iter().filter(|result| matches!(result, Err(PdfError::Busy))).count(), 3);

    let hurried = Renderer::with_limits(Limits { timeout: Duration::from_millis(1), ..limits });
    let key = CacheKey { invoice: Uuid::nil(), version: 1 };
    assert_eq!(hurried.invoice(key, || document(&with_lines(50))).await.unwrap_err(), PdfError::TimedOut);
}

#[tokio::test]
async fn the_cache_is_limited_in_bytes() {
    let made = std::cell::Cell::new(0);
    let ask = |renderer: Renderer| {
        let made = &made;
        async move {
            let make = || {
                made.set(made.get() + 1);
                document(&invoice())
            };
            renderer.invoice(CacheKey { invoice: Uuid::nil(), version: 1 }, make).await.unwrap().bytes.len()
        }
    };
    let roomy = Renderer::new();
    let size = ask(roomy.clone()).await;
    ask(roomy).await;
    assert_eq!(made.get(), 1);
    let tight = Renderer::with_limits(Limits { cache_bytes: size as u64 / 2, ..Limits::default() });
    ask(tight.clone()).await;
    ask(tight).await;
    assert_eq!(made.get(), 3);
}
