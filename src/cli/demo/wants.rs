//! What a call is about: how urgent, which regulation, and what the doctor will find is needed.
//!
//! Shares are set to published figures (domain notes §8): DRM/DR 79 % (A3), SMUR about 3 % of files (A8), of doctors'
//! decisions 61 % advice and 15 % emergency department or SMUR (A5), the liberal stream 40 to 50 % of DRM (A4).

use chrono::NaiveDate;

use crate::{
    domain::territory::Territory,
    grpc::pb::{self, Attribution, CareLevel, CareType, Flag, LongestDelay, Priority, Stream},
};

use super::dice::Dice;

/// The protocol of `protocols.toml` by which a call goes straight to a coordinator.
const PROTOCOL: &str = "certificat-ou-ordonnance";

/// What a caller wants, as it comes out on the telephone.
#[derive(Debug, Clone)]
pub(super) struct Want {
    pub(super) priority: Priority,
    pub(super) stream: Stream,
    pub(super) motive: &'static str,
    pub(super) flags: Vec<Flag>,
    pub(super) symptoms: bool,
    /// Sent straight to a coordinator under this protocol.
    pub(super) protocol: &'static str,
    /// Why the ARM ends the file, when nothing is medical.
    pub(super) attribution: Option<Attribution>,
    /// What a doctor finds is needed.
    pub(super) need: Option<pb::Need>,
}

/// Per thousand files.
const KINDS: [(Kind, u32); 6] = [
    (Kind::Vital, 30),
    (Kind::Urgent, 155),
    (Kind::Ordinary, 520),
    (Kind::Deferred, 90),
    (Kind::Protocol, 20),
    (Kind::NotMedical, 185),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vital,
    Urgent,
    Ordinary,
    Deferred,
    Protocol,
    NotMedical,
}

const NOT_MEDICAL: [(Attribution, u32); 8] = [
    (Attribution::PharmacyInformation, 30),
    (Attribution::DoctorInformation, 28),
    (Attribution::DentistInformation, 12),
    (Attribution::WrongNumber, 8),
    (Attribution::Silent, 8),
    (Attribution::GeneralInformation, 6),
    (Attribution::Administrative, 5),
    (Attribution::FireService, 3),
];

// Codes of HubSante.motif (ansforge/SAMU-Hub-Modeles @ e3d4411b).
const VITAL_MOTIVES: [(&str, u32); 4] = [("M01.01", 15), ("M01.02", 35), ("M01.03", 35), ("M02.02", 15)];
const URGENT_MOTIVES: [(&str, u32); 7] =
    [("M03.06", 30), ("M03.08", 14), ("M03.12", 20), ("M03.10", 14), ("M02.07", 10), ("M04.01", 7), ("M03.01", 5)];
const ORDINARY_MOTIVES: [(&str, u32); 9] = [
    ("M03.14", 34),
    ("M03.21", 16),
    ("M03.20", 12),
    ("M03.22", 12),
    ("M03.09", 8),
    ("M02.06", 6),
    ("M03.11", 5),
    ("M06.03", 4),
    ("M03.17", 3),
];
const CHILD_MOTIVES: [(&str, u32); 3] = [("M03.14", 60), ("M03.21", 30), ("M02.06", 10)];

const URGENT_CARE: [(CareType, u32); 5] = [
    (CareType::Advice, 30),
    (CareType::Ambulance, 36),
    (CareType::EmergencyDepartment, 18),
    (CareType::HomeVisit, 8),
    (CareType::Amu, 8),
];
const AMU_CARE: [(CareType, u32); 6] = [
    (CareType::Advice, 62),
    (CareType::Consultation, 12),
    (CareType::Ambulance, 9),
    (CareType::EmergencyDepartment, 9),
    (CareType::HomeVisit, 6),
    (CareType::OtherResource, 2),
];
const SNP_CARE: [(CareType, u32); 6] = [
    (CareType::Advice, 61),
    (CareType::PhonePrescription, 9),
    (CareType::Consultation, 20),
    (CareType::HomeVisit, 6),
    (CareType::EmergencyDepartment, 3),
    (CareType::OtherResource, 1),
];

/// Whether the ARM may send to a coordinator by [`PROTOCOL`] on that day, and on the next one: who calls before midnight may
/// be qualified after it.
pub(super) fn by_protocol(territory: &Territory, date: NaiveDate) -> bool {
    let of = |date| territory.regulation.protocol(PROTOCOL, date).is_some();
    of(date) && date.succ_opt().is_some_and(of)
}

/// What somebody wants; `by_protocol`: [`by_protocol`] of the day.
pub(super) fn want(dice: &mut Dice, age: u32, frail: bool, by_protocol: bool) -> Want {
    let kind = match *dice.pick(&KINDS) {
        // An infant's file is never the ARM's to end.
        Kind::NotMedical | Kind::Protocol if age < 2 => Kind::Deferred,
        Kind::Protocol if !by_protocol => Kind::Ordinary,
        kind => kind,
    };
    let stream = stream(kind, dice);
    let (priority, motives): (Priority, &[(&'static str, u32)]) = match kind {
        Kind::Vital => (Priority::P0, &VITAL_MOTIVES),
        Kind::Urgent => (Priority::P1, &URGENT_MOTIVES),
        Kind::Ordinary if age < 6 => (Priority::P2, &CHILD_MOTIVES),
        Kind::Ordinary => (Priority::P2, &ORDINARY_MOTIVES),
        Kind::Deferred => (Priority::P3, &[("M03.22", 40), ("M03.14", 30), ("M06.02", 30)]),
        Kind::Protocol => (Priority::P3, &[("M06.02", 1)]),
        Kind::NotMedical => (Priority::NotRegulated, &[("M06.04", 1)]),
    };
    let motive = if stream == Stream::Psy { "M03.16" } else { *dice.pick(motives) };
    let mut flags = Vec::new();
    if kind == Kind::Vital || (kind == Kind::Urgent && dice.percent(20.0)) {
        flags.push(Flag::RedFlag);
    }
    if kind != Kind::NotMedical && kind != Kind::Protocol && dice.percent(2.0) {
        flags.push(Flag::CommunicationBarrier);
    }
    let attribution = (kind == Kind::NotMedical).then(|| *dice.pick(&NOT_MEDICAL));
    let symptoms = !matches!(kind, Kind::NotMedical | Kind::Protocol);
    let protocol = if kind == Kind::Protocol { PROTOCOL } else { "" };
    let care = care(kind, stream, dice);
    let need = care.map(|care| need(care, motive, frail, dice));
    Want { priority, stream, motive, flags, symptoms, protocol, attribution, need }
}

/// At home and without gravity: the liberal stream; from gravity on, the AMU (domain notes §2.3, IDF rule).
fn stream(kind: Kind, dice: &mut Dice) -> Stream {
    let snp_percent = match kind {
        Kind::Vital => 0.0,
        Kind::Urgent => 12.0,
        Kind::Ordinary => 58.0,
        Kind::Deferred | Kind::Protocol | Kind::NotMedical => 100.0,
    };
    if dice.percent(snp_percent) {
        return Stream::Snp;
    }
    let psychiatric = kind == Kind::Ordinary && dice.percent(6.0);
    if psychiatric { Stream::Psy } else { Stream::Amu }
}

fn care(kind: Kind, stream: Stream, dice: &mut Dice) -> Option<CareType> {
    match kind {
        Kind::Vital => Some(if dice.percent(92.0) { CareType::Amu } else { CareType::NoFurther }),
        Kind::Urgent => Some(*dice.pick(&URGENT_CARE)),
        Kind::Ordinary | Kind::Deferred if stream == Stream::Snp => Some(*dice.pick(&SNP_CARE)),
        Kind::Ordinary | Kind::Deferred => Some(*dice.pick(&AMU_CARE)),
        Kind::Protocol | Kind::NotMedical => None,
    }
}

/// A need of this care. A frail patient who would be asked to come is visited.
pub(super) fn need(care: CareType, motive: &str, frail: bool, dice: &mut Dice) -> pb::Need {
    let care = if care == CareType::Consultation && frail && dice.percent(60.0) { CareType::HomeVisit } else { care };
    let consultation =
        [(LongestDelay::H4, 30), (LongestDelay::H8, 20), (LongestDelay::H12, 20), (LongestDelay::H24, 30)];
    let visit = [(LongestDelay::H1, 15), (LongestDelay::H2, 50), (LongestDelay::H4, 35)];
    let (level, delay) = match care {
        CareType::Amu => (CareLevel::R1, LongestDelay::Immediate),
        CareType::Ambulance => (CareLevel::R2, *dice.pick(&[(LongestDelay::M30, 60), (LongestDelay::H1, 40)])),
        CareType::EmergencyDepartment => (CareLevel::R2, LongestDelay::H2),
        CareType::Consultation => (CareLevel::R3, *dice.pick(&consultation)),
        CareType::HomeVisit => (CareLevel::R3, *dice.pick(&visit)),
        _ => (CareLevel::R4, LongestDelay::Immediate),
    };
    let home_only = care == CareType::HomeVisit && frail;
    let constraints = pb::Constraints {
        must_examine: matches!(care, CareType::Consultation | CareType::HomeVisit),
        home_only,
        transport: false,
        isolation: motive == "M03.14" && dice.percent(8.0),
    };
    pb::Need {
        patient: 1,
        care: care.into(),
        level: level.into(),
        longest_delay: delay.into(),
        constraints: Some(constraints),
        reasons: vec![motive.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn shares_are_those_published() {
        let mut dice = Dice::new(3, "wants");
        let wants: Vec<_> = (0..20_000).map(|_| want(&mut dice, 40, false, true)).collect();
        let share = |count: usize, of: usize| count as f64 * 100.0 / of as f64;
        let decided: Vec<_> = wants.iter().filter_map(|want| want.need.as_ref()).collect();
        assert!((76.0..82.0).contains(&share(decided.len(), wants.len())), "A3: DRM/DR");
        let of = |cares: &[CareType]| decided.iter().filter(|need| cares.contains(&need.care())).count();
        let advice = share(of(&[CareType::Advice, CareType::PhonePrescription]), decided.len());
        assert!((56.0..66.0).contains(&advice), "A5: advice {advice}");
        let hospital = share(of(&[CareType::EmergencyDepartment, CareType::Amu, CareType::Ambulance]), decided.len());
        assert!((13.0..25.0).contains(&hospital), "A5 with ambulances: {hospital}");
        let vital = wants.iter().filter(|want| want.priority == Priority::P0).count();
        assert!((2.0..4.0).contains(&share(vital, wants.len())), "A8: SMUR");
        let liberal = wants.iter().filter(|want| want.stream == Stream::Snp && want.need.is_some()).count();
        assert!((35.0..55.0).contains(&share(liberal, decided.len())), "A4: liberal share");
    }

    #[test]
    fn a_protocol_that_is_not_in_force_that_day_is_not_used() {
        let config = Config::load(concat!(env!("CARGO_MANIFEST_DIR"), "/config").as_ref()).expect("the shipped one");
        let ground = &config.territories[&super::super::TERRITORY.parse().expect("an id")];
        let covers = |date: &str| by_protocol(&ground.0, date.parse().expect("a date"));
        assert_eq!(["2024-05-09", "2024-06-14", "2024-06-15"].map(covers), [false, false, true]);
        let wants = |covered| {
            let mut dice = Dice::new(3, "wants");
            (0..2_000).map(|_| want(&mut dice, 40, false, covered)).collect::<Vec<_>>()
        };
        assert!(wants(true).iter().any(|want| want.protocol == PROTOCOL && want.priority == Priority::P3));
        let without = wants(false);
        assert!(without.iter().all(|want| want.protocol.is_empty()));
        assert!(without.iter().all(|want| want.need.is_some() || want.attribution.is_some()), "each goes somewhere");
    }
}
