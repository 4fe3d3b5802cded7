//! The calls to the scripts: their keys and arguments as the heads of the `.lua` files say.

use std::sync::LazyLock;

use ::redis::{Cmd, cmd};

use crate::{
    clock::Clock,
    domain::ids::{CommandId, TerritoryId},
    store::{
        Guard, Index, Key, MAX_TRIM, Member, Op, Score, Txn, Version,
        txn::{command_time, digits},
    },
};

use super::names::Names;

/// A script's text and its hash, by which servers know it.
struct Script {
    text: &'static str,
    hash: String,
}

// The line before a script's text says what it may do: a script that only reads runs anywhere, and one that writes is
// refused before it begins when the server is out of memory.
macro_rules! script {
    ($flags:literal, $file:literal) => {
        LazyLock::new(|| {
            let text = concat!("#!lua", $flags, "\n", include_str!("shared.lua"), include_str!($file));
            Script { text, hash: ::redis::Script::new(text).get_hash().to_owned() }
        })
    };
}

static COMMIT: LazyLock<Script> = script!("", "commit.lua");
static TRIM: LazyLock<Script> = script!("", "trim.lua");
static READ: LazyLock<Script> = script!(" flags=no-writes", "read.lua");
static RANGE: LazyLock<Script> = script!(" flags=no-writes", "range.lua");

/// What becomes of a call whose answer did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing was written: send it again.
    None,
    /// Its receipt makes it safe to send again.
    Once,
    /// It may have been applied; sending it again might apply it twice.
    Perhaps,
}

/// One call of a territory.
pub(super) struct Request {
    pub command: Cmd,
    /// Gives a server the script that the command names.
    pub load: Option<Cmd>,
    pub effect: Effect,
    /// Where replicas are waited for, this waits for them.
    pub waits: bool,
}

impl Request {
    /// A plain command that writes nothing.
    pub fn of(command: Cmd, waits: bool) -> Self {
        Self { command, load: None, effect: Effect::None, waits }
    }

    fn script(script: &Script, keys: &[String], args: &[Vec<u8>], effect: Effect) -> Self {
        let (mut command, mut load) = (cmd("EVALSHA"), cmd("SCRIPT"));
        command.arg(&script.hash).arg(keys.len()).arg(keys);
        args.iter().for_each(|arg| {
            command.arg(arg.as_slice());
        });
        load.arg("LOAD").arg(script.text);
        Self { command, load: Some(load), effect, waits: effect != Effect::None }
    }
}

/// A hand-driven clock's reading; empty for the server's own.
fn clock_arg(clock: &Clock) -> Vec<u8> {
    match clock {
        Clock::Manual(_) => clock.now().unix_ms().to_string().into_bytes(),
        Clock::System => Vec::new(),
    }
}

fn text(value: impl ToString) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// `=` and the bytes, so that empty bytes differ from none.
fn some(bytes: &[u8]) -> Vec<u8> {
    [b"=", bytes].concat()
}

/// The version as the scripts hold it: 32 hex digits.
pub(super) fn hex(version: Version) -> String {
    digits(&version.to_bytes())
}

pub(super) fn read(
    names: &Names,
    clock: &Clock,
    territory: &TerritoryId,
    keys: &[Key],
    receipt: Option<CommandId>,
) -> Request {
    let head = names.head(territory);
    let asked = receipt.map_or_else(|| head.clone(), |id| names.receipt(territory, id));
    let records = keys.iter().map(|key| names.record(territory, key));
    let keys: Vec<String> = [head, asked].into_iter().chain(records).collect();
    let args = [clock_arg(clock), text(u8::from(receipt.is_some()))];
    Request::script(&READ, &keys, &args, Effect::None)
}

pub(super) fn range(
    names: &Names,
    territory: &TerritoryId,
    index: &Index,
    after: Option<(Score, Member)>,
    limit: usize,
) -> Request {
    let keys = [names.head(territory), names.index(territory, index)];
    let (score, member) = after.map_or_else(Default::default, |(s, m)| (text(s), some(m.0.as_bytes())));
    Request::script(&RANGE, &keys, &[score, member, text(limit)], Effect::None)
}

/// What is removed once is removed: sending it again is harmless.
pub(super) fn trim(names: &Names, territory: &TerritoryId, through: u64) -> Request {
    let keys = [names.head(territory), names.log(territory), names.index(territory, &Index::cursors())];
    Request::script(&TRIM, &keys, &[text(through), text(MAX_TRIM)], Effect::None)
}

pub(super) fn commit(names: &Names, clock: &Clock, txn: &Txn) -> Request {
    let territory = &txn.territory;
    let mut keys = vec![names.head(territory), names.log(territory), names.counters(territory)];
    // A touch names the head where a command names its receipt: the script does not look there.
    keys.push(txn.command.map_or_else(|| names.head(territory), |(id, _)| names.receipt(territory, id)));
    let mut args = command_args(txn);
    args.extend([text(txn.epoch), text(txn.at.unix_ms()), clock_arg(clock)]);
    args.push(txn.event.as_deref().map_or_else(Vec::new, some));
    args.extend([txn.outcome.clone(), text(txn.guards.len()), text(txn.ops.len())]);
    for guard in &txn.guards {
        let (key, three) = guard_args(names, territory, guard);
        keys.push(key);
        args.extend(three);
    }
    for op in &txn.ops {
        let (key, three) = op_args(names, territory, op);
        keys.push(key);
        args.extend(three);
    }
    let effect = if txn.command.is_some() { Effect::Once } else { Effect::Perhaps };
    Request::script(&COMMIT, &keys, &args, effect)
}

/// The first five: id, digest, low half of the version, when it was made, schema.
fn command_args(txn: &Txn) -> Vec<Vec<u8>> {
    let schema = txn.written_schema().map_or_else(Vec::new, text);
    match txn.command {
        Some((id, digest)) => {
            let low = hex(Version::new(0, id, txn.at)).split_off(16).into_bytes();
            let made = command_time(id).map_or(0, |made| made.unix_ms());
            vec![text(id), digest.0.to_vec(), low, text(made), schema]
        }
        None => vec![Vec::new(), Vec::new(), format!("{:010x}", txn.touch_digest()).into_bytes(), text(0), schema],
    }
}

fn guard_args(names: &Names, territory: &TerritoryId, guard: &Guard) -> (String, [Vec<u8>; 3]) {
    let tag = |tag: &str| tag.as_bytes().to_vec();
    let member = |member: &Member| member.0.clone().into_bytes();
    match guard {
        Guard::Version(key, version) => (names.record(territory, key), [tag("v"), text(hex(*version)), Vec::new()]),
        Guard::Absent(key) => (names.record(territory, key), [tag("a"), Vec::new(), Vec::new()]),
        Guard::First(index, head) => {
            let head = head.as_ref().map_or_else(Vec::new, |head| some(head.0.as_bytes()));
            let records = index.record_prefix().map_or_else(Vec::new, |kind| text(names.records(territory, kind)));
            (names.index(territory, index), [tag("f"), head, records])
        }
        Guard::Due(index, due) => (names.index(territory, index), [tag("d"), member(due), Vec::new()]),
        Guard::Running(index, runs) => (names.index(territory, index), [tag("r"), member(runs), Vec::new()]),
    }
}

fn op_args(names: &Names, territory: &TerritoryId, op: &Op) -> (String, [Vec<u8>; 3]) {
    let tag = |tag: &str| tag.as_bytes().to_vec();
    let member = |member: &Member| member.0.clone().into_bytes();
    match op {
        Op::Put { key, value, number } => {
            let counter = number.as_ref().map_or_else(Vec::new, text);
            (names.record(territory, key), [tag("p"), value.clone(), counter])
        }
        Op::Delete(key) => (names.record(territory, key), [tag("x"), Vec::new(), Vec::new()]),
        Op::IndexAdd(index, score, added) => (names.index(territory, index), [tag("+"), text(score), member(added)]),
        Op::IndexRemove(index, gone) => (names.index(territory, index), [tag("-"), member(gone), Vec::new()]),
        Op::RaiseEpoch { beyond } => (names.head(territory), [tag("e"), text(beyond), Vec::new()]),
    }
}
