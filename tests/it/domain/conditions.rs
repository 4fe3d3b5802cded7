//! What a need was signed with beside its care: who cannot come by his own means is brought, who is contagious is announced.

use sas_dispatch::domain::{
    case::{ActionKind, Command, End, Reply, command::SignAnswer},
    ids::{CaseId, DecisionId, OfferId},
    regulation::need::{CareType, Constraints},
    routing::Means,
    time::Span,
};

use super::stage::{GP, SOS, Stage, coordinator, regulator, sign, visit_means};

fn decided(stage: &mut Stage, care: CareType, constraints: Constraints) -> (CaseId, DecisionId) {
    let (case, claim_no) = stage.held_by(&regulator());
    let mut need = sign(claim_no, care);
    need.need.constraints = constraints;
    let decision = stage.done(&regulator(), case, Command::SignNeed(Box::new(need))).decision.unwrap();
    let (supply, note, keep, beside) = (None, None, false, Default::default());
    let answer = SignAnswer { claim_no, decision, care, supply, note, keep, beside };
    stage.done(&regulator(), case, Command::SignAnswer(Box::new(answer)));
    (case, decision)
}

fn advanced(stage: &mut Stage, (case, decision): (CaseId, DecisionId), who: &str, means: Means) -> Reply {
    let plan = Box::new(stage.plan(Some((who, means))));
    stage.done(&coordinator(), case, Command::Advance { decision, plan })
}

fn both() -> Constraints {
    Constraints { transport: true, isolation: true, ..Constraints::default() }
}

fn told(reply: &Reply) -> Vec<&str> {
    let codes = reply.warnings.iter().filter_map(|warning| Some(warning.split_once(": ")?.0));
    codes.filter(|code| ["TRANSPORT_NEEDED", "ISOLATION_NEEDED"].contains(code)).collect()
}

/// A GP who is rung, and says that he receives the patient in so many minutes.
fn accepted(stage: &mut Stage, constraints: Constraints, minutes: i64) -> (CaseId, OfferId) {
    use sas_dispatch::domain::case::command::OfferAnswer::Accepted;
    let known = decided(stage, CareType::Consultation, constraints);
    let offer = advanced(stage, known, GP, Means::Ring).offer.unwrap();
    let appointment = Some(stage.now + Span::from_mins(minutes));
    let reply = stage.done(&coordinator(), known.0, Command::AnswerOffer { offer, answer: Accepted { appointment } });
    assert_eq!(told(&reply).is_empty(), constraints == Constraints::default(), "{:?}", reply.warnings);
    (known.0, offer)
}

/// Found by reading: both were signed, and nobody read them.
#[test]
fn who_is_asked_and_who_asks_hear_what_the_need_was_signed_with() {
    let mut stage = Stage::new();
    let known = decided(&mut stage, CareType::Consultation, both());
    let reply = advanced(&mut stage, known, GP, Means::Ring);
    assert_eq!(told(&reply), ["TRANSPORT_NEEDED", "ISOLATION_NEEDED"]);
    assert!(reply.warnings.iter().any(|warning| warning.contains("organiser son transport")), "{:?}", reply.warnings);
    let known = decided(&mut stage, CareType::HomeVisit, both());
    let reply = advanced(&mut stage, known, SOS, visit_means());
    assert_eq!(told(&reply), ["ISOLATION_NEEDED"], "to whom a doctor drives, nobody is brought");
    let known = decided(&mut stage, CareType::Consultation, Constraints::default());
    assert_eq!(told(&advanced(&mut stage, known, GP, Means::Ring)), [""; 0]);
}

#[test]
fn a_transport_is_arranged_before_the_appointment_and_a_bad_end_calls_a_regulator() {
    let mut stage = Stage::new();
    let (case, _) = accepted(&mut stage, both(), 180);
    let action = stage.action(case, ActionKind::ArrangeTransport).clone();
    assert_eq!(action.deadline, stage.now + Span::from_mins(120), "an hour before it begins");
    let none = Command::EndAction { action: action.id, end: End::Refused, note: None };
    stage.done(&coordinator(), case, none);
    assert!(stage.waits(case, ActionKind::Regulate) && stage.waits(case, ActionKind::Appointment));
    let (soon, _) = accepted(&mut stage, both(), 10);
    assert_eq!(stage.action(soon, ActionKind::ArrangeTransport).deadline, stage.now + Span::from_mins(10));
    stage.late(soon, ActionKind::ArrangeTransport);
    assert!(stage.action(soon, ActionKind::ArrangeTransport).alarmed().is_some(), "no transport, and nobody said so");
    let (other, _) = accepted(&mut stage, Constraints { isolation: true, ..Constraints::default() }, 60);
    assert!(!stage.waits(other, ActionKind::ArrangeTransport));
}

#[test]
fn nobody_is_brought_to_an_appointment_that_is_over() {
    let mut stage = Stage::new();
    for seen in [true, false] {
        let (case, offer) = accepted(&mut stage, both(), 30);
        stage.pass(Span::from_mins(30));
        stage.done(&coordinator(), case, Command::Attend { offer, seen, counter: None });
        assert!(!stage.waits(case, ActionKind::ArrangeTransport), "seen: {seen}");
    }
    let (case, offer) = accepted(&mut stage, both(), 30);
    let reason = super::stage::text("le patient préfère demain");
    stage.done(&coordinator(), case, Command::Cancel { offer, reason });
    assert!(!stage.waits(case, ActionKind::ArrangeTransport));
}
