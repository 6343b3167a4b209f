//! Mails.

use crate::{
    domain::{
        alert::{FiredAlert, Threshold},
        language::Language,
        money::Money,
    },
    text::{common, format},
};

texts! {
    alert_subject(customer: &str, metric: &str) {
        en: "Usage alert for {customer}: {metric}",
        de: "Nutzungswarnung für {customer}: {metric}",
        fr: "Alerte de consommation pour {customer}\u{a0}: {metric}",
    }
    alerts_subject(count: u64, customer: &str) {
        en: { one: "Usage alerts for {customer}: {count} threshold reached", other: "Usage alerts for {customer}: {count} thresholds reached" },
        de: {
            one: "Nutzungswarnungen für {customer}: {count} Schwelle erreicht",
            other: "Nutzungswarnungen für {customer}: {count} Schwellen erreicht",
        },
        fr: {
            one: "Alertes de consommation pour {customer}\u{a0}: {count} seuil atteint",
            other: "Alertes de consommation pour {customer}\u{a0}: {count} seuils atteints",
        },
    }
    alert_intro(customer: &str) {
        en: "Usage of {customer} has reached alert thresholds.",
        de: "Die Nutzung von {customer} hat Warnschwellen erreicht.",
        fr: "La consommation de {customer} a atteint des seuils d’alerte.",
    }
    period_ends(at: &str) {
        en: "The billing period ends on {at} UTC.",
        de: "Der Abrechnungszeitraum endet am {at} UTC.",
        fr: "La période de facturation se termine le {at} UTC.",
    }
    current_usage(url: &str) { en: "Current usage: {url}", de: "Aktuelle Nutzung: {url}", fr: "Consommation actuelle\u{a0}: {url}" }
    change_alerts(url: &str) {
        en: "Change thresholds, recipients and caps: {url}",
        de: "Schwellen, Empfänger und Obergrenzen ändern: {url}",
        fr: "Modifier les seuils, les destinataires et les plafonds\u{a0}: {url}",
    }

    percent_reached(metric: &str, percent: &str, included: &str, used: &str) {
        en: "{metric}: {percent} of the included {included} is reached, {used} used.",
        de: "{metric}: {percent} der enthaltenen {included} sind erreicht, {used} genutzt.",
        fr: "{metric}\u{a0}: {percent} des {included} inclus sont atteints, {used} consommés.",
    }
    overage_so_far(cost: Money) {
        en: "Overage has cost {cost} so far.",
        de: "Die Mehrnutzung hat bisher {cost} gekostet.",
        fr: "Le dépassement a coûté {cost} jusqu’ici.",
    }
    cost_reached(metric: &str, cost: &str, limit: Money, used: &str) {
        en: "{metric}: overage has cost {cost}, which reaches your {limit}; {used} used.",
        de: "{metric}: Die Mehrnutzung hat {cost} gekostet und damit Ihre {limit} erreicht; {used} genutzt.",
        fr: "{metric}\u{a0}: le dépassement a coûté {cost}, ce qui atteint vos {limit}\u{202f}; {used} consommés.",
    }
    unknown_amount { en: "an unknown amount", de: "einen unbekannten Betrag", fr: "un montant inconnu" }
    cap_reached(metric: &str, cap: &str, used: &str) {
        en: "{metric}: your cap of {cap} is reached, {used} used. More of it is refused until the period ends or you change the cap.",
        de: "{metric}: Ihre Obergrenze von {cap} ist erreicht, {used} genutzt. Weiteres wird abgelehnt, bis der Zeitraum endet oder Sie die Obergrenze ändern.",
        fr: "{metric}\u{a0}: votre plafond de {cap} est atteint, {used} consommés. Tout dépassement est refusé jusqu’à la fin de la période ou jusqu’à ce que vous modifiiez le plafond.",
    }
    used_only(metric: &str, used: &str) { en: "{metric}: {used} used.", de: "{metric}: {used} genutzt.", fr: "{metric}\u{a0}: {used} consommés." }
}

/// A fired alert in a sentence.
pub fn alert_sentence(language: Language, alert: &FiredAlert) -> String {
    let metric = common::metric(language, alert.metric);
    let shown = |quantity| format::quantity(language, alert.metric, quantity);
    let used = shown(alert.used);
    let cost = alert.cost.map(|cost| Money::new(cost, alert.currency));
    match (Threshold::of(&alert.kind, alert.threshold), alert.included) {
        (Some(Threshold::Percent(percent)), Some(included)) => {
            let percent = format::percent(language, percent.into());
            let reached = percent_reached(language, metric, &percent, &shown(included), &used);
            match cost.filter(|cost| cost.amount > 0) {
                Some(cost) => format!("{reached} {}", overage_so_far(language, cost)),
                None => reached,
            }
        }
        (Some(Threshold::Cost(limit)), _) => {
            let cost = cost.map_or_else(|| unknown_amount(language).to_owned(), |cost| format::money(language, cost));
            cost_reached(language, metric, &cost, Money::new(limit, alert.currency), &used)
        }
        (Some(Threshold::Cap(cap)), _) => cap_reached(language, metric, &shown(cap), &used),
        _ => used_only(language, metric, &used),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{metric::Metric, period::Period};
    use time::macros::datetime;

    fn alert(kind: &str, threshold: i64) -> FiredAlert {
        FiredAlert {
            metric: Metric::ApiCalls,
            kind: kind.into(),
            threshold,
            used: 1_200_000,
            included: Some(1_000_000),
            cost: Some(1_050),
            currency: "eur".parse().unwrap(),
            period: Period::calendar_month(datetime!(2026-11-10 0:00 UTC)),
            fired_at: datetime!(2026-11-10 0:00 UTC),
            crossed_at: None,
            rearmed_at: None,
            notified_at: None,
        }
    }

    #[test]
    fn english_sentences_are_those_of_the_domain() {
        for alert in [alert("percent", 80), alert("cost", 1_000), alert("cap", 1_000_000), alert("other", 1)] {
            assert_eq!(alert_sentence(Language::English, &alert), alert.sentence());
        }
    }

    #[test]
    fn sentences_follow_the_language() {
        let written = |language| alert_sentence(language, &alert("percent", 80)).replace(['\u{a0}', '\u{202f}'], " ");
        assert_eq!(
            written(Language::German),
            "API-Aufrufe: 80 % der enthaltenen 1.000.000 sind erreicht, 1.200.000 genutzt. Die Mehrnutzung hat bisher 10,50 € gekostet."
        );
        assert_eq!(
            written(Language::French),
            "Appels d’API : 80 % des 1 000 000 inclus sont atteints, 1 200 000 consommés. Le dépassement a coûté 10,50 € jusqu’ici."
        );
    }
}
