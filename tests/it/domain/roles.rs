//! Who may do what: the table, written down a second time, and every role against every command.

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        ActionKind, Command, End, Refusal,
        command::{CallEvent, OfferAnswer, SignAnswer, StartDuty, Timer},
        transfer::{TransferAct, TransferAnswer, TransferWord},
    },
    ids::{ActionId, CaseId, DecisionId, DutyId, OfferId, ShiftId, SlotId, VisitId},
    regulation::{
        need::CareType,
        qualification::{Attribution, Priority, Stream},
        room::{Affiliation, SurgeReason},
    },
    routing::Means,
    slots::SlotKind,
    visits::VisitStatus,
};
use uuid::Uuid;

use super::stage::{
    GP, SAS, SOS, SOS_DOCTOR, Stage, arm, call, coordinator, qualify, regulator, sign, someone, text, visit_means,
};

const ROLES: [Role; 9] = [
    Role::Arm,
    Role::Regulator,
    Role::Coordinator,
    Role::Responder,
    Role::Dispatcher,
    Role::Telephony,
    Role::Supervisor,
    Role::BackOffice,
    Role::Upkeep,
];

/// One command of each kind, with the roles that may give it, in the order of [`ROLES`].
fn table(stage: &Stage) -> Vec<(Command, &'static str)> {
    let id = Uuid::from_u128(1);
    let (claim_no, offer, visit, reason) = (1, OfferId(id), VisitId(id), text("motif"));
    let (start, end) = (stage.now, stage.now);
    let (decision, care) = (DecisionId(id), CareType::Advice);
    let answer =
        SignAnswer { claim_no, decision, care, supply: None, note: None, keep: false, beside: Default::default() };
    let plan = Box::new(stage.plan(None));
    vec![
        (Command::Open(Box::new(call(stage.now))), "ARM REG COO TEL SUP"),
        (Command::Amend(Box::default()), "ARM REG COO SUP"),
        (Command::AddNote(text("note")), "ARM REG COO SUP"),
        (Command::LinkRepeat(CaseId(id)), "ARM REG COO SUP"),
        (Command::Call(CallEvent::HungUp.into()), "ARM REG COO TEL"),
        (Command::Qualify(Box::new(qualify(Priority::P2))), "ARM REG"),
        (Command::Dismiss { attribution: Attribution::Fax, possible_repeat: false }, "ARM REG"),
        (Command::Claim, "REG"),
        (Command::ClaimNext(Stream::Snp), "REG"),
        (Command::AnswerReorientation { refused: None }, "REG"),
        (Command::StartDuty(Box::new(duty(stage))), "REG SUP"),
        (Command::EndDuty(DutyId(id)), "REG SUP"),
        (Command::StartSurge { reason: SurgeReason::Epidemic, until: end }, "SUP"),
        (Command::EndSurge, "SUP"),
        (Command::Release { claim_no, may_wait: None }, "REG"),
        (Command::Resume { claim_no }, "REG"),
        (Command::AcceptHandOver, "REG"),
        (Command::SignNeed(Box::new(sign(1, care))), "REG"),
        (Command::SignAnswer(Box::new(answer)), "REG"),
        (Command::Reorient { claim_no, stream: Stream::Psy, reason: reason.clone() }, "REG"),
        (
            transfer(TransferAct::Send { claim_no: None, to: "fr-89".parse().unwrap(), reason: reason.clone() }),
            "ARM REG",
        ),
        (transfer(TransferAct::TakeBack { reason: reason.clone() }), "ARM REG"),
        (transfer(TransferAct::Answer { refused: None }), "REG"),
        (transfer(TransferAct::Tell(TransferWord::Confirmed)), "UPK"),
        (transfer(TransferAct::Settle { there: CaseId(id), answer: goes_on() }), "UPK"),
        (Command::ForceRelease { reason: reason.clone() }, "SUP"),
        (Command::Advance { decision, plan }, "REG COO UPK"),
        (Command::Cancel { offer, reason }, "REG COO"),
        (Command::RenewHold { offer }, "REG COO"),
        (Command::AnswerOffer { offer, answer: OfferAnswer::Declined }, "COO RES DIS"),
        (Command::Attend { offer, seen: true, counter: None }, "COO RES DIS"),
        (Command::TakeVisit { offer, shift: ShiftId(id) }, "RES DIS"),
        (Command::MoveVisit { visit, status: VisitStatus::EnRoute, happened: None }, "RES DIS"),
        (Command::ReportVisit { visit, text: text("vu"), counter: None }, "RES"),
        (Command::EndAction { action: ActionId(id), end: End::Done, note: None }, "ARM REG COO RES DIS"),
        (
            Command::PublishSlot { slot: None, responder: SAS.parse().unwrap(), kind: SlotKind::Snp, start, end },
            "RES BAC",
        ),
        (Command::WithdrawSlot(SlotId(id)), "RES BAC"),
        (
            Command::OpenShift {
                responder: SOS.parse().unwrap(),
                sectors: vec![],
                start,
                end,
                position: None,
                doctor: None,
            },
            "RES DIS",
        ),
        (Command::EndShift(ShiftId(id)), "RES DIS"),
        (Command::Fire(Timer::Lease), "UPK"),
    ]
}

fn transfer(act: TransferAct) -> Command {
    Command::Transfer(Box::new(act))
}

fn goes_on() -> TransferAnswer {
    TransferAnswer::GoesOn { number: "D1".to_owned() }
}

fn duty(stage: &Stage) -> StartDuty {
    let (from, until, shifts) = (stage.now, stage.now, Vec::new());
    let (stream, skills, affiliation) = (Stream::Snp, Default::default(), Affiliation::Liberal);
    StartDuty { person: None, stream, skills, affiliation, from, until, shifts }
}

#[test]
fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let rows = table(&Stage::new());
    assert_eq!(rows.len(), 40, "one row for each kind of command");
    for (command, allowed) in rows {
        for role in ROLES {
            let mut stage = Stage::new();
            let case = stage.called();
            let given = stage.give(&someone("quelquun", role), Some(case), &command);
            let by_role = matches!(&given, Err(Refusal::Role { needed, .. }) if roles(needed));
            let short = format!("{role:?}")[..3].to_uppercase();
            assert_eq!(!by_role, allowed.contains(&short), "{} by {role:?}: {given:?}", command.name());
        }
    }
}

/// True when a refusal names roles, and not the owner of a thing.
fn roles(needed: &str) -> bool {
    let known =
        ["ARM", "TELEPHONY", "REGULATOR", "COORDINATOR", "RESPONDER", "DISPATCHER", "SUPERVISOR", "BACK_OFFICE"];
    needed.is_empty() || needed.split(", ").all(|name| known.contains(&name))
}

#[test]
fn a_refusal_for_the_role_says_who_may() {
    let mut stage = Stage::new();
    let case = stage.called();
    let refusal = stage.refused(&someone("osnp-chloe", Role::Coordinator), case, Command::Claim);
    assert_eq!(refusal.to_string(), "the role COORDINATOR may not do this; it is for REGULATOR");
    let pretender = stage.refused(&someone("upkeep", Role::Supervisor), case, Command::Fire(Timer::Lease));
    assert!(matches!(pretender, Refusal::Role { needed, .. } if needed.is_empty()), "nobody from outside");
}

/// A terminal of SOS Médecins works on its visits; what else is to be done for a patient is none of its business.
#[test]
fn a_dispatcher_ends_what_belongs_to_a_visit_and_nothing_else_of_a_case() {
    let dispatcher = someone("sos-desk", Role::Dispatcher);
    let theirs = |refusal: &Refusal| matches!(refusal, Refusal::Role { role, .. } if !role.is_empty());
    let end = |stage: &Stage, case, kind| Command::EndAction {
        action: stage.action(case, kind).id,
        end: End::Done,
        note: None,
    };
    let mut stage = Stage::new();
    let case = stage.qualified(Priority::P2);
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    let call_back = end(&stage, case, ActionKind::CallBack);
    assert!(theirs(&stage.refused(&dispatcher, case, call_back)), "the caller is still to be rung back");
    assert!(stage.waits(case, ActionKind::CallBack));

    let (case, decision) = stage.decided(CareType::Consultation);
    let offer = stage.offered(case, decision, GP, Means::Ring);
    for answer in [OfferAnswer::Declined, OfferAnswer::Unreachable] {
        let answer = Command::AnswerOffer { offer, answer };
        assert!(theirs(&stage.refused(&dispatcher, case, answer)), "the own GP answers for himself");
    }
    stage.accepted(&coordinator(), case, offer);
    let seen = Command::Attend { offer, seen: true, counter: None };
    assert!(theirs(&stage.refused(&dispatcher, case, seen)));

    let (case, decision) = stage.decided(CareType::HomeVisit);
    let shift = stage.on_duty(SOS_DOCTOR);
    let offer = stage.offered(case, decision, SOS, visit_means());
    stage.done(&dispatcher, case, Command::AnswerOffer { offer, answer: OfferAnswer::Declined });
    let offer = stage.offered(case, decision, SOS, visit_means());
    stage.done(&dispatcher, case, Command::TakeVisit { offer, shift });
    let action = stage.action(case, ActionKind::Visit).id;
    stage.done(&dispatcher, case, Command::EndAction { action, end: End::Absent, note: None });
    assert!(stage.waits(case, ActionKind::Regulate), "nobody opened the door: a doctor decides what that means");
}

/// "the role other may not do this; it is for the owner of the action".
#[test]
fn who_may_not_end_an_action_is_told_his_own_role_and_whose_it_is() {
    let mut stage = Stage::new();
    let (case, claim) = stage.held_by(&regulator());
    stage.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    let told = |stage: &mut Stage, actor: &Actor, kind| {
        let end = Command::EndAction { action: stage.action(case, kind).id, end: End::Done, note: None };
        stage.refused(actor, case, end).to_string()
    };
    let owner = "may not do this; it is for the owner of the action";
    let words = told(&mut stage, &someone("sos-desk", Role::Dispatcher), ActionKind::CallBack);
    assert_eq!(words, format!("the role DISPATCHER {owner} (the desk of ARM), REGULATOR or COORDINATOR"));
    stage.need(&regulator(), case, claim, CareType::PhonePrescription);
    let words = told(&mut stage, &arm(), ActionKind::DeliverPrescription);
    assert_eq!(words, format!("the role ARM {owner} (the desk of COORDINATOR), REGULATOR or COORDINATOR"));
}
