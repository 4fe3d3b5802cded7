//! The territories the law knows: their names and the zone whose wall clock counts.
//!
//! 101 départements (Corsica as 2A and 2B) and the collectivities of Saint-Pierre-et-Miquelon, Saint-Barthélemy and
//! Saint-Martin. Wallis-et-Futuna, Polynésie française and Nouvelle-Calédonie run their own health services outside
//! R6315-1 and are not answered for. Names: INSEE, code officiel géographique.

use chrono_tz::Tz;

use crate::domain::ids::TerritoryId;

/// A territory as the law gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LawTerritory {
    /// `fr-` and the département number in lower case.
    pub id: TerritoryId,
    /// French name.
    pub name: &'static str,
    /// IANA zone.
    pub zone: Tz,
}

/// No such territory; says which there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "territory: '{id}' is not a territory of this service; known are fr-01 to fr-95 (Corsica as fr-2a and fr-2b, not \
     fr-20), fr-971, fr-972, fr-973, fr-974, fr-975, fr-976, fr-977 and fr-978"
)]
pub struct UnknownTerritory {
    /// What was asked for.
    pub id: TerritoryId,
}

/// The territory with this id.
///
/// # Errors
/// When the law knows none; the message names those it knows.
pub fn law_territory(id: &TerritoryId) -> Result<LawTerritory, UnknownTerritory> {
    law_territories().find(|known| known.id == *id).ok_or_else(|| UnknownTerritory { id: id.clone() })
}

/// Every territory, by number.
pub fn law_territories() -> impl Iterator<Item = LawTerritory> {
    let territory = |number: &str, name, zone| LawTerritory {
        id: format!("fr-{number}").parse().expect("'fr-' and a number in lower case are a legal id"),
        name,
        zone,
    };
    let metropole = METROPOLE.iter().map(move |&(number, name)| territory(number, name, Tz::Europe__Paris));
    metropole.chain(OVERSEAS.iter().map(move |&(number, name, zone)| territory(number, name, zone)))
}

const OVERSEAS: [(&str, &str, Tz); 8] = [
    ("971", "Guadeloupe", Tz::America__Guadeloupe),
    ("972", "Martinique", Tz::America__Martinique),
    ("973", "Guyane", Tz::America__Cayenne),
    ("974", "La Réunion", Tz::Indian__Reunion),
    ("975", "Saint-Pierre-et-Miquelon", Tz::America__Miquelon),
    ("976", "Mayotte", Tz::Indian__Mayotte),
    ("977", "Saint-Barthélemy", Tz::America__St_Barthelemy),
    ("978", "Saint-Martin", Tz::America__Marigot),
];

#[rustfmt::skip]
const METROPOLE: [(&str, &str); 96] = [
    ("01", "Ain"), ("02", "Aisne"), ("03", "Allier"), ("04", "Alpes-de-Haute-Provence"), ("05", "Hautes-Alpes"),
    ("06", "Alpes-Maritimes"), ("07", "Ardèche"), ("08", "Ardennes"), ("09", "Ariège"), ("10", "Aube"),
    ("11", "Aude"), ("12", "Aveyron"), ("13", "Bouches-du-Rhône"), ("14", "Calvados"), ("15", "Cantal"),
    ("16", "Charente"), ("17", "Charente-Maritime"), ("18", "Cher"), ("19", "Corrèze"), ("21", "Côte-d'Or"),
    ("22", "Côtes-d'Armor"), ("23", "Creuse"), ("24", "Dordogne"), ("25", "Doubs"), ("26", "Drôme"),
    ("27", "Eure"), ("28", "Eure-et-Loir"), ("29", "Finistère"), ("2a", "Corse-du-Sud"), ("2b", "Haute-Corse"),
    ("30", "Gard"), ("31", "Haute-Garonne"), ("32", "Gers"), ("33", "Gironde"), ("34", "Hérault"),
    ("35", "Ille-et-Vilaine"), ("36", "Indre"), ("37", "Indre-et-Loire"), ("38", "Isère"), ("39", "Jura"),
    ("40", "Landes"), ("41", "Loir-et-Cher"), ("42", "Loire"), ("43", "Haute-Loire"), ("44", "Loire-Atlantique"),
    ("45", "Loiret"), ("46", "Lot"), ("47", "Lot-et-Garonne"), ("48", "Lozère"), ("49", "Maine-et-Loire"),
    ("50", "Manche"), ("51", "Marne"), ("52", "Haute-Marne"), ("53", "Mayenne"), ("54", "Meurthe-et-Moselle"),
    ("55", "Meuse"), ("56", "Morbihan"), ("57", "Moselle"), ("58", "Nièvre"), ("59", "Nord"),
    ("60", "Oise"), ("61", "Orne"), ("62", "Pas-de-Calais"), ("63", "Puy-de-Dôme"), ("64", "Pyrénées-Atlantiques"),
    ("65", "Hautes-Pyrénées"), ("66", "Pyrénées-Orientales"), ("67", "Bas-Rhin"), ("68", "Haut-Rhin"),
    ("69", "Rhône"), ("70", "Haute-Saône"), ("71", "Saône-et-Loire"), ("72", "Sarthe"), ("73", "Savoie"),
    ("74", "Haute-Savoie"), ("75", "Paris"), ("76", "Seine-Maritime"), ("77", "Seine-et-Marne"), ("78", "Yvelines"),
    ("79", "Deux-Sèvres"), ("80", "Somme"), ("81", "Tarn"), ("82", "Tarn-et-Garonne"), ("83", "Var"),
    ("84", "Vaucluse"), ("85", "Vendée"), ("86", "Vienne"), ("87", "Haute-Vienne"), ("88", "Vosges"),
    ("89", "Yonne"), ("90", "Territoire de Belfort"), ("91", "Essonne"), ("92", "Hauts-de-Seine"),
    ("93", "Seine-Saint-Denis"), ("94", "Val-de-Marne"), ("95", "Val-d'Oise"),
];
