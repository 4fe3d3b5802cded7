//! What a site with a replica may lose, and what its queues show.

use sas_dispatch::domain::{
    case::Fact,
    regulation::qualification::{Priority, Qualification, Stream},
    time::Instant,
};

use super::{AT_MS, Day, Judgement, TERRITORY, case, opened, sound};
use crate::history::{Op, Outcome, Queued, Read, Renewed, Told};

/// The sound day on a site that promises D2 and reached it.
fn with_replica() -> Day {
    let mut day = sound();
    for op in &mut day.history.ops {
        if let Outcome::Done(told) = &mut op.outcome {
            told.durability = "D2".to_owned();
        }
    }
    day
}

pub(super) fn below() {
    assert_eq!(with_replica().judged_at("D2").violations, [""; 0]);
    // The last claim was acknowledged where no replica followed, and went with its primary.
    let gone = |change: fn(&mut Op, &mut Told)| {
        let mut day = with_replica();
        day.log.pop();
        let op = &mut day.history.ops[4];
        let Outcome::Done(mut told) = op.outcome.clone() else { panic!("the test has made it so") };
        told.durability = "D1".to_owned();
        change(op, &mut told);
        op.outcome = Outcome::Done(told);
        day.judged_at("D2")
    };
    let strict = gone(|_, _| {});
    assert_eq!(strict.lost, 1, "a claim is strict, whatever its receipt says: {strict:?}");
    for vital in [gone(|op, _| op.vital = true), gone(|_, told| told.vital = true)] {
        assert_eq!((vital.lost, vital.violations, vital.notes.len()), (0, Vec::new(), 1));
    }
    let binding = gone(|op, _| (op.vital, op.kind) = (true, "ConfirmSlot"));
    assert_eq!(binding.lost, 1, "what binds a slot is strict for a vital emergency too: {binding:?}");
    let promised = gone(|op, told| (op.vital, told.durability) = (true, "D2".to_owned()));
    assert_eq!(promised.lost, 1, "what was promised to be kept is lost: {promised:?}");
    let named = |judged: Judgement, word: &str| {
        assert!(judged.violations.iter().any(|text| text.contains(word)), "{word}: {judged:?}");
    };
    // Read from a replica that was elected, and did not have the last claim: it is not promised what no replica had.
    let read_short_of = |durability: &str, level: &str| {
        let mut day = with_replica();
        let op = &mut day.history.ops[4];
        let Outcome::Done(told) = &mut op.outcome else { panic!("the test has made it so") };
        told.durability = durability.to_owned();
        let seq = told.seq - 1;
        // A vital emergency waits for no replica.
        op.kind = "AcceptHandOver";
        day.history.reads.push(Read { kind: "GetCase", invoked_us: 5_000, completed_us: 5_050, seq, ..nothing_read() });
        day.judged_at(level)
    };
    let judged = read_short_of("D1", "D2");
    assert_eq!((judged.violations, judged.notes.len()), (Vec::new(), 1));
    named(read_short_of("D2", "D2"), "before it began");
    let renewal = |durability: &str| {
        let (person, case, durability) = ("dr-b".to_owned(), case(1).to_string(), durability.to_owned());
        let renewed = Some(Renewed { person, case, claim_no: 1, durability });
        let mut day = with_replica();
        day.history.reads.push(Read { renewed, ..nothing_read() });
        day.judged_at("D2")
    };
    named(renewal("D1"), "renewed at D1, the site promises D2");
    named(renewal("D2"), "was renewed at seq 5");
}

fn nothing_read() -> Read {
    Read {
        kind: "RenewClaim",
        territory: TERRITORY.to_owned(),
        invoked_us: 900,
        completed_us: 950,
        seq: 5,
        ..Read::default()
    }
}

pub(super) fn queued() {
    let with = |seq, cases: &[usize]| {
        let mut day = sound()
            .does("Qualify", "arm-1", 2, vec![qualified(Priority::P2)])
            .does("OpenCase", "arm-1", 3, opened())
            .does("Qualify", "arm-1", 3, vec![qualified(Priority::P1)]);
        let cases = cases.iter().map(|n| case(*n).to_string()).collect();
        let (territory, stream, instance) = (TERRITORY.to_owned(), "SNP".to_owned(), 0);
        day.history.queued.push(Queued { territory, stream, instance, seq, cases });
        day
    };
    assert_eq!(with(Some(8), &[3, 2]).judged().violations, [""; 0]);
    assert_eq!(with(Some(6), &[2]).judged().violations, [""; 0]);
    with(Some(8), &[2]).names("somebody is missing", "lacks case");
    with(Some(6), &[2, 3]).names("somebody too many", "which does not wait");
    with(Some(8), &[2, 3]).names("a P2 before a P1", "not in the order of turns");
    with(None, &[]).names("no answer", "was not answered");
}

pub(super) fn qualified(priority: Priority) -> Fact {
    let at = Instant::from_unix_ms(AT_MS);
    let (stream, motive, flags) = (Stream::Snp, None, Vec::new());
    let by = "arm-1".parse().expect("the texts of a test are ids");
    Fact::Qualified(Qualification {
        priority,
        stream,
        motive,
        flags,
        symptoms: true,
        due: at,
        at,
        by,
        proposal: None,
        skill: None,
        split: None,
        load: None,
        out_of_amu: None,
    })
}
