//! The words of a call, and its qualification.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, Priority, Stream},
};

use super::{Act, by, change};
use crate::{load::Caller, pace::Dice, site::Ground};

pub(super) async fn perform(caller: &mut Caller, ground: &Ground, case: &str, act: Act) {
    let arm = format!("arm-{}", caller.process);
    let case_id = case.to_owned();
    match act {
        Act::Qualify => {
            let request = qualification(&mut caller.dice, ground, case_id);
            caller.vital |= request.priority() == Priority::P0;
            let draft = by("Qualify", &arm, Role::Arm, case, None);
            change!(caller, draft, regulation.qualify, |id| pb::QualifyRequest { command_id: id, ..request.clone() });
        }
        Act::Dismiss => {
            let attribution = pb::Attribution::PharmacyInformation.into();
            let draft = by("DismissCase", &arm, Role::Arm, case, None);
            change!(caller, draft, intake.dismiss_case, |id| pb::DismissCaseRequest {
                command_id: id,
                case_id,
                attribution,
                ..Default::default()
            });
        }
        Act::Amend => {
            let ald = caller.dice.percent(50);
            let patients = vec![pb::Patient { number: 1, identity_unknown: true, ald, ..Default::default() }];
            let draft = by("AmendCase", &arm, Role::Arm, case, None);
            change!(caller, draft, intake.amend_case, |id| pb::AmendCaseRequest {
                command_id: id,
                case_id,
                patients,
                ..Default::default()
            });
        }
        _ => {
            let draft = by("AddNote", &arm, Role::Arm, case, None);
            let text = "Précision donnée au téléphone.".to_owned();
            change!(caller, draft, intake.add_note, |id| pb::AddNoteRequest { command_id: id, case_id, text });
        }
    }
}

fn qualification(dice: &mut Dice, ground: &Ground, case_id: String) -> pb::QualifyRequest {
    let priority = match dice.below(20) {
        0 => Priority::P0,
        1..=6 => Priority::P1,
        7..=15 => Priority::P2,
        _ => Priority::P3,
    };
    let stream = if dice.percent(70) { Stream::Snp } else { Stream::Amu };
    pb::QualifyRequest {
        case_id,
        priority: priority.into(),
        stream: stream.into(),
        motive: "M03.14".to_owned(),
        symptoms: true,
        lower_reason: "Rassuré".to_owned(),
        place: dice.any(&ground.communes).map(|commune| pb::Place { commune: commune.clone(), ..Default::default() }),
        patients: vec![pb::Patient { number: 1, identity_unknown: true, ..Default::default() }],
        ..Default::default()
    }
}
