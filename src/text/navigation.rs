//! The frame of pages: navigation, account menu, theme, language.

texts! {
    skip_to_content { en: "Skip to the content", de: "Zum Inhalt springen", fr: "Aller au contenu" }
    sections { en: "Sections", de: "Bereiche", fr: "Rubriques" }
    billing { en: "Billing", de: "Abrechnung", fr: "Facturation" }
    usage { en: "Usage", de: "Nutzung", fr: "Consommation" }
    invoices { en: "Invoices", de: "Rechnungen", fr: "Factures" }
    settings { en: "Settings", de: "Einstellungen", fr: "Paramètres" }
    staff { en: "Staff", de: "Intern", fr: "Interne" }
    customers { en: "Customers", de: "Kunden", fr: "Clients" }
    reconciliation { en: "Reconciliation", de: "Abgleich", fr: "Rapprochement" }
    webhooks { en: "Webhooks", de: "Webhooks", fr: "Webhooks" }
    audit { en: "Audit", de: "Protokoll", fr: "Audit" }
    features { en: "Features", de: "Funktionen", fr: "Fonctionnalités" }

    account { en: "Account", de: "Konto", fr: "Compte" }
    /// Before the account's name, for screen readers.
    account_of { en: "Account:", de: "Konto:", fr: "Compte\u{a0}:" }
    signed_in_as { en: "Signed in as", de: "Angemeldet als", fr: "Connecté en tant que" }
    viewing_as { en: "Viewing as", de: "Ansicht als", fr: "Affichage en tant que" }
    customer { en: "Customer", de: "Kunde", fr: "Client" }
    no_customer { en: "No customer", de: "Kein Kunde", fr: "Aucun client" }
    role { en: "Role", de: "Rolle", fr: "Rôle" }
    your_account { en: "Your account", de: "Ihr Konto", fr: "Votre compte" }
    sign_out { en: "Sign out", de: "Abmelden", fr: "Se déconnecter" }

    viewing_as_customer { en: "Viewing as a customer", de: "Ansicht als Kunde", fr: "Affichage en tant que client" }
    /// Around the customer's name, which is in bold.
    viewing_before { en: "Viewing as", de: "Ansicht als", fr: "Affichage en tant que" }
    viewing_after {
        en: "Nothing can be changed.",
        de: "Änderungen sind nicht möglich.",
        fr: "Aucune modification n’est possible.",
    }
    stop_viewing { en: "Stop viewing", de: "Ansicht beenden", fr: "Quitter l’affichage" }

    theme { en: "Theme", de: "Farbschema", fr: "Thème" }
    theme_system { en: "System", de: "System", fr: "Système" }
    theme_light { en: "Light", de: "Hell", fr: "Clair" }
    theme_dark { en: "Dark", de: "Dunkel", fr: "Sombre" }
    language { en: "Language", de: "Sprache", fr: "Langue" }
    /// No choice of one's own: the customer's preferred locale or the browser decides.
    language_automatic { en: "Automatic", de: "Automatisch", fr: "Automatique" }
}
