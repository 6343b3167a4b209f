//! The settings of a customer: alerts, spending caps, contacts, API keys.

use super::{common, format};
use crate::domain::{
    alert::{FiredAlert, ReachedCap, Threshold},
    language::Language,
    metric::Metric,
    money::Money,
};

texts! {
    title { en: "Settings", de: "Einstellungen", fr: "Paramètres" }
    subtitle {
        en: "Alerts, spending caps, contacts and API keys.",
        de: "Warnungen, Obergrenzen, Kontakte und API-Schlüssel.",
        fr: "Alertes, plafonds de dépenses, contacts et clés d’API.",
    }

    // The results of forms.
    alerts_saved { en: "Alerts and caps saved.", de: "Warnungen und Obergrenzen gespeichert.", fr: "Alertes et plafonds enregistrés." }
    contact_saved { en: "Contact saved.", de: "Kontakt gespeichert.", fr: "Contact enregistré." }
    contact_removed { en: "Contact removed.", de: "Kontakt entfernt.", fr: "Contact supprimé." }
    key_revoked {
        en: "Key revoked. Requests with it are refused.",
        de: "Schlüssel widerrufen. Anfragen damit werden abgelehnt.",
        fr: "Clé révoquée. Les requêtes qui l’utilisent sont refusées.",
    }
    changes_discarded { en: "Changes discarded.", de: "Änderungen verworfen.", fr: "Modifications abandonnées." }

    // A form that was typed before the session ended.
    unsaved {
        en: "These changes are not saved yet. Check them and save.",
        de: "Diese Änderungen sind noch nicht gespeichert. Bitte prüfen und speichern Sie sie.",
        fr: "Ces modifications ne sont pas encore enregistrées. Vérifiez-les, puis enregistrez-les.",
    }
    discard { en: "Discard changes", de: "Änderungen verwerfen", fr: "Abandonner les modifications" }

    // Alerts and caps.
    alerts { en: "Usage alerts", de: "Nutzungswarnungen", fr: "Alertes de consommation" }
    email_alerts { en: "E-mail alerts", de: "Warnungen per E-Mail", fr: "Alertes par e-mail" }
    recipients { en: "Recipients", de: "Empfänger", fr: "Destinataires" }
    recipients_hint(fallback: &str) {
        en: "Up to ten e-mail addresses, separated by commas. If empty: {fallback}.",
        de: "Bis zu zehn E-Mail-Adressen, durch Kommas getrennt. Wenn leer: {fallback}.",
        fr: "Jusqu’à dix adresses e-mail, séparées par des virgules. Si vide\u{a0}: {fallback}.",
    }
    fallback_contacts { en: "the billing contacts below", de: "die Rechnungskontakte unten", fr: "les contacts de facturation ci-dessous" }
    fallback_unknown {
        en: "no e-mails, because no address is known",
        de: "keine E-Mails, da keine Adresse bekannt ist",
        fr: "aucun e-mail, car aucune adresse n’est connue",
    }
    percent_label { en: "Alert at (% of included)", de: "Warnung bei (% der Inklusivmenge)", fr: "Alerte à (% du volume inclus)" }
    percent_hint {
        en: "Separate several by semicolons, such as 80; 90; 100.",
        de: "Mehrere durch Semikolons trennen, z.\u{a0}B. 80; 90; 100.",
        fr: "Séparez plusieurs valeurs par des points-virgules, par exemple 80; 90; 100.",
    }
    cost_label(currency: &str) { en: "Alert at (overage in {currency})", de: "Warnung bei (Mehrkosten in {currency})", fr: "Alerte à (dépassement en {currency})" }
    cost_summary { en: "alert at overage", de: "Warnung bei Mehrkosten", fr: "alerte au dépassement" }
    cost_hint {
        en: "Separate several by semicolons, such as 50; 1500.",
        de: "Mehrere durch Semikolons trennen, z.\u{a0}B. 50; 1500.",
        fr: "Séparez plusieurs valeurs par des points-virgules, par exemple 50; 1500.",
    }
    cap { en: "Cap", de: "Obergrenze", fr: "Plafond" }
    cap_hint {
        en: "Events beyond it are refused and not counted. Leave empty for no cap.",
        de: "Ereignisse darüber werden abgelehnt und nicht gezählt. Leer lassen für keine Obergrenze.",
        fr: "Les événements au-delà sont refusés et non comptés. Laissez vide pour ne pas fixer de plafond.",
    }
    unit { en: "Unit", de: "Einheit", fr: "Unité" }
    unit_percent { en: "% of included", de: "% der Inklusivmenge", fr: "% du volume inclus" }
    save_alerts { en: "Save alerts", de: "Warnungen speichern", fr: "Enregistrer les alertes" }
    save_and_refuse {
        en: "Save, and refuse from now on",
        de: "Speichern und ab sofort ablehnen",
        fr: "Enregistrer et refuser dès maintenant",
    }
    cap_is_reached(name: &str, used: &str, cap: &str) {
        en: "This refuses {name} from now on: {used} are used, the cap is {cap}.",
        de: "{name}: Ab sofort würden Ereignisse abgelehnt. {used} sind verbraucht, die Obergrenze ist {cap}.",
        fr: "{name}\u{a0}: les événements seraient refusés dès maintenant. {used} sont consommés, le plafond est de {cap}.",
    }
    not_saved_yet {
        en: "Nothing is saved yet. Save it anyway?",
        de: "Noch ist nichts gespeichert. Trotzdem speichern?",
        fr: "Rien n’est encore enregistré. Enregistrer quand même\u{202f}?",
    }

    // The same as text, for users who may not change it.
    notified { en: "Recipients", de: "Empfänger", fr: "Destinataires" }
    alerts_off { en: "none: e-mail alerts are off", de: "keine: Warnungen per E-Mail sind aus", fr: "aucun\u{a0}: les alertes par e-mail sont désactivées" }
    billing_contacts_noun { en: "the billing contacts", de: "die Rechnungskontakte", fr: "les contacts de facturation" }
    no_cap { en: "no cap", de: "keine Obergrenze", fr: "aucun plafond" }
    cap_at(value: &str) { en: "cap at {value}", de: "Obergrenze bei {value}", fr: "plafond à {value}" }

    // Alerts that fired.
    fired { en: "Reached in this period", de: "In diesem Zeitraum erreicht", fr: "Atteint pendant cette période" }
    none_fired {
        en: "No threshold has been reached in this period.",
        de: "In diesem Zeitraum wurde keine Schwelle erreicht.",
        fr: "Aucun seuil n’a été atteint pendant cette période.",
    }
    percent_reached(percent: &str, name: &str, used: &str) {
        en: "{percent} of included {name} reached, {used} used.",
        de: "{percent} der enthaltenen {name} erreicht, {used} verbraucht.",
        fr: "{name}\u{a0}: {percent} du volume inclus atteint, {used} consommés.",
    }
    cost_reached(name: &str, limit: Money, used: &str) {
        en: "{name}: overage reached {limit}, {used} used.",
        de: "{name}: Mehrkosten haben {limit} erreicht, {used} verbraucht.",
        fr: "{name}\u{a0}: le dépassement a atteint {limit}, {used} consommés.",
    }
    cap_reached(name: &str, cap: &str) {
        en: "{name}: cap of {cap} reached. More is refused until the period ends or you change the cap.",
        de: "{name}: Obergrenze von {cap} erreicht. Weiteres wird bis zum Ende des Zeitraums oder bis zu einer Änderung der Obergrenze abgelehnt.",
        fr: "{name}\u{a0}: plafond de {cap} atteint. Le surplus est refusé jusqu’à la fin de la période ou jusqu’à ce que vous changiez le plafond.",
    }
    used_only(name: &str, used: &str) { en: "{name}: {used} used.", de: "{name}: {used} verbraucht.", fr: "{name}\u{a0}: {used} consommés." }
    no_longer_reached { en: "no longer reached since", de: "nicht mehr erreicht seit", fr: "n’est plus atteint depuis" }
    emailed(time: &str) { en: "E-mailed {time}", de: "E-Mail {time}", fr: "E-mail {time}" }
    not_emailed { en: "E-mail pending", de: "E-Mail steht aus", fr: "E-mail en attente" }

    // Contacts.
    contacts { en: "Billing contacts", de: "Rechnungskontakte", fr: "Contacts de facturation" }
    stripe_address {
        en: "Invoices are sent here. Change it under Payment details.",
        de: "Rechnungen gehen an diese Adresse. Ändern Sie sie unter Zahlungsdaten.",
        fr: "Les factures sont envoyées à cette adresse. Modifiez-la sous Coordonnées de paiement.",
    }
    name_optional { en: "Name (optional)", de: "Name (optional)", fr: "Nom (facultatif)" }
    add_contact { en: "Add contact", de: "Kontakt hinzufügen", fr: "Ajouter un contact" }

    // API keys.
    keys { en: "API keys", de: "API-Schlüssel", fr: "Clés d’API" }
    no_keys {
        en: "No API key yet. Create one to send usage.",
        de: "Noch kein API-Schlüssel. Erstellen Sie einen, um Nutzung zu senden.",
        fr: "Aucune clé d’API. Créez-en une pour envoyer la consommation.",
    }
    key_name { en: "Key name, e.g. “Ad server”", de: "Name des Schlüssels, z.\u{a0}B. „Adserver“", fr: "Nom de la clé, par exemple «\u{a0}Adserver\u{a0}»" }
    create_key { en: "Create key", de: "Schlüssel erstellen", fr: "Créer une clé" }
    key_created { en: "Key created", de: "Schlüssel erstellt", fr: "Clé créée" }
    key_once(name: &str) {
        en: "“{name}”: copy the key now. It can’t be shown again.",
        de: "„{name}“: Kopieren Sie den Schlüssel jetzt. Er kann nicht noch einmal angezeigt werden.",
        fr: "«\u{a0}{name}\u{a0}»\u{a0}: copiez la clé maintenant. Elle ne pourra plus être affichée.",
    }
    key_made_on { en: "created", de: "erstellt", fr: "créée le" }
    never_used { en: "never used", de: "nie verwendet", fr: "jamais utilisée" }
    last_used { en: "last used", de: "zuletzt verwendet", fr: "dernière utilisation" }
    revoke { en: "Revoke", de: "Widerrufen", fr: "Révoquer" }
    revoke_key { en: "Revoke key", de: "Schlüssel widerrufen", fr: "Révoquer la clé" }
}

/// A metric's name at a place where English and German have a noun within the sentence, and French
/// a heading before it.
fn name_in(language: Language, metric: Metric) -> &'static str {
    if language == Language::French { common::metric(language, metric) } else { common::metric_noun(language, metric) }
}

/// What an alert that fired says.
pub fn fired_alert(language: Language, alert: &FiredAlert) -> String {
    let (metric, used) = (alert.metric, format::quantity(language, alert.metric, alert.used));
    let heading = common::metric(language, metric);
    match Threshold::of(&alert.kind, alert.threshold) {
        Some(Threshold::Percent(percent)) => {
            percent_reached(language, &format::percent(language, u64::from(percent)), name_in(language, metric), &used)
        }
        Some(Threshold::Cost(limit)) => cost_reached(language, heading, Money::new(limit, alert.currency), &used),
        Some(Threshold::Cap(cap)) => cap_reached(language, heading, &format::quantity(language, metric, cap)),
        None => used_only(language, heading, &used),
    }
}

/// What saving caps below the current usage does.
pub fn cap_question(language: Language, caps: &[ReachedCap]) -> String {
    let one = |ReachedCap { metric, used, cap }: &ReachedCap| {
        let name = if language == Language::English { common::metric_noun(language, *metric) } else { common::metric(language, *metric) };
        cap_is_reached(language, name, &format::quantity(language, *metric, *used), &format::quantity(language, *metric, *cap))
    };
    let mut sentences: Vec<String> = caps.iter().map(one).collect();
    sentences.push(not_saved_yet(language).to_owned());
    sentences.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cap_below_usage_is_asked_about() {
        let caps = [ReachedCap { metric: Metric::Impressions, used: 12_560_000, cap: 5_000_000 }];
        assert_eq!(
            cap_question(Language::English, &caps),
            "This refuses impressions from now on: 12,560,000 are used, the cap is 5,000,000. Nothing is saved yet. Save it anyway?"
        );
        assert!(cap_question(Language::German, &caps).contains("12.560.000"));
    }
}
