//! The account page: language, password, two-step verification, sessions.

texts! {
    title { en: "Your account", de: "Ihr Konto", fr: "Votre compte" }
    language { en: "Language", de: "Sprache", fr: "Langue" }
    language_hint {
        en: "For the console, and for mails to you.",
        de: "Für die Konsole und für E-Mails an Sie.",
        fr: "Pour la console et les e-mails qui vous sont adressés.",
    }
}
