//! The page of customers: plans, and the state of each customer's mirror of Stripe.

texts! {
    subtitle {
        en: "All customers, and whether our records match Stripe’s.",
        de: "Alle Kunden und ob unsere Daten mit denen von Stripe übereinstimmen.",
        fr: "Tous les clients, et si nos données correspondent à celles de Stripe.",
    }
    search_label {
        en: "Name, e-mail address, id or Stripe id",
        de: "Name, E-Mail-Adresse, ID oder Stripe-ID",
        fr: "Nom, adresse e-mail, identifiant ou identifiant Stripe",
    }
    plan { en: "Plan", de: "Tarif", fr: "Forfait" }
    mirror { en: "Records", de: "Daten", fr: "Données" }
    last_event { en: "Last event applied", de: "Letztes Ereignis", fr: "Dernier événement" }
    actions { en: "Actions", de: "Aktionen", fr: "Actions" }
    no_email { en: "No e-mail address", de: "Keine E-Mail-Adresse", fr: "Pas d’adresse e-mail" }
    not_in_stripe { en: "Not in Stripe", de: "Nicht in Stripe", fr: "Absent de Stripe" }
    deleted { en: "Deleted in Stripe", de: "In Stripe gelöscht", fr: "Supprimé dans Stripe" }
    none_yet { en: "None yet", de: "Noch keines", fr: "Aucun pour l’instant" }
    view_as { en: "View as", de: "Ansicht als", fr: "Voir en tant que" }
    audit_link { en: "Audit log", de: "Prüfprotokoll", fr: "Journal d’audit" }
    /// After the link's text, for screen readers.
    audit_of(name: &str) { en: "of {name}", de: "von {name}", fr: "de {name}" }
    no_subscription { en: "No subscription", de: "Kein Abonnement", fr: "Aucun abonnement" }
    named_plan(name: &str) { en: "Plan {name}", de: "Tarif {name}", fr: "Forfait {name}" }
    other_plan { en: "Other plan", de: "Anderer Tarif", fr: "Autre forfait" }
    unpriced(reason: &str) { en: "Cost unknown: {reason}", de: "Kosten unbekannt: {reason}", fr: "Coût inconnu\u{a0}: {reason}" }
    failed_events(count: u64) {
        en: { one: "{count} event failed", other: "{count} events failed" },
        de: { one: "{count} Ereignis fehlgeschlagen", other: "{count} Ereignisse fehlgeschlagen" },
        fr: { one: "{count} événement en échec", other: "{count} événements en échec" },
    }
    open_differences(count: u64) {
        en: { one: "{count} difference open", other: "{count} differences open" },
        de: { one: "{count} offene Abweichung", other: "{count} offene Abweichungen" },
        fr: { one: "{count} écart ouvert", other: "{count} écarts ouverts" },
    }
    in_sync { en: "In sync", de: "Stimmt überein", fr: "Concordant" }
    changed_since { en: "Changed since", de: "Seitdem geändert", fr: "Modifié depuis" }
    not_compared { en: "Not compared yet", de: "Noch nicht abgeglichen", fr: "Pas encore rapproché" }
    compared { en: "Compared", de: "Abgeglichen am", fr: "Rapproché le" }
}
