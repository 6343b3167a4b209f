//! The content of invoices, on pages and as PDF: labels of sums, lines and parties.

mod rows;

pub use rows::{address_lines, line_price, payment_method, remarks, sum_label, tax_id, tax_label, tax_notes};

use crate::domain::money::Money;

texts! {
    invoice { en: "Invoice", de: "Rechnung", fr: "Facture" }
    invoice_numbered(number: &str) { en: "Invoice {number}", de: "Rechnung {number}", fr: "Facture {number}" }
    /// The title of an invoice without a number.
    invoice_with_status(status: &str) { en: "{status} invoice", de: "Rechnung ({status})", fr: "Facture ({status})" }
    draft_watermark { en: "DRAFT", de: "ENTWURF", fr: "BROUILLON" }
    void_watermark { en: "VOID", de: "STORNIERT", fr: "ANNULÉE" }

    from { en: "From", de: "Rechnungssteller", fr: "Émetteur" }
    bill_to { en: "Bill to", de: "Rechnungsempfänger", fr: "Facturé à" }
    invoice_number { en: "Invoice number", de: "Rechnungsnummer", fr: "Numéro de facture" }
    created { en: "Created", de: "Erstellt am", fr: "Date de création" }
    issue_date { en: "Issue date", de: "Rechnungsdatum", fr: "Date d’émission" }
    due_date { en: "Due date", de: "Fällig am", fr: "Date d’échéance" }
    paid_on { en: "Paid on", de: "Bezahlt am", fr: "Date de paiement" }
    period { en: "Period", de: "Leistungszeitraum", fr: "Période" }
    currency { en: "Currency", de: "Währung", fr: "Devise" }

    estimated(amount: Money) { en: "{amount} estimated", de: "Voraussichtlich {amount}", fr: "{amount} (estimation)" }
    due_on(amount: Money, date: &str) { en: "{amount} due {date}", de: "{amount} fällig am {date}", fr: "{amount} à payer le {date}" }
    due(amount: Money) { en: "{amount} due", de: "{amount} fällig", fr: "{amount} à payer" }
    settled_on(date: &str) {
        en: "Settled on {date}, nothing to pay",
        de: "Am {date} ausgeglichen, keine Zahlung erforderlich",
        fr: "Soldée le {date}, rien à payer",
    }
    settled { en: "Settled, nothing to pay", de: "Ausgeglichen, keine Zahlung erforderlich", fr: "Soldée, rien à payer" }
    amount_paid_on(amount: Money, date: &str) {
        en: "{amount} paid on {date}",
        de: "{amount} bezahlt am {date}",
        fr: "{amount} payés le {date}",
    }
    amount_paid(amount: Money) { en: "{amount} paid", de: "{amount} bezahlt", fr: "{amount} payés" }
    voided {
        en: "Void: nothing is owed on this invoice",
        de: "Storniert: aus dieser Rechnung ist nichts zu zahlen",
        fr: "Annulée\u{a0}: rien n’est dû sur cette facture",
    }
    written_off(amount: Money) {
        en: "{amount} unpaid, written off",
        de: "{amount} unbezahlt, ausgebucht",
        fr: "{amount} impayés, passés en pertes",
    }

    description { en: "Description", de: "Beschreibung", fr: "Désignation" }
    quantity { en: "Quantity", de: "Menge", fr: "Quantité" }
    unit_price { en: "Unit price", de: "Einzelpreis", fr: "Prix unitaire" }
    amount { en: "Amount", de: "Betrag", fr: "Montant" }
    prorated { en: "Prorated", de: "Anteilig", fr: "Au prorata" }
    lines_missing {
        en: "More lines belong to this invoice than are listed here. The sums below are those of the whole invoice.",
        de: "Zu dieser Rechnung gehören weitere Positionen. Die Summen gelten für die gesamte Rechnung.",
        fr: "Cette facture comporte d’autres lignes. Les totaux ci-dessous portent sur la facture entière.",
    }
    per(units: u64) { en: "per {units}", de: "je {units}", fr: "par {units}" }
    at_price(quantity: &str, price: &str, per: &str) {
        en: "{quantity} at {price} {per}",
        de: "{quantity} zu {price} {per}",
        fr: "{quantity} à {price} {per}",
    }
    rounded_up(quantity: &str) {
        en: "rounded up to {quantity}",
        de: "aufgerundet auf {quantity}",
        fr: "arrondi à {quantity} (par excès)",
    }
    rounded_down(quantity: &str) {
        en: "rounded down to {quantity}",
        de: "abgerundet auf {quantity}",
        fr: "arrondi à {quantity} (par défaut)",
    }
    line_discount(amount: Money) { en: "Discount {amount}", de: "Rabatt {amount}", fr: "Remise {amount}" }
    line_discounts(amount: Money) {
        en: "Discounts {amount}, some of them below",
        de: "Rabatte {amount}, davon einige unten",
        fr: "Remises {amount}, dont certaines ci-dessous",
    }

    subtotal { en: "Subtotal", de: "Zwischensumme", fr: "Sous-total" }
    /// In place of the subtotal, if it is the amount before tax.
    net { en: "Subtotal", de: "Nettobetrag", fr: "Total HT" }
    discount { en: "Discount", de: "Rabatt", fr: "Remise" }
    pretax_credits {
        en: "Credits applied (before tax)",
        de: "Verrechnetes Guthaben (vor Steuern)",
        fr: "Crédits appliqués (avant taxes)",
    }
    shipping { en: "Shipping", de: "Versand", fr: "Livraison" }
    other_adjustments { en: "Other adjustments", de: "Sonstige Anpassungen", fr: "Autres ajustements" }
    not_known_yet {
        en: "Not known before all lines are read",
        de: "Noch unbekannt, bis alle Positionen vorliegen",
        fr: "Inconnu tant que toutes les lignes ne sont pas lues",
    }
    total { en: "Total", de: "Gesamtbetrag", fr: "Total" }
    /// In place of the total, if it contains tax.
    gross { en: "Total", de: "Gesamtbetrag (brutto)", fr: "Total TTC" }
    tax_included { en: "Tax included in total", de: "Im Gesamtbetrag enthaltene Steuer", fr: "Taxe incluse dans le total" }
    credit_notes { en: "Credit notes", de: "Gutschriften", fr: "Avoirs" }
    credit_applied { en: "Credit applied", de: "Verrechnetes Guthaben", fr: "Crédit appliqué" }
    credit_to_be_applied { en: "Credit to be applied", de: "Zu verrechnendes Guthaben", fr: "Crédit à appliquer" }
    credit_added { en: "Added to credit balance", de: "Dem Guthaben gutgeschrieben", fr: "Ajouté au solde créditeur" }
    previous_balance { en: "Previous balance", de: "Saldo aus Vorperiode", fr: "Solde antérieur" }
    carried_over { en: "Carried to the next invoice", de: "Übertrag auf die nächste Rechnung", fr: "Reporté sur la prochaine facture" }
    amount_due { en: "Amount due", de: "Zahlbetrag", fr: "Montant à payer" }
    amount_due_written_off { en: "Amount due (written off)", de: "Zahlbetrag (ausgebucht)", fr: "Montant à payer (passé en pertes)" }
    paid { en: "Paid", de: "Bezahlt", fr: "Payé" }
    paid_outside_stripe { en: "Paid outside Stripe", de: "Außerhalb von Stripe bezahlt", fr: "Payé hors Stripe" }
    overpaid { en: "Overpaid, added to credit balance", de: "Überzahlt, dem Guthaben gutgeschrieben", fr: "Trop-perçu, ajouté au solde créditeur" }
    voided_sum { en: "Voided", de: "Storniert", fr: "Annulé" }
    amount_remaining { en: "Amount remaining", de: "Restbetrag", fr: "Reste à payer" }
    amount_remaining_written_off {
        en: "Amount remaining (written off)",
        de: "Restbetrag (ausgebucht)",
        fr: "Reste à payer (passé en pertes)",
    }
    refunded { en: "Refunded", de: "Erstattet", fr: "Remboursé" }
    credited_after_payment { en: "Credited after payment", de: "Nach Zahlung gutgeschrieben", fr: "Crédité après paiement" }

    tax { en: "Tax", de: "Steuer", fr: "Taxe" }
    vat { en: "VAT", de: "USt.", fr: "TVA" }
    tax_on(tax: &str, amount: Money) { en: "{tax} on {amount}", de: "{tax} auf {amount}", fr: "{tax} sur {amount}" }
    tax_reverse_charge(tax: &str) {
        en: "{tax}, reverse charge",
        de: "{tax}, Steuerschuldnerschaft des Leistungsempfängers",
        fr: "{tax}, autoliquidation",
    }
    tax_exempt(tax: &str) { en: "{tax}, exempt", de: "{tax}, steuerbefreit", fr: "{tax}, exonéré" }
    tax_zero_rated(tax: &str) { en: "{tax}, zero-rated", de: "{tax}, Nullsatz", fr: "{tax}, taux zéro" }
    /// The wording that Directive 2006/112/EC, Article 226(11a) requires, and its meaning.
    reverse_charge {
        en: "Reverse charge: the customer is liable for the tax.",
        de: "Steuerschuldnerschaft des Leistungsempfängers (Reverse-Charge-Verfahren).",
        fr: "Autoliquidation\u{a0}: la TVA est due par le preneur.",
    }
    vat_id { en: "VAT ID", de: "USt-IdNr.", fr: "N° de TVA" }
    gst_id { en: "GST ID", de: "GST-Nr.", fr: "N° GST" }
    other_tax_id { en: "Tax ID", de: "Steuernummer", fr: "N° fiscal" }

    payments { en: "Payments", de: "Zahlungen", fr: "Paiements" }
    payment { en: "Payment", de: "Zahlung", fr: "Paiement" }
    card { en: "Card", de: "Karte", fr: "Carte" }
    sepa_debit { en: "SEPA Direct Debit", de: "SEPA-Lastschrift", fr: "Prélèvement SEPA" }
    us_bank_account { en: "ACH Direct Debit", de: "ACH-Lastschrift", fr: "Prélèvement ACH" }
    bacs_debit { en: "Bacs Direct Debit", de: "Bacs-Lastschrift", fr: "Prélèvement Bacs" }
    bank_transfer { en: "Bank transfer", de: "Überweisung", fr: "Virement bancaire" }
    paid_by_other_means { en: "Paid by other means", de: "Anderweitig bezahlt", fr: "Payé par un autre moyen" }
    refunds { en: "Refunds", de: "Erstattungen", fr: "Remboursements" }
    refund { en: "Refund", de: "Erstattung", fr: "Remboursement" }
    refund_pending { en: "Refund, pending", de: "Erstattung, in Bearbeitung", fr: "Remboursement en cours" }
    refund_duplicate(refund: &str) {
        en: "{refund}: duplicate payment",
        de: "{refund}: doppelte Zahlung",
        fr: "{refund}\u{a0}: paiement en double",
    }
    refund_requested(refund: &str) {
        en: "{refund}: requested by customer",
        de: "{refund}: vom Kunden gewünscht",
        fr: "{refund}\u{a0}: demandé par le client",
    }
    credit_note { en: "Credit note", de: "Gutschrift", fr: "Avoir" }
    credit_note_numbered(number: &str) { en: "Credit note {number}", de: "Gutschrift {number}", fr: "Avoir {number}" }

    how_to_pay { en: "How to pay", de: "Zahlung", fr: "Paiement" }
    pay_online { en: "Pay online", de: "Online bezahlen", fr: "Payer en ligne" }
    please_pay(amount: Money) {
        en: "Please pay {amount}.",
        de: "Bitte zahlen Sie {amount}.",
        fr: "Merci de régler {amount}.",
    }
    please_pay_by(amount: Money, date: &str) {
        en: "Please pay {amount} by {date}.",
        de: "Bitte zahlen Sie {amount} bis zum {date}.",
        fr: "Merci de régler {amount} avant le {date}.",
    }
    can_still_pay(amount: Money) {
        en: "Written off. You can still pay it: {amount}.",
        de: "Ausgebucht. Sie können sie noch bezahlen: {amount}.",
        fr: "Passée en pertes. Vous pouvez encore la régler\u{a0}: {amount}.",
    }
    notes { en: "Notes", de: "Anmerkungen", fr: "Remarques" }
    /// Before the number of the page.
    page { en: "Page", de: "Seite", fr: "Page" }
    /// Between the number of the page and the number of pages.
    page_of { en: "of", de: "von", fr: "sur" }
}
