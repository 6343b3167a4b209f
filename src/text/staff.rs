//! The pages of the platform’s staff: customers, reconciliation, webhooks, audit log, features.

pub mod inbox;
pub mod log;
pub mod mirror;
pub mod runs;
pub mod switches;

texts! {
    customers { en: "Customers", de: "Kunden", fr: "Clients" }
    reconciliation { en: "Reconciliation", de: "Abgleich", fr: "Rapprochement" }
    webhooks { en: "Webhooks", de: "Webhooks", fr: "Webhooks" }
    audit { en: "Audit log", de: "Prüfprotokoll", fr: "Journal d’audit" }
    features { en: "Features", de: "Funktionen", fr: "Fonctionnalités" }

    customer_count(count: u64) {
        en: { one: "{count} customer", other: "{count} customers" },
        de: { one: "{count} Kunde", other: "{count} Kunden" },
        fr: { one: "{count} client", other: "{count} clients" },
    }
    no_customers { en: "No customers yet", de: "Noch keine Kunden", fr: "Aucun client pour l’instant" }
    no_customers_text {
        en: "The first one appears here when it is added.",
        de: "Der erste erscheint hier, sobald er angelegt ist.",
        fr: "Le premier apparaîtra ici dès sa création.",
    }
    no_customer_matches {
        en: "No customer’s name, address or ID contains this text.",
        de: "Kein Name, keine Adresse und keine ID eines Kunden enthält diesen Text.",
        fr: "Aucun nom, aucune adresse ni aucun identifiant de client ne contient ce texte.",
    }
    no_more_customers { en: "No more customers", de: "Keine weiteren Kunden", fr: "Plus de clients" }

    no_events { en: "No events yet", de: "Noch keine Ereignisse", fr: "Aucun événement pour l’instant" }
    no_events_text {
        en: "The first one appears here when Stripe sends it.",
        de: "Das erste erscheint hier, sobald Stripe es sendet.",
        fr: "Le premier apparaîtra ici dès que Stripe l’enverra.",
    }
    no_event_matches {
        en: "No event matches these filters.",
        de: "Kein Ereignis entspricht diesen Filtern.",
        fr: "Aucun événement ne correspond à ces filtres.",
    }
    no_more_events { en: "No more events", de: "Keine weiteren Ereignisse", fr: "Plus d’événements" }

    no_entries { en: "No entries yet", de: "Noch keine Einträge", fr: "Aucune entrée pour l’instant" }
    no_entries_text {
        en: "The first one appears here with the first change.",
        de: "Der erste erscheint hier mit der ersten Änderung.",
        fr: "La première apparaîtra ici au premier changement.",
    }
    no_entry_matches {
        en: "No entry matches these filters.",
        de: "Kein Eintrag entspricht diesen Filtern.",
        fr: "Aucune entrée ne correspond à ces filtres.",
    }
    no_more_entries { en: "No more entries", de: "Keine weiteren Einträge", fr: "Plus d’entrées" }
    enter_a_customer_id {
        en: "Enter a customer’s ID, as in the list of customers.",
        de: "Geben Sie die ID eines Kunden aus der Kundenliste ein.",
        fr: "Saisissez l’identifiant d’un client, tel qu’il figure dans la liste des clients.",
    }

    run_count(count: u64) {
        en: { one: "{count} run", other: "{count} runs" },
        de: { one: "{count} Lauf", other: "{count} Läufe" },
        fr: { one: "{count} exécution", other: "{count} exécutions" },
    }
    differences(count: u64) {
        en: { one: "{count} difference", other: "{count} differences" },
        de: { one: "{count} Abweichung", other: "{count} Abweichungen" },
        fr: { one: "{count} écart", other: "{count} écarts" },
    }
    no_runs { en: "No runs yet", de: "Noch keine Läufe", fr: "Aucune exécution pour l’instant" }
    no_runs_text {
        en: "The first run appears here, and one more every night.",
        de: "Der erste Lauf erscheint hier, danach jede Nacht ein weiterer.",
        fr: "La première exécution apparaîtra ici, puis une par nuit.",
    }
    no_more_runs { en: "No more runs", de: "Keine weiteren Läufe", fr: "Plus d’exécutions" }
}
