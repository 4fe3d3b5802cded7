//! What may happen in a simulated day, as small numbers that shrink. A program prints as the code that plays it again.

use std::fmt;

use proptest::{collection::vec, prelude::*, sample::select};

use super::net::{Fault, Level};
use crate::domain::simulation::act::{self, Step};

/// Cases of one run.
pub const CASES: usize = 8;
/// How many instances of the service run over the one store.
pub const INSTANCES: usize = 3;

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Move {
    /// Somebody asks an instance for something; in a `hurry` it is carried out at once and unharmed.
    Ask { at: usize, hurry: bool, what: Step },
    /// A call comes and is qualified at once, so that somebody waits.
    Arrival { at: usize, priority: usize },
    /// The people whose turn it is go on with one case for so many acts.
    Onward { at: usize, case: usize, pick: usize, acts: usize },
    /// A regulator claims what is next.
    ClaimNext { at: usize, hurry: bool, who: usize },
    /// A duty, or a surge, ends where one is on; else it begins.
    Room { at: usize, surge: bool },
    /// A visiting doctor's terminal says where it is.
    Position { at: usize, who: usize },
    /// A client repeats an earlier request with its id, here.
    AskAgain { at: usize, hurry: bool, back: usize },
    /// Somebody of the other territory takes or refuses what was sent there.
    OverThere { at: usize, hurry: bool, pick: usize, refused: bool },
    /// An instance does its upkeep.
    Tick { at: usize, hurry: bool },
    /// A call goes one stage further.
    Go { call: usize, fault: Fault },
    /// Everything under way comes to its end.
    Settle,
    /// Time passes everywhere.
    Wait { ms: i64 },
    /// The store's clock is off by so much from now on.
    StoreClock { ms: i64 },
    /// An instance's clock is off by so much from now on.
    Clock { at: usize, ms: i64 },
    /// An instance dies and is started again; what it had sent arrives all the same when `late`.
    Crash { at: usize, late: bool },
    /// Nobody hears an answer to what is under way.
    Cut,
    /// The replica takes so many more commits and becomes the primary.
    FailOver { saved: usize },
    /// A copy of everything is made.
    BackUp,
    /// The last copy is put in the place of everything.
    PutBack,
    /// The operator settles what is missing since then.
    Restore,
    /// A console begins to watch everything, or one queue.
    Watch { at: usize, queue: bool },
    /// A console is cut off and goes on elsewhere from where it stood.
    Resume { console: usize, at: usize },
    /// A console stops taking its messages, or goes on.
    Reads { console: usize, reads: bool },
}

impl Move {
    /// Something befalls servers or instances: what is kept is looked at as a whole after it.
    pub fn breaks(&self) -> bool {
        matches!(self, Self::Crash { .. } | Self::FailOver { .. } | Self::PutBack | Self::Restore | Self::Settle)
    }

    /// Simpler moves that may do in its place.
    pub fn plainer(&self) -> Vec<Move> {
        match self.clone() {
            Self::Ask { at, hurry, what } => {
                let alone = Self::Ask { at, hurry: true, what: what.clone() };
                let here = Self::Ask { at: 0, hurry, what: what.clone() };
                let first = Self::Ask { at, hurry, what: Step { who: 0, case: 0, pick: 0, ..what } };
                vec![first, here, alone]
            }
            Self::Onward { at, case, pick, acts } => {
                let fewer = [1, acts / 2, acts.saturating_sub(1)].into_iter().filter(|n| (1..acts).contains(n));
                fewer.map(|acts| Self::Onward { at, case, pick, acts }).collect()
            }
            Self::ClaimNext { hurry, who, .. } => vec![Self::ClaimNext { at: 0, hurry, who }],
            Self::OverThere { at, refused, .. } => {
                vec![Self::OverThere { at, hurry: true, pick: 0, refused }]
            }
            Self::Tick { at, .. } => vec![Self::Tick { at, hurry: true }, Self::Tick { at: 0, hurry: true }],
            Self::Go { call, fault } => vec![Self::Go { call: 0, fault }, Self::Go { call, fault: Fault::Fine }],
            Self::Wait { ms } => vec![Self::Wait { ms: 1_000 }, Self::Wait { ms: ms - ms % 1_000 }],
            _ => Vec::new(),
        }
    }
}

/// A whole run.
#[derive(Clone)]
pub struct Program {
    pub level: Level,
    pub moves: Vec<Move>,
}

/// As the code of a named case.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Program {{ level: Level::{:?}, moves: vec![", self.level)?;
        for step in &self.moves {
            writeln!(f, "    {step:?},")?;
        }
        write!(f, "] }}")
    }
}

pub fn programs(moves: usize) -> impl Strategy<Value = Program> {
    let level = prop_oneof![2 => Just(Level::D2), 1 => Just(Level::D1)];
    let moves = prop_oneof![
        3 => vec(step(), moves / 2..=moves),
        1 => vec(prop_oneof![40 => step(), 1 => old_copy()], moves / 2..=moves),
    ];
    (level, moves).prop_map(|(level, moves)| Program { level, moves })
}

fn step() -> impl Strategy<Value = Move> {
    prop_oneof![24 => asked(), 18 => moved(), 4 => time(), 2 => broken(), 2 => watched()]
}

fn watched() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => (0..INSTANCES, any::<bool>()).prop_map(|(at, queue)| Move::Watch { at, queue }),
        2 => (0..2_usize, 0..INSTANCES).prop_map(|(console, at)| Move::Resume { console, at }),
        2 => (0..2_usize, any::<bool>()).prop_map(|(console, reads)| Move::Reads { console, reads }),
    ]
}

fn old_copy() -> impl Strategy<Value = Move> {
    prop_oneof![3 => Just(Move::BackUp), 2 => Just(Move::PutBack), 2 => Just(Move::Restore)]
}

fn asked() -> impl Strategy<Value = Move> {
    let at = || 0..INSTANCES;
    let hurry = || prop_oneof![3 => Just(true), 2 => Just(false)];
    prop_oneof![
        14 => (at(), hurry(), act::step(), 0..5_usize).prop_map(|(at, hurry, what, case)| {
            Move::Ask { at, hurry, what: Step { case, ..what } }
        }),
        2 => (at(), 0..CASES, 0..8_usize, 3..16_usize).prop_map(|(at, case, pick, acts)| {
            Move::Onward { at, case, pick, acts }
        }),
        3 => (at(), 1..4_usize).prop_map(|(at, priority)| Move::Arrival { at, priority }),
        5 => (at(), hurry(), 0..4_usize).prop_map(|(at, hurry, who)| Move::ClaimNext { at, hurry, who }),
        1 => (at(), any::<bool>()).prop_map(|(at, surge)| Move::Room { at, surge }),
        1 => (at(), 0..2_usize).prop_map(|(at, who)| Move::Position { at, who }),
        2 => (at(), hurry(), 0..6_usize).prop_map(|(at, hurry, back)| Move::AskAgain { at, hurry, back }),
        3 => (at(), hurry()).prop_map(|(at, hurry)| Move::Tick { at, hurry }),
        2 => (at(), hurry(), 0..3_usize, prop_oneof![3 => Just(false), 1 => Just(true)]).prop_map(
            |(at, hurry, pick, refused)| Move::OverThere { at, hurry, pick, refused }
        ),
    ]
}

fn moved() -> impl Strategy<Value = Move> {
    let faults = vec![Fault::Lost, Fault::Refused, Fault::Mute, Fault::Late, Fault::Twice];
    let fault = prop_oneof![10 => Just(Fault::Fine), 4 => Just(Fault::Slow), 3 => select(faults)];
    prop_oneof![
        12 => (0..8_usize, fault).prop_map(|(call, fault)| Move::Go { call, fault }),
        1 => Just(Move::Settle),
    ]
}

fn time() -> impl Strategy<Value = Move> {
    let skew = || select(vec![0, 700, -700, 1_500, -1_500, 20_000, -20_000]);
    prop_oneof![
        6 => (0..40_000_i64).prop_map(|ms| Move::Wait { ms }),
        1 => (0..3_600_000_i64).prop_map(|ms| Move::Wait { ms }),
        1 => skew().prop_map(|ms| Move::StoreClock { ms }),
        2 => (0..INSTANCES, skew()).prop_map(|(at, ms)| Move::Clock { at, ms }),
    ]
}

fn broken() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => (0..INSTANCES, any::<bool>()).prop_map(|(at, late)| Move::Crash { at, late }),
        1 => Just(Move::Cut),
        2 => (0..4_usize).prop_map(|saved| Move::FailOver { saved }),
    ]
}
