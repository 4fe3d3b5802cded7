//! A case is claimed, kept, given back, and decided.

use sas_dispatch::{
    domain::actor::Role,
    grpc::pb::{self, CareLevel, CareType, LongestDelay, Stream},
};

use super::{Act, by, change};
use crate::{load::Caller, pace::Dice};

pub(super) async fn claims(caller: &mut Caller, case: &str, act: Act) {
    let me = format!("dr-regul-{}", caller.process);
    let case_id = case.to_owned();
    match act {
        Act::Renew(person, no) => caller.renew(&person, case, no).await,
        Act::Claim => {
            let draft = by("Claim", &me, Role::Regulator, case, None);
            change!(caller, draft, regulation.claim, |id| pb::ClaimRequest {
                command_id: id,
                case_id,
                ..Default::default()
            });
        }
        Act::AcceptHandOver => {
            let draft = by("AcceptHandOver", &me, Role::Regulator, case, None);
            change!(caller, draft, regulation.accept_hand_over, |id| pb::AcceptHandOverRequest {
                command_id: id,
                case_id
            });
        }
        Act::Release(person, claim_no) => {
            let draft = by("ReleaseClaim", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.release_claim, |id| pb::ReleaseClaimRequest {
                may_wait_until_unix_ms: 0,
                command_id: id,
                case_id,
                claim_no
            });
        }
        Act::Resume(person, claim_no) => {
            let draft = by("ResumeClaim", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.resume_claim, |id| pb::ResumeClaimRequest {
                command_id: id,
                case_id,
                claim_no
            });
        }
        Act::Reorient(person, claim_no) => {
            let stream = if caller.dice.percent(50) { Stream::Amu } else { Stream::Snp }.into();
            let draft = by("Reorient", &person, Role::Regulator, case, Some(claim_no));
            let reason = "relève de l'autre filière".to_owned();
            change!(caller, draft, regulation.reorient, |id| pb::ReorientRequest {
                command_id: id,
                case_id,
                claim_no,
                stream,
                reason
            });
        }
        _ => {
            let draft = by("ForceRelease", "cadre-1", Role::Supervisor, case, None);
            let reason = "poste abandonné".to_owned();
            change!(caller, draft, supervision.force_release, |id| pb::ForceReleaseRequest {
                command_id: id,
                case_id,
                reason,
                ..Default::default()
            });
        }
    }
}

pub(super) async fn sign(caller: &mut Caller, case: &str, act: Act) {
    let case_id = case.to_owned();
    match act {
        Act::SignNeed(person, claim_no) => {
            let need = Some(need(&mut caller.dice));
            let draft = by("SignNeed", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.sign_need, |id| pb::SignNeedRequest {
                command_id: id,
                case_id,
                claim_no,
                need,
                ..Default::default()
            });
        }
        Act::SignAnswer(person, claim_no, decision_id, care) => {
            let other = caller.dice.percent(15);
            let reason = pb::SupplyReason::NoneBeforeDeadline.into();
            let (care, supply_reason) = if other { (CareType::EmergencyDepartment.into(), reason) } else { (care, 0) };
            let draft = by("SignAnswer", &person, Role::Regulator, case, Some(claim_no));
            change!(caller, draft, regulation.sign_answer, |id| pb::SignAnswerRequest {
                command_id: id,
                case_id,
                claim_no,
                decision_id,
                care,
                supply_reason,
                ..Default::default()
            });
        }
        _ => {}
    }
}

fn need(dice: &mut Dice) -> pb::Need {
    let (care, level, delay) = match dice.below(10) {
        0..=3 => (CareType::Consultation, CareLevel::R3, LongestDelay::H24),
        4..=6 => (CareType::HomeVisit, CareLevel::R3, LongestDelay::H4),
        7 => (CareType::Ambulance, CareLevel::R2, LongestDelay::M30),
        8 => (CareType::OtherResource, CareLevel::R4, LongestDelay::H24),
        _ => (CareType::Advice, CareLevel::R4, LongestDelay::Immediate),
    };
    pb::Need {
        patient: 1,
        care: care.into(),
        level: level.into(),
        longest_delay: delay.into(),
        constraints: None,
        reasons: vec!["M03.14".to_owned()],
    }
}
