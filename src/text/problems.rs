//! Error pages, notices, and errors at the fields of forms.

texts! {
    not_found { en: "Page not found", de: "Seite nicht gefunden", fr: "Page introuvable" }
    no_access { en: "You don’t have access", de: "Kein Zugriff", fr: "Accès refusé" }
    required { en: "Required", de: "Pflichtfeld", fr: "Champ obligatoire" }
}
