//! The checker's own tests: a sound history passes, and each way to be wrong is named.

mod agenda;
mod border;
mod levels;

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        Action, ActionKind, ActionState, Event, Fact, Owner,
        fact::Opened,
        sealed::Words,
        state::{Channel, Line},
    },
    ids::{ActionId, CaseId, CommandId, OfferId, ResponderId, SlotId},
    regulation::qualification::Stream,
    slots::{Slot, SlotKind, SlotState},
    time::Instant,
};
use sas_dispatch::store::Version;
use uuid::Uuid;

use super::{Entry, Judgement, Model, Stored, judge};
use crate::history::{History, Op, Outcome, Read, Renewed, Shown, Told, Watched, hex};

const TERRITORY: &str = "fr-67";
const AT_MS: i64 = 1_735_200_000_000;

/// A log with the calls that made it.
#[derive(Clone, Default)]
struct Day {
    log: Vec<Entry>,
    history: History,
    stored: Stored,
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + n as u128)
}

fn case(n: usize) -> CaseId {
    CaseId(id(1_000 + n))
}

impl Day {
    /// One command of a doctor, logged and acknowledged: the calls follow each other in time.
    fn does(mut self, kind: &'static str, person: &str, about: usize, facts: Vec<Fact>) -> Self {
        let seq = self.log.len() as u64 + 1;
        let command = CommandId(id(self.log.len() + 1));
        let at = Instant::from_unix_ms(AT_MS + seq as i64);
        let actor = Actor {
            person: person.parse().expect("the texts of a test are ids"),
            role: Role::Regulator,
            territory: TERRITORY.parse().expect("the texts of a test are ids"),
            connection: None,
        };
        let claim_no = facts.iter().find_map(|fact| match fact {
            Fact::Claimed { no, .. } => Some(*no),
            _ => None,
        });
        let event = Event {
            schema: 1,
            command: kind.to_owned(),
            command_id: command,
            actor,
            at,
            case: Some(case(about)),
            facts,
            words: Vec::<Words>::new(),
        };
        let told = Told {
            seq,
            at_ms: at.unix_ms(),
            durability: "D1".to_owned(),
            case: Some(case(about).to_string()),
            version: Some(version(seq)),
            claim_no,
            ..Told::default()
        };
        self.history.ops.push(Op {
            process: 1,
            kind,
            territory: TERRITORY.to_owned(),
            person: person.to_owned(),
            command_id: command.to_string(),
            case: Some(case(about).to_string()),
            under_claim: None,
            vital: false,
            instances: vec![0],
            invoked_us: seq * 100,
            completed_us: seq * 100 + 50,
            outcome: Outcome::Done(Box::new(told)),
        });
        self.log.push(Entry { seq, command_id: command.to_string(), at_ms: at.unix_ms(), event });
        self
    }

    fn judged(self) -> Judgement {
        self.judged_at("D1")
    }

    fn judged_at(mut self, level: &str) -> Judgement {
        self.stored.logs.insert(TERRITORY.to_owned(), self.log);
        judge(&self.history, &self.stored, level, 1_000_000)
    }

    /// Judges and wants exactly this to be wrong.
    fn names(self, what: &str, word: &str) -> Judgement {
        let judged = self.judged();
        assert!(judged.violations.iter().any(|text| text.contains(word)), "{what}: {judged:?}");
        judged
    }
}

fn version(seq: u64) -> String {
    hex(&Version::new(seq, CommandId(id(seq as usize)), Instant::from_unix_ms(AT_MS + seq as i64)).to_bytes())
}

fn opened() -> Vec<Fact> {
    let (channel, line, arrived) = (Channel::Console, Line::OnLine, Instant::from_unix_ms(AT_MS));
    let opened = Opened { channel, origin: None, arrived, call: None, number_form: None, line };
    vec![Fact::Opened(opened), to_be_regulated()]
}

fn to_be_regulated() -> Fact {
    let at = Instant::from_unix_ms(AT_MS);
    Fact::ActionOpened(Action {
        id: ActionId(id(2_000)),
        kind: ActionKind::Regulate,
        owner: Owner::Desk(Role::Regulator, Some(Stream::Snp)),
        opened: at,
        deadline: at,
        about: Default::default(),
        state: ActionState::Open { alarmed: None },
    })
}

fn claimed(no: u64, by: &str) -> Fact {
    Fact::Claimed { no, by: by.parse().expect("the texts of a test are ids"), connection: None }
}

/// Two cases; the first is claimed, given back and claimed by somebody else.
fn sound() -> Day {
    Day::default()
        .does("OpenCase", "arm-1", 1, opened())
        .does("Claim", "dr-a", 1, vec![claimed(1, "dr-a")])
        .does("OpenCase", "arm-2", 2, opened())
        .does("ReleaseClaim", "dr-a", 1, vec![Fact::ClaimEnded { no: 1 }])
        .under(3, 1)
        .does("Claim", "dr-b", 1, vec![claimed(2, "dr-b")])
}

impl Day {
    fn under(mut self, op: usize, claim: u64) -> Self {
        self.history.ops[op].under_claim = Some(claim);
        self
    }
}

/// Every test; `cargo test` runs them through the target's own `main`.
pub fn all() {
    let tests: [(&str, fn()); 14] = [
        ("a sound history passes", passes),
        ("what was acknowledged and is not in the log is lost", lost),
        ("what stands twice is named", twice),
        ("a log with a hole is named", hole),
        ("real time is kept", real_time),
        ("replies agree with the log", replies),
        ("no case has two holders, no slot two cases", exclusive),
        ("reads and watchers see the log and all of it", seen),
        ("slots are read as the log gives them", agenda::read),
        ("what may be lost below the promised level, and what may not", levels::below),
        ("a queue holds who waits, in order", levels::queued),
        ("a hand-over is opened once, and owned by one side", border::owned),
        ("nobody signs for another territory's case", border::signed),
        ("who waits for another territory's answer stands in no queue", border::queued),
    ];
    for (name, test) in tests {
        test();
        println!("chaos: {name} ... ok");
    }
}

fn passes() {
    let mut day = sound();
    // A command that changed nothing has its receipt and no entry.
    let mut silent = day.history.ops[4].clone();
    silent.command_id = id(77).to_string();
    silent.kind = "ResumeClaim";
    if let Outcome::Done(told) = &mut silent.outcome {
        told.claim_no = None;
    }
    day.stored.receipts.insert(silent.command_id.clone(), 5);
    day.history.ops.push(silent);
    let judged = day.judged();
    assert_eq!(judged.violations, [""; 0]);
    assert_eq!((judged.acknowledged, judged.lost, judged.duplicated), (6, 0, 0));
    assert_eq!(judged.longest_unavailability_ms, 999);
}

fn lost() {
    let mut day = sound();
    day.log.pop();
    assert_eq!(day.names("its end", "LOST: Claim").lost, 1);
    // Another command took the place of the lost one: a receipt alone is no proof.
    let mut day = sound();
    let command = day.history.ops[4].command_id.clone();
    day.log.pop();
    let mut later = sound().does("OpenCase", "arm-1", 3, opened());
    let mut op = later.history.ops.pop().expect("the test has put one there");
    let mut entry = later.log.pop().expect("the test has put one there");
    entry.seq = 5;
    if let Outcome::Done(told) = &mut op.outcome {
        told.seq = 5;
        told.version = None;
    }
    day.log.push(entry);
    day.history.ops.push(op);
    day.stored.receipts.insert(command, 5);
    assert_eq!(day.names("its place was taken", "LOST: Claim").lost, 1);
}

fn twice() {
    let mut day = sound().does("Claim", "dr-b", 1, Vec::new());
    day.log[5].command_id = day.log[4].command_id.clone();
    day.history.ops.pop();
    assert_eq!(day.names("a repeated command", "took effect twice").duplicated, 1);
}

fn hole() {
    let mut day = sound();
    day.log.remove(2);
    day.names("a hole", "missing from the log");
}

fn real_time() {
    let mut day = sound();
    day.history.ops[4].invoked_us = 10;
    day.history.ops[4].completed_us = 20;
    day.names("an order against time", "before it began");
}

fn replies() {
    let told = |change: fn(&mut Told)| {
        let mut day = sound();
        if let Outcome::Done(told) = &mut day.history.ops[4].outcome {
            change(told);
        }
        day
    };
    told(|told| told.seq = 4).names("another place", "it stands at 5");
    told(|told| told.claim_no = Some(9)).names("another number", "the reply gives claim");
    told(|told| told.case = Some(case(2).to_string())).names("another case", "the reply shows case");
    told(|told| told.version = Some(version(9))).names("a version that never was", "in no place of the log");
    told(|told| told.durability = "D0.5".to_owned()).names("a lower level", "the site promises D1");
    told(|told| told.shape = Some(Default::default())).names("another state", "was shown as");
    sound().under(3, 7).names("a late act of an earlier holder", "done under claim Some(7)");
    let mut day = sound();
    day.history.ops[4].outcome = Outcome::Refused { code: "FailedPrecondition".to_owned(), reason: String::new() };
    day.names("refused and done", "took effect at seq 5");
    let mut day = sound();
    day.history.ops[4].outcome = Outcome::Nothing;
    day.names("nothing and done", "answered that there is nothing");
    let mut day = sound();
    day.history.ops[4].outcome = Outcome::Unknown { last: String::new() };
    assert_eq!(day.judged().violations, [""; 0]);
}

fn exclusive() {
    sound().does("Claim", "dr-c", 1, vec![claimed(3, "dr-c")]).names("two holders", "two regulators hold it");
    let (slot, offer) = (SlotId(id(500)), OfferId(id(600)));
    let day = sound()
        .does("PublishSlot", "agenda-1", 1, vec![Fact::SlotPublished(bookable(500, 1_000_000))])
        .does("ConfirmSlot", "osnp-1", 1, vec![Fact::SlotBooked { slot, offer, own_patient: false }])
        .does("ConfirmSlot", "osnp-2", 2, vec![Fact::SlotBooked { slot, offer, own_patient: false }]);
    day.names("one slot, two cases", "bound to two cases");
}

/// A free slot of `gp-1` that begins so long after the day.
fn bookable(n: usize, after_ms: i64) -> Slot {
    Slot {
        id: SlotId(id(n)),
        responder: "gp-1".parse::<ResponderId>().expect("the texts of a test are ids"),
        kind: SlotKind::Snp,
        start: Instant::from_unix_ms(AT_MS + after_ms),
        end: Instant::from_unix_ms(AT_MS + after_ms + 900_000),
        state: SlotState::Free,
        turn: None,
        unknown: Default::default(),
    }
}

fn seen() {
    let read = |kind, seq, version: String| Read {
        kind,
        territory: TERRITORY.to_owned(),
        instance: 0,
        invoked_us: 10,
        completed_us: 900,
        seq,
        cases: vec![Shown { case: case(1).to_string(), version, shape: None }],
        ..Read::default()
    };
    let with = |read: Read| {
        let mut day = sound();
        day.history.reads.push(read);
        day
    };
    assert_eq!(with(read("GetCase", 3, version(2))).judged().violations, [""; 0]);
    with(read("GetCase", 5, version(2))).names("an old state", "another version than shown");
    with(read("GetCase", 3, version(8))).names("a state that never was", "in no place of the log");
    with(Read { invoked_us: 5_000, ..read("GetCase", 2, version(2)) }).names("a stale read", "before it began");
    let renewal = |seq, durability: &str| {
        let (person, case, durability) = ("dr-a".to_owned(), case(1).to_string(), durability.to_owned());
        let renewed = Some(Renewed { person, case, claim_no: 1, durability });
        with(Read { cases: Vec::new(), renewed, ..read("RenewClaim", seq, String::new()) })
    };
    assert_eq!(renewal(3, "D1").judged().violations, [""; 0]);
    renewal(5, "D1").names("a renewal of an earlier holder", "was renewed at seq 5");
    renewal(3, "D0.5").names("a renewal below the level", "renewed at D0.5");
    let day = sound();
    let model = Model::of(&day.log);
    let last = |n: usize| {
        (
            case(n).to_string(),
            model.cases[&case(n).to_string()].last().expect("the test has put one there").version.clone(),
        )
    };
    let watched = Watched {
        territory: TERRITORY.to_owned(),
        shown: vec![(case(1).to_string(), version(1)), (case(1).to_string(), version(5))],
        now: [last(1), last(2)].into(),
        listed: Some([last(1), last(2)].into()),
        ..Watched::default()
    };
    let with = |watched: Watched| {
        let mut day = sound();
        day.history.watched.push(watched);
        day
    };
    assert_eq!(with(watched.clone()).judged().violations, [""; 0]);
    with(Watched { now: [last(1)].into(), ..watched.clone() }).names("a missed case", "missed case");
    with(Watched { listed: Some([last(1)].into()), ..watched.clone() }).names("one too many", "has left the list");
    let stale = [(case(1).to_string(), version(2)), last(2)].into();
    with(Watched { now: stale, ..watched.clone() }).names("a missed change", "missed a change");
    let shown = vec![(case(1).to_string(), version(5)), (case(1).to_string(), version(1))];
    with(Watched { shown, ..watched }).names("going back", "then at 1");
}
