//! The pages of invoices. `document` has the texts that pages and PDFs share.

use super::document;
use crate::domain::{
    invoice::{InvoiceSort, TimelineEntry},
    language::Language,
    money::Money,
};

texts! {
    title { en: "Invoices", de: "Rechnungen", fr: "Factures" }
    all_invoices { en: "All invoices", de: "Alle Rechnungen", fr: "Toutes les factures" }
    count(count: u64) {
        en: { one: "{count} invoice", other: "{count} invoices" },
        de: { one: "{count} Rechnung", other: "{count} Rechnungen" },
        fr: { one: "{count} facture", other: "{count} factures" },
    }
    none_yet { en: "No invoices yet", de: "Noch keine Rechnungen", fr: "Aucune facture pour l’instant" }
    none_yet_text {
        en: "The first one appears here when your first billing period ends.",
        de: "Die erste erscheint hier, sobald Ihr erster Abrechnungszeitraum endet.",
        fr: "La première apparaîtra ici à la fin de votre première période de facturation.",
    }
    none_matches {
        en: "No invoice matches these filters.",
        de: "Keine Rechnung entspricht diesen Filtern.",
        fr: "Aucune facture ne correspond à ces filtres.",
    }
    no_more { en: "No more invoices", de: "Keine weiteren Rechnungen", fr: "Plus de factures" }

    open { en: "Open", de: "Offen", fr: "À payer" }
    overdue { en: "Overdue", de: "Überfällig", fr: "En retard" }
    /// The part of the open amount; German names the whole.
    overdue_part { en: "Overdue", de: "Davon überfällig", fr: "Dont en retard" }

    search_label { en: "Invoice number, text or amount", de: "Nummer, Text oder Betrag", fr: "Numéro, texte ou montant" }
    issued_from { en: "Issued from", de: "Ausgestellt ab", fr: "Émises du" }
    issued_until { en: "Issued until", de: "Ausgestellt bis", fr: "Émises jusqu’au" }
    order { en: "Sort by", de: "Sortierung", fr: "Trier par" }
    newest_first { en: "Newest first", de: "Neueste zuerst", fr: "Plus récentes" }
    oldest_first { en: "Oldest first", de: "Älteste zuerst", fr: "Plus anciennes" }
    largest_first { en: "Largest first", de: "Höchster Betrag zuerst", fr: "Montant décroissant" }
    smallest_first { en: "Smallest first", de: "Niedrigster Betrag zuerst", fr: "Montant croissant" }
    all_statuses { en: "All", de: "Alle", fr: "Toutes" }
    download_csv { en: "Download as CSV", de: "Als CSV herunterladen", fr: "Télécharger en CSV" }

    manage_payment_method { en: "Manage payment method", de: "Zahlungsart verwalten", fr: "Gérer le moyen de paiement" }
    stripe_unavailable {
        en: "Stripe can’t be reached at the moment. Try again in a minute.",
        de: "Stripe ist derzeit nicht erreichbar. Versuchen Sie es in einer Minute erneut.",
        fr: "Stripe est injoignable pour le moment. Réessayez dans une minute.",
    }
    portal_disabled {
        en: "The payment details can’t be opened at the moment. Try again later.",
        de: "Die Zahlungsdaten lassen sich derzeit nicht öffnen. Versuchen Sie es später erneut.",
        fr: "Les coordonnées de paiement sont inaccessibles pour le moment. Réessayez plus tard.",
    }
    no_payment_details {
        en: "There are no payment details at Stripe yet.",
        de: "Bei Stripe sind noch keine Zahlungsdaten hinterlegt.",
        fr: "Aucune coordonnée de paiement n’est encore enregistrée chez Stripe.",
    }
    portal_failed {
        en: "The payment details can’t be opened at Stripe. If this persists, contact support.",
        de: "Die Zahlungsdaten lassen sich bei Stripe nicht öffnen. Besteht das Problem weiter, wenden Sie sich an den Support.",
        fr: "Impossible d’ouvrir les coordonnées de paiement chez Stripe. Si le problème persiste, contactez l’assistance.",
    }

    number { en: "Number", de: "Nummer", fr: "Numéro" }
    issued { en: "Issued", de: "Ausgestellt", fr: "Émise le" }
    created { en: "Created", de: "Erstellt", fr: "Créée le" }
    created_on(date: &str) { en: "Created {date}", de: "Erstellt {date}", fr: "Créée le {date}" }
    due { en: "Due", de: "Fällig", fr: "Échéance" }
    left_to_pay(amount: Money) { en: "{amount} left to pay", de: "{amount} noch offen", fr: "{amount} restent à payer" }

    refunded { en: "Refunded", de: "Erstattet", fr: "Remboursée" }
    partly_refunded { en: "Partly refunded", de: "Teilweise erstattet", fr: "Partiellement remboursée" }
    credited { en: "Credited", de: "Gutgeschrieben", fr: "Créditée" }
    partly_credited { en: "Partly credited", de: "Teilweise gutgeschrieben", fr: "Partiellement créditée" }

    invoice { en: "Invoice", de: "Rechnung", fr: "Facture" }
    draft_invoice { en: "Draft invoice", de: "Rechnungsentwurf", fr: "Facture provisoire" }
    download_pdf { en: "Download PDF", de: "PDF herunterladen", fr: "Télécharger le PDF" }
    pay_now { en: "Pay now", de: "Jetzt bezahlen", fr: "Payer" }
    pay(amount: Money) { en: "Pay {amount}", de: "{amount} bezahlen", fr: "Payer {amount}" }
    not_known_yet { en: "Not known yet", de: "Noch nicht bekannt", fr: "Pas encore connue" }
    total { en: "Total", de: "Gesamtbetrag", fr: "Total" }

    draft_may_change {
        en: "Not issued yet: the amounts may still change.",
        de: "Noch nicht ausgestellt: Die Beträge können sich noch ändern.",
        fr: "Pas encore émise\u{a0}: les montants peuvent encore changer.",
    }
    overdue_since(amount: Money, date: &str) {
        en: "{amount} has been overdue since {date}",
        de: "{amount} überfällig seit {date}",
        fr: "{amount} en retard depuis le {date}",
    }
    due_on(amount: Money, date: &str) { en: "{amount} is due on {date}", de: "{amount} fällig am {date}", fr: "{amount} à payer le {date}" }
    owed_without_date(amount: Money) {
        en: "{amount} is owed; no due date is set.",
        de: "{amount} offen, ohne Fälligkeitsdatum.",
        fr: "{amount} à payer, sans date d’échéance.",
    }
    settled_on(date: &str) {
        en: "Settled on {date}, nothing to pay.",
        de: "Am {date} ausgeglichen, keine Zahlung erforderlich.",
        fr: "Soldée le {date}, rien à payer.",
    }
    settled { en: "Settled, nothing to pay.", de: "Ausgeglichen, keine Zahlung erforderlich.", fr: "Soldée, rien à payer." }
    paid_on(date: &str) { en: "Paid on {date}. Nothing is owed.", de: "Bezahlt am {date}. Nichts mehr offen.", fr: "Payée le {date}. Plus rien à payer." }
    paid { en: "Paid. Nothing is owed.", de: "Bezahlt. Nichts mehr offen.", fr: "Payée. Plus rien à payer." }
    voided {
        en: "This invoice was voided: nothing is owed.",
        de: "Diese Rechnung wurde storniert: nichts zu zahlen.",
        fr: "Cette facture a été annulée\u{a0}: rien à payer.",
    }
    written_off(amount: Money) {
        en: "Written off: {amount} was not paid.",
        de: "Ausgebucht: {amount} nicht bezahlt.",
        fr: "Passée en pertes\u{a0}: {amount} impayés.",
    }

    items { en: "Items", de: "Positionen", fr: "Lignes" }
    items_of_invoice { en: "Items of the invoice", de: "Positionen der Rechnung", fr: "Lignes de la facture" }
    items_missing {
        en: "Not all items have been read from Stripe yet. The totals are those of the whole invoice; details of missing items are not known yet.",
        de: "Noch nicht alle Positionen wurden von Stripe gelesen. Die Summen gelten für die gesamte Rechnung; Einzelheiten fehlender Positionen sind noch nicht bekannt.",
        fr: "Toutes les lignes n’ont pas encore été lues chez Stripe. Les totaux portent sur la facture entière\u{a0}; le détail des lignes manquantes n’est pas encore connu.",
    }

    payments_and_refunds { en: "Payments and refunds", de: "Zahlungen und Erstattungen", fr: "Paiements et remboursements" }
    not_refunded(state: &str, amount: Money) {
        en: "{state}: {amount} was not refunded",
        de: "{state}: {amount} nicht erstattet",
        fr: "{state}\u{a0}: {amount} non remboursés",
    }
    billed_to { en: "Billed to", de: "Rechnungsempfänger", fr: "Facturé à" }
    timeline { en: "Timeline", de: "Verlauf", fr: "Historique" }

    status_paid { en: "Paid", de: "Bezahlt", fr: "Payé" }
    status_open { en: "Open", de: "Offen", fr: "En attente" }
    status_canceled { en: "Canceled", de: "Abgebrochen", fr: "Annulé" }
    status_pending { en: "Pending", de: "In Bearbeitung", fr: "En cours" }
    status_requires_action { en: "Requires action", de: "Aktion erforderlich", fr: "Action requise" }
    status_succeeded { en: "Succeeded", de: "Erfolgreich", fr: "Effectué" }
    status_failed { en: "Failed", de: "Fehlgeschlagen", fr: "Échoué" }
    status_issued { en: "Issued", de: "Ausgestellt", fr: "Émis" }
    status_void { en: "Void", de: "Storniert", fr: "Annulé" }
    reason_duplicate { en: "duplicate", de: "doppelte Zahlung", fr: "doublon" }
    reason_fraudulent { en: "fraudulent", de: "betrügerisch", fr: "fraude" }
    reason_requested_by_customer { en: "requested by customer", de: "vom Kunden angefordert", fr: "à la demande du client" }
    reason_expired_uncaptured_charge { en: "authorization expired", de: "Autorisierung abgelaufen", fr: "autorisation expirée" }
    reason_order_change { en: "order change", de: "Bestelländerung", fr: "modification de commande" }
    reason_product_unsatisfactory { en: "product unsatisfactory", de: "Produkt mangelhaft", fr: "produit non conforme" }

    happened_created { en: "Draft created", de: "Entwurf erstellt", fr: "Brouillon créé" }
    happened_finalized { en: "Invoice finalized", de: "Rechnung finalisiert", fr: "Facture finalisée" }
    happened_finalization_failed {
        en: "Invoice could not be finalized",
        de: "Rechnung konnte nicht finalisiert werden",
        fr: "La facture n’a pas pu être finalisée",
    }
    happened_sent { en: "Invoice sent", de: "Rechnung versandt", fr: "Facture envoyée" }
    happened_action_required {
        en: "Payment waits for the customer’s confirmation",
        de: "Zahlung erfordert die Bestätigung des Kunden",
        fr: "Paiement en attente de confirmation du client",
    }
    happened_payment_failed { en: "Payment failed", de: "Zahlung fehlgeschlagen", fr: "Échec du paiement" }
    happened_settled { en: "Settled, nothing to pay", de: "Ausgeglichen, keine Zahlung erforderlich", fr: "Soldée, rien à payer" }
    happened_paid { en: "Payment received", de: "Zahlung eingegangen", fr: "Paiement reçu" }
    happened_overpaid { en: "More received than was due", de: "Überzahlung eingegangen", fr: "Trop-perçu" }
    happened_will_be_due { en: "Payment will soon be due", de: "Zahlung bald fällig", fr: "Échéance proche" }
    happened_overdue { en: "Payment overdue", de: "Zahlung überfällig", fr: "Paiement en retard" }
    happened_uncollectible { en: "Marked as uncollectible", de: "Als uneinbringlich markiert", fr: "Déclarée irrécouvrable" }
    happened_voided { en: "Invoice voided", de: "Rechnung storniert", fr: "Facture annulée" }
    happened_deleted { en: "Draft deleted", de: "Entwurf gelöscht", fr: "Brouillon supprimé" }
    happened_refunded { en: "Payment refunded", de: "Zahlung erstattet", fr: "Paiement remboursé" }
    happened_refund_failed { en: "Refund failed", de: "Erstattung fehlgeschlagen", fr: "Échec du remboursement" }
    happened_refund_canceled { en: "Refund canceled", de: "Erstattung abgebrochen", fr: "Remboursement annulé" }
    happened_refund { en: "Refund issued", de: "Erstattung veranlasst", fr: "Remboursement émis" }
    happened_refund_of(amount: Money) {
        en: "Refund of {amount} issued",
        de: "Erstattung über {amount} veranlasst",
        fr: "Remboursement de {amount} émis",
    }
    credit_note_issued(note: &str) { en: "{note} issued", de: "{note} ausgestellt", fr: "{note} émis" }
    credit_note_for_issued(note: &str, amount: Money) {
        en: "{note} for {amount} issued",
        de: "{note} über {amount} ausgestellt",
        fr: "{note} de {amount} émis",
    }
    credit_note_voided(note: &str) { en: "{note} voided", de: "{note} storniert", fr: "{note} annulé" }
}

/// Display name of an order.
pub const fn sort(language: Language, sort: InvoiceSort) -> &'static str {
    match sort {
        InvoiceSort::NewestFirst => newest_first(language),
        InvoiceSort::OldestFirst => oldest_first(language),
        InvoiceSort::LargestFirst => largest_first(language),
        InvoiceSort::SmallestFirst => smallest_first(language),
    }
}

/// The status of a payment, a refund or a credit note; an unknown one in Stripe's words.
pub fn money_status(language: Language, status: &str) -> String {
    let known = match status {
        "paid" => status_paid,
        "open" => status_open,
        "canceled" => status_canceled,
        "pending" => status_pending,
        "requires_action" => status_requires_action,
        "succeeded" => status_succeeded,
        "failed" => status_failed,
        "issued" => status_issued,
        "void" => status_void,
        other => return super::common::words(other),
    };
    known(language).to_owned()
}

/// The reason of a refund or a credit note; an unknown one in Stripe's words.
pub fn reason(language: Language, reason: &str) -> String {
    let known = match reason {
        "duplicate" => reason_duplicate,
        "fraudulent" => reason_fraudulent,
        "requested_by_customer" => reason_requested_by_customer,
        "expired_uncaptured_charge" => reason_expired_uncaptured_charge,
        "order_change" => reason_order_change,
        "product_unsatisfactory" => reason_product_unsatisfactory,
        other => return super::common::words(other).to_lowercase(),
    };
    known(language).to_owned()
}

/// `Credit note A-CN-01`.
pub fn credit_note(language: Language, number: Option<&str>) -> String {
    number.map_or_else(|| document::credit_note(language).to_owned(), |number| document::credit_note_numbered(language, number))
}

/// An entry of the timeline as a sentence; of an unknown type, the domain's.
pub fn happened(language: Language, entry: &TimelineEntry) -> String {
    let note = || credit_note(language, entry.number.as_deref());
    let fixed = match (entry.event_type.as_str(), entry.amount) {
        ("invoice.created", _) => happened_created,
        ("invoice.finalized", _) => happened_finalized,
        ("invoice.finalization_failed", _) => happened_finalization_failed,
        ("invoice.sent", _) => happened_sent,
        ("invoice.payment_action_required", _) => happened_action_required,
        ("invoice.payment_failed", _) => happened_payment_failed,
        ("invoice.paid" | "invoice.payment_succeeded", Some(Money { amount: 0, .. })) => happened_settled,
        ("invoice.paid" | "invoice.payment_succeeded", _) => happened_paid,
        ("invoice.overpaid", _) => happened_overpaid,
        ("invoice.will_be_due", _) => happened_will_be_due,
        ("invoice.overdue", _) => happened_overdue,
        ("invoice.marked_uncollectible", _) => happened_uncollectible,
        ("invoice.voided", _) => happened_voided,
        ("invoice.deleted", _) => happened_deleted,
        ("charge.refunded", _) => happened_refunded,
        ("refund.failed", _) => happened_refund_failed,
        ("refund.canceled", _) => happened_refund_canceled,
        ("refund.created", Some(amount)) => return happened_refund_of(language, amount),
        ("refund.created", None) => happened_refund,
        ("credit_note.created", Some(amount)) => return credit_note_for_issued(language, &note(), amount),
        ("credit_note.created", None) => return credit_note_issued(language, &note()),
        ("credit_note.voided", _) => return credit_note_voided(language, &note()),
        _ => return entry.title.clone(),
    };
    fixed(language).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        invoice::timeline::{Happened, tell},
        money::Currency,
    };
    use time::OffsetDateTime;

    const EVENTS: [&str; 20] = [
        "invoice.created",
        "invoice.finalized",
        "invoice.finalization_failed",
        "invoice.sent",
        "invoice.payment_action_required",
        "invoice.payment_failed",
        "invoice.paid",
        "invoice.payment_succeeded",
        "invoice.overpaid",
        "invoice.will_be_due",
        "invoice.overdue",
        "invoice.marked_uncollectible",
        "invoice.voided",
        "invoice.deleted",
        "charge.refunded",
        "refund.failed",
        "refund.canceled",
        "refund.created",
        "credit_note.created",
        "credit_note.voided",
    ];

    fn entry(event_type: &str, amount: Option<i64>, number: Option<&str>) -> TimelineEntry {
        let happened = Happened {
            event_type: event_type.into(),
            object_id: "in_1".into(),
            at: OffsetDateTime::UNIX_EPOCH,
            amount: amount.map(|amount| Money::new(amount, Currency::USD)),
            number: number.map(str::to_owned),
        };
        tell(vec![happened]).remove(0)
    }

    #[test]
    fn english_timelines_are_those_of_the_api() {
        for event_type in EVENTS {
            for amount in [None, Some(0), Some(1_050)] {
                for number in [None, Some("A-CN-01")] {
                    let entry = entry(event_type, amount, number);
                    assert_eq!(happened(Language::English, &entry).replace('’', "'"), entry.title);
                    assert_ne!(happened(Language::German, &entry), entry.title);
                    assert_ne!(happened(Language::French, &entry), entry.title);
                }
            }
        }
    }

    #[test]
    fn credit_notes_are_for_an_amount() {
        let entry = entry("credit_note.created", Some(5_000), Some("A-CN-01"));
        let written = Language::ALL.map(|language| happened(language, &entry).replace('\u{a0}', " "));
        assert_eq!(
            written,
            ["Credit note A-CN-01 for $50.00 issued", "Gutschrift A-CN-01 über 50,00 $ ausgestellt", "Avoir A-CN-01 de 50,00 $US émis"]
        );
    }

    #[test]
    fn orders_have_the_domains_english_names() {
        for order in InvoiceSort::ALL {
            assert_eq!(sort(Language::English, order), order.title());
        }
    }

    #[test]
    fn unknown_codes_read_as_words() {
        assert_eq!(money_status(Language::German, "succeeded"), "Erfolgreich");
        assert_eq!(money_status(Language::German, "new_status"), "New status");
        assert_eq!(reason(Language::French, "Out_of_stock"), "out of stock");
    }
}
