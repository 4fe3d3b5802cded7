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
use crate::domain::simulation::act::{
    Act::{Call, Next, Note, Open, Pass, Qualify, Transfer, WithdrawTransfer},
    Step,
};
use sas_dispatch::domain::case::command::CallEvent;

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

/// An event may leave its case as it was: a console that resumes before that event has been shown the case already.
#[test]
fn a_console_that_resumes_is_not_told_again_what_an_event_left_as_it_was() {
    let call = Step { act: Call(CallEvent::Reconnected), who: 1, case: 2, pick: 7 };
    let cut = vec![FailOver { saved: 0 }, Ask { at: 1, hurry: true, what: call }, Wait { ms: 120_000 }, Settle];
    holds(Level::D1, [vec![Arrival { at: 1, priority: 2 }, Watch { at: 2, queue: false }, Settle], cut].concat());
}

/// The change that a console did not take is not among those that its last token says it has been told.
#[test]
fn a_console_that_took_nothing_resumes_with_the_first_change_that_it_did_not_take() {
    let note = |case| Ask { at: 0, hurry: true, what: Step { act: Note, who: 0, case, pick: 0 } };
    let told = |case| [vec![note(case)], vec![Go { call: 0, fault: Fine }; 6]].concat();
    // One of these lengths fills the queue, so that the change of the other case waits until the console is dropped.
    for length in 20..28 {
        let arrival = Arrival { at: 0, priority: 2 };
        let begin = vec![arrival.clone(), arrival, Watch { at: 0, queue: false }, Settle];
        let slow = vec![Reads { console: 0, reads: false }];
        let changes = (0..length).flat_map(|_| told(0)).chain(told(1)).collect();
        holds(Level::D1, [begin, slow, changes, vec![Wait { ms: 40_000 }, Settle]].concat());
    }
}

/// A list that was read from an old primary is of a history that was lost by the time the log is read: nothing of it is shown.
#[test]
fn a_snapshot_begun_on_an_old_primary_shows_nothing_of_a_lost_tail() {
    // The lost tail is longer than what takes its place, or as long.
    for at in [0, 1] {
        let open = Open { vital: false, telephony: true, infant: false };
        let open = Ask { at, hurry: false, what: Step { act: open, who: 2, case: 3, pick: 6 } };
        let claim = Ask { at: 1, hurry: true, what: Step { act: Next, who: 2, case: 2, pick: 3 } };
        let watch = Watch { at: 2, queue: false };
        holds(Level::D2, vec![watch, open, Arrival { at: 1, priority: 1 }, FailOver { saved: 0 }, claim, Settle]);
    }
}

/// A console resumes through an instance that still reads the old primary, whose record of a case is of a lost tail: what
/// happened to the case before that is told all the same.
#[test]
fn a_console_that_resumes_over_a_lost_tail_misses_nothing_of_what_came_before_it() {
    let next = Step { act: Next, who: 1, case: 4, pick: 0 };
    let begin = vec![
        Arrival { at: 2, priority: 3 },
        Arrival { at: 1, priority: 1 },
        ClaimNext { at: 0, hurry: true, who: 1 },
        Watch { at: 1, queue: true },
        Crash { at: 1, late: false },
        ClaimNext { at: 0, hurry: false, who: 0 },
        Settle,
        Onward { at: 1, case: 4, pick: 1, acts: 9 },
    ];
    let lost = vec![
        FailOver { saved: 1 },
        Ask { at: 0, hurry: true, what: next },
        ClaimNext { at: 1, hurry: false, who: 0 },
        Crash { at: 2, late: false },
        Crash { at: 0, late: false },
    ];
    holds(Level::D2, [begin, lost].concat());
}

/// The operator's word stands on the new primary. An instance that is refused by what it reads on the old one, cut off and
/// still answering, has to leave it by itself: reading never fails there.
#[test]
fn an_instance_that_reads_an_old_primary_hears_that_an_old_copy_was_settled() {
    // The first falls due by the end, and is seen to be silent there if nobody fires it.
    let begin = vec![Arrival { at: 0, priority: 1 }, BackUp, Arrival { at: 0, priority: 2 }, PutBack];
    for meanwhile in [vec![], vec![Arrival { at: 0, priority: 1 }], vec![Arrival { at: 1, priority: 1 }]] {
        holds(Level::D2, [begin.clone(), meanwhile.clone(), vec![FailOver { saved: 0 }]].concat());
        let settled = vec![FailOver { saved: 0 }, Restore, ClaimNext { at: 0, hurry: true, who: 0 }];
        holds(Level::D2, [begin.clone(), meanwhile, settled].concat());
    }
}

/// A visit that an instance ahead of the others offered is taken, and ended, at one that is behind.
#[test]
fn no_act_happens_before_what_it_follows_on() {
    let next = |at, who, case, pick| Ask { at, hurry: true, what: Step { act: Next, who, case, pick } };
    let ahead = vec![Clock { at: 2, ms: 700 }, next(2, 0, 4, 0), next(1, 1, 4, 2), next(0, 4, 2, 0), next(2, 0, 0, 6)];
    let behind = vec![Onward { at: 0, case: 2, pick: 0, acts: 10 }];
    holds(Level::D2, [vec![next(1, 5, 1, 4), Arrival { at: 2, priority: 2 }], ahead, behind].concat());
}

/// After a failover nothing is told that the roster was read with: a request waits behind another one that waits for it, goes
/// on without it, and comes to its end.
#[test]
fn a_request_goes_on_without_a_roster_that_cannot_be_read() {
    let answered = Step { act: Call(CallEvent::Answered), who: 1, case: 1, pick: 7 };
    let begin = vec![
        Arrival { at: 2, priority: 1 },
        Ask { at: 0, hurry: true, what: Step { act: Next, who: 3, case: 1, pick: 0 } },
        Onward { at: 0, case: 3, pick: 7, acts: 7 },
    ];
    let lost = vec![
        FailOver { saved: 2 },
        Ask { at: 1, hurry: true, what: answered },
        ClaimNext { at: 2, hurry: false, who: 1 },
        AskAgain { at: 2, hurry: true, back: 4 },
    ];
    holds(Level::D2, [begin, lost].concat());
}

/// An instance that misses what it acknowledged is started again, after another one of its machine, which had acknowledged
/// nothing, has begun the empty store anew: in the same epoch, and further than the mark of what is gone.
#[test]
fn a_gap_is_not_forgotten_because_another_instance_wrote_on_in_the_same_epoch() {
    holds(
        Level::D2,
        vec![
            BackUp,
            Arrival { at: 1, priority: 1 },
            PutBack,
            Arrival { at: 2, priority: 2 },
            Ask { at: 0, hurry: true, what: Step { act: Next, who: 1, case: 1, pick: 2 } },
            Crash { at: 0, late: false },
            Onward { at: 1, case: 1, pick: 6, acts: 5 },
            Crash { at: 1, late: false },
            AskAgain { at: 1, hurry: true, back: 4 },
        ],
    );
}

/// An instance that knew nothing yet read a case from an old primary that had taken it alone, and its tail then began at the new
/// one, behind the seq of that case: that the log has come so far says nothing of whose entry stands there.
#[test]
fn what_only_an_old_primary_has_is_shown_by_no_snapshot() {
    let next = |at, who| Ask { at, hurry: true, what: Step { act: Next, who, case: 4, pick: 6 } };
    holds(
        Level::D2,
        vec![
            FailOver { saved: 3 },
            Arrival { at: 0, priority: 1 },
            next(1, 2),
            Watch { at: 1, queue: false },
            next(2, 0),
        ],
    );
}

/// What an old primary alone had, read ahead of the log, was folded on with the entries of the new one once the log had
/// come by its place: a console then showed a case that nobody had, under the version of the one that all have.
#[test]
fn nothing_is_folded_onto_what_only_an_old_primary_had() {
    let next = |at, who, case, pick| Ask { at, hurry: true, what: Step { act: Next, who, case, pick } };
    let qualify = Qualify { priority: 3, stream: 1, flag: None, symptoms: true, protocol: false };
    holds(
        Level::D2,
        vec![
            Arrival { at: 1, priority: 3 },
            next(0, 5, 0, 6),
            next(1, 4, 3, 0),
            next(0, 3, 0, 7),
            next(2, 0, 2, 1),
            next(0, 3, 2, 6),
            FailOver { saved: 0 },
            Onward { at: 0, case: 5, pick: 2, acts: 3 },
            Wait { ms: 3_342_000 },
            Room { at: 2, surge: false },
            Tick { at: 2, hurry: true },
            Ask { at: 1, hurry: false, what: Step { act: qualify, who: 0, case: 0, pick: 0 } },
            Onward { at: 0, case: 6, pick: 4, acts: 11 },
            Watch { at: 1, queue: false },
            Wait { ms: 19_000 },
        ],
    );
}

/// The receiver was told after the last entry of the sender's log, and the two were laid side by side only up to that one.
#[test]
fn a_receiver_who_is_told_after_the_senders_last_word_is_told() {
    let open = Open { vital: false, telephony: false, infant: false };
    let ask = |at, hurry, act, who, case, pick| Ask { at, hurry, what: Step { act, who, case, pick } };
    holds(
        Level::D1,
        vec![
            ask(2, true, open, 0, 0, 2),
            ask(0, true, Next, 5, 1, 5),
            ask(1, true, Transfer { by_arm: true }, 3, 1, 2),
            ask(0, false, WithdrawTransfer, 4, 1, 0),
            BackUp,
            OverThere { at: 2, hurry: false, pick: 1, refused: false },
            Onward { at: 1, case: 0, pick: 5, acts: 12 },
            PutBack,
            Wait { ms: 1_928_000 },
            Restore,
            Onward { at: 2, case: 0, pick: 6, acts: 12 },
            Tick { at: 2, hurry: true },
            ask(2, true, Pass { seconds: 6_606 }, 1, 0, 6),
            Onward { at: 1, case: 6, pick: 0, acts: 13 },
        ],
    );
}

/// What was acknowledged before an operator's word, and was there after it, was no longer remembered: when an older copy was
/// put back, nobody missed it.
#[test]
fn what_an_operators_word_left_there_is_missed_when_it_goes() {
    let ask = |at, hurry, act, who, case, pick| Ask { at, hurry, what: Step { act, who, case, pick } };
    holds(
        Level::D1,
        vec![
            ask(0, true, Open { vital: true, telephony: true, infant: true }, 4, 1, 1),
            Arrival { at: 1, priority: 3 },
            ask(0, false, Call(CallEvent::HungUp), 0, 2, 7),
            BackUp,
            Go { call: 0, fault: Slow },
            Restore,
            Go { call: 5, fault: Fine },
            Crash { at: 0, late: true },
            OverThere { at: 0, hurry: true, pick: 0, refused: false },
            PutBack,
            ask(0, true, Next, 0, 1, 5),
        ],
    );
}

fn ask_vital() -> Move {
    let act = Open { vital: true, telephony: false, infant: false };
    Ask { at: 0, hurry: true, what: Step { act, who: 0, case: 0, pick: 0 } }
}

/// An old copy was put back, and a call that came in meanwhile stood at the place of what was acknowledged: as long as no
/// replica confirmed it the log showed nothing there, and that was taken for the right data being back.
#[test]
fn what_the_log_does_not_show_is_not_taken_to_be_there() {
    let note = |at, hurry| Ask { at, hurry, what: Step { act: Note, who: 0, case: 0, pick: 0 } };
    let begun = vec![Arrival { at: 1, priority: 1 }, BackUp, note(0, true), PutBack, note(0, true), note(1, false)];
    let unconfirmed = vec![Go { call: 0, fault: Fine }, Go { call: 0, fault: Fine }, Go { call: 0, fault: Slow }];
    let vital = ask_vital();
    for after in
        [vec![note(0, true)], vec![Crash { at: 0, late: false }, note(0, true)], vec![vital, Settle, note(0, true)]]
    {
        holds(Level::D2, [begun.clone(), unconfirmed.clone(), after].concat());
    }
}

/// A repetition read the case before the first run took effect, was refused for what it read, and was heard after it: it had
/// begun before anybody was told that the command was done.
#[test]
fn a_repetition_beside_the_first_run_may_be_refused() {
    let ask = |at, hurry, act, who, case, pick| Ask { at, hurry, what: Step { act, who, case, pick } };
    holds(
        Level::D1,
        vec![
            ClaimNext { at: 0, hurry: false, who: 2 },
            Arrival { at: 0, priority: 1 },
            OverThere { at: 2, hurry: false, pick: 0, refused: false },
            Arrival { at: 2, priority: 1 },
            Tick { at: 1, hurry: false },
            ask(1, false, Next, 0, 3, 2),
            ask(0, true, Pass { seconds: 9_375 }, 2, 4, 0),
            ClaimNext { at: 1, hurry: true, who: 0 },
            ask(0, true, Next, 3, 2, 1),
            AskAgain { at: 1, hurry: false, back: 2 },
            ask(0, true, Pass { seconds: 4_248 }, 4, 4, 0),
            Go { call: 5, fault: Slow },
        ],
    );
}

/// An old copy was put back while an instance remembered what had come after it: its tail waited for that before it showed
/// anything, and the consoles went on showing less than the copy has.
#[test]
fn a_console_is_told_what_came_before_a_copy_that_was_put_back() {
    holds(
        Level::D2,
        vec![
            Onward { at: 1, case: 4, pick: 0, acts: 9 },
            Watch { at: 1, queue: true },
            Arrival { at: 2, priority: 2 },
            Settle,
            Arrival { at: 1, priority: 2 },
            ClaimNext { at: 1, hurry: true, who: 2 },
            BackUp,
            ClaimNext { at: 1, hurry: true, who: 1 },
            PutBack,
            Settle,
        ],
    );
}

/// A claim went with what was put back and was done again, under its id and at its place, through an instance that had not
/// acknowledged it: to the one that had, it is there.
#[test]
fn what_another_instance_has_done_again_is_not_missing() {
    holds(
        Level::D2,
        vec![
            Arrival { at: 1, priority: 3 },
            Arrival { at: 1, priority: 2 },
            BackUp,
            ClaimNext { at: 1, hurry: true, who: 1 },
            PutBack,
            AskAgain { at: 0, hurry: true, back: 0 },
            ClaimNext { at: 1, hurry: false, who: 3 },
        ],
    );
}
