//! Error pages, notices, and errors at the fields of forms.

use super::format;
use crate::domain::{
    error_code::ErrorCode,
    field_error::Fault,
    language::Language,
    money::{Money, parse::Misread},
};

texts! {
    // Frame of error pages.
    reference { en: "Reference", de: "Referenz", fr: "Référence" }
    try_again { en: "Try again", de: "Erneut versuchen", fr: "Réessayer" }
    go_back { en: "Go back", de: "Zurück", fr: "Retour" }
    sign_in { en: "Sign in", de: "Anmelden", fr: "Se connecter" }
    your_usage { en: "Go to your usage", de: "Zu Ihrer Nutzung", fr: "Voir votre consommation" }
    your_account { en: "Go to your account", de: "Zu Ihrem Konto", fr: "Voir votre compte" }
    all_invoices { en: "All invoices", de: "Alle Rechnungen", fr: "Toutes les factures" }
    all_events { en: "All events", de: "Alle Ereignisse", fr: "Tous les événements" }
    all_runs { en: "All runs", de: "Alle Läufe", fr: "Toutes les exécutions" }
    all_customers { en: "All customers", de: "Alle Kunden", fr: "Tous les clients" }
    choose_customer { en: "Choose a customer", de: "Kunden auswählen", fr: "Choisir un client" }
    error { en: "Error", de: "Fehler", fr: "Erreur" }

    // Unknown paths.
    not_found { en: "Page not found", de: "Seite nicht gefunden", fr: "Page introuvable" }
    not_found_text {
        en: "The address may be mistyped, or the page may have moved.",
        de: "Die Adresse ist vielleicht falsch geschrieben, oder die Seite wurde verschoben.",
        fr: "L’adresse est peut-être mal saisie, ou la page a été déplacée.",
    }

    // Titles and texts of problems.
    no_access { en: "You don’t have access", de: "Kein Zugriff", fr: "Accès refusé" }
    no_access_text {
        en: "This is for the staff of this platform. Your own pages are in the menu.",
        de: "Dies ist den Mitarbeitern dieser Plattform vorbehalten. Ihre eigenen Seiten finden Sie im Menü.",
        fr: "Cette page est réservée à l’équipe de cette plateforme. Vos propres pages sont dans le menu.",
    }
    cross_site_text {
        en: "The request came from another site, so nothing was done. Start from a page of this site.",
        de: "Die Anfrage kam von einer anderen Website, daher wurde nichts ausgeführt. Beginnen Sie auf einer Seite dieser Website.",
        fr: "La requête provenait d’un autre site, rien n’a donc été fait. Recommencez depuis une page de ce site.",
    }
    viewing_text {
        en: "You are viewing as a customer, so nothing can be changed. Stop viewing first.",
        de: "Sie sehen die Ansicht eines Kunden und können daher nichts ändern. Beenden Sie zuerst die Ansicht.",
        fr: "Vous êtes dans l’affichage d’un client, rien ne peut donc être modifié. Quittez d’abord l’affichage.",
    }
    second_factor { en: "Two-step verification is missing", de: "Bestätigung in zwei Schritten fehlt", fr: "Validation en deux étapes manquante" }
    second_factor_text {
        en: "Staff sign in with an authenticator app. Set one up on your account page.",
        de: "Mitarbeiter melden sich mit einer Authenticator-App an. Richten Sie sie auf Ihrer Kontoseite ein.",
        fr: "L’équipe se connecte avec une application d’authentification. Configurez-la sur la page de votre compte.",
    }
    signed_out { en: "You’re signed out", de: "Sie sind abgemeldet", fr: "Vous êtes déconnecté" }
    signed_out_text {
        en: "Your session ended. Sign in and you will come straight back to this page.",
        de: "Ihre Sitzung ist abgelaufen. Nach der Anmeldung kommen Sie direkt hierher zurück.",
        fr: "Votre session a expiré. Après la connexion, vous reviendrez directement à cette page.",
    }
    paused { en: "Billing is paused", de: "Die Abrechnung ist pausiert", fr: "La facturation est suspendue" }
    paused_text {
        en: "Nothing is lost: usage and payments are still recorded. There is nothing you need to do. Try again in a few minutes.",
        de: "Es geht nichts verloren: Nutzung und Zahlungen werden weiter erfasst. Sie müssen nichts tun. Versuchen Sie es in einigen Minuten erneut.",
        fr: "Rien n’est perdu\u{a0}: la consommation et les paiements sont toujours enregistrés. Vous n’avez rien à faire. Réessayez dans quelques minutes.",
    }
    switched_off { en: "This is switched off", de: "Dies ist abgeschaltet", fr: "Cette fonction est désactivée" }
    switched_off_text {
        en: "It is not available at the moment. Try again later.",
        de: "Die Funktion ist derzeit nicht verfügbar. Versuchen Sie es später erneut.",
        fr: "Elle n’est pas disponible pour le moment. Réessayez plus tard.",
    }
    gone { en: "Not found", de: "Nicht gefunden", fr: "Introuvable" }
    invoice_gone { en: "Invoice not found", de: "Rechnung nicht gefunden", fr: "Facture introuvable" }
    event_gone { en: "Event not found", de: "Ereignis nicht gefunden", fr: "Événement introuvable" }
    run_gone { en: "Run not found", de: "Lauf nicht gefunden", fr: "Exécution introuvable" }
    gone_text {
        en: "It does not exist, or it belongs to another account. Check the address, or start from the list.",
        de: "Der Eintrag existiert nicht oder gehört zu einem anderen Konto. Prüfen Sie die Adresse oder beginnen Sie bei der Liste.",
        fr: "Cet élément n’existe pas, ou il appartient à un autre compte. Vérifiez l’adresse, ou partez de la liste.",
    }
    no_customer { en: "No customer is chosen", de: "Kein Kunde ausgewählt", fr: "Aucun client choisi" }
    no_customer_text {
        en: "You are signed in as staff, and this page shows one customer’s data. Choose the customer, and view as it.",
        de: "Sie sind als Mitarbeiter angemeldet, und diese Seite zeigt die Daten eines Kunden. Wählen Sie den Kunden und seine Ansicht.",
        fr: "Vous êtes connecté en tant que membre de l’équipe, et cette page montre les données d’un client. Choisissez le client et affichez en tant que lui.",
    }
    unusable { en: "That request can’t be used", de: "Diese Anfrage ist ungültig", fr: "Cette requête est invalide" }
    unusable_text {
        en: "A field or a part of the address is invalid. Nothing was changed. Go back, correct it, and try again.",
        de: "Ein Feld oder ein Teil der Adresse ist ungültig. Es wurde nichts geändert. Gehen Sie zurück, korrigieren Sie es und versuchen Sie es erneut.",
        fr: "Un champ ou une partie de l’adresse est invalide. Rien n’a été modifié. Revenez en arrière, corrigez, puis réessayez.",
    }
    not_possible { en: "That isn’t possible now", de: "Das ist derzeit nicht möglich", fr: "Ce n’est pas possible actuellement" }
    totp_enabled_text {
        en: "An authenticator app is set up already.",
        de: "Es ist bereits eine Authenticator-App eingerichtet.",
        fr: "Une application d’authentification est déjà configurée.",
    }
    totp_not_offered_text {
        en: "The set-up was interrupted. Start it again.",
        de: "Die Einrichtung wurde unterbrochen. Beginnen Sie erneut.",
        fr: "La configuration a été interrompue. Recommencez.",
    }
    cap_confirmation_text {
        en: "The cap would refuse events from now on. Nothing was saved.",
        de: "Mit dieser Obergrenze würden ab sofort Ereignisse abgelehnt. Es wurde nichts gespeichert.",
        fr: "Avec ce plafond, des événements seraient refusés dès maintenant. Rien n’a été enregistré.",
    }
    no_stripe_customer_text {
        en: "The customer does not exist in Stripe yet. Try again after its first subscription.",
        de: "Der Kunde existiert bei Stripe noch nicht. Versuchen Sie es nach dem ersten Abonnement erneut.",
        fr: "Le client n’existe pas encore chez Stripe. Réessayez après son premier abonnement.",
    }
    customer_linked_text {
        en: "The customer is linked to a customer of Stripe already. Nothing was changed.",
        de: "Der Kunde ist bereits mit einem Stripe-Kunden verknüpft. Es wurde nichts geändert.",
        fr: "Le client est déjà associé à un client de Stripe. Rien n’a été modifié.",
    }
    reconciliation_running_text {
        en: "Another run of this scope is in progress. Wait until it ends, or cancel it.",
        de: "Ein Lauf dieses Umfangs ist bereits im Gange. Warten Sie auf sein Ende oder brechen Sie ihn ab.",
        fr: "Une autre exécution de ce périmètre est en cours. Attendez sa fin, ou annulez-la.",
    }
    reconciliation_cancelled_text {
        en: "The run was cancelled. Start another one.",
        de: "Der Lauf wurde abgebrochen. Starten Sie einen neuen.",
        fr: "L’exécution a été annulée. Lancez-en une autre.",
    }
    reconciliation_failed_text {
        en: "The run could not be completed. Start another one.",
        de: "Der Lauf konnte nicht abgeschlossen werden. Starten Sie einen neuen.",
        fr: "L’exécution n’a pas pu aboutir. Lancez-en une autre.",
    }
    in_progress_text {
        en: "The same request is still running. Wait a moment, then try again.",
        de: "Dieselbe Anfrage läuft noch. Warten Sie einen Moment und versuchen Sie es dann erneut.",
        fr: "La même requête est encore en cours. Attendez un instant, puis réessayez.",
    }
    cap_reached_text {
        en: "The cap is reached, so nothing was stored. Change the cap in the settings.",
        de: "Das Limit ist erreicht, daher wurde nichts gespeichert. Ändern Sie das Limit in den Einstellungen.",
        fr: "Le plafond est atteint, rien n’a donc été enregistré. Modifiez le plafond dans les paramètres.",
    }
    too_many { en: "Too many requests", de: "Zu viele Anfragen", fr: "Trop de requêtes" }
    too_many_text {
        en: "This was requested too often in a short time. Wait a minute, then try again.",
        de: "Dies wurde in kurzer Zeit zu oft angefordert. Warten Sie eine Minute und versuchen Sie es dann erneut.",
        fr: "Trop de demandes en peu de temps. Attendez une minute, puis réessayez.",
    }
    throttled_text {
        en: "Too many attempts failed. Wait a few minutes, then try again.",
        de: "Zu viele Fehlversuche. Warten Sie einige Minuten und versuchen Sie es dann erneut.",
        fr: "Trop de tentatives ont échoué. Attendez quelques minutes, puis réessayez.",
    }
    busy { en: "We’re very busy just now", de: "Wir sind gerade stark ausgelastet", fr: "Nos serveurs sont très sollicités" }
    busy_text {
        en: "The request could not be completed in time. Nothing is lost. Try again in a moment.",
        de: "Die Anfrage konnte nicht rechtzeitig bearbeitet werden. Es geht nichts verloren. Versuchen Sie es gleich noch einmal.",
        fr: "La requête n’a pas pu aboutir à temps. Rien n’est perdu. Réessayez dans un instant.",
    }
    unavailable { en: "We can’t reach our data just now", de: "Unsere Daten sind gerade nicht erreichbar", fr: "Nos données sont momentanément inaccessibles" }
    unavailable_text {
        en: "This page can’t be shown. Nothing is lost. Try again in a minute.",
        de: "Diese Seite kann nicht angezeigt werden. Es geht nichts verloren. Versuchen Sie es in einer Minute erneut.",
        fr: "Cette page ne peut pas être affichée. Rien n’est perdu. Réessayez dans une minute.",
    }
    storage_full { en: "Nothing can be saved just now", de: "Zurzeit kann nichts gespeichert werden", fr: "Rien ne peut être enregistré pour le moment" }
    storage_full_text {
        en: "Our storage is full. What was saved before is safe; nothing of this request was stored. Try again later.",
        de: "Unser Speicher ist voll. Früher Gespeichertes ist sicher; von dieser Anfrage wurde nichts gespeichert. Versuchen Sie es später erneut.",
        fr: "Notre espace de stockage est plein. Les données déjà enregistrées sont en sécurité\u{202f}; rien de cette requête n’a été enregistré. Réessayez plus tard.",
    }
    stripe { en: "Stripe is not available", de: "Stripe ist nicht verfügbar", fr: "Stripe n’est pas disponible" }
    stripe_unavailable_text {
        en: "Stripe, our payment provider, does not answer. Try again in a minute.",
        de: "Stripe, unser Zahlungsdienstleister, antwortet nicht. Versuchen Sie es in einer Minute erneut.",
        fr: "Stripe, notre prestataire de paiement, ne répond pas. Réessayez dans une minute.",
    }
    stripe_refused_text {
        en: "Stripe, our payment provider, refused the request. Quote the reference below when you ask for help.",
        de: "Stripe, unser Zahlungsdienstleister, hat die Anfrage abgelehnt. Nennen Sie bei Rückfragen die Referenz unten.",
        fr: "Stripe, notre prestataire de paiement, a refusé la requête. Indiquez la référence ci-dessous si vous demandez de l’aide.",
    }
    stripe_missing_text {
        en: "This platform is not connected to Stripe.",
        de: "Diese Plattform ist nicht mit Stripe verbunden.",
        fr: "Cette plateforme n’est pas reliée à Stripe.",
    }
    internal { en: "Something went wrong on our side", de: "Bei uns ist ein Fehler aufgetreten", fr: "Une erreur s’est produite de notre côté" }
    internal_text {
        en: "Your data is safe. Try again. If it keeps happening, quote the reference below when you ask for help.",
        de: "Ihre Daten sind sicher. Versuchen Sie es erneut. Tritt der Fehler wieder auf, nennen Sie bei Rückfragen die Referenz unten.",
        fr: "Vos données sont en sécurité. Réessayez. Si l’erreur se répète, indiquez la référence ci-dessous pour demander de l’aide.",
    }

    // Forms that were rejected for another reason than a field.
    forbidden_form {
        en: "Your role does not include changing this. Ask a colleague with the role Publisher.",
        de: "Ihre Rolle umfasst diese Änderung nicht. Wenden Sie sich an eine Person mit der Rolle Publisher.",
        fr: "Votre rôle ne permet pas cette modification. Adressez-vous à un collègue ayant le rôle Éditeur.",
    }
    gone_form {
        en: "That no longer exists. This is the current state.",
        de: "Das existiert nicht mehr. Dies ist der aktuelle Stand.",
        fr: "Cet élément n’existe plus. Voici l’état actuel.",
    }

    // Errors at fields.
    errors(count: u64) {
        en: { one: "Nothing was saved. Correct {count} field:", other: "Nothing was saved. Correct {count} fields:" },
        de: { one: "Es wurde nichts gespeichert. Korrigieren Sie {count} Feld:", other: "Es wurde nichts gespeichert. Korrigieren Sie {count} Felder:" },
        fr: { one: "Rien n’a été enregistré. Corrigez {count} champ\u{a0}:", other: "Rien n’a été enregistré. Corrigez {count} champs\u{a0}:" },
    }
    required { en: "Required", de: "Pflichtfeld", fr: "Champ obligatoire" }
    fill_in { en: "Fill in this field.", de: "Füllen Sie dieses Feld aus.", fr: "Remplissez ce champ." }
    shape { en: "This value is invalid.", de: "Dieser Wert ist ungültig.", fr: "Cette valeur est invalide." }
    email {
        en: "Enter an e-mail address such as name@example.com.",
        de: "Geben Sie eine E-Mail-Adresse wie name@example.com ein.",
        fr: "Saisissez une adresse e-mail telle que nom@example.com.",
    }
    email_among(text: &str) {
        en: "Enter an e-mail address such as name@example.com in place of “{text}”.",
        de: "Geben Sie statt „{text}“ eine E-Mail-Adresse wie name@example.com ein.",
        fr: "Saisissez une adresse e-mail telle que nom@example.com à la place de «\u{a0}{text}\u{a0}».",
    }
    percentages {
        en: "Enter percentages such as 80; 90; 100.",
        de: "Geben Sie Prozentwerte wie 80; 90; 100 ein.",
        fr: "Saisissez des pourcentages tels que 80; 90; 100.",
    }
    not_a_number(text: &str) {
        en: "“{text}” is not a number. Enter one such as 1500.",
        de: "„{text}“ ist keine Zahl. Geben Sie eine wie 1500 ein.",
        fr: "«\u{a0}{text}\u{a0}» n’est pas un nombre. Saisissez-en un tel que 1500.",
    }
    not_whole(text: &str) {
        en: "“{text}” is not a whole number. Enter one such as 1500.",
        de: "„{text}“ ist keine ganze Zahl. Geben Sie eine wie 1500 ein.",
        fr: "«\u{a0}{text}\u{a0}» n’est pas un nombre entier. Saisissez-en un tel que 1500.",
    }
    too_fine(text: &str, places: u64) {
        en: "“{text}” has more than {places} decimal places.",
        de: "„{text}“ hat mehr als {places} Nachkommastellen.",
        fr: "«\u{a0}{text}\u{a0}» comporte plus de {places} décimales.",
    }
    too_large(text: &str) { en: "“{text}” is too large.", de: "„{text}“ ist zu groß.", fr: "«\u{a0}{text}\u{a0}» est trop grand." }
    other_currency(text: &str, currency: &str) {
        en: "“{text}” is not in {currency}.",
        de: "„{text}“ ist nicht in {currency}.",
        fr: "«\u{a0}{text}\u{a0}» n’est pas en {currency}.",
    }
    ambiguous(text: &str, grouped: &str, decimal: &str) {
        en: "“{text}” can be read in two ways. Did you mean {grouped}? Or {decimal}?",
        de: "„{text}“ ist mehrdeutig. Meinten Sie {grouped}? Oder {decimal}?",
        fr: "«\u{a0}{text}\u{a0}» est ambigu. Vouliez-vous dire {grouped}\u{202f}? Ou {decimal}\u{202f}?",
    }
    one_or_several(text: &str, one: &str, several: &str) {
        en: "“{text}” can be read in two ways. Did you mean {one}? Or several, separated by semicolons: {several}?",
        de: "„{text}“ ist mehrdeutig. Meinten Sie {one}? Oder mehrere, durch Semikolons getrennt: {several}?",
        fr: "«\u{a0}{text}\u{a0}» est ambigu. Vouliez-vous dire {one}\u{202f}? Ou plusieurs valeurs, séparées par des points-virgules\u{a0}: {several}\u{202f}?",
    }
    several(several: &str) {
        en: "Separate several by semicolons: {several}",
        de: "Trennen Sie mehrere durch Semikolons: {several}",
        fr: "Séparez plusieurs valeurs par des points-virgules\u{a0}: {several}",
    }
    range(from: u64, to: u64) {
        en: "Enter whole numbers from {from} to {to}.",
        de: "Geben Sie ganze Zahlen von {from} bis {to} ein.",
        fr: "Saisissez des nombres entiers de {from} à {to}.",
    }
    amounts(from: Money, to: Money) {
        en: "Enter amounts from {from} to {to}.",
        de: "Geben Sie Beträge von {from} bis {to} ein.",
        fr: "Saisissez des montants de {from} à {to}.",
    }
    at_most_values(count: u64) {
        en: { one: "Enter at most {count} value.", other: "Enter at most {count} values." },
        de: { one: "Geben Sie höchstens {count} Wert ein.", other: "Geben Sie höchstens {count} Werte ein." },
        fr: { one: "Saisissez au plus {count} valeur.", other: "Saisissez au plus {count} valeurs." },
    }
    at_most_chars(count: u64) {
        en: { one: "Enter at most {count} character, on one line.", other: "Enter at most {count} characters, on one line." },
        de: { one: "Geben Sie höchstens {count} Zeichen in einer Zeile ein.", other: "Geben Sie höchstens {count} Zeichen in einer Zeile ein." },
        fr: { one: "Saisissez au plus {count} caractère, sur une ligne.", other: "Saisissez au plus {count} caractères, sur une ligne." },
    }
    limit_reached(count: u64) {
        en: { one: "There can be only {count}. Remove it first.", other: "There can be at most {count}. Remove one first." },
        de: { one: "Es ist höchstens {count} Eintrag möglich. Entfernen Sie ihn zuerst.", other: "Es sind höchstens {count} Einträge möglich. Entfernen Sie zuerst einen." },
        fr: { one: "Il peut y en avoir au plus {count}. Supprimez-le d’abord.", other: "Il peut y en avoir au plus {count}. Supprimez-en d’abord un." },
    }
    wrong_password {
        en: "This is not your current password.",
        de: "Das ist nicht Ihr aktuelles Passwort.",
        fr: "Ce n’est pas votre mot de passe actuel.",
    }
    same_password {
        en: "Choose a password that differs from your current one.",
        de: "Wählen Sie ein Passwort, das sich von Ihrem aktuellen unterscheidet.",
        fr: "Choisissez un mot de passe différent de l’actuel.",
    }
    short_password(count: u64) {
        en: { one: "Enter at least {count} character.", other: "Enter at least {count} characters, and not more than 1,024." },
        de: { one: "Geben Sie mindestens {count} Zeichen ein.", other: "Geben Sie mindestens {count} Zeichen ein, höchstens 1.024." },
        fr: { one: "Saisissez au moins {count} caractère.", other: "Saisissez au moins {count} caractères, et 1\u{202f}024 au plus." },
    }
    common_password {
        en: "This is one of the most common passwords. Choose another.",
        de: "Dieses Passwort gehört zu den häufigsten. Wählen Sie ein anderes.",
        fr: "Ce mot de passe est parmi les plus courants. Choisissez-en un autre.",
    }
    obvious_password {
        en: "This is too close to your e-mail address or to the name of this platform. Choose another.",
        de: "Dieses Passwort ist Ihrer E-Mail-Adresse oder dem Namen dieser Plattform zu ähnlich. Wählen Sie ein anderes.",
        fr: "Ce mot de passe ressemble trop à votre adresse e-mail ou au nom de cette plateforme. Choisissez-en un autre.",
    }
    breached_password {
        en: "This password is known from a data breach. Choose another.",
        de: "Dieses Passwort ist aus einem Datenleck bekannt. Wählen Sie ein anderes.",
        fr: "Ce mot de passe figure dans une fuite de données. Choisissez-en un autre.",
    }
    wrong_code {
        en: "The code is wrong or was used before. Enter the code that your app shows now.",
        de: "Der Code ist falsch oder wurde schon verwendet. Geben Sie den Code ein, den Ihre App jetzt anzeigt.",
        fr: "Le code est incorrect ou a déjà été utilisé. Saisissez le code que votre application affiche maintenant.",
    }
}

/// What is wrong with a field, and what to enter. `value`: the whole input of the field.
pub fn fault(language: Language, fault: &Fault, value: &str) -> String {
    match fault {
        Fault::Shape => shape(language).to_owned(),
        Fault::Required => fill_in(language).to_owned(),
        Fault::Email(text) if text != value.trim() && value.contains(text.as_str()) => email_among(language, text),
        Fault::Email(_) => email(language).to_owned(),
        Fault::Percentages(_) => percentages(language).to_owned(),
        Fault::Number(text, misread) => number(language, text, misread),
        Fault::Range(from, to) => range(language, *from, *to),
        Fault::Amounts(from, to, currency) => {
            let money = |minor: u64| Money::new(i64::try_from(minor).unwrap_or(i64::MAX), *currency);
            amounts(language, money(*from), money(*to))
        }
        Fault::TooMany(count) => at_most_values(language, *count),
        Fault::Name(count) => at_most_chars(language, *count),
        Fault::Limit(count) => limit_reached(language, *count),
        Fault::WrongPassword => wrong_password(language).to_owned(),
        Fault::SamePassword => same_password(language).to_owned(),
        Fault::PasswordLength(count) => short_password(language, *count),
        Fault::CommonPassword => common_password(language).to_owned(),
        Fault::ObviousPassword => obvious_password(language).to_owned(),
        Fault::BreachedPassword => breached_password(language).to_owned(),
        Fault::WrongCode => wrong_code(language).to_owned(),
    }
}

fn number(language: Language, text: &str, misread: &Misread) -> String {
    match misread {
        Misread::NotANumber => not_a_number(language, text),
        Misread::TooFine { places: 0 } => not_whole(language, text),
        Misread::TooFine { places } => too_fine(language, text, u64::from(*places)),
        Misread::TooLarge => too_large(language, text),
        Misread::OtherCurrency(currency) => other_currency(language, text, &currency.code().to_uppercase()),
        Misread::Ambiguous { grouped, decimal } => {
            ambiguous(language, text, grouped, &decimal.replace('.', format::decimal_separator(language)))
        }
        Misread::Several { one: Some(one), several } => one_or_several(language, text, one, several),
        Misread::Several { one: None, several: all } => several(language, all),
    }
}

/// The title and the text of an error on a page: what happened, what it means, what to do.
pub const fn page(language: Language, code: ErrorCode) -> (&'static str, &'static str) {
    use ErrorCode::*;
    match code {
        Unauthenticated | InvalidCredentials | TotpRequired | InvalidCode => (signed_out(language), signed_out_text(language)),
        CrossSite => (no_access(language), cross_site_text(language)),
        Forbidden => (no_access(language), no_access_text(language)),
        TotpEnrolmentRequired => (second_factor(language), second_factor_text(language)),
        ViewingAs => (not_possible(language), viewing_text(language)),
        NotFound => (gone(language), gone_text(language)),
        BadRequest
        | NotUtf8
        | InvalidBody
        | InvalidJson
        | InvalidParameter
        | IdempotencyKeyMissing
        | IdempotencyKeyInvalid
        | IdempotencyKeyReused
        | TooManyEvents
        | SignatureMissing
        | SignatureStale
        | SignatureInvalid
        | NoClickhouse
        | MethodNotAllowed
        | BodyTooLarge
        | PathTooLong
        | UnsupportedMediaType => (unusable(language), unusable_text(language)),
        UsageCapReached => (not_possible(language), cap_reached_text(language)),
        TotpEnabled => (not_possible(language), totp_enabled_text(language)),
        TotpNotOffered => (not_possible(language), totp_not_offered_text(language)),
        CapConfirmationRequired => (not_possible(language), cap_confirmation_text(language)),
        NoStripeCustomer => (not_possible(language), no_stripe_customer_text(language)),
        CustomerLinked => (not_possible(language), customer_linked_text(language)),
        ReconciliationRunning => (not_possible(language), reconciliation_running_text(language)),
        ReconciliationCancelled => (not_possible(language), reconciliation_cancelled_text(language)),
        ReconciliationFailed => (not_possible(language), reconciliation_failed_text(language)),
        IdempotencyInProgress => (not_possible(language), in_progress_text(language)),
        RateLimited => (too_many(language), too_many_text(language)),
        LoginThrottled => (too_many(language), throttled_text(language)),
        Timeout | Overloaded | Busy => (busy(language), busy_text(language)),
        BillingDisabled => (paused(language), paused_text(language)),
        UsageIngestDisabled | InvoicePdfDisabled | CustomerPortalDisabled => (switched_off(language), switched_off_text(language)),
        Unavailable => (unavailable(language), unavailable_text(language)),
        StorageFull => (storage_full(language), storage_full_text(language)),
        StripeRefused => (stripe(language), stripe_refused_text(language)),
        StripeUnavailable => (stripe(language), stripe_unavailable_text(language)),
        StripeNotConfigured => (stripe(language), stripe_missing_text(language)),
        Internal => (internal(language), internal_text(language)),
    }
}

/// Why a form was rejected, if not for one of its fields.
pub const fn form(language: Language, code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Forbidden => forbidden_form(language),
        ErrorCode::NotFound => gone_form(language),
        other => page(language, other).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money::Currency;

    #[test]
    fn every_code_has_sentences_in_every_language() {
        for code in ErrorCode::ALL {
            let texts = Language::ALL.map(|language| page(language, *code));
            assert!(texts[0] != texts[1] && texts[1] != texts[2], "{code}");
            for (title, text) in texts {
                assert!(!title.ends_with('.') && text.ends_with('.'), "{code}: {title}, {text}");
            }
        }
    }

    /// The wording table of the design.
    #[test]
    fn faults_say_what_to_enter() {
        let english = |fault_: Fault, value| fault(Language::English, &fault_, value);
        assert_eq!(english(Fault::percentages("eighty"), "eighty"), "Enter percentages such as 80; 90; 100.");
        assert_eq!(english(Fault::email("a@b"), " a@b "), "Enter an e-mail address such as name@example.com.");
        assert_eq!(english(Fault::email(" "), " "), "Fill in this field.");
        assert!(english(Fault::email("a@b"), "x@y.example, a@b").ends_with("in place of “a@b”."));
        let amounts = fault(Language::German, &Fault::Amounts(1, 150_000, Currency::USD), "");
        assert_eq!(amounts, "Geben Sie Beträge von 0,01\u{a0}$ bis 1.500,00\u{a0}$ ein.");
    }

    #[test]
    fn questions_write_numbers_as_the_language_does() {
        let ambiguous = Misread::Ambiguous { grouped: "1500".into(), decimal: "1.50".into() };
        let asked = |language| fault(language, &Fault::number("1.500", ambiguous.clone()), "1.500");
        assert_eq!(asked(Language::English), "“1.500” can be read in two ways. Did you mean 1500? Or 1.50?");
        assert_eq!(asked(Language::German), "„1.500“ ist mehrdeutig. Meinten Sie 1500? Oder 1,50?");
    }
}
