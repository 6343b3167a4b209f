//! Mails.

texts! {
    greeting { en: "Hello,", de: "Guten Tag,", fr: "Bonjour," }
}
