//! Motives of a request: the national code list, and codes it lacks kept as given.
//!
//! The list is `HubSante.motif` (ansforge/SAMU-Hub-Modeles @ e3d4411b, Apache-2.0; schemas 26.07.29): codes and French
//! labels carried over, level 1 a group (`M03.00`), level 2 a motive of it. The national example messages already use
//! codes the list lacks, so a message with one is kept with a warning; a console's intake refuses it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::domain::ids::BadId;

/// The longest foreign code that is kept, in characters. The pattern of RS-EDA needs nine at most.
pub const MAX_FOREIGN_CHARS: usize = 16;

/// One row of the national list.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MotiveEntry {
    /// The code as printed in the list: `M03.14`.
    pub code: &'static str,
    /// 1 for a group, 2 for a motive of a group.
    pub level: u8,
    /// The French label.
    pub label: &'static str,
}

/// Why someone asks for care: a code of the national list, or another code kept as given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Motive {
    /// A code of the national list.
    Known(&'static MotiveEntry),
    /// A code the list lacks: upper-case ASCII letters, digits and dots, at most [`MAX_FOREIGN_CHARS`].
    Foreign(Box<str>),
}

impl Motive {
    /// The code, as stored and sent.
    pub fn code(&self) -> &str {
        match self {
            Self::Known(entry) => entry.code,
            Self::Foreign(code) => code,
        }
    }

    /// The French label; a foreign code has none here.
    pub fn label(&self) -> Option<&'static str> {
        match self {
            Self::Known(entry) => Some(entry.label),
            Self::Foreign(_) => None,
        }
    }

    /// Whether the national list has the code.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// Whether it names a complaint of the body or the mind (groups M01 to M04, a failing state, a fall): somebody who asks
    /// for that has a symptom, and is a doctor's (design.md §3, invariant 5).
    pub fn medical(&self) -> bool {
        let group = |entry: &MotiveEntry| matches!(&entry.code[..3], "M01" | "M02" | "M03" | "M04");
        matches!(self, Self::Known(entry) if group(entry) || matches!(entry.code, "M05.02" | "M06.03"))
    }

    /// The group of a known motive (`M03.00` of `M03.14`); a group is its own.
    pub fn group(&self) -> Option<&'static MotiveEntry> {
        match self {
            Self::Known(entry) => MOTIVES.iter().find(|group| group.level == 1 && group.code[..3] == entry.code[..3]),
            Self::Foreign(_) => None,
        }
    }
}

impl FromStr for Motive {
    type Err = BadId;

    fn from_str(code: &str) -> Result<Self, BadId> {
        if let Ok(at) = MOTIVES.binary_search_by(|entry| entry.code.cmp(code)) {
            return Ok(Self::Known(&MOTIVES[at]));
        }
        let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '.';
        if code.is_empty() || code.len() > MAX_FOREIGN_CHARS || !code.chars().all(legal) {
            return Err(BadId {
                what: "motive",
                problem: format!(
                    "expected a code such as M03.14 (at most {MAX_FOREIGN_CHARS} capitals, digits and dots), got {} \
                     characters",
                    code.chars().count()
                ),
            });
        }
        Ok(Self::Foreign(code.into()))
    }
}

impl TryFrom<String> for Motive {
    type Error = BadId;

    fn try_from(code: String) -> Result<Self, BadId> {
        code.parse()
    }
}

impl From<Motive> for String {
    fn from(motive: Motive) -> String {
        motive.code().to_owned()
    }
}

impl fmt::Display for Motive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Motive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

const fn entry(code: &'static str, level: u8, label: &'static str) -> MotiveEntry {
    MotiveEntry { code, level, label }
}

/// The national list, in its order, which is that of the codes.
pub static MOTIVES: &[MotiveEntry] = &[
    entry("M01.00", 1, "Détresse vitale"),
    entry("M01.01", 2, "Suspicion d’arrêt cardiaque, mort subite"),
    entry("M01.02", 2, "Altération de la conscience"),
    entry("M01.03", 2, "Détresse respiratoire"),
    entry("M02.00", 1, "Blessure"),
    entry("M02.01", 2, "Saignements"),
    entry("M02.02", 2, "Hémorragie sévère liée à un traumatisme"),
    entry("M02.03", 2, "Hypothermie, gelure, coup de chaleur, insolation"),
    entry("M02.04", 2, "Brûlure grave"),
    entry("M02.05", 2, "Brûlure sans critère de gravité"),
    entry("M02.06", 2, "Traumatisme bénin, petite plaie, lésion bénigne"),
    entry("M02.07", 2, "Traumatisme sérieux, plaie intermédiaire"),
    entry("M02.08", 2, "Traumatisme grave, plaie délabrante"),
    entry("M02.09", 2, "Section complète de membre, de doigts"),
    entry("M02.10", 2, "Ecrasement de membre ou du tronc"),
    entry("M03.00", 1, "Problème médical"),
    entry("M03.01", 2, "Accouchement imminent ou en cours"),
    entry("M03.02", 2, "Autre problème obstétrique non hémorragique"),
    entry("M03.03", 2, "Saignements gynécologiques"),
    entry("M03.04", 2, "Saignements obstétricaux"),
    entry("M03.05", 2, "Problème gynécologique et uro-génital"),
    entry("M03.06", 2, "Douleur thoracique"),
    entry("M03.07", 2, "Problème neurologique hors AVC, épilepsie"),
    entry("M03.08", 2, "Signes d’AVC"),
    entry("M03.09", 2, "Malaise sans perte de connaissance initiale"),
    entry("M03.10", 2, "Malaise avec perte de connaissance initiale"),
    entry("M03.11", 2, "Céphalée, migraines"),
    entry("M03.12", 2, "Gêne respiratoire"),
    entry("M03.13", 2, "Autre problème cardio-vasculaire"),
    entry("M03.14", 2, "Fièvre, problème infectieux"),
    entry("M03.15", 2, "Problème allergique"),
    entry("M03.16", 2, "Problème psychiatrique"),
    entry("M03.17", 2, "Agitation, anxiété, spasmophilie"),
    entry("M03.18", 2, "Saignements"),
    entry("M03.19", 2, "Hémorragie sévère"),
    entry("M03.20", 2, "Douleur abdominale isolée"),
    entry("M03.21", 2, "Trouble digestif"),
    entry("M03.22", 2, "Autre douleur"),
    entry("M04.00", 1, "Intoxications"),
    entry("M04.01", 2, "Intoxication volontaire et sevrage"),
    entry("M04.02", 2, "Intoxication involontaire ou accidentelle à des produits toxiques"),
    entry("M04.03", 2, "Ébriété, ivresse"),
    entry("M04.04", 2, "Intoxication éthylique aiguë"),
    entry("M05.00", 1, "Problème ou détresse sociale"),
    entry("M05.01", 2, "Problème social ou sanitaire"),
    entry("M05.02", 2, "Altération de l’état général – misère physiologique et incurie"),
    entry("M06.00", 1, "Autre type de demande"),
    entry("M06.01", 2, "Décès certain, demande de certificat de décès"),
    entry("M06.02", 2, "Demande de conseil médical, certificats - ordonnance"),
    entry("M06.03", 2, "Personne restant à terre suite à une chute"),
    entry("M06.04", 2, "Autres motifs ou pas de motif identifié"),
    entry("M07.00", 1, "Non renseigné"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_the_list_has_its_label_and_its_group() {
        let fever: Motive = "M03.14".parse().unwrap();
        assert!(fever.is_known());
        assert_eq!(fever.label(), Some("Fièvre, problème infectieux"));
        assert_eq!(fever.group().map(|group| group.label), Some("Problème médical"));
    }

    #[test]
    fn every_code_is_unique_and_every_motive_has_a_group() {
        for (n, entry) in MOTIVES.iter().enumerate() {
            assert!(MOTIVES[..n].iter().all(|earlier| earlier.code < entry.code), "{}", entry.code);
            assert!(Motive::Known(entry).group().is_some(), "{}", entry.code);
            assert_eq!(entry.level == 1, entry.code.ends_with(".00"), "{}", entry.code);
        }
    }

    #[test]
    fn a_foreign_code_is_kept_as_given_through_storage() {
        let foreign: Motive = "M17.03.01".parse().unwrap();
        assert!(!foreign.is_known());
        assert_eq!(foreign.label(), None);
        let stored = serde_json::to_string(&foreign).unwrap();
        assert_eq!(stored, "\"M17.03.01\"");
        assert_eq!(serde_json::from_str::<Motive>(&stored).unwrap(), foreign);
    }

    #[test]
    fn words_are_no_code_and_are_not_repeated_in_the_error() {
        let error = "Jeanne a de la fièvre".parse::<Motive>().unwrap_err().to_string();
        assert!(error.starts_with("motive: expected a code such as M03.14"), "{error}");
        assert!(!error.contains("Jeanne"));
    }
}
