//! The page of feature switches.

use crate::domain::{
    features::{Feature, Hold},
    language::Language,
};

texts! {
    subtitle {
        en: "What customers and their programs can use. A switch takes effect on every server within two seconds.",
        de: "Was Kunden und ihre Programme nutzen können. Ein Schalter wirkt auf allen Servern innerhalb von zwei Sekunden.",
        fr: "Ce que les clients et leurs programmes peuvent utiliser. Un changement s’applique à tous les serveurs en deux secondes.",
    }
    switched_on_done(feature: &str) {
        en: "{feature}: switched on. Every server follows within two seconds.",
        de: "{feature}: eingeschaltet. Alle Server folgen innerhalb von zwei Sekunden.",
        fr: "{feature}\u{a0}: activé. Tous les serveurs suivent en deux secondes.",
    }
    switched_off_done(feature: &str) {
        en: "{feature}: switched off. Every server follows within two seconds.",
        de: "{feature}: ausgeschaltet. Alle Server folgen innerhalb von zwei Sekunden.",
        fr: "{feature}\u{a0}: désactivé. Tous les serveurs suivent en deux secondes.",
    }
    unknown_feature {
        en: "Unknown feature. Nothing was switched.",
        de: "Unbekannte Funktion. Nichts wurde geschaltet.",
        fr: "Fonctionnalité inconnue. Rien n’a été modifié.",
    }
    invalid_switch {
        en: "Nothing was switched. A reason has at most 500 characters and no control characters.",
        de: "Nichts wurde geschaltet. Ein Grund hat höchstens 500 Zeichen und keine Steuerzeichen.",
        fr: "Rien n’a été modifié. Un motif compte au plus 500 caractères, sans caractère de contrôle.",
    }
    unavailable {
        en: "Nothing was switched. Try again in a moment.",
        de: "Nichts wurde geschaltet. Versuchen Sie es gleich noch einmal.",
        fr: "Rien n’a été modifié. Réessayez dans un instant.",
    }
    switched_on_by(user: &str) { en: "Switched on by {user},", de: "Eingeschaltet von {user},", fr: "Activé par {user}," }
    switched_off_by(user: &str) { en: "Switched off by {user},", de: "Ausgeschaltet von {user},", fr: "Désactivé par {user}," }
    never { en: "Never changed", de: "Nie geändert", fr: "Jamais modifié" }
    switch_on { en: "Switch on…", de: "Einschalten…", fr: "Activer…" }
    switch_off { en: "Switch off…", de: "Ausschalten…", fr: "Désactiver…" }
    confirm_on(feature: &str) { en: "Switch {feature} on", de: "{feature} einschalten", fr: "Activer\u{a0}: {feature}" }
    confirm_off(feature: &str) { en: "Switch {feature} off", de: "{feature} ausschalten", fr: "Désactiver\u{a0}: {feature}" }
    reason { en: "Reason, for the audit log", de: "Grund, für das Prüfprotokoll", fr: "Motif, pour le journal d’audit" }

    billing { en: "Billing", de: "Abrechnung", fr: "Facturation" }
    usage_ingest { en: "Usage ingest", de: "Annahme von Nutzungsdaten", fr: "Réception des données de consommation" }
    invoice_pdf { en: "Invoice PDFs", de: "Rechnungen als PDF", fr: "Factures en PDF" }
    customer_portal { en: "Stripe’s customer portal", de: "Stripes Kundenportal", fr: "Portail client de Stripe" }

    about_billing {
        en: "Customers see usage, invoices and settings, and the API answers under /api/v1/billing.",
        de: "Kunden sehen Nutzung, Rechnungen und Einstellungen, und die API antwortet unter /api/v1/billing.",
        fr: "Les clients voient consommation, factures et paramètres, et l’API répond sous /api/v1/billing.",
    }
    about_usage_ingest {
        en: "The API accepts customers’ usage events, which bills are computed from.",
        de: "Die API nimmt Nutzungsereignisse der Kunden an, aus denen Rechnungen berechnet werden.",
        fr: "L’API reçoit les événements de consommation des clients, base de calcul des factures.",
    }
    about_invoice_pdf {
        en: "Customers download invoices as PDF, from the invoice’s page and by the API.",
        de: "Kunden laden Rechnungen als PDF herunter, auf der Seite der Rechnung und über die API.",
        fr: "Les clients téléchargent leurs factures en PDF, depuis la page de la facture et par l’API.",
    }
    about_customer_portal {
        en: "Customers change payment methods and billing addresses in Stripe’s portal, and pay there.",
        de: "Kunden ändern Zahlungsmittel und Rechnungsadresse in Stripes Portal und bezahlen dort.",
        fr: "Les clients modifient moyens de paiement et adresse de facturation dans le portail de Stripe, et y paient.",
    }

    billing_off {
        en: "All users see a page that says billing is paused, API clients get a 503, and no alerts are sent. Staff pages stay available. Stripe’s webhooks are still verified and stored, and applied once billing is on again. Usage is still accepted.",
        de: "Alle Benutzer sehen eine Seite, dass die Abrechnung pausiert, API-Clients erhalten 503, und es gehen keine Warnungen hinaus. Interne Seiten bleiben verfügbar. Stripes Webhooks werden weiter geprüft und gespeichert und nach dem Einschalten angewendet. Nutzung wird weiter angenommen.",
        fr: "Tous les utilisateurs voient une page indiquant que la facturation est en pause, les clients de l’API reçoivent 503 et aucune alerte n’est envoyée. Les pages internes restent disponibles. Les webhooks de Stripe sont toujours vérifiés et enregistrés, puis appliqués à la réactivation. La consommation est toujours reçue.",
    }
    billing_on {
        en: "Pages and API are available again, and the webhooks received meanwhile are applied.",
        de: "Seiten und API sind wieder verfügbar, und die inzwischen empfangenen Webhooks werden angewendet.",
        fr: "Les pages et l’API sont de nouveau disponibles, et les webhooks reçus entre-temps sont appliqués.",
    }
    usage_ingest_off {
        en: "Senders get a 503 with Retry-After and should retry; events that are never retried are not billed.",
        de: "Absender erhalten 503 mit Retry-After und sollen es erneut versuchen; nie wiederholte Ereignisse werden nicht abgerechnet.",
        fr: "Les émetteurs reçoivent 503 avec Retry-After et doivent réessayer\u{202f}; les événements jamais renvoyés ne sont pas facturés.",
    }
    usage_ingest_on {
        en: "Usage events are accepted again. Refused events count when they are retried, up to 35 days back.",
        de: "Nutzungsereignisse werden wieder angenommen. Abgelehnte zählen, wenn sie erneut gesendet werden, bis zu 35 Tage rückwirkend.",
        fr: "Les événements de consommation sont de nouveau reçus. Ceux refusés comptent s’ils sont renvoyés, jusqu’à 35 jours en arrière.",
    }
    invoice_pdf_off {
        en: "Invoices stay visible; their download is hidden, and API clients get a 503.",
        de: "Rechnungen bleiben sichtbar; der Download ist verborgen, und API-Clients erhalten 503.",
        fr: "Les factures restent visibles\u{202f}; leur téléchargement est masqué, et les clients de l’API reçoivent 503.",
    }
    invoice_pdf_on {
        en: "Invoices can be downloaded again.",
        de: "Rechnungen können wieder heruntergeladen werden.",
        fr: "Les factures peuvent de nouveau être téléchargées.",
    }
    customer_portal_off {
        en: "The button to Stripe’s portal is hidden, and API clients get a 503.",
        de: "Die Schaltfläche zu Stripes Portal ist verborgen, und API-Clients erhalten 503.",
        fr: "Le bouton vers le portail de Stripe est masqué, et les clients de l’API reçoivent 503.",
    }
    customer_portal_on {
        en: "The button to Stripe’s portal is shown again, if Stripe is connected.",
        de: "Die Schaltfläche zu Stripes Portal ist wieder sichtbar, sofern Stripe verbunden ist.",
        fr: "Le bouton vers le portail de Stripe est de nouveau affiché, si Stripe est connecté.",
    }

    held_by_environment {
        en: "The configuration keeps it off: BILLING_ENABLED=false is set on this server.",
        de: "Durch die Konfiguration ausgeschaltet: Auf diesem Server ist BILLING_ENABLED=false gesetzt.",
        fr: "Désactivé par la configuration\u{a0}: BILLING_ENABLED=false est défini sur ce serveur.",
    }
    held_by_billing {
        en: "It is off because billing is off.",
        de: "Ausgeschaltet, weil die Abrechnung ausgeschaltet ist.",
        fr: "Désactivé parce que la facturation est désactivée.",
    }
    held_by_stripe {
        en: "The configuration keeps it off: STRIPE_SECRET_KEY is not set, so this platform is not connected to Stripe.",
        de: "Durch die Konfiguration ausgeschaltet: STRIPE_SECRET_KEY ist nicht gesetzt, die Plattform ist nicht mit Stripe verbunden.",
        fr: "Désactivé par la configuration\u{a0}: STRIPE_SECRET_KEY n’est pas défini, la plateforme n’est pas connectée à Stripe.",
    }
}

/// A feature's name.
pub const fn title(language: Language, feature: Feature) -> &'static str {
    match feature {
        Feature::Billing => billing(language),
        Feature::UsageIngest => usage_ingest(language),
        Feature::InvoicePdf => invoice_pdf(language),
        Feature::CustomerPortal => customer_portal(language),
    }
}

/// What a feature is for.
pub const fn about(language: Language, feature: Feature) -> &'static str {
    match feature {
        Feature::Billing => about_billing(language),
        Feature::UsageIngest => about_usage_ingest(language),
        Feature::InvoicePdf => about_invoice_pdf(language),
        Feature::CustomerPortal => about_customer_portal(language),
    }
}

/// The effect of switching a feature on or off.
pub const fn effect(language: Language, feature: Feature, on: bool) -> &'static str {
    match (feature, on) {
        (Feature::Billing, false) => billing_off(language),
        (Feature::Billing, true) => billing_on(language),
        (Feature::UsageIngest, false) => usage_ingest_off(language),
        (Feature::UsageIngest, true) => usage_ingest_on(language),
        (Feature::InvoicePdf, false) => invoice_pdf_off(language),
        (Feature::InvoicePdf, true) => invoice_pdf_on(language),
        (Feature::CustomerPortal, false) => customer_portal_off(language),
        (Feature::CustomerPortal, true) => customer_portal_on(language),
    }
}

/// What keeps a feature off.
pub const fn hold(language: Language, hold: Hold) -> &'static str {
    match hold {
        Hold::Environment => held_by_environment(language),
        Hold::Billing => held_by_billing(language),
        Hold::Stripe => held_by_stripe(language),
    }
}
