//! The login page.

use crate::domain::language::Language;

texts! {
    title { en: "Sign in", de: "Anmelden", fr: "Se connecter" }
    sign_in { en: "Sign in", de: "Anmelden", fr: "Se connecter" }
    password { en: "Password", de: "Passwort", fr: "Mot de passe" }
    code_title { en: "Enter your code", de: "Code eingeben", fr: "Saisissez votre code" }
    code {
        en: "Code from your authenticator app, or a recovery code",
        de: "Code aus Ihrer Authenticator-App oder ein Wiederherstellungscode",
        fr: "Code de votre application d’authentification, ou code de récupération",
    }
    start_again { en: "Start again", de: "Neu beginnen", fr: "Recommencer" }

    wrong { en: "Wrong e-mail or password.", de: "E-Mail-Adresse oder Passwort ist falsch.", fr: "E-mail ou mot de passe incorrect." }
    wrong_code {
        en: "The code is wrong or was used before. Enter the code that your app shows now.",
        de: "Der Code ist falsch oder wurde schon verwendet. Geben Sie den Code ein, den Ihre App jetzt anzeigt.",
        fr: "Le code est incorrect ou a déjà été utilisé. Saisissez le code que votre application affiche maintenant.",
    }
    too_often {
        en: "Too many attempts. Wait a few minutes, then try again.",
        de: "Zu viele Versuche. Warten Sie einige Minuten und versuchen Sie es dann erneut.",
        fr: "Trop de tentatives. Attendez quelques minutes, puis réessayez.",
    }
    wait_seconds(count: u64) {
        en: { one: "Too many attempts failed. Wait {count} second, then try again.", other: "Too many attempts failed. Wait {count} seconds, then try again." },
        de: {
            one: "Zu viele Fehlversuche. Warten Sie {count} Sekunde und versuchen Sie es dann erneut.",
            other: "Zu viele Fehlversuche. Warten Sie {count} Sekunden und versuchen Sie es dann erneut.",
        },
        fr: {
            one: "Trop de tentatives ont échoué. Attendez {count} seconde, puis réessayez.",
            other: "Trop de tentatives ont échoué. Attendez {count} secondes, puis réessayez.",
        },
    }
    wait_minutes(count: u64) {
        en: { one: "Too many attempts failed. Wait {count} minute, then try again.", other: "Too many attempts failed. Wait {count} minutes, then try again." },
        de: {
            one: "Zu viele Fehlversuche. Warten Sie {count} Minute und versuchen Sie es dann erneut.",
            other: "Zu viele Fehlversuche. Warten Sie {count} Minuten und versuchen Sie es dann erneut.",
        },
        fr: {
            one: "Trop de tentatives ont échoué. Attendez {count} minute, puis réessayez.",
            other: "Trop de tentatives ont échoué. Attendez {count} minutes, puis réessayez.",
        },
    }
    cross_site {
        en: "The form was sent from another site, so it was not accepted. Try again from here.",
        de: "Das Formular kam von einer anderen Website und wurde nicht angenommen. Versuchen Sie es hier erneut.",
        fr: "Le formulaire provenait d’un autre site et n’a pas été accepté. Réessayez ici.",
    }
    session_ended {
        en: "Your session ended. Sign in to continue.",
        de: "Ihre Sitzung ist abgelaufen. Melden Sie sich an, um fortzufahren.",
        fr: "Votre session a expiré. Connectez-vous pour continuer.",
    }
    session_ended_unsaved {
        en: "Your session ended. Sign in and your changes will be there.",
        de: "Ihre Sitzung ist abgelaufen. Melden Sie sich an, dann sind Ihre Änderungen wieder da.",
        fr: "Votre session a expiré. Connectez-vous pour retrouver vos modifications.",
    }
    failed {
        en: "Signing in did not work. Try again in a moment.",
        de: "Die Anmeldung ist fehlgeschlagen. Versuchen Sie es gleich noch einmal.",
        fr: "La connexion a échoué. Réessayez dans un instant.",
    }
}

/// How long to wait after failed attempts, if known.
pub fn throttled(language: Language, seconds: Option<u64>) -> String {
    match seconds {
        None => too_often(language).to_owned(),
        Some(seconds @ ..=90) => wait_seconds(language, seconds.max(1)),
        Some(seconds) => wait_minutes(language, seconds.div_ceil(60).min(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        let english = |seconds| throttled(Language::English, seconds);
        assert!(english(Some(0)).contains("Wait 1 second,") && english(Some(90)).contains("90 seconds"));
        assert!(english(Some(91)).contains("2 minutes") && english(Some(u64::MAX)).contains("60 minutes"));
        assert!(english(None).contains("a few minutes"));
    }
}
