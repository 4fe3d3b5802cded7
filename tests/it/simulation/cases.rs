//! What the hunt has found, as small programs: each was a failure once.

use super::{
    net::{Fault::*, Level},
    plant::Planted,
    shrink::play,
    step::{
        Move::{self, *},
        Program,
    },
};
use crate::domain::simulation::act::{Act::*, Step};

fn holds(level: Level, moves: Vec<Move>) {
    play(&Program { level, moves }, Planted::default()).unwrap_or_else(|wrong| panic!("{wrong}"));
}

/// A command whose first run was lost with the old primary runs again under the same id, and gives its record the version
/// that the lost one had, with another content.
#[test]
fn a_version_of_a_lost_tail_does_not_come_again() {
    let open = Open { vital: false, telephony: false, infant: false };
    let ask = |hurry, act, who, pick| Ask { at: 1, hurry, what: Step { act, who, case: 0, pick } };
    holds(
        Level::D2,
        vec![
            ask(true, open, 3, 7),
            ask(true, Next, 4, 2),
            ask(true, Next, 1, 7),
            Clock { at: 1, ms: -1500 },
            ask(false, Next, 0, 0),
            Go { call: 1, fault: Fine },
            FailOver { saved: 3 },
            Go { call: 5, fault: Fine },
            Go { call: 0, fault: Slow },
            Wait { ms: 142_000 },
            Settle,
            Ask { at: 2, hurry: true, what: Step { act: Next, who: 2, case: 0, pick: 4 } },
        ],
    );
}

/// An instance that still reads the old primary finds there the receipt of a command that the new one has never seen: that
/// is no answer, and asking the new one for it may not write an empty receipt there.
#[test]
fn a_receipt_of_a_lost_tail_acknowledges_nothing() {
    let note = Ask { at: 1, hurry: false, what: Step { act: Note, who: 0, case: 0, pick: 0 } };
    let told_by = |clock: Move| {
        let lost = vec![Arrival { at: 0, priority: 3 }, note.clone(), Go { call: 0, fault: Fine }];
        let over = vec![Go { call: 0, fault: Slow }, FailOver { saved: 0 }, clock];
        let again = vec![AskAgain { at: 2, hurry: true, back: 0 }, Settle];
        holds(Level::D2, [lost, over, again].concat());
    };
    told_by(Wait { ms: 0 });
    told_by(StoreClock { ms: 1_500 });
}
