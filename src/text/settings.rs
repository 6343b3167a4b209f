//! The settings of a customer: alerts, spending caps, contacts, API keys.

texts! {
    title { en: "Settings", de: "Einstellungen", fr: "Paramètres" }
}
