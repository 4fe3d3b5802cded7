//! What crosses the border with a case while its hand-over stands open, and what of it counts there: words, urgency,
//! whoever gives care; and the hours of two clocks that do not agree.

use sas_dispatch::domain::{
    case::{
        ActionKind, Command, Refusal,
        command::{CallEvent, Particulars},
        outgoing::{Outgoing, Withheld, may_send},
        patient::{Consent, Recipient, Wish},
        safety::ContactRisk,
        sealed::{Address, Caller, Identity},
        state::{ContactSafety, Patient},
    },
    ids::CaseId,
    regulation::{
        need::CareType,
        qualification::{Priority, Stream},
    },
    routing::Means,
    time::Span,
};

use super::{
    super::stage::{GP, GP_DOCTOR, Stage, arm, qualify, regulator, someone, text},
    Role, accept,
    border::Border,
    notes, receiver, refuse, yonne_of,
};

const APART: Span = Span::from_secs(5);

fn amend(stage: &mut Stage, case: CaseId, particulars: Particulars) {
    let lea = arm();
    let arm = if stage.territory.id.as_str() == "fr-67" { lea } else { yonne_of(lea) };
    stage.done(&arm, case, Command::Amend(Box::new(particulars)));
}

fn caller(phone: &str) -> Option<Caller> {
    Some(Caller { phone: text(phone), ..Caller::default() })
}

fn patient(number: u32, name: &str) -> (Patient, Identity) {
    let identity = Identity { number, name: text(name), ..Identity::default() };
    (Patient { number, ..Patient::default() }, identity)
}

/// Every act on a case is of its own territory's now: what is ahead of it, the store there would not take.
fn of_its_own_clock(stage: &Stage) {
    let ahead: Vec<_> = stage.log.iter().filter(|event| event.at > stage.now).map(|event| &event.command).collect();
    assert!(ahead.is_empty(), "{} acts at another territory's hour: {ahead:?}", stage.territory.id);
}

#[test]
fn a_clock_that_is_ahead_at_the_sender_holds_up_no_act_on_the_copy() {
    let mut border = Border::new();
    border.there.now = border.there.now - APART;
    let case = border.here.qualified(Priority::P2);
    border.here.done(&arm(), case, Command::AddNote(text("la porte est ouverte")));
    border.send(case);
    border.carry(case);
    border.here.done(&arm(), case, Command::AddNote(text("le chien est enfermé")));
    border.carry(case);
    border.accept(case);
    border.carry(case);
    of_its_own_clock(&border.there);
    // It is told, too, that the sender has taken it up again at an hour that is yet to come here.
    border.requalify(case, Priority::P0);
    assert_eq!(border.carry(case), 1);
    let copy = border.copy_id(case);
    border.there.done(&yonne_of(arm()), copy, Command::AddNote(text("ils ont rappelé")));
    of_its_own_clock(&border.there);
    assert_eq!(border.copy(case).received.as_ref().unwrap().again, border.transfer(case).again);
}

#[test]
fn a_clock_that_is_ahead_at_the_receiver_holds_up_no_act_on_the_senders_case() {
    let mut border = Border::new();
    border.there.now = border.there.now + APART;
    let case = border.here.qualified(Priority::P1);
    border.send(case);
    border.carry(case);
    let copy = border.copy_id(case);
    border.there.done(&receiver(), copy, refuse());
    border.carry(case);
    border.requalify(case, Priority::P0);
    border.here.done(&regulator(), case, Command::AcceptHandOver);
    of_its_own_clock(&border.here);
    assert!(notes(&border.here, case).iter().any(|words| words.contains("Aube")), "the reason is read all the same");
}

#[test]
fn what_was_found_out_there_is_not_replaced_by_what_is_said_here_later() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    let opposed = Consent { recipient: Recipient::Gp, wish: Wish::Opposes, form: None, at: None, noted_by: None };
    let mut minor = patient(1, "Jeune Fictive");
    (minor.0.minor, minor.0.secrecy) = (true, true);
    minor.0.consents = vec![opposed];
    let silent = ContactSafety { may_ring: false, risk: Some(ContactRisk::Violence), ..ContactSafety::default() };
    let known = Particulars {
        caller: caller("+33639980001"),
        safety: Some(silent),
        patients: vec![minor, patient(2, "Sœur Fictive")],
        ..Particulars::default()
    };
    amend(&mut border.there, copy, known);
    // Meanwhile the sender corrects what it knows, and hears nothing of this.
    let address = Address { street: text("4 rue Rouget-de-l'Isle"), ..Address::default() };
    let safety = Some(ContactSafety { may_text: false, ..ContactSafety::default() });
    let known = Particulars {
        caller: caller("+33639980002"),
        address: Some(address.clone()),
        safety,
        patients: vec![patient(1, "Personne Fictive")],
        ..Particulars::default()
    };
    amend(&mut border.here, case, known);
    border.carry(case);
    let now = border.copy(case);
    assert_eq!(now.sealed.caller.phone, text("+33639980001"), "whom to ring");
    assert_eq!(now.safety, ContactSafety { may_text: false, ..silent }, "the stricter of both");
    assert_eq!(may_send(now, 1, Outgoing::Gp), Err(Withheld::Opposed));
    assert!(now.patient(1).unwrap().secrecy && now.patient(2).is_some());
    assert_eq!(now.sealed.identities[0].name, text("Jeune Fictive"));
    assert_eq!(now.sealed.address, address, "nobody there had said anything of it");
    let told = |border: &Border| {
        notes(&border.there, copy).into_iter().filter(|words| words.contains("+33639980002")).collect::<Vec<_>>()
    };
    let [words] = told(&border).try_into().expect("they read what the sender says otherwise");
    assert!(words.contains("fr-67") && words.contains("Personne Fictive"), "{words}");
    // What is brought for another reason repeats nothing.
    border.here.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    border.carry(case);
    assert_eq!(told(&border).len(), 1);
    assert_eq!(border.copy(case).sealed.caller.phone, text("+33639980001"));
}

#[test]
fn what_the_sender_hears_of_danger_holds_beside_what_was_said_there() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    let safety = Some(ContactSafety { may_leave_message: false, ..ContactSafety::default() });
    let known = Particulars { safety, patients: vec![patient(1, "Personne Fictive")], ..Particulars::default() };
    amend(&mut border.there, copy, known);
    let risk = ContactSafety { risk: Some(ContactRisk::Maltreatment), ..ContactSafety::default() };
    let mut secret = patient(1, "Personne Fictive");
    secret.0.secrecy = true;
    let known = Particulars { safety: Some(risk), patients: vec![secret], ..Particulars::default() };
    amend(&mut border.here, case, known);
    border.carry(case);
    assert_eq!(border.copy(case).safety, ContactSafety { may_leave_message: false, ..risk });
    assert!(border.copy(case).patient(1).unwrap().secrecy);
    // A mistake that nobody there has touched is mended there as it is here.
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    for safety in [risk, ContactSafety::default()] {
        amend(&mut border.here, case, Particulars { safety: Some(safety), ..Particulars::default() });
        border.carry(case);
        assert_eq!(border.copy(case).safety, safety);
    }
}

#[test]
fn a_psychiatric_call_that_breaks_off_at_the_sender_comes_first_there() {
    let mut border = Border::new();
    let case = border.here.called();
    let mut front = qualify(Priority::P2);
    front.stream = Stream::Psy;
    border.here.done(&arm(), case, Command::Qualify(Box::new(front)));
    border.send(case);
    border.carry(case);
    let copy = border.copy_id(case);
    assert_eq!(border.copy(case).qualification.as_ref().unwrap().priority, Priority::P2);
    border.here.done(&arm(), case, Command::Call(CallEvent::HungUp.into()));
    border.carry(case);
    let known = border.copy(case).qualification.clone().unwrap();
    assert_eq!((known.priority, known.stream), (Priority::P1, Stream::Psy));
    let waits = border.there.action(copy, ActionKind::Regulate);
    assert_eq!(waits.deadline, known.due);
    assert!(waits.deadline <= border.there.now + border.there.territory.regulation.due.p1, "{waits:?}");
    // What the doctors there make of it afterwards is theirs, whatever else is brought.
    border.there.done(&yonne_of(arm()), copy, Command::Qualify(Box::new(qualify(Priority::P2))));
    let address = Some(Address { street: text("4 rue Rouget-de-l'Isle"), ..Address::default() });
    amend(&mut border.here, case, Particulars { address, ..Particulars::default() });
    border.carry(case);
    assert_eq!(border.copy(case).qualification.as_ref().unwrap().priority, Priority::P2);
}

#[test]
fn whoever_is_asked_to_give_care_at_the_sender_does_not_regulate_it_there() {
    let gp = || yonne_of(someone(GP_DOCTOR, Role::Regulator));
    for asked_before in [true, false] {
        let mut border = Border::new();
        let (case, decision) = border.here.decided(CareType::Consultation);
        let ask = |border: &mut Border| border.here.offered(case, decision, GP, Means::Ring);
        asked_before.then(|| ask(&mut border));
        border.requalify(case, Priority::P2);
        border.send(case);
        border.carry(case);
        if !asked_before {
            ask(&mut border);
            assert_eq!(border.carry(case), 1, "they hear of whom the sender has asked since");
        }
        let copy = border.copy_id(case);
        assert_eq!(border.there.refused(&gp(), copy, accept()), Refusal::Independence, "asked before: {asked_before}");
        border.accept(case);
    }
}

#[test]
fn no_interpreter_is_called_for_what_is_its_senders_again() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let copy = border.copy_id(case);
    let call = || Command::CallInterpreter { language: Some("ar".to_owned()) };
    border.there.done(&yonne_of(arm()), copy, call());
    border.there.done(&receiver(), copy, refuse());
    border.carry(case);
    let refused = border.there.refused(&yonne_of(arm()), copy, call());
    assert!(matches!(&refused, Refusal::State { .. }), "{refused}");
}
