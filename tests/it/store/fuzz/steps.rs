//! What the fuzz does: transactions over a few names, and a clock that runs, jumps and goes back.

use proptest::{collection::vec, option, prelude::*, sample::select};
use sas_dispatch::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{Digest, Guard, Op, Policy, Snapshot, Txn, due_command},
};

use crate::store::stand::{START, add, key, put, put_numbered, remove};

pub const KEYS: [&str; 4] = ["case/1", "case/2", "slot/1", "shift/é"];
pub const INDEXES: [&str; 3] = ["queue/amu", "free/d", "timers"];
const MEMBERS: [&str; 6] = ["1", "2", "1/b", "10", "é", "a"];
const COUNTERS: [&str; 2] = ["number/a", "number/b"];
const HOUR: i64 = 3_600_000;

#[derive(Debug, Clone)]
pub enum Step {
    Commit(Plan),
    /// The clock moves by so many milliseconds, perhaps back.
    Clock(i64),
}

/// A transaction before it is known where the territory stands.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which command, which of two payloads, and how many ms from [`START`] it was made; none for a touch.
    command: Option<(u32, u8, i64)>,
    schema: u32,
    /// Added to the current epoch.
    epoch: u64,
    /// Added to the store's time.
    at: i64,
    pub guards: Vec<WrittenGuard>,
    ops: Vec<Op>,
    event: Option<Vec<u8>>,
    outcome: Vec<u8>,
}

#[derive(Debug, Clone)]
pub enum WrittenGuard {
    Version(&'static str, Aim),
    Absent(&'static str),
    First(&'static str, Head),
    Due(&'static str, &'static str),
    Running(&'static str, &'static str),
}

#[derive(Debug, Clone, Copy)]
pub enum Aim {
    Current,
    Other,
}

#[derive(Debug, Clone, Copy)]
pub enum Head {
    Empty,
    Member(&'static str),
}

impl Plan {
    pub fn transaction(&self, territory: TerritoryId, known: &Snapshot, guards: Vec<Guard>) -> Txn {
        let command = self.command.map(|(n, payload, made)| (command_id(n, made), Digest::of(&[payload])));
        let at = Instant::from_unix_ms(known.at.unix_ms() + self.at);
        Txn {
            command,
            territory,
            schema: self.schema,
            epoch: known.epoch + self.epoch,
            at,
            guards,
            ops: self.ops.clone(),
            event: self.event.clone().filter(|_| self.command.is_some()),
            outcome: self.outcome.clone(),
            policy: Policy::Strict,
            even_behind: false,
        }
    }
}

/// Command number `n`, made so many ms after [`START`].
pub fn command_id(n: u32, made: i64) -> CommandId {
    due_command(&format!("command {n}"), Instant::from_unix_ms(START.unix_ms() + made))
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => plan().prop_map(Step::Commit),
        1 => (0_i64..3_000).prop_map(Step::Clock),
        1 => select(vec![-20_000, -1_501, -3, 1, HOUR, 73 * HOUR]).prop_map(Step::Clock),
    ];
    vec(step, 1..24)
}

fn plan() -> impl Strategy<Value = Plan> {
    let made = prop_oneof![12 => Just(0), 1 => select(vec![-71 * HOUR, -71 * HOUR - 1]), 1 => select(vec![300_000, 300_001]), 1 => Just(HOUR)];
    let command = prop_oneof![5 => (0..8_u32, 0..8_u8, made).prop_map(Some), 1 => Just(None)];
    let command = command.prop_map(|command| command.map(|(n, payload, made)| (n, payload / 7, made)));
    let schema = prop_oneof![12 => Just(1_u32), 1 => Just(2)];
    let epoch = prop_oneof![15 => Just(0_u64), 1 => Just(1)];
    let at = prop_oneof![12 => Just(0_i64), 1 => -1_000..=1_000_i64, 1 => select(vec![-1_001, -1_000, 1_000, 1_001])];
    let bytes = || vec(any::<u8>(), 0..6);
    let rest = (vec(guard(), 0..3), vec(op(), 0..6), option::of(bytes()), bytes());
    (command, schema, epoch, at, rest).prop_map(|(command, schema, epoch, at, (guards, ops, event, outcome))| Plan {
        command,
        schema,
        epoch,
        at,
        guards,
        ops,
        event,
        outcome,
    })
}

fn guard() -> impl Strategy<Value = WrittenGuard> {
    let (name, index, member) = (select(&KEYS[..]), select(&INDEXES[..]), select(&MEMBERS[..]));
    let aim = prop_oneof![5 => Just(Aim::Current), 1 => Just(Aim::Other)];
    let head = prop_oneof![1 => Just(Head::Empty), 2 => member.clone().prop_map(Head::Member)];
    prop_oneof![
        4 => (name.clone(), aim).prop_map(|(name, aim)| WrittenGuard::Version(name, aim)),
        1 => name.prop_map(WrittenGuard::Absent),
        2 => (index.clone(), head).prop_map(|(index, head)| WrittenGuard::First(index, head)),
        1 => (index.clone(), member.clone()).prop_map(|(index, member)| WrittenGuard::Due(index, member)),
        1 => (index, member).prop_map(|(index, member)| WrittenGuard::Running(index, member)),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let (name, index, member) = (select(&KEYS[..]), select(&INDEXES[..]), select(&MEMBERS[..]));
    let value = select(vec!["", "a", "b"]);
    let far = 1_i64 << 53;
    let score = prop_oneof![
        2 => -1..=1_i64,
        1 => Just(START.unix_ms()),
        2 => (-2_000..2_000_i64).prop_map(|ms| START.unix_ms() + ms),
        1 => select(vec![far, -far, far - 1, (2 << 42) + START.unix_ms()]),
    ];
    prop_oneof![
        4 => (name.clone(), value.clone()).prop_map(|(name, value)| put(name, value)),
        1 => (name.clone(), value, select(&COUNTERS[..])).prop_map(|(name, value, n)| put_numbered(name, value, n)),
        2 => name.prop_map(|name| Op::Delete(key(name))),
        5 => (index.clone(), score, member.clone()).prop_map(|(index, score, member)| add(index, score, member)),
        2 => (index, member).prop_map(|(index, member)| remove(index, member)),
    ]
}
