//! The page of the audit log.

use crate::domain::language::Language;

texts! {
    subtitle {
        en: "Who did what, to whom, and from where. Entries can’t be changed or deleted.",
        de: "Wer hat was, für wen und von wo aus getan. Einträge können nicht geändert oder gelöscht werden.",
        fr: "Qui a fait quoi, pour qui et depuis où. Les entrées ne peuvent être ni modifiées ni supprimées.",
    }
    text_label { en: "Text or address", de: "Text oder Adresse", fr: "Texte ou adresse" }
    type_label { en: "Type begins with", de: "Typ beginnt mit", fr: "Le type commence par" }
    actor_label { en: "Done by", de: "Ausgeführt von", fr: "Effectué par" }
    customer_label { en: "Customer id", de: "Kunden-ID", fr: "Identifiant du client" }
    sealed_up_to(entry: String, seal: String) {
        en: "Sealed up to entry {entry}, seal {seal} of",
        de: "Versiegelt bis Eintrag {entry}, Siegel {seal} vom",
        fr: "Scellé jusqu’à l’entrée {entry}, sceau {seal} du",
    }
    hash { en: "Hash of the chain:", de: "Hash der Kette:", fr: "Empreinte de la chaîne\u{a0}:" }
    nothing_sealed {
        en: "No entry is sealed yet; the first seal follows within minutes.",
        de: "Noch kein Eintrag ist versiegelt; das erste Siegel folgt in wenigen Minuten.",
        fr: "Aucune entrée n’est encore scellée\u{202f}; le premier sceau suit dans quelques minutes.",
    }
    only_newest {
        en: "Only the newest entries are counted and paged; use filters or the file for older ones.",
        de: "Nur die neuesten Einträge werden gezählt und geblättert; für ältere gibt es Filter und die Datei.",
        fr: "Seules les entrées les plus récentes sont comptées et paginées\u{202f}; utilisez les filtres ou le fichier pour les autres.",
    }
    error { en: "Error", de: "Fehler", fr: "Erreur" }
    refused { en: "Refused", de: "Abgelehnt", fr: "Refusé" }
    entry { en: "Entry", de: "Eintrag", fr: "Entrée" }
    customer { en: "Customer", de: "Kunde", fr: "Client" }
    invoice { en: "Invoice", de: "Rechnung", fr: "Facture" }
    address { en: "Address", de: "Adresse", fr: "Adresse" }
    program { en: "Program", de: "Programm", fr: "Programme" }
    chain { en: "Chain", de: "Kette", fr: "Chaîne" }
    sealed { en: "Sealed", de: "Versiegelt", fr: "Scellée" }
    not_sealed { en: "Not sealed yet", de: "Noch nicht versiegelt", fr: "Pas encore scellée" }
    before { en: "Before", de: "Vorher", fr: "Avant" }
    after { en: "After", de: "Nachher", fr: "Après" }
}

/// What an entry's type says, in English, German and French. The code is shown beside it.
const TYPES: &[(&str, [&str; 3])] = &[
    ("access.refused", ["Access refused", "Zugriff abgelehnt", "Accès refusé"]),
    ("access.refused_more", ["More refusals, counted", "Weitere Ablehnungen, gezählt", "Autres refus, comptés"]),
    ("alerts.changed", ["Usage alerts changed", "Nutzungswarnungen geändert", "Alertes de consommation modifiées"]),
    ("api_key.created", ["API key created", "API-Schlüssel erstellt", "Clé d’API créée"]),
    ("api_key.revoked", ["API key revoked", "API-Schlüssel widerrufen", "Clé d’API révoquée"]),
    (
        "billing_alert.triggered",
        ["Stripe billing alert triggered", "Stripe-Abrechnungswarnung ausgelöst", "Alerte de facturation Stripe déclenchée"],
    ),
    ("billing_contact.put", ["Billing contact saved", "Rechnungskontakt gespeichert", "Contact de facturation enregistré"]),
    ("billing_contact.removed", ["Billing contact removed", "Rechnungskontakt entfernt", "Contact de facturation supprimé"]),
    ("charge.changed", ["Charge changed", "Belastung geändert", "Débit modifié"]),
    ("charge.refunded", ["Charge refunded", "Belastung erstattet", "Débit remboursé"]),
    ("credit_note.changed", ["Credit note changed", "Gutschrift geändert", "Avoir modifié"]),
    ("customer.changed", ["Customer changed", "Kunde geändert", "Client modifié"]),
    ("customer.linked", ["Customer linked to Stripe", "Kunde mit Stripe verknüpft", "Client associé à Stripe"]),
    ("customer.put", ["Customer saved", "Kunde gespeichert", "Client enregistré"]),
    ("error", ["Error", "Fehler", "Erreur"]),
    ("feature.switched", ["Feature switched", "Funktion geschaltet", "Fonctionnalité modifiée"]),
    ("invoice.changed", ["Invoice changed", "Rechnung geändert", "Facture modifiée"]),
    ("invoice.paid", ["Invoice paid", "Rechnung bezahlt", "Facture payée"]),
    ("invoice.payment_failed", ["Payment failed", "Zahlung fehlgeschlagen", "Échec du paiement"]),
    ("invoice_payment.changed", ["Payment changed", "Zahlung geändert", "Paiement modifié"]),
    ("portal.opened", ["Customer portal opened", "Kundenportal geöffnet", "Portail client ouvert"]),
    ("reconciliation.alert", ["Reconciliation alert", "Warnung des Abgleichs", "Alerte de rapprochement"]),
    (
        "reconciliation.cancel_requested",
        ["Reconciliation cancellation requested", "Abbruch des Abgleichs angefordert", "Annulation du rapprochement demandée"],
    ),
    ("reconciliation.cancelled", ["Reconciliation cancelled", "Abgleich abgebrochen", "Rapprochement annulé"]),
    ("reconciliation.completed", ["Reconciliation completed", "Abgleich abgeschlossen", "Rapprochement terminé"]),
    ("reconciliation.discrepancy", ["Discrepancy found", "Abweichung gefunden", "Écart constaté"]),
    ("reconciliation.failed", ["Reconciliation failed", "Abgleich fehlgeschlagen", "Échec du rapprochement"]),
    (
        "reconciliation.out_of_tolerance",
        ["Reconciliation out of tolerance", "Abgleich außerhalb der Toleranz", "Rapprochement hors tolérance"],
    ),
    ("reconciliation.repair_failed", ["Repair failed", "Behebung fehlgeschlagen", "Échec de la correction"]),
    ("reconciliation.repaired", ["Discrepancy repaired", "Abweichung behoben", "Écart corrigé"]),
    ("reconciliation.started", ["Reconciliation started", "Abgleich gestartet", "Rapprochement lancé"]),
    ("refund.changed", ["Refund changed", "Erstattung geändert", "Remboursement modifié"]),
    ("session.code_wanted", ["Second factor requested", "Zweiter Faktor angefordert", "Second facteur demandé"]),
    ("session.ended", ["Session ended", "Sitzung beendet", "Session terminée"]),
    ("session.login", ["Signed in", "Angemeldet", "Connexion"]),
    ("session.logout", ["Signed out", "Abgemeldet", "Déconnexion"]),
    ("session.others_ended", ["Other sessions ended", "Andere Sitzungen beendet", "Autres sessions terminées"]),
    ("session.refused", ["Sign-in refused", "Anmeldung abgelehnt", "Connexion refusée"]),
    ("session.throttled", ["Too many sign-in attempts", "Zu viele Anmeldeversuche", "Trop de tentatives de connexion"]),
    ("subscription.changed", ["Subscription changed", "Abonnement geändert", "Abonnement modifié"]),
    (
        "usage.billed_period_changed",
        [
            "Usage of a billed period changed",
            "Nutzung eines abgerechneten Zeitraums geändert",
            "Consommation d’une période facturée modifiée",
        ],
    ),
    ("usage.corrected", ["Usage corrected", "Nutzung korrigiert", "Consommation corrigée"]),
    ("usage.difference_found", ["Usage difference found", "Abweichung der Nutzung gefunden", "Écart de consommation constaté"]),
    ("usage.meter_cancelled", ["Meter event cancelled", "Messereignis storniert", "Événement de mesure annulé"]),
    ("usage.meter_excess", ["Meter exceeds usage", "Messung übersteigt Nutzung", "Mesure supérieure à la consommation"]),
    ("usage.meter_expired", ["Meter event expired", "Messereignis abgelaufen", "Événement de mesure expiré"]),
    ("usage.meter_failed", ["Meter event failed", "Messereignis fehlgeschlagen", "Échec de l’événement de mesure"]),
    ("usage.meter_lost", ["Meter event lost", "Messereignis verloren", "Événement de mesure perdu"]),
    ("usage.meter_unclear", ["Meter event unconfirmed", "Messereignis unbestätigt", "Événement de mesure non confirmé"]),
    (
        "usage_alert.fired",
        ["Usage alert threshold reached", "Schwelle einer Nutzungswarnung erreicht", "Seuil d’alerte de consommation atteint"],
    ),
    ("usage_alert.notified", ["Usage alert sent", "Nutzungswarnung gesendet", "Alerte de consommation envoyée"]),
    ("usage_alert.rearmed", ["Usage alert reset", "Nutzungswarnung zurückgesetzt", "Alerte de consommation réinitialisée"]),
    (
        "usage_events.dropped",
        ["Old usage events deleted", "Alte Nutzungsereignisse gelöscht", "Anciens événements de consommation supprimés"],
    ),
    ("usage_ids.dropped", ["Old event ids deleted", "Alte Ereignis-IDs gelöscht", "Anciens identifiants d’événements supprimés"]),
    ("usage_store.switched", ["Usage store switched", "Nutzungsspeicher gewechselt", "Stockage de la consommation changé"]),
    ("user.language_changed", ["Language changed", "Sprache geändert", "Langue modifiée"]),
    ("user.password_changed", ["Password changed", "Passwort geändert", "Mot de passe modifié"]),
    ("user.password_refused", ["Password change refused", "Passwortänderung abgelehnt", "Changement de mot de passe refusé"]),
    ("user.password_set", ["Password set", "Passwort gesetzt", "Mot de passe défini"]),
    ("user.put", ["User saved", "Benutzer gespeichert", "Utilisateur enregistré"]),
    ("user.totp_disabled", ["Second factor disabled", "Zweiter Faktor deaktiviert", "Second facteur désactivé"]),
    ("user.totp_enabled", ["Second factor enabled", "Zweiter Faktor aktiviert", "Second facteur activé"]),
    (
        "user.totp_offered",
        ["Second factor set-up started", "Einrichtung des zweiten Faktors begonnen", "Configuration du second facteur commencée"],
    ),
    ("user.totp_refused", ["Second factor refused", "Zweiter Faktor abgelehnt", "Second facteur refusé"]),
    ("user.totp_reset", ["Second factor reset", "Zweiter Faktor zurückgesetzt", "Second facteur réinitialisé"]),
    ("view_as.started", ["Viewing as a customer started", "Ansicht als Kunde begonnen", "Affichage en tant que client commencé"]),
    ("view_as.stopped", ["Viewing as a customer stopped", "Ansicht als Kunde beendet", "Affichage en tant que client terminé"]),
    ("webhook.replayed", ["Stripe event replayed", "Stripe-Ereignis erneut angewendet", "Événement Stripe rejoué"]),
];

/// An entry's type in words; None for a type without words, whose code is shown alone.
pub fn event_type(language: Language, code: &str) -> Option<&'static str> {
    let index = TYPES.binary_search_by(|(known, _)| (*known).cmp(code)).ok()?;
    let [english, german, french] = TYPES[index].1;
    Some(match language {
        Language::English => english,
        Language::German => german,
        Language::French => french,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_sorted_and_unique() {
        assert!(TYPES.is_sorted_by(|(a, _), (b, _)| a < b));
    }

    #[test]
    fn unknown_types_have_no_words() {
        assert_eq!(event_type(Language::German, "session.login"), Some("Angemeldet"));
        assert_eq!(event_type(Language::German, "session.unknown"), None);
    }
}
