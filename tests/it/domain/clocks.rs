//! One instant for each act, and never one before what it follows on: instances whose clocks are apart act on one case.

use proptest::{collection::vec, prelude::*};
use sas_dispatch::{
    domain::{
        case::{Case, Command, Context, Records, Refusal, apply, decide},
        regulation::need::CareType,
        slots::Slot,
        time::{Instant, Span},
        visits::{Shift, VisitStatus},
    },
    store::due_command,
};
use serde_json::Value;

use super::{
    simulation::{act, room::Room},
    stage::{SOS, SOS_DOCTOR, Stage, doctor, visit_means},
};

/// No instance is further from the store's time than a commit may be: two are at most twice as far from each other.
const APART: Span = Span::from_secs(2);

/// The doctor takes a visit at an instance that is behind the one which offered it.
#[test]
fn a_visit_is_taken_at_an_instance_whose_clock_is_behind() {
    let mut stage = Stage::of_clocks_apart(APART);
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let shift = stage.on_duty(SOS_DOCTOR);
    stage.off = 900;
    let offer = stage.offered(case, decision, SOS, visit_means());
    stage.off = -900;
    stage.done(&doctor(SOS_DOCTOR), case, Command::TakeVisit { offer, shift });
    let visit = stage.case(case).visits[0].clone();
    for status in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::Finished] {
        stage.done(&doctor(SOS_DOCTOR), case, Command::MoveVisit { visit: visit.id, status, happened: None });
    }
    let history = &stage.case(case).visits[0].history;
    assert!(history.windows(2).all(|step| step[0].1 <= step[1].1), "{history:?}");
}

/// The domain alone keeps the last line: an act that is decided before what it follows on is refused by it.
#[test]
fn an_act_before_what_it_follows_on_breaks_a_rule() {
    let mut stage = Stage::new();
    let (case, decision) = stage.decided(CareType::HomeVisit);
    let shift = stage.on_duty(SOS_DOCTOR);
    stage.pass(Span::from_mins(1));
    let offer = stage.offered(case, decision, SOS, visit_means());
    let last = stage.case(case).last_instant();
    assert_eq!(last, stage.now);
    let (territory, directory, records) = (&stage.territory, &stage.directory, &stage.records);
    let (actor, command_id) = (doctor(SOS_DOCTOR), due_command("too early", last));
    let now = last - Span::from_ms(1);
    let context = Context { territory, directory, actor: &actor, command_id, now, records, case: Some(case) };
    let refused = decide(&context, &Command::TakeVisit { offer, shift });
    assert!(matches!(refused, Err(Refusal::Broken(_))), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// The oracle is the room itself, which panics where a rule breaks or is caught by the last line of defence; and no event
    /// of the log stands before what its case told by then.
    #[test]
    fn whichever_clock_an_act_is_decided_by_no_rule_breaks(
        steps in act::steps(),
        clocks in vec(-1_000..=1_000_i64, 1..12),
    ) {
        let mut room = Room::of_clocks_apart(APART);
        for (step, off) in steps.iter().zip(clocks.iter().cycle()) {
            room.stage.off = *off;
            room.play(step);
        }
        let mut records = Records::default();
        for event in &room.stage.log {
            let told = event.case.and_then(|id| records.cases.get(&id)).map(|case| case.last_instant());
            prop_assert!(told.is_none_or(|told| told <= event.at), "an act stands before what it follows on");
            apply(&mut records, event);
        }
    }

    /// The oracle knows no field: it looks through the stored form for every instant that has a name of something past.
    #[test]
    fn the_last_instant_is_the_last_that_the_record_holds(steps in act::steps()) {
        let mut room = Room::new();
        steps.iter().for_each(|step| room.play(step));
        let records = &room.stage.records;
        for case in records.cases.values() {
            prop_assert_eq!(case.last_instant(), last_of_case(case));
            prop_assert!(case.last_instant() <= room.stage.now);
        }
        for slot in records.slots.values() {
            prop_assert_eq!(Slot::last_instant(slot), last_of(&[serde_json::to_value(slot).unwrap()]));
        }
        for shift in records.shifts.values() {
            prop_assert_eq!(Shift::last_instant(shift), last_of(&[serde_json::to_value(shift).unwrap()]));
        }
    }
}

/// What is to come, or what a caller says of another time.
const NOT_PAST: [&str; 10] =
    ["deadline", "until", "busy_until", "due", "start", "end", "appointment", "earliest", "activates", "longest_delay"];

fn last_of_case(case: &Case) -> Instant {
    let mut case = case.clone();
    // The clock of an exchange says this one.
    case.line_heard = None;
    if let Some(received) = &mut case.received {
        // Another territory's clock says these.
        (received.sent, received.again) = (Instant::from_unix_ms(0), None);
    }
    let parts = [serde_json::to_value(&case).unwrap(), serde_json::to_value(&case.sealed).unwrap()];
    last_of(&parts).expect("a case tells when it was opened")
}

fn last_of(parts: &[Value]) -> Option<Instant> {
    let mut found = Vec::new();
    parts.iter().for_each(|part| look(part, &mut found));
    found.into_iter().max().map(Instant::from_unix_ms)
}

/// Every number that can be milliseconds since 1970 in these years.
fn look(value: &Value, found: &mut Vec<i64>) {
    match value {
        Value::Number(number) => {
            found.extend(number.as_i64().filter(|ms| (1_700_000_000_000..1_800_000_000_000).contains(ms)))
        }
        Value::Array(items) => items.iter().for_each(|item| look(item, found)),
        Value::Object(fields) => {
            let past = fields.iter().filter(|(name, _)| !NOT_PAST.contains(&name.as_str()));
            past.for_each(|(_, value)| look(value, found));
        }
        _ => {}
    }
}
