//! The rules of a prescription by telephone against a matrix written down a second time (R6315-5; HAS 2009).

use sas_dispatch::domain::regulation::{
    need::{CareLevel, CareType, contradictions},
    prescription::{Asked, AskedState, Patient, Prescription, PrescriptionPolicy, Situation, faults, is_atc},
    qualification::Stream,
};

use super::stage::{prescription, sign, text};

/// Absent, answered, unknown, not concerned.
static STATES: [Option<AskedState>; 4] =
    [None, Some(AskedState::Answered), Some(AskedState::Unknown), Some(AskedState::NotConcerned)];

fn asked(state: Option<AskedState>) -> Option<Asked> {
    state.map(|state| Asked { state, answer: text("dit") })
}

fn fields(prescription: &Prescription, patient: Patient) -> Vec<String> {
    let found = faults(prescription, patient, &PrescriptionPolicy::default());
    assert!(found.iter().all(|wrong| !wrong.french.is_empty() && !wrong.problem.is_empty()));
    let mut fields: Vec<String> =
        found.iter().map(|wrong| wrong.field.trim_start_matches("prescription.").to_owned()).collect();
    fields.sort();
    fields
}

/// Whether a question may be left as it is, by how much the patient needs it: a row each for « must be known or stated
/// unknown », « must be stated », « may be left out ».
fn allowed(row: usize, state: Option<AskedState>) -> bool {
    let place = STATES.iter().position(|known| *known == state).unwrap();
    [[false, true, true, false], [false, true, true, true], [true, true, true, true]][row][place]
}

#[test]
fn every_question_is_compulsory_for_just_the_patients_it_concerns() {
    let ages = [None, Some(0), Some(3), Some(14), Some(15), Some(30), Some(55), Some(56), Some(90)];
    let mut seen = 0;
    for years in ages {
        for male in [false, true] {
            for (weight, pregnancy, always) in
                STATES.iter().flat_map(|w| STATES.iter().flat_map(move |p| STATES.iter().map(move |a| (*w, *p, *a))))
            {
                let patient = Patient { years, male, weighed: false };
                let written = Prescription {
                    weight: asked(weight),
                    pregnancy: asked(pregnancy),
                    allergies: asked(always),
                    treatments: asked(always),
                    prior_examination: asked(always),
                    ..prescription()
                };
                let weight_row = years.map_or(1, |years| if years < 15 { 0 } else { 2 });
                let may_bear = !male && years.is_none_or(|years| (12..56).contains(&years));
                let mut expected = Vec::new();
                let mut expect = |field: &str, row, state| {
                    expected.extend((!allowed(row, state)).then(|| field.to_owned()));
                };
                expect("allergies", 0, always);
                expect("pregnancy", if may_bear { 1 } else { 2 }, pregnancy);
                expect("prior_examination", 0, always);
                expect("treatments", 0, always);
                expect("weight", weight_row, weight);
                assert_eq!(fields(&written, patient), expected, "{years:?} male {male}");
                let known = fields(&written, Patient { weighed: true, ..patient });
                assert!(!known.contains(&"weight".to_owned()), "what is known is not asked twice");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 9 * 2 * 64);
}

#[test]
fn each_situation_asks_for_what_it_needs() {
    let adult = Patient { years: Some(40), male: true, weighed: false };
    for situation in Situation::ALL {
        for earlier in STATES {
            for named in [false, true] {
                let pharmacy = text(if named { "Pharmacie Inventée" } else { " " });
                let earlier_prescriber = asked(earlier);
                let written = Prescription { situation: *situation, earlier_prescriber, pharmacy, ..prescription() };
                let row = if *situation == Situation::Adaptation { 0 } else { 2 };
                let mut expected = Vec::new();
                expected.extend((!allowed(row, earlier)).then(|| "earlier_prescriber".to_owned()));
                let unsent = *situation == Situation::WrittenOrder && !named;
                expected.extend(unsent.then(|| "pharmacy".to_owned()));
                assert_eq!(fields(&written, adult), expected, "{situation} {earlier:?} {named}");
            }
        }
    }
}

#[test]
fn an_answer_without_words_is_no_answer() {
    let adult = Patient { years: Some(40), male: true, weighed: false };
    let silent = Some(Asked { state: AskedState::Answered, answer: text(" ") });
    let written = Prescription { allergies: silent, ..prescription() };
    assert_eq!(fields(&written, adult), ["allergies"]);
}

#[test]
fn a_drug_is_limited_in_time_and_by_class() {
    let adult = Patient { years: Some(40), male: true, weighed: false };
    let with = |days, atc: &str| {
        let mut written = prescription();
        (written.lines[0].days, written.lines[0].atc) = (days, atc.to_owned());
        fields(&written, adult)
    };
    for days in 0..20 {
        let wrong = days == 0 || days > 7;
        assert_eq!(with(days, "N02BE01"), if wrong { vec!["lines[0].days".to_owned()] } else { vec![] });
    }
    for (atc, allowed) in [
        ("N02AA01", false),
        ("N02A", false),
        ("N02", false),
        ("N", false),
        ("N05BA06", false),
        ("N05CF02", false),
        ("", false),
    ] {
        assert_eq!(with(3, atc).is_empty(), allowed, "{atc}");
    }
    for atc in ["N02BE01", "J01CA04", "N05AX08"] {
        assert!(with(3, atc).is_empty(), "{atc}");
    }
    let free = PrescriptionPolicy { longest_days: 30, excluded_classes: Vec::new() };
    let mut long = prescription();
    (long.lines[0].days, long.lines[0].atc) = (30, String::new());
    assert!(faults(&long, adult, &free).is_empty(), "a territory that excludes nothing needs no code");
    long.lines.clear();
    assert_eq!(faults(&long, adult, &free).len(), 1, "no drug is no prescription");
}

#[test]
fn a_code_has_the_shape_of_the_list() {
    assert!(["N", "N02", "N02B", "N02BE", "N02BE01"].iter().all(|code| is_atc(code)));
    assert!(
        ["", "n02", "N0", "N02BE0", "N02BE011", "02N", "NA2", "N02BEA1", "doliprane"].iter().all(|code| !is_atc(code))
    );
}

#[test]
fn it_is_never_for_the_amu_nor_above_r3() {
    for stream in Stream::ALL {
        for level in CareLevel::ALL {
            let mut need = sign(1, CareType::PhonePrescription).need;
            need.level = *level;
            let found: Vec<_> =
                contradictions(&need, *stream).into_iter().map(|wrong| wrong.field.into_owned()).collect();
            let mut expected = Vec::new();
            expected.extend((*stream == Stream::Amu).then_some("need.care"));
            expected.extend(matches!(level, CareLevel::R1 | CareLevel::R2).then_some("need.level"));
            assert_eq!(found, expected, "{stream} {level}");
        }
    }
}

/// INTER and ORIENT name a resource and a destination of the national lists; nothing else does.
#[test]
fn what_crosses_the_border_is_complete_and_of_the_official_lists() {
    use sas_dispatch::{
        domain::regulation::national::{DecisionType, Stated, stated_faults},
        interop::hub::codes,
    };
    for care in CareType::ALL {
        assert!(codes::DECISIONS.contains(&care.national().code()), "{care}");
        let sent = matches!(care.national(), DecisionType::Intervention | DecisionType::Orientation);
        let (resource, destination) = (care.national_resource(), care.national_destination());
        assert_eq!((resource.is_some(), destination.is_some()), (sent, sent), "{care}");
        // What follows from the care is one of those that may be stated for it.
        assert_eq!(stated_faults(*care, Stated { resource, destination }), [], "{care}");
    }
}
