//! A room played by chance: a few cases, three regulators (one of whom also drives for SOS Médecins), slots and shifts,
//! late and repeated commands, time that passes with every timer fired when it is due. After every step every rule of
//! design.md §3 that records show must hold, the oracle that reads only events must agree, and at the end every case can
//! still be brought to its end by people doing what stands on their screens.

pub mod act;
mod elsewhere;
mod finish;
mod next;
pub mod room;
pub mod scene;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, strategy::ValueTree};

use sas_dispatch::domain::case::ActionKind;

use act::{Act, Step};
use room::Room;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do_no_rule_breaks_and_no_case_is_stuck(steps in act::steps()) {
        let mut room = Room::new();
        for step in &steps {
            room.play(step);
        }
        finish::everything(&mut room);
    }
}

/// Fixed days that are played at most, until the last kind of act was accepted.
const DAYS: usize = 1_024;

/// A simulation that never gets anywhere would pass: some fixed days must reach the far ends of the path.
#[test]
fn the_played_room_reaches_every_kind_of_act() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut accepted, mut booked) = (BTreeMap::<String, usize>::new(), 0);
    let mut beside = BTreeSet::new();
    let never = |accepted: &BTreeMap<String, usize>| -> Vec<&str> {
        act::COMMANDS.iter().copied().filter(|name| !accepted.contains_key(*name)).collect()
    };
    for _ in 0..DAYS {
        if never(&accepted).is_empty() && booked > 0 {
            break;
        }
        let mut room = Room::new();
        for step in act::steps().new_tree(&mut runner).unwrap().current() {
            room.play(&step);
        }
        booked += room.stage.oracle.booked();
        let cases = room.stage.records.cases.values();
        beside.extend(
            cases.flat_map(|case| &case.actions).map(|action| action.kind).filter(|kind| kind.beside_the_care()),
        );
        for event in &room.stage.log {
            *accepted.entry(event.command.clone()).or_default() += 1;
        }
    }
    println!("info: accepted {accepted:?}, {booked} slots booked");
    let never = never(&accepted);
    assert!(never.is_empty() && booked > 0, "never accepted: {never:?}, {booked} slots booked");
    let expected = BTreeSet::from([ActionKind::AskConsentCcas, ActionKind::DepositDocument]);
    assert_eq!(beside, expected, "what is done beside the care was played, too");
}

/// The smallest steps keep their meaning, so that a failure that was found can be told again by hand.
#[test]
fn two_regulators_who_want_one_case_are_played_as_told() {
    let mut room = Room::new();
    let open = Act::Open { vital: false, telephony: false, infant: false };
    let qualify = Act::Qualify { priority: 2, stream: 1, flag: None, symptoms: true, protocol: false };
    for (act, who) in [(open, 0), (qualify, 0), (Act::Claim, 0), (Act::Claim, 1)] {
        room.play(&Step { act, who, case: 0, pick: 1 });
    }
    let case = room.stage.records.cases.values().next().unwrap();
    assert_eq!((case.last_claim, case.claim.as_ref().unwrap().by.as_str()), (1, "dr-reg-anne"));
}
