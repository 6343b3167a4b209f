//! The pages of Stripe's events.

use crate::domain::{language::Language, webhook::WebhookStatus};

texts! {
    subtitle {
        en: "Every event that Stripe sent, with its status.",
        de: "Alle Ereignisse, die Stripe gesendet hat, mit Status.",
        fr: "Tous les événements envoyés par Stripe, avec leur statut.",
    }
    events { en: "Events", de: "Ereignisse", fr: "Événements" }
    event { en: "Event", de: "Ereignis", fr: "Événement" }
    all_events { en: "All events", de: "Alle Ereignisse", fr: "Tous les événements" }
    webhook_event { en: "Webhook event", de: "Webhook-Ereignis", fr: "Événement de webhook" }
    id_label { en: "Event or object id", de: "ID des Ereignisses oder Objekts", fr: "Identifiant de l’événement ou de l’objet" }
    type_label { en: "Type begins with", de: "Typ beginnt mit", fr: "Le type commence par" }
    replay_all { en: "Replay all failures", de: "Alle Fehlschläge erneut anwenden", fr: "Rejouer tous les échecs" }
    replayed(count: u64, failing: u64) {
        en: { one: "{count} event replayed; {failing} still can’t be applied.", other: "{count} events replayed; {failing} still can’t be applied." },
        de: { one: "{count} Ereignis erneut angewendet; weiterhin fehlgeschlagen: {failing}.", other: "{count} Ereignisse erneut angewendet; weiterhin fehlgeschlagen: {failing}." },
        fr: { one: "{count} événement rejoué\u{202f}; toujours en échec\u{a0}: {failing}.", other: "{count} événements rejoués\u{202f}; toujours en échec\u{a0}: {failing}." },
    }
    object { en: "Object", de: "Objekt", fr: "Objet" }
    received { en: "Received", de: "Empfangen", fr: "Reçu" }
    attempts { en: "Attempts", de: "Versuche", fr: "Tentatives" }
    occurred { en: "Occurred", de: "Eingetreten", fr: "Survenu" }
    last_attempt { en: "Last attempt", de: "Letzter Versuch", fr: "Dernière tentative" }
    api_version { en: "API version", de: "API-Version", fr: "Version de l’API" }
    mode { en: "Mode", de: "Modus", fr: "Mode" }
    live { en: "Live", de: "Live", fr: "Production" }
    test { en: "Test", de: "Test", fr: "Test" }
    invoice { en: "Invoice", de: "Rechnung", fr: "Facture" }
    payload { en: "Payload", de: "Inhalt", fr: "Contenu" }
    replay { en: "Replay", de: "Erneut anwenden", fr: "Rejouer" }
    open_in_stripe { en: "Open in Stripe", de: "In Stripe öffnen", fr: "Ouvrir dans Stripe" }
    replay_applied { en: "Replayed: the event is applied.", de: "Das Ereignis wurde angewendet.", fr: "L’événement a été rejoué et appliqué." }
    replay_ignored { en: "Replayed: the event is ignored.", de: "Das Ereignis wurde ignoriert.", fr: "L’événement a été rejoué et ignoré." }
    replay_waiting {
        en: "The event will be applied when billing is switched on again.",
        de: "Das Ereignis wird angewendet, sobald die Abrechnung wieder eingeschaltet ist.",
        fr: "L’événement sera appliqué dès que la facturation sera réactivée.",
    }
    replay_failed {
        en: "Replayed, but the event still can’t be applied.",
        de: "Das Ereignis konnte erneut nicht angewendet werden.",
        fr: "L’événement a été rejoué, mais ne peut toujours pas être appliqué.",
    }
    cannot_apply { en: "It can’t be applied:", de: "Nicht anwendbar:", fr: "Inapplicable\u{a0}:" }
    was_ignored { en: "It was ignored:", de: "Ignoriert:", fr: "Ignoré\u{a0}:" }

    waiting { en: "Waiting", de: "Wartend", fr: "En attente" }
    applied { en: "Applied", de: "Angewendet", fr: "Appliqué" }
    ignored { en: "Ignored", de: "Ignoriert", fr: "Ignoré" }
    failed { en: "Failed", de: "Fehlgeschlagen", fr: "En échec" }
    dead { en: "Given up", de: "Aufgegeben", fr: "Abandonné" }
}

/// An event's status.
pub const fn status(language: Language, status: WebhookStatus) -> &'static str {
    match status {
        WebhookStatus::Received => waiting(language),
        WebhookStatus::Applied => applied(language),
        WebhookStatus::Ignored => ignored(language),
        WebhookStatus::Failed => failed(language),
        WebhookStatus::Dead => dead(language),
    }
}

/// The result of a replay.
pub const fn replay_result(language: Language, status: WebhookStatus) -> &'static str {
    match status {
        WebhookStatus::Received => replay_waiting(language),
        WebhookStatus::Applied => replay_applied(language),
        WebhookStatus::Ignored => replay_ignored(language),
        WebhookStatus::Failed | WebhookStatus::Dead => replay_failed(language),
    }
}
