//! The usage page.

texts! {
    title { en: "Usage", de: "Nutzung", fr: "Consommation" }
}
