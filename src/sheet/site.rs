//! Kinds of place in words (HubSante.lieu): its families and what each divides into. The third pair of digits tells which part
//! of such a place, and stays a code.

/// The first two levels of the list.
const KINDS: [(&str, &str); 56] = [
    ("L01.00", "Domicile"),
    ("L01.01", "Maison particulière, pavillon"),
    ("L01.02", "Lieu d'habitation collectif ou foyer d'hébergement"),
    ("L01.03", "Habitat spécifique"),
    ("L01.04", "Autre type de domicile"),
    ("L02.00", "Circulation/transport"),
    ("L02.01", "Voie publique hors voie rapide"),
    ("L02.02", "Voie rapide"),
    ("L02.03", "Voie ferrée"),
    ("L02.04", "Voie fluviale"),
    ("L02.05", "A bord d'un moyen de transport"),
    ("L02.06", "Aéroport / aérodrome"),
    ("L02.07", "Gare ferroviaire et routière"),
    ("L02.08", "Autre type de lieu lié à la circulation ou au transport"),
    ("L03.00", "Local d'activité professionnelle"),
    ("L03.01", "Local administratif"),
    ("L03.02", "Local agricole"),
    ("L03.03", "Local artisanal"),
    ("L03.04", "Local industriel"),
    ("L03.05", "Autre local d'activité professionnelle"),
    ("L04.00", "Lieu accueillant du public"),
    ("L04.01", "Espace public non couvert"),
    ("L04.02", "Centre commercial / magasin"),
    ("L04.03", "Parc de stationnement ouvert au public"),
    ("L04.04", "Lieu de culte"),
    ("L04.05", "Cimetière"),
    ("L04.06", "Espace évènementiel et/ou culturel"),
    ("L04.07", "Établissement de santé"),
    ("L04.08", "Local de profession de santé"),
    ("L04.09", "Établissement médico-social"),
    ("L04.10", "Lieu de soins provisoires, tente, PMA"),
    ("L04.11", "Enceinte sportive"),
    ("L04.12", "Hébergement touristique"),
    ("L04.13", "Lieu d'enseignement"),
    ("L04.14", "Lieu de restauration / bar"),
    ("L04.15", "Crèche, garderie, centres de loisirs pour enfants"),
    ("L04.16", "Autre lieu accueillant du public"),
    ("L05.00", "Milieu naturel"),
    ("L05.01", "Plaine et campagne"),
    ("L05.02", "Espace montagneux ou vallonné"),
    ("L05.03", "Milieu aquatique en eau douce"),
    ("L05.04", "Milieu maritime"),
    ("L05.05", "Milieu naturel souterrain"),
    ("L05.06", "Milieu naturel sous-marin"),
    ("L05.07", "Autre type de milieu naturel"),
    ("L06.00", "Zone ou site particulier"),
    ("L06.01", "Site industriel"),
    ("L06.02", "Site de production transport d'énergie"),
    ("L06.03", "Site nucléaire"),
    ("L06.04", "Établissement pénitentiaire, prison, maison d'arrêt, lieu de rétention"),
    ("L06.05", "Chantier"),
    ("L06.06", "Administration publique"),
    ("L06.07", "Zone de rassemblement"),
    ("L07.00", "Divers"),
    ("L07.01", "Autre lieu d'intervention"),
    ("L07.02", "Lieu indéterminé"),
];

/// A code of the list, with what it means as far as this program knows it.
pub(super) fn in_words(code: &str) -> String {
    let known = |code: &str| KINDS.iter().find(|(kind, _)| code.starts_with(kind)).map(|(_, label)| *label);
    let family = || known(&format!("{}.00", code.get(..3)?));
    known(code).or_else(family).map_or_else(|| format!("lieu {code}"), |label| format!("{label} ({code})"))
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn a_code_is_named_by_the_nearest_level_that_is_known() {
        assert_eq!(in_words("L02.02.01"), "Voie rapide (L02.02.01)");
        assert_eq!(in_words("L02.99.01"), "Circulation/transport (L02.99.01)");
        assert_eq!(in_words("Z99.01.01"), "lieu Z99.01.01");
    }
}
