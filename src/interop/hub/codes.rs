//! Code lists of RS-EDA, carried over as figures; those the domain has as types (priority, care level, stream) are there.
//!
//! From the JSON Schema RS-EDA 26.07.29 and the nomenclatures named beside each list (ansforge/SAMU-Hub-Modeles
//! @ e3d4411b, Apache-2.0); `MESSAGE_KINDS`, `ENVELOPE_STATUSES` and `MESSAGE_STATUSES` from EDXL-DE and RC-DE.

use crate::domain::{
    case::callers,
    regulation::national::{DecisionType, Destination, ResourceType},
};

/// What a list of codes is.
pub type Codes = &'static [&'static str];

/// Type of intervention: primary (T1) or transfer.
pub const INTERVENTIONS: Codes = &["T1", "T2-INTER", "T2-INTRA", "T3", "T4"];

/// HubSante.origine.
#[rustfmt::skip]
pub const ORIGINS: Codes = &[
    "15", "116117", "AUTOCOM", "112", "115", "CRRA", "AUTREC15", "CTA-CONF", "CTA-PI", "AUTRECTA", "CNR", "FDO",
    "SNATED", "PDSSOS", "TELASSIST", "CROSS", "PUBLIC", "DATA", "AUTRE",
];

/// The short numbers that reach a regulation room, and the origin (HubSante.origine) of a call to each: 3624 is the number of
/// SOS Médecins, 114 that of deaf people's relay, 119 that of child protection.
const LINES: [(&str, &str); 7] = [
    ("15", "15"),
    ("116117", "116117"),
    ("3624", "PDSSOS"),
    ("112", "112"),
    ("114", "CNR"),
    ("115", "115"),
    ("119", "SNATED"),
];

/// The origin of a call to a line: by its short number, or the code itself; none for a name of the site's own.
pub fn origin_of_line(line: &str) -> Option<&'static str> {
    let number: String = line.chars().filter(|c| !c.is_whitespace() && *c != '.').collect();
    let short = LINES.iter().find(|(known, _)| *known == number).map(|(_, origin)| *origin);
    short.or_else(|| ORIGINS.iter().find(|known| **known == line).copied())
}

/// HubSante.etat.
pub const STATUSES: Codes = &["PROGRAM", "ACTIF", "ACHEVE", "VALIDE", "CLOTURE", "CLASSE", "ARCHIVE"];

/// HubSante.attribution.
#[rustfmt::skip]
pub const ATTRIBUTIONS: Codes = &[
    "DRM", "DRM.MRU", "DRM.MRU.MU", "DRM.MRU.INDISPMU", "DRM.MRU.SSE", "DRM.MRU.PLANBLAN", "DRM.MRU.PCSAMU",
    "DRM.SPE", "DRM.SPE.DENT", "DRM.SPE.GERIA", "DRM.SPE.PEDIA", "DRM.SPE.OBST", "DRM.SPE.PSY", "DRM.SPE.TOXICOL",
    "DRM.SPE.AUTRESPE", "DRM.MRL", "DRM.MRL.MG", "DRM.MRL.INDISPMG", "DRM.MRL.ABSML", "DR", "DR.DREG",
    "DR.DREG.DRARM", "DR.DREG.DRDAC", "DR.DREG.DRMED", "DR.DREG.DRPHARMA", "DR.DREG.DRDENT", "DR.DREG.DRINFO",
    "DR.DREG.DOS-SIS", "DR.DREG.DOS-FDO", "D", "D.D-MALV", "D.D-MALV.ERR", "D.D-MALV.NRP", "D.D-MALV.MALV",
    "D.D-MALV.FAX", "D.D-MALV.ITERATIF", "D.D-IDENT", "D.D-IDENT.ADMIN", "D.D-IDENT.PERSO", "D.D-IDENT.AUTRE",
];

/// The codes of a closed list of the domain.
macro_rules! codes_of {
    ($list:ty) => {{
        const CODES: [&str; <$list>::ALL.len()] = {
            let mut codes = [""; <$list>::ALL.len()];
            let mut at = 0;
            while at < codes.len() {
                codes[at] = <$list>::ALL[at].code();
                at += 1;
            }
            codes
        };
        &CODES
    }};
}

/// HubSante.typeDecision.
pub const DECISIONS: Codes = codes_of!(DecisionType);

/// HubSante.typeRessource.
pub const RESOURCES: Codes = codes_of!(ResourceType);

/// HubSante.typeOrientation (`EPHAD` as the list spells it).
pub const ORIENTATIONS: Codes = codes_of!(Destination);

/// HubSante.idLieu.
pub const PLACE_ID_SOURCES: Codes = &["FINESS_ADMINISTRATIF", "FINESS_GEOGRAPHIQUE", "SIREN", "SIRET", "APE_NAF"];

/// Where a link to a map comes from.
pub const INFO_SOURCES: Codes = &["BAN", "IGN", "NEXSIS"];

/// Kind of a link.
pub const INFO_KINDS: Codes = &["MANUEL", "CARTE", "AUTRE", "PHOTO", "SITE_INTERNET"];

/// HubSante.precision.
pub const PRECISIONS: Codes = &["VILLE", "RUE", "ADRESSE", "EXACTE", "INCONNUE"];

/// HubSante.langue (ISO 639-1).
#[rustfmt::skip]
pub const LANGUAGES: Codes = &[
    "aa", "ab", "ae", "af", "ak", "am", "an", "ar", "as", "av", "ay", "az", "ba", "be", "bg", "bi", "bm", "bn",
    "bo", "br", "bs", "ca", "ce", "ch", "co", "cr", "cs", "cu", "cv", "cy", "da", "de", "dv", "dz", "ee", "el",
    "en", "eo", "es", "et", "eu", "fa", "ff", "fi", "fj", "fo", "fr", "fy", "ga", "gd", "gl", "gn", "gu", "gv",
    "ha", "he", "hi", "ho", "hr", "ht", "hu", "hy", "hz", "ia", "id", "ie", "ig", "ii", "ik", "io", "is", "it",
    "iu", "ja", "jv", "ka", "kg", "ki", "kj", "kk", "kl", "km", "kn", "ko", "kr", "ks", "ku", "kv", "kw", "ky",
    "la", "lb", "lg", "li", "ln", "lo", "lt", "lu", "lv", "mg", "mh", "mi", "mk", "ml", "mn", "mr", "ms", "mt",
    "my", "na", "nb", "nd", "ne", "ng", "nl", "nn", "no", "nr", "nv", "ny", "oc", "oj", "om", "or", "os", "pa",
    "pi", "pl", "ps", "pt", "qu", "rm", "rn", "ro", "ru", "rw", "sa", "sc", "sd", "se", "sg", "si", "sk", "sl",
    "sm", "sn", "so", "sq", "sr", "ss", "st", "su", "sv", "sw", "ta", "te", "tg", "th", "ti", "tk", "tl", "tn",
    "to", "tr", "ts", "tt", "tw", "ty", "ug", "uk", "ur", "uz", "ve", "vi", "vo", "wa", "wo", "xh", "yi", "yo",
    "za", "zh", "zu",
];

/// HubSante.typeAppelant.
pub const CALLER_KINDS: Codes = &callers::codes(&callers::KINDS);

/// HubSante.communication.
pub const DIFFICULTIES: Codes = &callers::codes(&callers::DIFFICULTIES);

/// HubSante.canal.
pub const CHANNELS: Codes = &["APPLICATION", "BAU", "DAU", "DEFIBRILLATEUR", "ECALL", "PERSONNE"];

/// HubSante.typeCom.
pub const CONTACT_KINDS: Codes = &["EMAIL", "FAX", "MSS", "POSTAL", "RADIO", "TEL", "WEB"];

/// HubSante.typeIdPatient.
pub const PATIENT_ID_SOURCES: Codes = &["NIR", "SINUS", "DOSSARD", "PLACE", "AUTRE"];

/// HubSante.sexe.
pub const SEXES: Codes = &["M", "F", "O", "UN"];

/// HubSante.role.
pub const ROLES: Codes = &["AMBULANCIER", "ARM", "INFIRMIER", "MEDECIN", "PILOTE", "TCM", "AUTRE", "INCONNU"];

/// distributionKind and kind of EDXL-DE and RC-DE.
pub const MESSAGE_KINDS: Codes = &["Report", "Update", "Cancel", "Ack", "Error"];

/// distributionStatus of EDXL-DE.
pub const ENVELOPE_STATUSES: Codes = &["Actual", "Exercise"];

/// status of RC-DE.
pub const MESSAGE_STATUSES: Codes = &["Actual", "Exercise", "System"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_gives_the_national_origin_of_its_calls() {
        let origins = ["15", "116 117", "36 24", "114", "PDSSOS", "ligne des EHPAD"].map(origin_of_line);
        assert_eq!(origins, [Some("15"), Some("116117"), Some("PDSSOS"), Some("CNR"), Some("PDSSOS"), None]);
        assert!(LINES.iter().all(|(_, origin)| ORIGINS.contains(origin)));
    }
}
