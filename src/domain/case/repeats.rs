//! How much a case resembles an earlier one: repeat calls are proposed with their reasons, never merged in silence.
//!
//! The points are ours, not a text's: the same patient alone, or the same number within the day, makes a doctor look. A
//! number counts less when it is a professional's, whose other patients call from it too.

use crate::{
    coded_enum,
    domain::{
        calendar::wall_time,
        regulation::qualification::Attribution,
        time::{Instant, Span},
    },
};

use super::state::Case;

coded_enum! {
    /// Why two cases may be of one episode.
    RepeatReason {
        /// The same patient by INS, or by name and birth date.
        SamePatient = "SAME_PATIENT", "Même patient";
        /// The same telephone number.
        SameNumber = "SAME_NUMBER", "Même numéro";
        /// The same address.
        SamePlace = "SAME_PLACE", "Même adresse";
        /// Little time lies between them.
        Recent = "RECENT", "Appel récent";
        /// Both name their patient, and it is another one.
        OtherPatient = "OTHER_PATIENT", "Autre patient";
    }
}

/// Up to here two calls are close in time.
const RECENT: Span = Span::from_hours(24);

/// What two cases have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resemblance {
    /// A patient of both.
    pub patient: bool,
    /// Both name their patients, and none is of both.
    pub other_patient: bool,
    /// A number of both.
    pub number: bool,
    /// The number is one that a health professional called from.
    pub professional: bool,
    /// An address of both.
    pub place: bool,
    /// The time between them.
    pub apart: Span,
}

impl Resemblance {
    /// The reasons, the strongest first.
    pub fn reasons(&self) -> Vec<RepeatReason> {
        let all = [
            (self.patient, RepeatReason::SamePatient),
            (self.number, RepeatReason::SameNumber),
            (self.place, RepeatReason::SamePlace),
            (self.apart <= RECENT, RepeatReason::Recent),
            (self.other_patient, RepeatReason::OtherPatient),
        ];
        all.into_iter().filter(|(known, _)| *known).map(|(_, reason)| reason).collect()
    }

    /// The points: 4 for the patient, 3 for the number (1 for a professional's), 2 for the place, 1 when recent; less 4 when
    /// both name another patient.
    pub fn score(&self) -> u32 {
        let number = match (self.number, self.professional) {
            (true, false) => 3,
            (true, true) => 1,
            (false, _) => 0,
        };
        let points = 4 * u32::from(self.patient) + number + 2 * u32::from(self.place) + u32::from(self.apart <= RECENT);
        points.saturating_sub(4 * u32::from(self.other_patient))
    }
}

/// True when an earlier case counts for a second look: what it was about calls for a doctor, or is not known. A call that
/// was ended as one for an address, an appointment or another number does not.
pub fn medical(earlier: &Case) -> bool {
    !matches!(
        earlier.dismissed,
        Some(
            Attribution::WrongNumber
                | Attribution::Fax
                | Attribution::Administrative
                | Attribution::Personal
                | Attribution::DoctorInformation
                | Attribution::PharmacyInformation
                | Attribution::DentistInformation
                | Attribution::GeneralInformation
        )
    )
}

/// The reasons in words, with when the earlier call came: « Même numéro, même adresse — appel du 19/12 à 10:05 ».
pub fn in_words(reasons: &[RepeatReason], opened: Instant, zone: chrono_tz::Tz) -> String {
    let mut words = String::new();
    for reason in reasons.iter().filter(|reason| **reason != RepeatReason::Recent) {
        let label = reason.label();
        if words.is_empty() {
            words.push_str(label);
        } else {
            words.push_str(", ");
            words.extend(label.chars().flat_map(char::to_lowercase));
        }
    }
    format!("{words} — appel du {}", wall_time(zone, opened, "%d/%m à %H:%M"))
}
