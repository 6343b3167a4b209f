//! The account page: language, password, two-step verification, sessions.

texts! {
    title { en: "Your account", de: "Ihr Konto", fr: "Votre compte" }
    subtitle {
        en: "How you sign in, and where you are signed in.",
        de: "Wie Sie sich anmelden und wo Sie angemeldet sind.",
        fr: "Votre mode de connexion et vos sessions ouvertes.",
    }
    language { en: "Language", de: "Sprache", fr: "Langue" }
    language_hint {
        en: "For the console, and for mails to you.",
        de: "Für die Konsole und für E-Mails an Sie.",
        fr: "Pour la console et les e-mails qui vous sont adressés.",
    }

    // The results of forms.
    password_changed {
        en: "Your password is changed, and every other session is ended.",
        de: "Ihr Passwort ist geändert, und alle anderen Sitzungen sind beendet.",
        fr: "Votre mot de passe est modifié et toutes les autres sessions sont fermées.",
    }
    session_ended { en: "The session is ended.", de: "Die Sitzung ist beendet.", fr: "La session est fermée." }
    others_ended { en: "Every other session is ended.", de: "Alle anderen Sitzungen sind beendet.", fr: "Toutes les autres sessions sont fermées." }
    totp_disabled {
        en: "Two-step verification is off, and every other session is ended.",
        de: "Die Bestätigung in zwei Schritten ist aus, und alle anderen Sitzungen sind beendet.",
        fr: "La validation en deux étapes est désactivée et toutes les autres sessions sont fermées.",
    }
    session_gone { en: "That session has ended already.", de: "Diese Sitzung ist bereits beendet.", fr: "Cette session est déjà fermée." }

    // The password.
    password { en: "Password", de: "Passwort", fr: "Mot de passe" }
    current_password { en: "Current password", de: "Aktuelles Passwort", fr: "Mot de passe actuel" }
    new_password { en: "New password", de: "Neues Passwort", fr: "Nouveau mot de passe" }
    password_hint {
        en: "At least 8 characters. Changing it signs you out everywhere else.",
        de: "Mindestens 8 Zeichen. Eine Änderung meldet Sie überall sonst ab.",
        fr: "Au moins 8 caractères. Le modifier vous déconnecte partout ailleurs.",
    }
    change_password { en: "Change password", de: "Passwort ändern", fr: "Modifier le mot de passe" }
    your_password { en: "Your password", de: "Ihr Passwort", fr: "Votre mot de passe" }

    // Two-step verification.
    totp { en: "Two-step verification", de: "Bestätigung in zwei Schritten", fr: "Validation en deux étapes" }
    totp_intro {
        en: "With an authenticator app on your phone, your password alone is not enough to sign in as you.",
        de: "Mit einer Authenticator-App auf Ihrem Telefon genügt Ihr Passwort allein nicht mehr zur Anmeldung.",
        fr: "Avec une application d’authentification sur votre téléphone, votre mot de passe seul ne suffit plus pour se connecter.",
    }
    totp_set_up { en: "Set up authenticator", de: "Authenticator einrichten", fr: "Configurer l’authentification" }
    totp_required {
        en: "Staff of this platform need two-step verification. Set up an authenticator app below to go on.",
        de: "Für Mitarbeiter dieser Plattform ist die Bestätigung in zwei Schritten Pflicht. Richten Sie unten eine Authenticator-App ein, um fortzufahren.",
        fr: "La validation en deux étapes est obligatoire pour l’équipe de cette plateforme. Configurez une application d’authentification ci-dessous pour continuer.",
    }
    totp_scan {
        en: "Scan this with your authenticator app, or type the key into it. Then enter the code that it shows.",
        de: "Scannen Sie dies mit Ihrer Authenticator-App oder geben Sie den Schlüssel dort ein. Geben Sie dann den angezeigten Code ein.",
        fr: "Scannez ce code avec votre application d’authentification, ou saisissez-y la clé. Entrez ensuite le code affiché.",
    }
    totp_open { en: "Open an app on this device", de: "App auf diesem Gerät öffnen", fr: "Ouvrir une application sur cet appareil" }
    totp_or_type { en: "or type", de: "oder eingeben:", fr: "ou saisissez" }
    totp_key { en: "the key", de: "den Schlüssel", fr: "la clé" }
    all_recovery_codes { en: "all recovery codes", de: "alle Wiederherstellungscodes", fr: "tous les codes de récupération" }
    totp_qr { en: "QR code of the key", de: "QR-Code des Schlüssels", fr: "Code QR de la clé" }
    code { en: "Code", de: "Code", fr: "Code" }
    code_or_recovery {
        en: "Code from your authenticator app, or a recovery code",
        de: "Code aus Ihrer Authenticator-App oder ein Wiederherstellungscode",
        fr: "Code de votre application d’authentification, ou code de récupération",
    }
    turn_on { en: "Turn on", de: "Einschalten", fr: "Activer" }
    turn_off { en: "Turn off", de: "Ausschalten", fr: "Désactiver" }
    totp_turn_off { en: "Turn off two-step verification", de: "Bestätigung in zwei Schritten ausschalten", fr: "Désactiver la validation en deux étapes" }
    totp_in_force {
        en: "Signing in requires a code from your authenticator app.",
        de: "Zur Anmeldung ist ein Code aus Ihrer Authenticator-App erforderlich.",
        fr: "La connexion exige un code de votre application d’authentification.",
    }
    recovery_codes_left(count: u64) {
        en: { one: "{count} recovery code is left.", other: "{count} recovery codes are left." },
        de: { one: "{count} Wiederherstellungscode ist übrig.", other: "{count} Wiederherstellungscodes sind übrig." },
        fr: { one: "Il reste {count} code de récupération.", other: "Il reste {count} codes de récupération." },
    }
    new_recovery_codes {
        en: "Turn it off and on again for new ones.",
        de: "Für neue schalten Sie sie aus und wieder ein.",
        fr: "Pour en obtenir de nouveaux, désactivez-la puis réactivez-la.",
    }
    recovery_codes {
        en: "From now on, signing in requires a code from your authenticator app. Store these recovery codes where you find them without your phone. Each works once. They can’t be shown again.",
        de: "Ab jetzt ist zur Anmeldung ein Code aus Ihrer Authenticator-App erforderlich. Bewahren Sie diese Wiederherstellungscodes so auf, dass Sie sie ohne Ihr Telefon finden. Jeder gilt einmal. Sie können nicht noch einmal angezeigt werden.",
        fr: "Désormais, la connexion exige un code de votre application d’authentification. Conservez ces codes de récupération à un endroit accessible sans votre téléphone. Chacun fonctionne une fois. Ils ne pourront plus être affichés.",
    }

    // Sessions.
    sessions { en: "Sessions", de: "Sitzungen", fr: "Sessions" }
    sign_out_others { en: "Sign out all others", de: "Alle anderen abmelden", fr: "Déconnecter toutes les autres" }
    sign_out { en: "Sign out", de: "Abmelden", fr: "Déconnecter" }
    /// For screen readers, after the button’s text.
    session_of(device: &str) { en: "the session of {device}", de: "die Sitzung von {device}", fr: "la session de {device}" }
    unknown_device { en: "Unknown program", de: "Unbekanntes Programm", fr: "Programme inconnu" }
    signed_in { en: "signed in", de: "angemeldet", fr: "connectée le" }
    last_seen { en: "last seen", de: "zuletzt gesehen", fr: "vue le" }
    this_session { en: "This session", de: "Diese Sitzung", fr: "Cette session" }
}
