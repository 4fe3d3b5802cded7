//! What a regulator says and writes beside a signature: advice, what to watch for, a refusal, a prescription.

use crate::grpc::pb::{
    self, AskedState, CallAgain, Capacity, CareType, CounterReason, PrescriptionSituation, Sex, Understanding,
};

use super::dice::Dice;

/// Of a hundred who need an ambulance or the emergency department, so many will not go.
const REFUSE_PERCENT: f64 = 2.0;
/// Of a hundred visits, so many end in other care than was decided.
const COUNTER_PERCENT: f64 = 5.0;

/// Whether the caller understood.
const UNDERSTOOD: [(Understanding, u32); 4] =
    [(Understanding::Yes, 93), (Understanding::NotAsked, 4), (Understanding::No, 1), (Understanding::Barrier, 2)];

/// What was told with this care.
pub(super) fn dialogue(care: CareType, dice: &mut Dice) -> pb::Dialogue {
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
    let by_words = matches!(care, CareType::Advice | CareType::PhonePrescription);
    pb::Dialogue {
        advice: if by_words { codes(&["REST", "DRINK"]) } else { Vec::new() },
        safety_net: by_words.then(safety_net),
        understood_and_agreed: (*dice.pick(&UNDERSTOOD)).into(),
        ..Default::default()
    }
}

fn safety_net() -> pb::SafetyNet {
    let watch_for = ["FEVER.72H", "DYSPNOEA", "CONFUSION"].map(str::to_owned).to_vec();
    pb::SafetyNet { watch_for, words: String::new(), call_again: CallAgain::Fifteen.into(), texts: Vec::new() }
}

/// Some who are of age will not go where they are sent: told what it may lead to, and when to call again.
pub(super) fn refusal(
    care: CareType,
    patient: &pb::Patient,
    dice: &mut Dice,
) -> Option<(pb::PatientRefusal, pb::Dialogue)> {
    let sent = matches!(care, CareType::Ambulance | CareType::EmergencyDepartment);
    let of_age = patient.age_years.is_some_and(|years| years >= 18);
    (sent && dice.percent(REFUSE_PERCENT) && of_age).then(|| {
        let refusal = pb::PatientRefusal { capacity: Capacity::Capable.into(), risks_explained: true };
        let told = pb::Dialogue { safety_net: Some(safety_net()), ..dialogue(care, dice) };
        (refusal, told)
    })
}

/// A prescription for this patient: everything that has to be asked was asked.
pub(super) fn prescription(patient: &pb::Patient) -> pb::Prescription {
    let asked = |state: AskedState, answer: &str| Some(pb::Asked { state: state.into(), answer: answer.to_owned() });
    let child = patient.age_years.is_some_and(|years| years < 15);
    let woman = patient.sex() == Sex::Female;
    let line = pb::DrugLine {
        drug: "Paracétamol".to_owned(),
        dose: if child { "15 mg/kg toutes les 6 heures" } else { "1 g toutes les 6 heures" }.to_owned(),
        days: 3,
        atc: "N02BE01".to_owned(),
    };
    pb::Prescription {
        situation: PrescriptionSituation::WrittenOrder.into(),
        lines: vec![line],
        allergies: asked(AskedState::Answered, "aucune connue"),
        pregnancy: if woman { asked(AskedState::Answered, "non") } else { None },
        weight: if child { asked(AskedState::Unknown, "") } else { None },
        treatments: asked(AskedState::Answered, "aucun"),
        prior_examination: asked(AskedState::Answered, "pas pour ces symptômes"),
        pharmacy: "pharmacie de garde, par messagerie sécurisée".to_owned(),
        ..Default::default()
    }
}

/// What a visiting doctor did instead, when not what was decided.
pub(super) fn counter(dice: &mut Dice) -> Option<pb::CounterRegulation> {
    if !dice.percent(COUNTER_PERCENT) {
        return None;
    }
    let (care, reason) = *dice
        .pick(&[((CareType::Ambulance, CounterReason::Worse), 40), ((CareType::Advice, CounterReason::Better), 60)]);
    let words = "L'examen montre autre chose que l'appel.".to_owned();
    Some(pb::CounterRegulation { care: care.into(), reasons: vec![reason.into()], words, ..Default::default() })
}
