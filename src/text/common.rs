//! Texts of more than one area: buttons, units, statuses, roles, names of metrics.

use crate::domain::{invoice::InvoiceStatus, language::Language, metric::Metric, role::Role};

texts! {
    save { en: "Save", de: "Speichern", fr: "Enregistrer" }
    cancel { en: "Cancel", de: "Abbrechen", fr: "Annuler" }
    apply { en: "Apply", de: "Anwenden", fr: "Appliquer" }
    clear { en: "Clear", de: "Zurücksetzen", fr: "Réinitialiser" }
    search { en: "Search", de: "Suchen", fr: "Rechercher" }
    show { en: "Show", de: "Anzeigen", fr: "Afficher" }
    add { en: "Add", de: "Hinzufügen", fr: "Ajouter" }
    remove { en: "Remove", de: "Entfernen", fr: "Supprimer" }
    copy { en: "Copy", de: "Kopieren", fr: "Copier" }
    copied { en: "Copied", de: "Kopiert", fr: "Copié" }
    download { en: "Download", de: "Herunterladen", fr: "Télécharger" }
    close { en: "Close", de: "Schließen", fr: "Fermer" }
    back { en: "Back", de: "Zurück", fr: "Retour" }
    details { en: "Details", de: "Details", fr: "Détails" }
    loading { en: "Loading…", de: "Wird geladen…", fr: "Chargement…" }
    yes { en: "Yes", de: "Ja", fr: "Oui" }
    no { en: "No", de: "Nein", fr: "Non" }
    on { en: "On", de: "Ein", fr: "Activé" }
    off { en: "Off", de: "Aus", fr: "Désactivé" }
    none { en: "None", de: "Keine", fr: "Aucun" }
    all { en: "All", de: "Alle", fr: "Tous" }
    from { en: "From", de: "Von", fr: "Du" }
    until { en: "Until", de: "Bis", fr: "Au" }
    filters { en: "Filters", de: "Filter", fr: "Filtres" }
    status { en: "Status", de: "Status", fr: "Statut" }
    date { en: "Date", de: "Datum", fr: "Date" }
    time { en: "Time", de: "Uhrzeit", fr: "Heure" }
    amount { en: "Amount", de: "Betrag", fr: "Montant" }
    period { en: "Period", de: "Zeitraum", fr: "Période" }
    customer { en: "Customer", de: "Kunde", fr: "Client" }
    name { en: "Name", de: "Name", fr: "Nom" }
    email { en: "E-mail", de: "E-Mail", fr: "E-mail" }
    optional { en: "(optional)", de: "(optional)", fr: "(facultatif)" }
    previous_page { en: "Previous", de: "Zurück", fr: "Précédent" }
    next_page { en: "Next", de: "Weiter", fr: "Suivant" }
    pages { en: "Pages", de: "Seiten", fr: "Pages" }
    page(number: u64) { en: "Page {number}", de: "Seite {number}", fr: "Page {number}" }
    rows_per_page { en: "Rows per page", de: "Zeilen pro Seite", fr: "Lignes par page" }
    last_page { en: "Go to the last page", de: "Zur letzten Seite", fr: "Aller à la dernière page" }
    updates_interrupted {
        en: "Updates can’t be fetched just now. This data stays until the connection is back.",
        de: "Aktualisierungen sind derzeit nicht möglich. Die angezeigten Daten bleiben, bis die Verbindung wieder besteht.",
        fr: "Mise à jour impossible pour le moment. Les données affichées restent jusqu’au retour de la connexion.",
    }
    updates_signed_out {
        en: "You’re signed out. Your session has ended, so this page can’t be updated.",
        de: "Sie sind abgemeldet. Ihre Sitzung ist beendet, daher kann diese Seite nicht aktualisiert werden.",
        fr: "Vous êtes déconnecté. Votre session est terminée, cette page ne peut donc pas être actualisée.",
    }
    sign_in { en: "Sign in", de: "Anmelden", fr: "Se connecter" }
    page_of(page: u64, pages: u64) { en: "Page {page} of {pages}", de: "Seite {page} von {pages}", fr: "Page {page} sur {pages}" }

    clear_filters { en: "Clear filters", de: "Filter zurücksetzen", fr: "Réinitialiser les filtres" }
    no_results { en: "No results", de: "Keine Treffer", fr: "Aucun résultat" }
    fewer_pages { en: "The list has fewer pages.", de: "Die Liste hat weniger Seiten.", fr: "La liste compte moins de pages." }
    invalid_address {
        en: "The page’s address has an invalid filter or page number.",
        de: "Die Adresse der Seite enthält einen ungültigen Filter oder eine ungültige Seitenzahl.",
        fr: "L’adresse de la page contient un filtre ou un numéro de page non valide.",
    }
    enter_a_date {
        en: "Enter a date such as 2026-11-30.",
        de: "Geben Sie ein Datum wie 2026-11-30 ein.",
        fr: "Saisissez une date telle que 2026-11-30.",
    }
    last_day_before_first {
        en: "The last day is before the first.",
        de: "Der letzte Tag liegt vor dem ersten.",
        fr: "Le dernier jour précède le premier.",
    }
    search_too_long {
        en: "Enter at most 100 printable characters.",
        de: "Geben Sie höchstens 100 druckbare Zeichen ein.",
        fr: "Saisissez au plus 100 caractères imprimables.",
    }

    days(count: u64) {
        en: { one: "{count} day", other: "{count} days" },
        de: { one: "{count} Tag", other: "{count} Tage" },
        fr: { one: "{count} jour", other: "{count} jours" },
    }
    events(count: u64) {
        en: { one: "{count} event", other: "{count} events" },
        de: { one: "{count} Ereignis", other: "{count} Ereignisse" },
        fr: { one: "{count} événement", other: "{count} événements" },
    }
    entries(count: u64) {
        en: { one: "{count} entry", other: "{count} entries" },
        de: { one: "{count} Eintrag", other: "{count} Einträge" },
        fr: { one: "{count} entrée", other: "{count} entrées" },
    }

    /// Once on each page.
    times_are_utc {
        en: "Times are in UTC, the time zone that bills are computed in.",
        de: "Alle Zeiten in UTC, der Zeitzone der Abrechnung.",
        fr: "Les heures sont en UTC, le fuseau horaire de la facturation.",
    }
    product { en: "ApexMediation Billing", de: "ApexMediation Billing", fr: "ApexMediation Billing" }

    readonly { en: "Read only", de: "Nur Lesen", fr: "Lecture seule" }
    publisher { en: "Publisher", de: "Publisher", fr: "Éditeur" }
    staff { en: "Staff", de: "Mitarbeiter", fr: "Équipe interne" }

    invoice_draft { en: "Draft", de: "Entwurf", fr: "Brouillon" }
    invoice_open { en: "Open", de: "Offen", fr: "Ouverte" }
    invoice_paid { en: "Paid", de: "Bezahlt", fr: "Payée" }
    invoice_uncollectible { en: "Uncollectible", de: "Uneinbringlich", fr: "Irrécouvrable" }
    invoice_void { en: "Void", de: "Storniert", fr: "Annulée" }

    subscription_active { en: "Active", de: "Aktiv", fr: "Actif" }
    subscription_trialing { en: "Trialing", de: "Testphase", fr: "En période d’essai" }
    subscription_past_due { en: "Past due", de: "Überfällig", fr: "En retard de paiement" }
    subscription_unpaid { en: "Unpaid", de: "Unbezahlt", fr: "Impayé" }
    subscription_incomplete { en: "Incomplete", de: "Unvollständig", fr: "Incomplet" }
    subscription_incomplete_expired { en: "Incomplete expired", de: "Abgelaufen", fr: "Expiré" }
    subscription_paused { en: "Paused", de: "Pausiert", fr: "En pause" }
    subscription_canceled { en: "Canceled", de: "Gekündigt", fr: "Résilié" }
}

/// A metric's heading.
pub fn metric(language: Language, metric: Metric) -> &'static str {
    metric.definition().title.of(language)
}

/// A metric's name within a sentence.
pub fn metric_noun(language: Language, metric: Metric) -> &'static str {
    metric.definition().noun.of(language)
}

/// A role's name.
pub const fn role(language: Language, role: Role) -> &'static str {
    match role {
        Role::Readonly => readonly(language),
        Role::Publisher => publisher(language),
        Role::Admin => staff(language),
    }
}

/// An invoice's status.
pub const fn invoice_status(language: Language, status: InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Draft => invoice_draft(language),
        InvoiceStatus::Open => invoice_open(language),
        InvoiceStatus::Paid => invoice_paid(language),
        InvoiceStatus::Uncollectible => invoice_uncollectible(language),
        InvoiceStatus::Void => invoice_void(language),
    }
}

/// A subscription's status at Stripe; an unknown one in Stripe's words.
pub fn subscription_status(language: Language, status: &str) -> String {
    match status {
        "active" => subscription_active(language).to_owned(),
        "trialing" => subscription_trialing(language).to_owned(),
        "past_due" => subscription_past_due(language).to_owned(),
        "unpaid" => subscription_unpaid(language).to_owned(),
        "incomplete" => subscription_incomplete(language).to_owned(),
        "incomplete_expired" => subscription_incomplete_expired(language).to_owned(),
        "paused" => subscription_paused(language).to_owned(),
        "canceled" => subscription_canceled(language).to_owned(),
        other => words(other),
    }
}

/// A code of Stripe's in words: `sepa_debit` is `Sepa debit`.
pub fn words(code: &str) -> String {
    let spaced = code.replace('_', " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn english_roles_are_those_of_the_domain() {
        for role in Role::ALL {
            assert_eq!(super::role(Language::English, role), role.title());
        }
    }

    #[test]
    fn stripes_codes_read_as_words() {
        assert_eq!(subscription_status(Language::English, "past_due"), "Past due");
        assert_eq!(subscription_status(Language::German, "new_status"), "New status");
        assert_eq!(words(""), "");
    }
}
