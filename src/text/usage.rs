//! The usage page.

use super::format;
use crate::domain::{
    alert::{Standing, Threshold},
    language::Language,
    money::Money,
    plan::{PlanType, Unpriced},
};

texts! {
    title { en: "Usage", de: "Nutzung", fr: "Consommation" }
    summary { en: "Summary", de: "Überblick", fr: "Synthèse" }
    metric { en: "Metric", de: "Messgröße", fr: "Mesure" }
    metrics { en: "Metrics", de: "Messgrößen", fr: "Mesures" }
    day_by_day { en: "Day by day", de: "Tag für Tag", fr: "Jour par jour" }
    metric_of_chart { en: "Metric of the chart", de: "Messgröße des Diagramms", fr: "Mesure du graphique" }
    apps_of_chart { en: "Apps of the chart", de: "Apps des Diagramms", fr: "Applications du graphique" }
    all_apps { en: "All apps", de: "Alle Apps", fr: "Toutes les applis" }
    by_app { en: "By app", de: "Nach App", fr: "Par appli" }
    download_csv { en: "Download as CSV", de: "Als CSV herunterladen", fr: "Télécharger en CSV" }
    all_metrics { en: "All metrics", de: "Alle Messgrößen", fr: "Toutes les mesures" }
    earlier_unavailable {
        en: "Earlier usage can’t be loaded just now.",
        de: "Die frühere Nutzung kann gerade nicht geladen werden.",
        fr: "La consommation antérieure ne peut pas être chargée pour le moment.",
    }
    alerts_and_caps { en: "Alerts and caps", de: "Warnungen und Obergrenzen", fr: "Alertes et plafonds" }
    edit_alerts { en: "Edit alerts", de: "Warnungen bearbeiten", fr: "Modifier les alertes" }
    alerts_unavailable {
        en: "Alerts and caps can’t be loaded just now.",
        de: "Warnungen und Obergrenzen können gerade nicht geladen werden.",
        fr: "Les alertes et plafonds ne peuvent pas être chargés pour le moment.",
    }

    plan(name: &str) { en: "{name} plan", de: "Tarif {name}", fr: "Forfait {name}" }
    foreign_plan(name: &str) { en: "Plan {name}", de: "Tarif {name}", fr: "Forfait {name}" }
    other_plan { en: "Other plan", de: "Anderer Tarif", fr: "Autre forfait" }
    ends_on(date: &str) { en: "Ends on {date}", de: "Endet am {date}", fr: "Se termine le {date}" }
    ends_with_period { en: "Ends with this period", de: "Endet mit diesem Zeitraum", fr: "Se termine avec cette période" }
    paused { en: "Invoicing paused", de: "Rechnungsstellung pausiert", fr: "Facturation suspendue" }
    paused_until(date: &str) {
        en: "Invoicing paused until {date}",
        de: "Rechnungsstellung pausiert bis {date}",
        fr: "Facturation suspendue jusqu’au {date}",
    }
    payment_outstanding { en: "A payment is outstanding.", de: "Eine Zahlung steht aus.", fr: "Un paiement est en attente." }
    see_open_invoices { en: "See the open invoices", de: "Offene Rechnungen ansehen", fr: "Voir les factures ouvertes" }

    includes_events(time: &str) {
        en: "Includes events up to {time}",
        de: "Enthält Ereignisse bis {time}",
        fr: "Événements comptés jusqu’au {time}",
    }
    no_events_in_period {
        en: "No events have arrived in this period yet.",
        de: "In diesem Zeitraum sind noch keine Ereignisse eingegangen.",
        fr: "Aucun événement n’est encore arrivé pendant cette période.",
    }
    events_waiting {
        en: "Newer events have arrived and are not counted yet.",
        de: "Neuere Ereignisse sind eingegangen und noch nicht gezählt.",
        fr: "Des événements plus récents sont arrivés et ne sont pas encore comptés.",
    }

    within_plan { en: "Within plan", de: "Im Rahmen", fr: "Dans le forfait" }
    close_to_limit { en: "Close to the limit", de: "Nahe am Limit", fr: "Proche de la limite" }
    almost_used_up { en: "Almost used up", de: "Fast aufgebraucht", fr: "Presque épuisé" }
    over_plan { en: "Over plan", de: "Überschritten", fr: "Dépassé" }

    forecast { en: "Forecast", de: "Prognose", fr: "Prévision" }
    /// The interval holds in four of five periods.
    likely(range: &str) { en: "likely {range} (4 in 5)", de: "wahrscheinlich {range} (4 von 5)", fr: "probablement {range} (4 sur 5)" }
    over_by { en: "Over by", de: "Mehrverbrauch", fr: "Dépassement" }
    costs(amount: Money) { en: "costs {amount}", de: "kostet {amount}", fr: "coûte {amount}" }
    cost_unknown { en: "cost unknown", de: "Kosten unbekannt", fr: "coût inconnu" }
    left { en: "Left", de: "Verbleibend", fr: "Restant" }
    of_included(quantity: &str) { en: "of {quantity} included", de: "von {quantity} enthalten", fr: "sur {quantity} inclus" }
    bar(metric: &str, used: &str, included: &str, percent: &str, level: &str) {
        en: "{metric}: {used} of {included} used, {percent}. {level}.",
        de: "{metric}: {used} von {included} genutzt, {percent}. {level}.",
        fr: "{metric}\u{a0}: {used} sur {included}, {percent}. {level}.",
    }
    bar_forecast(amount: &str) {
        en: "Forecast {amount} at the end of the period.",
        de: "Prognose zum Ende des Zeitraums: {amount}.",
        fr: "Prévision à la fin de la période\u{a0}: {amount}.",
    }

    overage { en: "Overage", de: "Mehrverbrauch", fr: "Dépassement" }
    overage_caption { en: "Overage cost so far, per metric", de: "Bisherige Kosten des Mehrverbrauchs je Messgröße", fr: "Coût du dépassement à ce jour, par mesure" }
    over_the_plan { en: "Over the plan", de: "Menge", fr: "Quantité" }
    cost { en: "Cost", de: "Kosten", fr: "Coût" }
    unknown { en: "Unknown", de: "Unbekannt", fr: "Inconnu" }
    total_so_far { en: "Total so far", de: "Summe bisher", fr: "Total à ce jour" }
    likely_by(date: &str) { en: "Likely by {date}", de: "Voraussichtlich bis {date}", fr: "Probable d’ici au {date}" }
    before_tax { en: "Before discounts and tax.", de: "Vor Rabatten und Steuern.", fr: "Hors remises et taxes." }
    cost_is_unknown(reason: &str) { en: "The cost is unknown: {reason}.", de: "Die Kosten sind unbekannt: {reason}.", fr: "Le coût est inconnu\u{a0}: {reason}." }
    no_price(currency: &str) { en: "no price in {currency}", de: "kein Preis in {currency}", fr: "aucun prix en {currency}" }
    unknown_plan(name: &str) { en: "unknown plan {name}", de: "unbekannter Tarif {name}", fr: "forfait inconnu {name}" }
    no_plan { en: "the subscription names no plan", de: "das Abonnement nennt keinen Tarif", fr: "l’abonnement n’indique aucun forfait" }

    threshold { en: "Threshold", de: "Schwelle", fr: "Seuil" }
    state { en: "State", de: "Stand", fr: "État" }
    reached { en: "Reached", de: "Erreicht", fr: "Atteint" }
    reached_and_refusing { en: "Reached, more is refused", de: "Erreicht, Weiteres wird abgelehnt", fr: "Atteint, la suite est refusée" }
    in_force { en: "In force", de: "In Kraft", fr: "En vigueur" }
    reached_earlier { en: "Reached earlier", de: "Früher erreicht", fr: "Atteint auparavant" }
    alerts_caption {
        en: "Thresholds that were reached or are expected, and caps",
        de: "Erreichte und erwartete Schwellen sowie Obergrenzen",
        fr: "Seuils atteints ou attendus, et plafonds",
    }
    no_threshold_no_cap {
        en: "No threshold has been reached in this period, and none is expected to be. No cap is set.",
        de: "In diesem Zeitraum ist keine Schwelle erreicht, und es wird keine erwartet. Es gibt keine Obergrenze.",
        fr: "Aucun seuil n’est atteint pendant cette période et aucun n’est attendu. Aucun plafond n’est défini.",
    }
    alerts_off_no_cap {
        en: "Alerts are switched off, and no cap is set.",
        de: "Warnungen sind ausgeschaltet, und es gibt keine Obergrenze.",
        fr: "Les alertes sont désactivées et aucun plafond n’est défini.",
    }
    alerts_off {
        en: "Alerts are switched off. Caps still apply.",
        de: "Warnungen sind ausgeschaltet. Obergrenzen gelten weiterhin.",
        fr: "Les alertes sont désactivées. Les plafonds restent en vigueur.",
    }

    percent_of(percent: &str, included: &str) {
        en: "{percent} of {included} included",
        de: "{percent} der enthaltenen {included}",
        fr: "{percent} du volume inclus de {included}",
    }
    percent_of_unknown(percent: &str) {
        en: "{percent} of the included quantity",
        de: "{percent} der enthaltenen Menge",
        fr: "{percent} du volume inclus",
    }
    cost_threshold(amount: Money) { en: "{amount} of overage", de: "{amount} Mehrverbrauch", fr: "{amount} de dépassement" }
    cap_of(quantity: &str) { en: "Cap of {quantity}", de: "Obergrenze von {quantity}", fr: "Plafond de {quantity}" }

    day { en: "Day", de: "Tag", fr: "Jour" }
    day_utc { en: "Day (UTC)", de: "Tag (UTC)", fr: "Jour (UTC)" }
    per_day(metric: &str) { en: "{metric} per day, in UTC", de: "{metric} pro Tag, in UTC", fr: "{metric} par jour, en UTC" }
    chart(metric: &str, period: &str, most: &str) {
        en: "{metric} per day, {period}: up to {most} a day. The table below has the numbers.",
        de: "{metric} pro Tag, {period}: höchstens {most} am Tag. Die Tabelle darunter enthält die Zahlen.",
        fr: "{metric} par jour, {period}\u{a0}: jusqu’à {most} par jour. Le tableau ci-dessous contient les chiffres.",
    }
    show_numbers { en: "Show the numbers as a table", de: "Zahlen als Tabelle anzeigen", fr: "Afficher les chiffres dans un tableau" }
    expected { en: "Expected", de: "Erwartet", fr: "Attendu" }
    previous_period { en: "Previous period", de: "Voriger Zeitraum", fr: "Période précédente" }
    previous_period_of(period: &str) {
        en: "Previous period, {period}",
        de: "Voriger Zeitraum, {period}",
        fr: "Période précédente, {period}",
    }
    own_scales { en: "Each chart has its own scale.", de: "Jedes Diagramm hat seine eigene Skala.", fr: "Chaque graphique a sa propre échelle." }
    this_period { en: "This period", de: "Dieser Zeitraum", fr: "Cette période" }
    today { en: "Today, so far", de: "Heute, bisher", fr: "Aujourd’hui, jusqu’ici" }
    of_day(day: &str, quantity: &str) { en: "{day}: {quantity}", de: "{day}: {quantity}", fr: "{day}\u{a0}: {quantity}" }
    of_today(day: &str, until: &str, quantity: &str) {
        en: "{day} ({until}): {quantity}",
        de: "{day} ({until}): {quantity}",
        fr: "{day} ({until})\u{a0}: {quantity}",
    }

    no_app {
        en: "No app has sent events of this metric in this period.",
        de: "In diesem Zeitraum hat keine App Ereignisse dieser Messgröße gesendet.",
        fr: "Aucune application n’a envoyé d’événement de cette mesure pendant cette période.",
    }
    other_apps(count: u64) {
        en: { one: "{count} other app", other: "{count} other apps" },
        de: { one: "{count} weitere App", other: "{count} weitere Apps" },
        fr: { one: "{count} autre application", other: "{count} autres applications" },
    }
    per_app_and_day(metric: &str) {
        en: "{metric} per app and day, in UTC",
        de: "{metric} pro App und Tag, in UTC",
        fr: "{metric} par application et par jour, en UTC",
    }
    show_apps { en: "Show the apps as a table", de: "Apps als Tabelle anzeigen", fr: "Afficher les applications dans un tableau" }

    no_events { en: "No events yet", de: "Noch keine Ereignisse", fr: "Aucun événement pour le moment" }
    no_events_intro {
        en: "Your first event appears here seconds after you send it.",
        de: "Ihr erstes Ereignis erscheint hier Sekunden nach dem Senden.",
        fr: "Votre premier événement s’affiche ici quelques secondes après son envoi.",
    }
    step_key { en: "Create an API key", de: "API-Schlüssel erstellen", fr: "Créer une clé d’API" }
    step_key_link { en: "Open the settings", de: "Einstellungen öffnen", fr: "Ouvrir les paramètres" }
    step_send { en: "Send an event with it", de: "Damit ein Ereignis senden", fr: "Envoyer un événement avec cette clé" }
    step_docs { en: "Read about fields, batches and retries", de: "Felder, Stapel und Wiederholungen nachlesen", fr: "Découvrir les champs, les lots et les nouvelles tentatives" }
    step_docs_link { en: "Open the API documentation", de: "API-Dokumentation öffnen", fr: "Ouvrir la documentation de l’API" }

    days_left(count: u64) {
        en: { one: "{count} day is left.", other: "{count} days are left." },
        de: { one: "Noch {count} Tag.", other: "Noch {count} Tage." },
        fr: { one: "Encore {count} jour.", other: "Encore {count} jours." },
    }
    used_of_included(used: &str, included: &str, noun: &str) {
        en: "{used} of {included} included {noun} used.",
        de: "{noun}: {used} von {included} enthalten genutzt.",
        fr: "{used} sur {included} inclus\u{a0}: {noun}.",
    }
    percent_used(percent: &str, noun: &str) {
        en: "{percent} of your included {noun} used.",
        de: "{noun}: {percent} der enthaltenen Menge genutzt.",
        fr: "{percent} du volume inclus consommé\u{a0}: {noun}.",
    }
    overage_forecast(so_far: Money, date: &str, amount: Money) {
        en: "Overage has cost {so_far} so far and will likely reach {amount} by {date}.",
        de: "Der Mehrverbrauch kostet bisher {so_far} und bis {date} voraussichtlich {amount}.",
        fr: "Le dépassement s’élève à {so_far} à ce jour et devrait, d’ici au {date}, atteindre {amount}.",
    }
    overage_so_far(amount: Money) {
        en: "Overage has cost {amount} so far.",
        de: "Der Mehrverbrauch kostet bisher {amount}.",
        fr: "Le dépassement s’élève à {amount} à ce jour.",
    }
    nothing_due_yet(amount: Money, date: &str) {
        en: "Nothing extra is due yet; overage will likely cost {amount} by {date}.",
        de: "Noch fällt nichts zusätzlich an; bis {date} kostet der Mehrverbrauch voraussichtlich {amount}.",
        fr: "Rien de plus n’est dû pour l’instant\u{202f}; d’ici au {date}, le dépassement devrait coûter {amount}.",
    }
    nothing_due_by(date: &str) {
        en: "By {date}, nothing extra is likely to be due.",
        de: "Bis {date} fällt voraussichtlich nichts zusätzlich an.",
        fr: "D’ici au {date}, rien de plus ne devrait être dû.",
    }
    nothing_due { en: "Nothing extra is due so far.", de: "Bisher fällt nichts zusätzlich an.", fr: "Rien de plus n’est dû à ce jour." }
    overage_cost_unknown(reason: &str) {
        en: "The overage cost is unknown: {reason}.",
        de: "Die Kosten des Mehrverbrauchs sind unbekannt: {reason}.",
        fr: "Le coût du dépassement est inconnu\u{a0}: {reason}.",
    }
    headline_over(metrics: &str) { en: "You’re over your plan on {metrics}", de: "Kontingent überschritten: {metrics}", fr: "Forfait dépassé\u{a0}: {metrics}" }
    headline_nearly_one(metric: &str) {
        en: "Your included {metric} is almost used up",
        de: "Kontingent fast aufgebraucht: {metric}",
        fr: "Volume inclus presque épuisé\u{a0}: {metric}",
    }
    headline_nearly(metrics: &str) {
        en: "Your included {metrics} are almost used up",
        de: "Kontingent fast aufgebraucht: {metrics}",
        fr: "Volume inclus presque épuisé\u{a0}: {metrics}",
    }
    headline_close(metrics: &str) {
        en: "You’re getting close to your plan’s limit on {metrics}",
        de: "Sie nähern sich dem Limit Ihres Tarifs: {metrics}",
        fr: "Vous approchez de la limite de votre forfait\u{a0}: {metrics}",
    }
    headline_on_course {
        en: "You’re fine today, but on course to go over",
        de: "Heute im Rahmen, aber auf dem Weg zur Überschreitung",
        fr: "Dans le forfait aujourd’hui, mais en voie de dépassement",
    }
    headline_within { en: "You’re well within your plan", de: "Ihre Nutzung liegt im Rahmen Ihres Tarifs", fr: "Votre consommation reste dans votre forfait" }
    headline_cost_unknown { en: "Cost unknown", de: "Kosten unbekannt", fr: "Coût inconnu" }
    detail_cost_unknown(reason: &str) {
        en: "Usage is measured. The included quantities and the overage cost can’t be shown: {reason}. Your invoice is not affected.",
        de: "Die Nutzung wird gemessen. Die enthaltenen Mengen und die Kosten des Mehrverbrauchs können nicht angezeigt werden: {reason}. Ihre Rechnung ist davon nicht betroffen.",
        fr: "La consommation est mesurée. Les volumes inclus et le coût du dépassement ne peuvent pas être affichés\u{a0}: {reason}. Votre facture n’est pas concernée.",
    }
    headline_no_subscription { en: "No active subscription", de: "Kein aktives Abonnement", fr: "Aucun abonnement actif" }
    detail_no_subscription {
        en: "Usage is still measured, by calendar month. The included quantities appear here once a plan starts.",
        de: "Die Nutzung wird weiterhin gemessen, nach Kalendermonaten. Die enthaltenen Mengen erscheinen hier, sobald ein Tarif beginnt.",
        fr: "La consommation reste mesurée, par mois civil. Les volumes inclus s’affichent ici dès qu’un forfait commence.",
    }
    headline_refused_one(metric: &str, cap: &str) {
        en: "{metric} is being refused: your cap of {cap} is reached",
        de: "{metric}: Ereignisse werden abgelehnt, Ihre Obergrenze von {cap} ist erreicht",
        fr: "{metric}\u{a0}: événements refusés, votre plafond de {cap} est atteint",
    }
    headline_refused(metric: &str, cap: &str) {
        en: "{metric} are being refused: your cap of {cap} is reached",
        de: "{metric}: Ereignisse werden abgelehnt, Ihre Obergrenze von {cap} ist erreicht",
        fr: "{metric}\u{a0}: événements refusés, votre plafond de {cap} est atteint",
    }
    headline_refused_several(metrics: &str, caps: &str) {
        en: "{metrics} are being refused: your caps of {caps} are reached",
        de: "{metrics}: Ereignisse werden abgelehnt, Ihre Obergrenzen von {caps} sind erreicht",
        fr: "{metrics}\u{a0}: événements refusés, vos plafonds de {caps} sont atteints",
    }
    none_refused { en: "No event has been refused yet.", de: "Bisher wurde kein Ereignis abgelehnt.", fr: "Aucun événement n’a encore été refusé." }
    none_refused_since(time: &str) {
        en: "It was reached by {time}; no event has been refused yet.",
        de: "Sie war am {time} erreicht; bisher wurde kein Ereignis abgelehnt.",
        fr: "Il était atteint le {time}\u{202f}; aucun événement n’a encore été refusé.",
    }
    refused(count: u64, quantity: &str) {
        en: { one: "{count} event with {quantity} has been refused and not counted.", other: "{count} events with {quantity} have been refused and not counted." },
        de: { one: "{count} Ereignis mit {quantity} wurde abgelehnt und nicht gezählt.", other: "{count} Ereignisse mit {quantity} wurden abgelehnt und nicht gezählt." },
        fr: { one: "{count} événement ({quantity}) a été refusé et n’est pas compté.", other: "{count} événements ({quantity}) ont été refusés et ne sont pas comptés." },
    }
    refused_since(count: u64, quantity: &str, time: &str) {
        en: { one: "{count} event with {quantity} has been refused and not counted since {time}.", other: "{count} events with {quantity} have been refused and not counted since {time}." },
        de: { one: "Seit {time} wurde {count} Ereignis mit {quantity} abgelehnt und nicht gezählt.", other: "Seit {time} wurden {count} Ereignisse mit {quantity} abgelehnt und nicht gezählt." },
        fr: { one: "Depuis le {time}, {count} événement ({quantity}) a été refusé et n’est pas compté.", other: "Depuis le {time}, {count} événements ({quantity}) ont été refusés et ne sont pas comptés." },
    }
    of_metric(metric: &str, sentence: &str) { en: "{metric}: {sentence}", de: "{metric}: {sentence}", fr: "{metric}\u{a0}: {sentence}" }
    refused_until(date: &str) {
        en: "More is refused until {date}, or until you change the cap.",
        de: "Weitere Ereignisse werden bis {date} abgelehnt oder bis Sie die Obergrenze ändern.",
        fr: "La suite est refusée jusqu’au {date}, ou jusqu’à ce que vous modifiiez le plafond.",
    }
    change_cap { en: "Change the cap", de: "Obergrenze ändern", fr: "Modifier le plafond" }
    change_caps { en: "Change the caps", de: "Obergrenzen ändern", fr: "Modifier les plafonds" }
    and(before: &str, last: &str) { en: "{before} and {last}", de: "{before} und {last}", fr: "{before} et {last}" }
}

/// A threshold or cap: `80% of 1,000,000 included`, `$50.00 of overage`, `Cap of 1,200,000`.
pub fn threshold_text(language: Language, one: &Standing) -> String {
    let quantity = |quantity| format::quantity(language, one.metric, quantity);
    match (one.threshold, one.included) {
        (Threshold::Percent(percent), Some(included)) => {
            percent_of(language, &format::percent(language, u64::from(percent)), &quantity(included))
        }
        (Threshold::Percent(percent), None) => percent_of_unknown(language, &format::percent(language, u64::from(percent))),
        (Threshold::Cost(amount), _) => cost_threshold(language, Money::new(amount, one.currency)),
        (Threshold::Cap(at), _) => cap_of(language, &quantity(at)),
    }
}

/// Why the cost is unknown, within a sentence.
pub fn unpriced(language: Language, why: &Unpriced) -> String {
    match why {
        Unpriced::NoPrice(currency) => no_price(language, &currency.code().to_ascii_uppercase()),
        Unpriced::UnknownPlan(Some(name)) => unknown_plan(language, name),
        Unpriced::UnknownPlan(None) => no_plan(language).to_owned(),
    }
}

/// A plan's name in a heading. `name`: Stripe's, of a plan that this platform doesn't sell.
pub fn plan_title(language: Language, plan_type: Option<PlanType>, name: Option<&str>) -> String {
    match (plan_type, name) {
        (Some(known), _) => plan(language, known.title()),
        (None, Some(name)) => foreign_plan(language, name),
        (None, None) => other_plan(language).to_owned(),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(language: Language, items: &[&str]) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => and(language, &rest.join(", "), last),
    }
}

/// A sentence about an expected amount, with its likely range.
pub fn with_range(language: Language, sentence: &str, range: Option<&str>) -> String {
    match range {
        Some(range) => format!("{sentence}, {}.", likely(language, range)),
        None => format!("{sentence}."),
    }
}
