//! The pages of reconciliation runs.

use crate::domain::{
    language::Language,
    reconcile::{Kind, Object, ReconciliationStatus},
};

texts! {
    subtitle {
        en: "Our records compared with Stripe’s.",
        de: "Unsere Daten im Vergleich mit denen von Stripe.",
        fr: "Nos données comparées à celles de Stripe.",
    }
    new_run { en: "New run", de: "Neuer Lauf", fr: "Nouvelle exécution" }
    customer_id { en: "Customer id", de: "Kunden-ID", fr: "Identifiant du client" }
    every_customer { en: "all", de: "alle", fr: "tous" }
    compare_now { en: "Compare now", de: "Jetzt abgleichen", fr: "Rapprocher maintenant" }
    not_connected {
        en: "This platform is not connected to Stripe: set STRIPE_SECRET_KEY to compare.",
        de: "Die Plattform ist nicht mit Stripe verbunden: Setzen Sie STRIPE_SECRET_KEY für den Abgleich.",
        fr: "La plateforme n’est pas connectée à Stripe\u{a0}: définissez STRIPE_SECRET_KEY pour rapprocher.",
    }
    already_running {
        en: "A run is already in progress: open it below, or wait for its end.",
        de: "Ein Lauf ist bereits aktiv: Öffnen Sie ihn unten, oder warten Sie sein Ende ab.",
        fr: "Une exécution est déjà en cours\u{a0}: ouvrez-la ci-dessous ou attendez sa fin.",
    }
    invalid_from {
        en: "The first day must be before the last one, and not in the future.",
        de: "Der erste Tag muss vor dem letzten liegen und darf nicht in der Zukunft liegen.",
        fr: "Le premier jour doit précéder le dernier et ne pas être dans le futur.",
    }
    invalid_to {
        en: "The last day is not a date such as 2026-11-30.",
        de: "Der letzte Tag ist kein Datum wie 2026-11-30.",
        fr: "Le dernier jour n’est pas une date telle que 2026-11-30.",
    }
    invalid_customer {
        en: "No customer with a Stripe id has this id.",
        de: "Kein Kunde mit Stripe-ID hat diese ID.",
        fr: "Aucun client ayant un identifiant Stripe n’a cet identifiant.",
    }
    not_started { en: "The run did not start. Try again.", de: "Der Lauf wurde nicht gestartet. Versuchen Sie es erneut.", fr: "L’exécution n’a pas démarré. Réessayez." }

    runs { en: "Runs", de: "Läufe", fr: "Exécutions" }
    run { en: "Run", de: "Lauf", fr: "Exécution" }
    all_runs { en: "All runs", de: "Alle Läufe", fr: "Toutes les exécutions" }
    run_of(date: String) { en: "Run of {date}", de: "Lauf vom {date}", fr: "Exécution du {date}" }
    result { en: "Result", de: "Ergebnis", fr: "Résultat" }
    compared { en: "Compared", de: "Verglichen", fr: "Comparés" }
    differences_heading { en: "Differences", de: "Abweichungen", fr: "Écarts" }
    at_stake { en: "Amount", de: "Betrag", fr: "Montant" }
    all_customers { en: "All customers", de: "Alle Kunden", fr: "Tous les clients" }
    by(user: &str) { en: "by {user}", de: "von {user}", fr: "par {user}" }

    running { en: "Running", de: "Läuft", fr: "En cours" }
    completed { en: "Completed", de: "Abgeschlossen", fr: "Terminé" }
    failed { en: "Failed", de: "Fehlgeschlagen", fr: "En échec" }
    cancelled { en: "Cancelled", de: "Abgebrochen", fr: "Annulé" }
    no_differences { en: "No differences", de: "Keine Abweichungen", fr: "Aucun écart" }
    within_tolerance { en: "Within tolerance", de: "Innerhalb der Toleranz", fr: "Dans la tolérance" }

    repair_all { en: "Repair all", de: "Alle beheben", fr: "Tout corriger" }
    repair_all_effect(count: u64) {
        en: { one: "Copies Stripe’s version of {count} difference into our records. Stripe is not changed.", other: "Copies Stripe’s version of {count} differences into our records. Stripe is not changed." },
        de: { one: "Übernimmt Stripes Stand von {count} Abweichung in unsere Daten. In Stripe ändert sich nichts.", other: "Übernimmt Stripes Stand von {count} Abweichungen in unsere Daten. In Stripe ändert sich nichts." },
        fr: { one: "Copie la version de Stripe pour {count} écart dans nos données. Stripe n’est pas modifié.", other: "Copie la version de Stripe pour {count} écarts dans nos données. Stripe n’est pas modifié." },
    }
    repair { en: "Repair", de: "Beheben", fr: "Corriger" }
    /// For screen readers.
    repair_of(object: &str, id: &str) { en: "Repair {object} {id}", de: "Beheben: {object} {id}", fr: "Corriger\u{a0}: {object} {id}" }
    repaired { en: "Repaired", de: "Behoben", fr: "Corrigé" }
    repaired_count(count: u64, failed: u64) {
        en: { one: "{count} difference repaired; {failed} could not be.", other: "{count} differences repaired; {failed} could not be." },
        de: { one: "{count} Abweichung behoben; nicht behebbar: {failed}.", other: "{count} Abweichungen behoben; nicht behebbar: {failed}." },
        fr: { one: "{count} écart corrigé\u{202f}; non corrigés\u{a0}: {failed}.", other: "{count} écarts corrigés\u{202f}; non corrigés\u{a0}: {failed}." },
    }
    left(count: u64) {
        en: { one: "{count} more is left; repeat to repair it.", other: "{count} more are left; repeat to repair them." },
        de: { one: "{count} weitere bleibt; wiederholen Sie den Vorgang.", other: "{count} weitere bleiben; wiederholen Sie den Vorgang." },
        fr: { one: "Il en reste {count}\u{202f}; répétez l’opération.", other: "Il en reste {count}\u{202f}; répétez l’opération." },
    }
    stripe_unavailable {
        en: "Stripe is unavailable at the moment. Try again in a minute.",
        de: "Stripe ist gerade nicht erreichbar. Versuchen Sie es in einer Minute erneut.",
        fr: "Stripe est indisponible pour le moment. Réessayez dans une minute.",
    }
    cancel { en: "Cancel", de: "Abbrechen", fr: "Annuler" }

    kind_label { en: "Kind", de: "Art", fr: "Type" }
    nothing_differs { en: "No differences", de: "Keine Abweichungen", fr: "Aucun écart" }
    nothing_differs_text { en: "Everything compared is equal on both sides.", de: "Alles Verglichene ist auf beiden Seiten gleich.", fr: "Tout ce qui a été comparé est identique des deux côtés." }
    nothing_so_far { en: "No differences so far", de: "Bisher keine Abweichungen", fr: "Aucun écart jusqu’ici" }
    nothing_so_far_text {
        en: "Differences appear here, and are compared again before the run ends.",
        de: "Abweichungen erscheinen hier und werden vor dem Ende des Laufs erneut verglichen.",
        fr: "Les écarts apparaissent ici et sont comparés de nouveau avant la fin de l’exécution.",
    }
    nothing_of_kind { en: "No differences of this kind", de: "Keine Abweichungen dieser Art", fr: "Aucun écart de ce type" }
    nothing_of_kind_text { en: "Choose another kind above.", de: "Wählen Sie oben eine andere Art.", fr: "Choisissez un autre type ci-dessus." }
    ended_early { en: "No differences before it ended", de: "Keine Abweichungen vor dem Ende", fr: "Aucun écart avant la fin" }
    ended_early_text {
        en: "Objects that were not compared may still differ.",
        de: "Nicht verglichene Objekte können trotzdem abweichen.",
        fr: "Les objets non comparés peuvent tout de même différer.",
    }
    progress(stage: &str, checked: u64, total: u64) {
        en: "{stage}: {checked} of about {total} compared",
        de: "{stage}: {checked} von etwa {total} verglichen",
        fr: "{stage}\u{a0}: {checked} sur environ {total} comparés",
    }
    ended_because(reason: &str) { en: "It ended early: {reason}.", de: "Vorzeitig beendet: {reason}.", fr: "Fin anticipée\u{a0}: {reason}." }

    scope { en: "Scope", de: "Umfang", fr: "Périmètre" }
    created_from { en: "Created from", de: "Erstellt ab", fr: "Créés à partir du" }
    created_until { en: "Created until", de: "Erstellt bis", fr: "Créés jusqu’au" }
    started_by { en: "Started by", de: "Gestartet von", fr: "Lancé par" }
    ended { en: "Ended", de: "Beendet", fr: "Fin" }
    objects_compared { en: "Objects compared", de: "Verglichene Objekte", fr: "Objets comparés" }
    customers { en: "Customers", de: "Kunden", fr: "Clients" }
    subscriptions { en: "Subscriptions", de: "Abonnements", fr: "Abonnements" }
    invoices { en: "Invoices", de: "Rechnungen", fr: "Factures" }

    discrepancies { en: "Discrepancies", de: "Abweichungen", fr: "Écarts" }
    what { en: "Object", de: "Objekt", fr: "Objet" }
    field_heading { en: "Field", de: "Feld", fr: "Champ" }
    here { en: "Here", de: "Hier", fr: "Ici" }
    stripe { en: "Stripe", de: "Stripe", fr: "Stripe" }
    of_object(kind: &str, object: &str) { en: "{kind}: {object}", de: "{kind}: {object}", fr: "{kind}\u{a0}: {object}" }
    minor_units(amount: String) { en: "{amount} minor units", de: "{amount} kleinste Einheiten", fr: "{amount} unités mineures" }

    kind_missing_locally { en: "Missing here", de: "Fehlt hier", fr: "Absent ici" }
    kind_missing_in_stripe { en: "Missing in Stripe", de: "Fehlt in Stripe", fr: "Absent de Stripe" }
    kind_amount { en: "Amount", de: "Betrag", fr: "Montant" }
    kind_status { en: "Status", de: "Status", fr: "Statut" }
    kind_currency { en: "Currency", de: "Währung", fr: "Devise" }
    kind_usage { en: "Usage", de: "Nutzung", fr: "Consommation" }
    kind_drift { en: "Drift", de: "Abonnementdaten", fr: "Données d’abonnement" }
    kind_missed_event { en: "Missed event", de: "Verpasstes Ereignis", fr: "Événement manqué" }

    object_customer { en: "customer", de: "Kunde", fr: "client" }
    object_subscription { en: "subscription", de: "Abonnement", fr: "abonnement" }
    object_invoice { en: "invoice", de: "Rechnung", fr: "facture" }
    object_charge { en: "charge", de: "Belastung", fr: "débit" }
    object_payment { en: "payment", de: "Zahlung", fr: "paiement" }
    object_refund { en: "refund", de: "Erstattung", fr: "remboursement" }
    object_credit_note { en: "credit note", de: "Gutschrift", fr: "avoir" }
    object_meter { en: "metered usage", de: "gemessene Nutzung", fr: "consommation mesurée" }
    object_event { en: "event", de: "Ereignis", fr: "événement" }

    stage_subscriptions { en: "Subscriptions", de: "Abonnements", fr: "Abonnements" }
    stage_charges { en: "Charges", de: "Belastungen", fr: "Débits" }
    stage_payments { en: "Payments", de: "Zahlungen", fr: "Paiements" }
    stage_refunds { en: "Refunds", de: "Erstattungen", fr: "Remboursements" }
    stage_credit_notes { en: "Credit notes", de: "Gutschriften", fr: "Avoirs" }
    stage_usage { en: "Usage", de: "Nutzung", fr: "Consommation" }
    stage_billed_usage { en: "Billed usage", de: "Abgerechnete Nutzung", fr: "Consommation facturée" }
    stage_events { en: "Events", de: "Ereignisse", fr: "Événements" }
    stage_second_look { en: "Second comparison", de: "Zweiter Vergleich", fr: "Seconde comparaison" }
    stage_repair { en: "Repair", de: "Behebung", fr: "Correction" }

    field_status { en: "Status", de: "Status", fr: "Statut" }
    field_currency { en: "Currency", de: "Währung", fr: "Devise" }
    field_amount { en: "Amount", de: "Betrag", fr: "Montant" }
    field_amount_refunded { en: "Refunded", de: "Erstattet", fr: "Remboursé" }
    field_amount_due { en: "Amount due", de: "Fälliger Betrag", fr: "Montant dû" }
    field_amount_paid { en: "Amount paid", de: "Bezahlter Betrag", fr: "Montant payé" }
    field_amount_remaining { en: "Amount remaining", de: "Restbetrag", fr: "Montant restant" }
    field_total { en: "Total", de: "Gesamtbetrag", fr: "Total" }
    field_subtotal { en: "Subtotal", de: "Zwischensumme", fr: "Sous-total" }
    field_tax { en: "Tax", de: "Steuer", fr: "Taxe" }
    field_discount { en: "Discount", de: "Rabatt", fr: "Remise" }
    field_balance { en: "Balance", de: "Saldo", fr: "Solde" }
    field_quantity { en: "Quantity", de: "Menge", fr: "Quantité" }
    field_line_count { en: "Number of lines", de: "Anzahl der Positionen", fr: "Nombre de lignes" }
    field_line_sum { en: "Sum of lines", de: "Summe der Positionen", fr: "Somme des lignes" }
}

/// A run's status.
pub const fn status(language: Language, status: ReconciliationStatus) -> &'static str {
    match status {
        ReconciliationStatus::Running => running(language),
        ReconciliationStatus::Completed => completed(language),
        ReconciliationStatus::Failed => failed(language),
        ReconciliationStatus::Cancelled => cancelled(language),
    }
}

/// A kind of discrepancy.
pub const fn kind(language: Language, kind: Kind) -> &'static str {
    match kind {
        Kind::MissingLocally => kind_missing_locally(language),
        Kind::MissingInStripe => kind_missing_in_stripe(language),
        Kind::Amount => kind_amount(language),
        Kind::Status => kind_status(language),
        Kind::Currency => kind_currency(language),
        Kind::UsageQuantity => kind_usage(language),
        Kind::SubscriptionDrift => kind_drift(language),
        Kind::MissedEvent => kind_missed_event(language),
    }
}

/// A compared type, within a sentence.
pub const fn object(language: Language, object: Object) -> &'static str {
    match object {
        Object::Customer => object_customer(language),
        Object::Subscription => object_subscription(language),
        Object::Invoice => object_invoice(language),
        Object::Charge => object_charge(language),
        Object::InvoicePayment => object_payment(language),
        Object::Refund => object_refund(language),
        Object::CreditNote => object_credit_note(language),
        Object::Meter => object_meter(language),
        Object::Event => object_event(language),
    }
}

/// A run's stage; an unknown one as its code.
pub fn stage(language: Language, stage: &str) -> String {
    let known = match stage {
        "customers" => customers(language),
        "subscriptions" => stage_subscriptions(language),
        "invoices" => invoices(language),
        "charges" => stage_charges(language),
        "payments" => stage_payments(language),
        "refunds" => stage_refunds(language),
        "credit_notes" => stage_credit_notes(language),
        "usage" => stage_usage(language),
        "billed_usage" => stage_billed_usage(language),
        "events" => stage_events(language),
        "second_look" => stage_second_look(language),
        "repair" => stage_repair(language),
        other => return crate::text::common::words(other),
    };
    known.to_owned()
}

/// A compared field; Stripe's name of one without a translation.
pub fn field(language: Language, name: &str) -> String {
    let known = match name {
        "status" => field_status(language),
        "currency" => field_currency(language),
        "amount" => field_amount(language),
        "amount_refunded" => field_amount_refunded(language),
        "amount_due" => field_amount_due(language),
        "amount_paid" => field_amount_paid(language),
        "amount_remaining" => field_amount_remaining(language),
        "total" => field_total(language),
        "subtotal" => field_subtotal(language),
        "tax" => field_tax(language),
        "discount" => field_discount(language),
        "balance" => field_balance(language),
        "quantity" | "line_quantity" => field_quantity(language),
        "line_count" => field_line_count(language),
        "line_sum" => field_line_sum(language),
        other => return crate::text::common::words(other),
    };
    known.to_owned()
}
