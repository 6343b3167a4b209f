//! The pages of the platform’s staff: customers, reconciliation, webhooks, audit log, features.

texts! {
    customers { en: "Customers", de: "Kunden", fr: "Clients" }
    reconciliation { en: "Reconciliation", de: "Abgleich", fr: "Rapprochement" }
    webhooks { en: "Webhooks", de: "Webhooks", fr: "Webhooks" }
    audit { en: "Audit log", de: "Audit-Protokoll", fr: "Journal d’audit" }
    features { en: "Features", de: "Funktionen", fr: "Fonctionnalités" }
}
