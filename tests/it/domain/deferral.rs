//! P3 by load: a request is deferred only while several others wait for a regulator, and what was counted is kept.

use sas_dispatch::domain::{
    case::{ActionKind, Command, command::Qualify},
    ids::CaseId,
    regulation::qualification::{Load, Priority},
};

use super::stage::{Stage, arm, qualify, regulator, text};

/// A request is deferred from two who wait on.
const ASKED: u32 = 2;

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.territory.regulation.p3.waiting_from = ASKED;
    stage
}

fn deferred(waiting: Option<u32>) -> Qualify {
    Qualify { waiting, ..qualify(Priority::P3) }
}

fn load(stage: &Stage, case: CaseId) -> Load {
    stage.case(case).qualification.as_ref().unwrap().load.unwrap()
}

#[test]
fn too_few_wait_and_the_request_is_regulated_in_its_turn() {
    let mut stage = stage();
    let counts = [(None, true), (Some(0), true), (Some(1), true), (Some(2), false), (Some(9), false)];
    for (waiting, quiet) in counts {
        let case = stage.called();
        let reply = stage.done(&arm(), case, Command::Qualify(Box::new(deferred(waiting))));
        let priority = stage.case(case).qualification.as_ref().unwrap().priority;
        assert_eq!(priority, if quiet { Priority::P2 } else { Priority::P3 }, "{waiting:?}");
        assert_eq!(load(&stage, case), Load { waiting: waiting.unwrap_or_default(), asked: ASKED, quiet });
        assert_eq!(stage.waits(case, ActionKind::TelephoneAppointment), !quiet);
        assert!(stage.waits(case, ActionKind::Regulate));
        assert_eq!(reply.warnings.iter().any(|warning| warning.starts_with("P3_LIFTED")), quiet);
    }
}

#[test]
fn what_was_not_to_be_deferred_counts_nobody() {
    let mut stage = stage();
    for priority in [Priority::P1, Priority::P2] {
        let case = stage.called();
        stage.done(&arm(), case, Command::Qualify(Box::new(Qualify { waiting: None, ..qualify(priority) })));
        assert_eq!(stage.case(case).qualification.as_ref().unwrap().load, None);
    }
}

#[test]
fn a_regulator_defers_however_few_wait() {
    let mut stage = stage();
    let case = stage.called();
    stage.done(&regulator(), case, Command::Qualify(Box::new(deferred(Some(0)))));
    assert_eq!(stage.case(case).qualification.as_ref().unwrap().priority, Priority::P3);
    assert_eq!(load(&stage, case), Load { waiting: 0, asked: ASKED, quiet: false });
}

#[test]
fn what_a_protocol_sends_on_defers_nobody_and_what_it_does_not_cover_is_not_deferred_in_a_quiet_room() {
    let sent = Qualify {
        motive: Some("M06.02".to_owned()),
        symptoms: false,
        protocol: Some("certificat-ou-ordonnance".to_owned()),
        ..deferred(Some(0))
    };
    let mut stage = stage();
    let case = stage.called();
    stage.done(&arm(), case, Command::Qualify(Box::new(sent.clone())));
    assert!(stage.waits(case, ActionKind::Route) && !stage.waits(case, ActionKind::Regulate));

    // It leaves nothing less urgent than the doctor has it, and still says why: P3 was asked for.
    let sent = Qualify { lower_reason: Some(text("demande un certificat")), ..sent };
    let (held, _) = stage.held_by(&regulator());
    let reply = stage.done(&arm(), held, Command::Qualify(Box::new(sent)));
    assert!(reply.warnings.iter().any(|warning| warning.starts_with("PROTOCOL_NOT_APPLIED")), "{:?}", reply.warnings);
    assert_eq!(stage.case(held).qualification.as_ref().unwrap().priority, Priority::P2);
    assert!(!stage.waits(held, ActionKind::TelephoneAppointment));
}

#[test]
fn a_territory_that_asks_for_nobody_defers_however_few_wait_and_counts_nobody() {
    let mut stage = Stage::new();
    assert_eq!(stage.territory.regulation.p3.waiting_from, 0);
    let case = stage.called();
    stage.done(&arm(), case, Command::Qualify(Box::new(deferred(None))));
    let known = stage.case(case).qualification.clone().unwrap();
    assert_eq!((known.priority, known.load), (Priority::P3, None));
}
