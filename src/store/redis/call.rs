//! The calls to the scripts: their keys and arguments as the heads of the `.lua` files say.

use std::{io::Write, sync::LazyLock};

use ::redis::{Cmd, RedisWrite, ToRedisArgs, cmd};

use crate::{
    clock::Clock,
    domain::ids::{Canonical, CommandId, TerritoryId},
    store::{
        Counter, Guard, Index, Key, MAX_TRIM, Member, Op, Score, Txn, Version,
        txn::{command_time, digits},
    },
};

use super::names::{Names, Within};

/// A script's text and its hash, by which servers know it.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    /// Gives a server the script.
    pub fn load(&self) -> Cmd {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(self.text);
        load
    }
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

/// Whether a call waits for the replicas where a site promises them, and how it makes `WAIT` speak of all that it answers.
///
/// From Redis 7.2 on `WAIT` speaks of what its own connection wrote, and of nothing else: behind a call that wrote nothing
/// it answers at once, whatever the replicas have. So a call that may write nothing writes something then.
pub(super) enum Waiting {
    /// It does not wait.
    Not,
    /// The script is told, by [`AWAITED`] at the end of its arguments, and writes in any case.
    Told,
    /// It only reads: this write, which changes nothing, goes behind it.
    Touching(Cmd),
}

/// The last argument of a script behind which replicas are waited for.
pub(super) const AWAITED: &str = "awaited";

/// One call of a territory.
pub(super) struct Request {
    pub command: Cmd,
    /// The script that the command names, for a server that does not know it.
    pub script: Option<&'static Script>,
    pub effect: Effect,
    pub waiting: Waiting,
}

impl Request {
    /// A plain command that writes nothing.
    pub fn of(command: Cmd) -> Self {
        Self { command, script: None, effect: Effect::None, waiting: Waiting::Not }
    }

    fn script(script: &'static Script, keys: &[String], args: &[Vec<u8>], effect: Effect) -> Self {
        let mut command = cmd("EVALSHA");
        command.arg(&script.hash).arg(keys.len()).arg(keys);
        args.iter().for_each(|arg| {
            command.arg(arg.as_slice());
        });
        Self::run(script, command, effect)
    }

    fn run(script: &'static Script, command: Cmd, effect: Effect) -> Self {
        Self { command, script: Some(script), effect, waiting: Waiting::Not }
    }
}

/// A hand-driven clock's reading; empty for the server's own.
fn clock_arg(clock: &Clock) -> Vec<u8> {
    match clock {
        Clock::Manual(_) | Clock::Simulated(_) => clock.now().unix_ms().to_string().into_bytes(),
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
    let keys: Vec<String> = [head, names.log(territory), asked].into_iter().chain(records).collect();
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
    let keys = [names.head(territory), names.log(territory), names.index(territory, index)];
    let (score, member) = after.map_or_else(Default::default, |(s, m)| (text(s), some(m.0.as_bytes())));
    Request::script(&RANGE, &keys, &[score, member, text(limit)], Effect::None)
}

/// A page of the log that waits for the replicas: they have all that was written before the touch behind it, which answers
/// the head's seq and leaves it as it is.
pub(super) fn confirmed_log(names: &Names, territory: &TerritoryId, range: Cmd) -> Request {
    let mut touch = cmd("HINCRBY");
    touch.arg(names.head(territory)).arg("seq").arg(0);
    Request { waiting: Waiting::Touching(touch), ..Request::of(range) }
}

/// What is removed once is removed: sending it again is harmless. It waits for no replica: a failover leaves more of the log.
pub(super) fn trim(names: &Names, territory: &TerritoryId, through: u64) -> Request {
    let keys = [names.head(territory), names.log(territory), names.index(territory, &Index::cursors())];
    Request::script(&TRIM, &keys, &[text(through), text(MAX_TRIM)], Effect::None)
}

/// Written straight into the command: it is the longest and the most frequent of all calls.
pub(super) fn commit(names: &Names, clock: &Clock, txn: &Txn) -> Request {
    let parts = txn.guards.len() + txn.ops.len();
    let mut names = names.within(&txn.territory);
    let mut command = Cmd::with_capacity(19 + 4 * parts, LEAST_BYTES + txn.event.as_ref().map_or(0, Vec::len));
    command.arg("EVALSHA").arg(&COMMIT.hash).arg(4 + parts);
    command.arg(names.head()).arg(names.log()).arg(names.counters());
    // A touch names the head where a command names its receipt: the script does not look there.
    match txn.command {
        Some((id, _)) => command.arg(names.receipt(id)),
        None => command.arg(names.head()),
    };
    txn.guards.iter().for_each(|guard| guard_key(&mut command, &mut names, guard));
    txn.ops.iter().for_each(|op| op_key(&mut command, &mut names, op));
    command_args(&mut command, txn);
    command.arg(txn.epoch).arg(txn.at.unix_ms()).arg(clock_arg(clock));
    match &txn.event {
        Some(event) => command.arg(Given(event)),
        None => command.arg(NONE),
    };
    command.arg(txn.outcome.as_slice()).arg(txn.guards.len()).arg(txn.ops.len());
    txn.guards.iter().for_each(|guard| guard_args(&mut command, &mut names, guard));
    txn.ops.iter().for_each(|op| op_args(&mut command, op));
    let effect = if txn.command.is_some() { Effect::Once } else { Effect::Perhaps };
    Request { waiting: Waiting::Told, ..Request::run(&COMMIT, command, effect) }
}

/// Room for the names, numbers and the record of an ordinary commit.
const LEAST_BYTES: usize = 6 * 1_024;
const NONE: &[u8] = b"";

/// `=` and the bytes, so that empty bytes differ from none.
struct Given<'a>(&'a [u8]);

impl ToRedisArgs for Given<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut arg = out.writer_for_next_arg();
        // Memory takes what is written to it.
        arg.write_all(b"=").and_then(|()| arg.write_all(self.0)).ok();
    }
}

/// The first five: id, digest, low half of the version, when it was made, schema.
fn command_args(command: &mut Cmd, txn: &Txn) {
    match txn.command {
        Some((id, digest)) => {
            let version = hex(Version::new(0, id, txn.at));
            let made = command_time(id).map_or(0, |made| made.unix_ms());
            command.arg(id.text()).arg(&digest.0[..]).arg(&version[16..]).arg(made);
        }
        None => {
            command.arg(NONE).arg(NONE).arg(format!("{:010x}", txn.touch_digest())).arg(0);
        }
    }
    match txn.written_schema() {
        Some(schema) => command.arg(schema),
        None => command.arg(NONE),
    };
}

fn guard_key(command: &mut Cmd, names: &mut Within, guard: &Guard) {
    command.arg(match guard {
        Guard::Version(key, _) | Guard::Absent(key) => names.record(key),
        Guard::First(index, _) | Guard::Due(index, _) | Guard::Running(index, _) => names.index(index),
    });
}

fn op_key(command: &mut Cmd, names: &mut Within, op: &Op) {
    command.arg(match op {
        Op::Put { key, .. } | Op::Delete(key) => names.record(key),
        Op::IndexAdd(index, ..) | Op::IndexRemove(index, _) => names.index(index),
        Op::RaiseEpoch { .. } => names.head(),
        Op::Skip { .. } => names.counters(),
    });
}

fn guard_args(command: &mut Cmd, names: &mut Within, guard: &Guard) {
    match guard {
        Guard::Version(_, version) => command.arg("v").arg(hex(*version)).arg(NONE),
        Guard::Absent(_) => command.arg("a").arg(NONE).arg(NONE),
        Guard::First(index, head) => {
            match head {
                Some(head) => command.arg("f").arg(Given(head.0.as_bytes())),
                None => command.arg("f").arg(NONE),
            };
            match index.record_prefix() {
                Some(kind) => command.arg(names.records(kind)),
                None => command.arg(NONE),
            }
        }
        Guard::Due(_, due) => command.arg("d").arg(&due.0).arg(NONE),
        Guard::Running(_, runs) => command.arg("r").arg(&runs.0).arg(NONE),
    };
}

fn op_args(command: &mut Cmd, op: &Op) {
    match op {
        Op::Put { value, number, .. } => {
            command.arg("p").arg(value.as_slice()).arg(number.as_ref().map_or("", Counter::as_str))
        }
        Op::Delete(_) => command.arg("x").arg(NONE).arg(NONE),
        Op::IndexAdd(_, score, added) => command.arg("+").arg(*score).arg(&added.0),
        Op::IndexRemove(_, gone) => command.arg("-").arg(&gone.0).arg(NONE),
        Op::RaiseEpoch { beyond } => command.arg("e").arg(*beyond).arg(NONE),
        Op::Skip { counter, numbers } => command.arg("k").arg(counter.as_str()).arg(*numbers),
    };
}
