//! The pages of invoices.

texts! {
    title { en: "Invoices", de: "Rechnungen", fr: "Factures" }
}
