//! The logs of two territories told against each other: an honest hand-over fits whatever became of it, and each thing that
//! must never be is seen in a pair of logs that were spoiled in just that.

use std::collections::BTreeMap;

use sas_dispatch::domain::{
    case::{
        Event, Fact,
        replay::{
            Replay,
            border::{Between, Discord, Log, between},
        },
        transfer::TransferEnd,
    },
    ids::{CaseId, TerritoryId},
    regulation::qualification::Priority,
    time::{Instant, Span},
};

use super::{
    super::stage::{Stage, regulator},
    border::{Border, receiver, refuse, take_back},
};

/// Long enough after the last event that nothing is on its way any more.
const LATER: Span = Span::from_secs(90);

/// Both logs, each as a list of events that may be spoiled.
struct Logs {
    here: Vec<Event>,
    there: Vec<Event>,
    until: Instant,
}

impl Logs {
    fn of(border: &Border) -> Self {
        Self { here: border.here.log.clone(), there: border.there.log.clone(), until: border.here.now + LATER }
    }

    /// Spoils the facts of one log, and leaves out the events that `spoil` makes empty.
    fn spoiled(log: &mut Vec<Event>, mut spoil: impl FnMut(&mut Vec<Fact>)) {
        log.retain_mut(|event| {
            let before = event.facts.len();
            spoil(&mut event.facts);
            before == 0 || !event.facts.is_empty()
        });
    }

    fn told(log: &[Event], first_seq: u64, until: Instant) -> Log {
        let mut replay = Replay::from_seq(first_seq);
        for (seq, event) in (first_seq..).zip(log).filter(|(_, event)| event.at <= until) {
            replay.entry(seq, event.command_id, event.at, Ok(event));
        }
        Log { from: replay.known_from(), until, crossings: replay.crossings }
    }

    fn between(&self) -> Between {
        self.cut(self.until, self.until)
    }

    /// As far as each log reaches.
    fn cut(&self, here: Instant, there: Instant) -> Between {
        let id = |id: &str| id.parse::<TerritoryId>().unwrap();
        let here = (id("fr-67"), Self::told(&self.here, 1, here));
        let there = (id("fr-89"), Self::told(&self.there, 1, there));
        between(&BTreeMap::from([here, there]))
    }

    fn found(&self) -> Vec<Discord> {
        self.between().findings.iter().map(|torn| torn.kind).collect()
    }
}

/// Nothing may be found between the logs of a border at which everything was carried.
pub fn fits(border: &Border, what: &dyn std::fmt::Debug) {
    let told = Logs::of(border).between();
    assert!(told.findings.is_empty() && told.not_judged == 0, "{what:?}: {:#?}", told.findings);
}

/// A hand-over that was opened, accepted, recorded and confirmed, each ten seconds after the other.
fn handed_over() -> (Border, CaseId) {
    let (mut border, case) = Border::sent(Priority::P2);
    let step = |border: &mut Border| {
        border.pass(Span::from_secs(10));
        let read = border.read(case).unwrap();
        border.take(case, &read).unwrap();
    };
    step(&mut border);
    border.pass(Span::from_secs(10));
    border.accept(case);
    step(&mut border);
    step(&mut border);
    (border, case)
}

fn drop_ended(facts: &mut Vec<Fact>) {
    if facts.iter().any(|fact| matches!(fact, Fact::TransferEnded { .. })) {
        facts.clear();
    }
}

#[test]
fn whatever_honestly_becomes_of_a_hand_over_both_logs_fit() {
    type Told = (&'static str, fn(&mut Border, CaseId));
    let stories: [Told; 6] = [
        ("accepted", |border, case| {
            border.accept(case);
        }),
        ("refused", |border, case| {
            let copy = border.copy_id(case);
            border.there.done(&receiver(), copy, refuse());
        }),
        ("no answer", |border, case| border.expire(case)),
        ("taken back as it was accepted", |border, case| {
            border.accept(case);
            border.here.done(&regulator(), case, take_back());
        }),
        ("found vital there", |border, case| {
            border.vital_there(case);
            border.expire(case);
        }),
        ("taken up again", |border, case| {
            border.accept(case);
            border.carry(case);
            border.requalify(case, Priority::P1);
        }),
    ];
    for (what, story) in stories {
        let (mut border, case) = Border::sent(Priority::P2);
        border.carry(case);
        border.pass(Span::from_secs(20));
        story(&mut border, case);
        border.pass(Span::from_secs(5));
        border.carry(case);
        fits(&border, &what);
    }
    let (border, _) = handed_over();
    fits(&border, &"a step every ten seconds");
    assert_eq!(Logs::of(&border).between().judged, 1);
}

#[test]
fn what_the_receiver_has_and_the_sender_took_back_is_found() {
    let (border, case) = handed_over();
    let mut logs = Logs::of(&border);
    Logs::spoiled(&mut logs.here, |facts| {
        for fact in facts {
            if let Fact::TransferEnded { ended, .. } = fact {
                ended.how = TransferEnd::TakenBack;
            }
        }
    });
    let found = logs.between().findings;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].kind, found[0].case, found[0].copy), (Discord::TakenBack, case, border.copy_id(case)));
    assert_eq!((found[0].sender.as_str(), found[0].receiver.as_str()), ("fr-67", "fr-89"));
    let word = border.here.now - Span::from_secs(10);
    assert_eq!((found[0].from, found[0].to), (word, None), "from the sender's word on");
    // What it was told is its own is looked at to the second, without waiting for word of it.
    let soon = border.here.now + Span::from_secs(5);
    assert_eq!(logs.cut(soon, soon).findings.len(), 1);
}

#[test]
fn what_the_sender_believes_accepted_and_nobody_ever_opened_is_found_once_the_log_runs_late_enough() {
    let (border, _) = handed_over();
    let mut logs = Logs::of(&border);
    logs.there.clear();
    assert_eq!(logs.found(), [Discord::NeverOpened]);
    // The receiver's log was taken before the acceptance was recorded: it says nothing.
    let early = border.here.now - Span::from_secs(15);
    assert!(logs.cut(logs.until, early).findings.is_empty());
}

#[test]
fn an_acceptance_that_nobody_gave_is_found() {
    let (border, _) = handed_over();
    let mut logs = Logs::of(&border);
    logs.there.truncate(1);
    assert_eq!(logs.found(), [Discord::NoAnswer]);
}

#[test]
fn a_case_that_each_territory_leaves_to_the_other_is_found_to_the_second() {
    let (mut border, case) = handed_over();
    let since = border.here.now;
    border.pass(Span::from_secs(33));
    // The sender takes it up again: somebody has it from then on.
    border.requalify(case, Priority::P1);
    let mut logs = Logs::of(&border);
    Logs::spoiled(&mut logs.there, |facts| {
        for fact in facts {
            if let Fact::TransferSettled { how, .. } = fact {
                *how = TransferEnd::Expired;
            }
        }
    });
    let found = logs.between().findings;
    assert_eq!(found.iter().map(|torn| torn.kind).collect::<Vec<_>>(), [Discord::Nobody], "{found:#?}");
    assert_eq!((found[0].from, found[0].to), (since, Some(since + Span::from_secs(33))));
}

#[test]
fn a_case_that_both_have_by_the_word_of_one_is_found_to_the_second() {
    let (border, _) = handed_over();
    let mut logs = Logs::of(&border);
    Logs::spoiled(&mut logs.here, drop_ended);
    assert_eq!(logs.found(), [Discord::Both], "the receiver was told it is his, and the sender still waits");
    // Recorded twelve seconds after it was confirmed: both had it so long.
    let mut logs = Logs::of(&border);
    let recorded = logs.here.last_mut().unwrap();
    recorded.at = border.here.now + Span::from_secs(12);
    let found = logs.between().findings;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].kind, found[0].from), (Discord::Both, border.here.now));
    assert_eq!(found[0].to, Some(border.here.now + Span::from_secs(12)));
}

#[test]
fn a_case_that_both_work_on_is_found_when_one_of_them_was_never_told() {
    let (mut border, case) = handed_over();
    border.requalify(case, Priority::P1);
    let logs = Logs::of(&border);
    assert_eq!(logs.found(), [Discord::Both]);
    let soon = border.here.now + Span::from_secs(59);
    assert!(logs.cut(soon, soon).findings.is_empty(), "the word may be on its way");
    border.carry(case);
    fits(&border, &"both know");
}

#[test]
fn an_end_that_never_reached_the_receiver_is_found() {
    for (accepted, expected) in [(false, Discord::NotTold), (true, Discord::TakenBack)] {
        let (mut border, case) = Border::sent(Priority::P2);
        border.carry(case);
        if accepted {
            border.accept(case);
        }
        border.here.done(&regulator(), case, take_back());
        assert_eq!(Logs::of(&border).found(), [expected], "accepted: {accepted}");
        border.carry(case);
        fits(&border, &accepted);
    }
    // Recorded as accepted and never confirmed: whoever has it cannot sign.
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    border.accept(case);
    let read = border.read(case).unwrap();
    border.take(case, &read).unwrap();
    assert_eq!(Logs::of(&border).found(), [Discord::NotTold]);
}

#[test]
fn a_copy_that_nobody_sent_is_found_unless_the_receiver_was_told_so() {
    let (mut border, case) = Border::sent(Priority::P2);
    border.carry(case);
    let lost = |facts: &mut Vec<Fact>| {
        if facts.iter().any(|fact| matches!(fact, Fact::TransferSent(_))) {
            facts.clear();
        }
    };
    let mut logs = Logs::of(&border);
    Logs::spoiled(&mut logs.here, lost);
    assert_eq!(logs.found(), [Discord::NeverSent]);
    // The sender's log was lost from there on, and restored: the receiver is told.
    let known: &mut Stage = &mut border.here;
    let sender = known.records.case_mut(case).unwrap();
    sender.transfers.clear();
    let copy = *border.there.records.cases.keys().next().unwrap();
    let tell = super::transfer(sas_dispatch::domain::case::transfer::TransferAct::Tell(
        sas_dispatch::domain::case::transfer::TransferWord::Ended(TransferEnd::Unknown),
    ));
    border.there.done(&super::yonne_of(super::upkeep()), copy, tell);
    let mut logs = Logs::of(&border);
    Logs::spoiled(&mut logs.here, lost);
    assert_eq!(logs.found(), []);
}

#[test]
fn a_hand_over_of_which_one_log_is_missing_or_trimmed_is_not_judged_and_counted() {
    let (border, _) = handed_over();
    let logs = Logs::of(&border);
    let here = Logs::told(&logs.here, 1, logs.until);
    let alone = between(&BTreeMap::from([("fr-67".parse().unwrap(), here.clone())]));
    assert_eq!((alone.judged, alone.not_judged, alone.findings.len()), (0, 1, 0));
    // Of the receiver's log only the end is left: the copy was opened before.
    let trimmed = Logs::told(&logs.there[1..], 2, logs.until);
    let told = between(&BTreeMap::from([("fr-67".parse().unwrap(), here), ("fr-89".parse().unwrap(), trimmed)]));
    assert_eq!((told.judged, told.not_judged, told.findings.len()), (0, 1, 0));
}
