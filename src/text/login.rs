//! The login page.

texts! {
    title { en: "Sign in", de: "Anmelden", fr: "Se connecter" }
}
