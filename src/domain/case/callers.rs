//! Who calls and how well one understands each other: the national lists with their labels, and what follows from them.
//!
//! Codes and labels from HubSante.typeAppelant and HubSante.communication (ansforge/SAMU-Hub-Modeles @ e3d4411b,
//! Apache-2.0).

use super::sealed::Caller;

/// A code and its French label.
pub type Labelled = (&'static str, &'static str);

/// HubSante.typeAppelant.
pub const KINDS: [Labelled; 29] = [
    ("SUJET", "Le patient lui-même"),
    ("FAMILLE", "Famille ou proche du patient"),
    ("TIERS", "Autre particulier ou passant"),
    ("POMPIER", "Pompier"),
    ("AMBULANC", "Ambulancier"),
    ("AMBULANC.AASC", "Secouriste AASC"),
    ("AMBULANC.AUTRESEC", "Autre secouriste"),
    ("SECOUR", "Secouriste actif"),
    ("MED", "Médecin"),
    ("MED.MEDSOS", "Médecin SOS ou association PDS"),
    ("MED.MRL", "Médecin régulateur libéral"),
    ("MED.EFFML", "Effecteur de médecine libérale"),
    ("SANTE", "Autre acteur de santé"),
    ("SANTE.INF", "Infirmier"),
    ("SANTE.AIDESOIN", "Aide-soignant"),
    ("SANTE.SF", "Sage-femme"),
    ("SANTE.AIDEDOM", "Aide à domicile"),
    ("SANTE.PHARMA", "Pharmacien"),
    ("SANTE.DENTISTE", "Dentiste"),
    ("SANTE.LABO", "Personnel de laboratoire"),
    ("FDO-MILI", "Policier, gendarme, militaire"),
    ("FDO-MILI.POL", "Policier"),
    ("FDO-MILI.GENDARM", "Gendarme"),
    ("FDO-MILI.MILI", "Militaire"),
    ("ADM-TUTL", "Membre d'une autorité administrative"),
    ("VIP", "VIP"),
    ("OBJCONNC", "Objets connectés"),
    ("AUTRE", "Autre type d'appelant"),
    ("INCONNU", "Type d'appelant indéterminé"),
];

/// HubSante.communication.
pub const DIFFICULTIES: [Labelled; 9] = [
    ("AUCUNE", "Aucune difficulté de communication"),
    ("MUET", "Muet ou malentendant (troubles de la parole ou de l'audition)"),
    ("VISION", "Malvoyant, troubles de la vision"),
    ("LANGUE", "Barrière de la langue (langue étrangère)"),
    ("PANIQUE", "Panique de l'appelant"),
    ("HOSTILE", "Appelant hostile, agressif"),
    ("AGITE", "Incohérence, agitation, intoxication"),
    ("AUTRE", "Autres difficultés de communication"),
    ("IMPOSS", "Absence de communication"),
];

/// No difficulty, said in so many words.
const NONE: &str = "AUCUNE";

/// The codes of a list, for where only they count.
pub const fn codes<const N: usize>(list: &[Labelled; N]) -> [&'static str; N] {
    let mut codes = [""; N];
    let mut at = 0;
    while at < N {
        codes[at] = list[at].0;
        at += 1;
    }
    codes
}

/// The label of a code; none for a code the list lacks.
pub fn label(list: &[Labelled], code: &str) -> Option<&'static str> {
    list.iter().find(|(known, _)| *known == code).map(|(_, label)| *label)
}

impl Caller {
    /// A health professional calls as such: a doctor, or another of the list's actors of health.
    pub fn professional(&self) -> bool {
        let kind = self.kind.as_deref().unwrap_or_default();
        matches!(kind.split('.').next(), Some("MED" | "SANTE"))
    }

    /// The patient calls for himself.
    pub fn is_patient(&self) -> bool {
        self.kind.as_deref() == Some("SUJET")
    }

    /// Caller and room may not understand each other: a difficulty was noted, or a language other than French and nobody
    /// said that there is none.
    pub fn barrier(&self) -> bool {
        match self.difficulty.as_deref() {
            Some(code) => code != NONE,
            None => self.language.as_deref().is_some_and(|language| language != "fr"),
        }
    }

    /// True when somebody can be rung.
    pub fn has_number(&self) -> bool {
        !self.phone.reveal().is_empty() || !self.call_back.reveal().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str) -> Caller {
        Caller { kind: Some(kind.to_owned()), ..Caller::default() }
    }

    #[test]
    fn doctors_and_other_actors_of_health_are_professionals_and_nobody_else_is() {
        let professional = |code: &&str| of(code).professional();
        let codes = codes(&KINDS);
        let found: Vec<_> = codes.iter().filter(|code| professional(code)).collect();
        assert_eq!(found.len(), 12, "{found:?}");
        assert!(found.iter().all(|code| code.starts_with("MED") || code.starts_with("SANTE")));
        assert!(!Caller::default().professional());
    }

    #[test]
    fn a_foreign_language_is_a_barrier_unless_somebody_says_that_there_is_none() {
        let caller = |language: Option<&str>, difficulty: Option<&str>| Caller {
            language: language.map(str::to_owned),
            difficulty: difficulty.map(str::to_owned),
            ..Caller::default()
        };
        assert!(caller(Some("ar"), None).barrier());
        assert!(caller(None, Some("PANIQUE")).barrier());
        assert!(!caller(Some("de"), Some("AUCUNE")).barrier());
        assert!(!caller(Some("fr"), None).barrier() && !Caller::default().barrier());
    }
}
