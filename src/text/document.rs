//! Invoices and credit notes as PDF.

texts! {
    invoice { en: "Invoice", de: "Rechnung", fr: "Facture" }
}
