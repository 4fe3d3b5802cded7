//! What the service sends to Redis for each rpc, recorded from its own traffic, and the same call again for another case.
//!
//! Redis shows every call it gets (`MONITOR`). Of each call's keys and arguments only what must differ from case to case
//! is replaced: ids, versions, instants, keyed hashes. Everything keeps its size.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
};

use redis::Cmd;
use sas_dispatch::{clock::Clock, grpc::client::connect};
use serde::{Deserialize, Serialize};

use crate::{
    Outcome,
    machine::{Level, Redis, Server},
    path::{Desk, Flow, Kind, Step},
    table::Table,
};

/// The script as the service loads it: a recorded call that names another one is not taken.
pub(crate) fn script() -> redis::Script {
    redis::Script::new(&script_text())
}

fn script_text() -> String {
    let (shared, commit) =
        (include_str!("../../src/store/redis/shared.lua"), include_str!("../../src/store/redis/commit.lua"));
    format!("#!lua\n{shared}{commit}")
}

/// Gives the script to a server.
pub(crate) fn load(connection: &mut redis::Connection) -> Outcome<()> {
    redis::cmd("SCRIPT").arg("LOAD").arg(script_text()).exec(connection)?;
    Ok(())
}

/// Arguments before those of guards and ops, as the head of `commit.lua` says.
pub(crate) const FIXED_ARGS: usize = 12;
pub(crate) const FIXED_KEYS: usize = 4;
const COMMAND: usize = 0;
const LOW: usize = 2;
const MADE: usize = 3;
const AT: usize = 6;
const GUARDS: usize = 10;
const OPS: usize = 11;

/// A part of a key or argument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Piece {
    /// The same for every case.
    Bytes(Vec<u8>),
    /// The case's id.
    Case,
    /// 32 hexadecimal digits of the case's own, where the service has a keyed hash.
    Hash,
    /// The command's id.
    Command,
    /// The low half of the version that this commit writes.
    Low,
    /// When the command was made, ms.
    Made,
    /// Now, ms.
    At,
    /// The version of the case's record as the last commit left it.
    Version,
    /// A score, moved by the case's place in a filled store.
    Score(i64),
}

/// A key or an argument.
pub(crate) type Text = Vec<Piece>;

/// What a call is filled with.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values<'a> {
    pub(crate) case: &'a str,
    pub(crate) hash: &'a str,
    pub(crate) command: &'a str,
    pub(crate) low: &'a str,
    pub(crate) made: &'a str,
    pub(crate) at: &'a str,
    pub(crate) version: &'a str,
    pub(crate) shift: i64,
}

/// One call of the commit script.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) keys: Vec<Text>,
    pub(crate) args: Vec<Text>,
}

/// One rpc: the call it made, and what it answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) call: Call,
    pub(crate) answer: Vec<u8>,
}

/// The calls of one case's path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recording {
    pub(crate) steps: BTreeMap<String, Recorded>,
}

impl Recording {
    pub(crate) fn of(&self, step: Step) -> &Recorded {
        &self.steps[step.rpc()]
    }
}

fn bytes(text: &[Piece]) -> &[u8] {
    match text {
        [Piece::Bytes(bytes)] => bytes,
        _ => &[],
    }
}

impl Call {
    /// The number in argument `at`.
    pub(crate) fn number(&self, at: usize) -> usize {
        std::str::from_utf8(bytes(&self.args[at])).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    pub(crate) fn guards(&self) -> usize {
        self.number(GUARDS)
    }

    /// Key and three arguments of each op.
    pub(crate) fn ops(&self) -> Vec<(Text, [Text; 3])> {
        let from = self.guards();
        let op = |n: usize| {
            let at = FIXED_ARGS + 3 * (from + n);
            let three = [self.args[at].clone(), self.args[at + 1].clone(), self.args[at + 2].clone()];
            (self.keys[FIXED_KEYS + from + n].clone(), three)
        };
        (0..self.number(OPS)).map(op).collect()
    }

    /// Adds the keys and arguments to an `EVALSHA`.
    pub(crate) fn write(&self, hash: &str, values: &Values<'_>, cmd: &mut Cmd) {
        cmd.arg("EVALSHA").arg(hash).arg(self.keys.len());
        let mut buffer = Vec::with_capacity(4096);
        for text in self.keys.iter().chain(&self.args) {
            buffer.clear();
            text.iter().for_each(|piece| piece.write(values, &mut buffer));
            cmd.arg(buffer.as_slice());
        }
    }
}

impl Piece {
    fn write(&self, values: &Values<'_>, buffer: &mut Vec<u8>) {
        match self {
            Self::Bytes(bytes) => buffer.extend_from_slice(bytes),
            Self::Case => buffer.extend_from_slice(values.case.as_bytes()),
            Self::Hash => buffer.extend_from_slice(values.hash.as_bytes()),
            Self::Command => buffer.extend_from_slice(values.command.as_bytes()),
            Self::Low => buffer.extend_from_slice(values.low.as_bytes()),
            Self::Made => buffer.extend_from_slice(values.made.as_bytes()),
            Self::At => buffer.extend_from_slice(values.at.as_bytes()),
            Self::Version => buffer.extend_from_slice(values.version.as_bytes()),
            Self::Score(score) => buffer.extend_from_slice((score + values.shift).to_string().as_bytes()),
        }
    }
}

/// The low half of a version: the last sixteen hexadecimal digits of a command id.
pub(crate) fn low_half(command: &str) -> String {
    let digits: String = command.chars().filter(|c| *c != '-').collect();
    digits.get(16..).unwrap_or_default().to_owned()
}

/// The instant inside a command id, ms.
pub(crate) fn made(command: &str) -> String {
    let digits: String = command.chars().filter(|c| *c != '-').take(12).collect();
    u64::from_str_radix(&digits, 16).unwrap_or_default().to_string()
}

/// Milliseconds since 1970.
pub(crate) fn now() -> String {
    Clock::System.now().unix_ms().to_string()
}

/// The seq of a commit that was applied now; anything else would measure a refusal.
pub(crate) fn applied(answer: &redis::Value) -> Outcome<u64> {
    let text = if let redis::Value::BulkString(bytes) = answer { bytes.as_slice() } else { &[] };
    let done = text.strip_prefix(b"done|0|").and_then(|rest| rest.split(|byte| *byte == b'|').next());
    let seq = done.and_then(|seq| std::str::from_utf8(seq).ok()?.parse().ok());
    seq.ok_or_else(|| format!("a commit was not applied: {answer:?}").into())
}

/// Plays one case through the service and keeps what it asked of Redis; the rows say how many calls each rpc cost.
pub(crate) async fn of_the_service(table: &mut Table) -> Outcome<Recording> {
    let redis = Redis::start(Some(Level::Everysec))?;
    let service = Server::service(Some(&redis))?;
    let mut desk = Desk::new(Kind::Service, &connect(service.address).await?, 1)?.keeping_answers();
    // The first case of a territory begins it, and loads the script.
    let mut first = Flow::default();
    for step in Step::ALL {
        desk.take(step, &mut first).await?;
    }
    let mut monitor = Monitor::on(&redis)?;
    let (mut flow, mut steps) = (Flow::default(), BTreeMap::new());
    for step in Step::ALL {
        desk.take(step, &mut flow).await?;
        let seen = monitor.until_now()?;
        let about = if flow.command.is_empty() { flow.case.clone() } else { flow.command.clone() };
        let ours: Vec<_> = seen.into_iter().filter(|call| is_about(call, &about)).collect();
        let commit = ours.iter().find(|call| is_commit(call)).ok_or_else(|| format!("{}: no commit", step.rpc()))?;
        table.note(&format!("store calls of {} on its case", step.rpc()), ours.len() as f64);
        let call = Call::of(commit, &flow)?;
        steps.insert(step.rpc().to_owned(), Recorded { call, answer: flow.answer.take().unwrap_or_default() });
    }
    Ok(Recording { steps })
}

/// A call as Redis shows it: its words.
type Words = Vec<Vec<u8>>;

fn is_about(call: &Words, id: &str) -> bool {
    call.iter().any(|word| find(word, id.as_bytes()).is_some())
}

fn is_commit(call: &Words) -> bool {
    let hash = script().get_hash().to_owned();
    call.first().is_some_and(|word| word.eq_ignore_ascii_case(b"EVALSHA"))
        && call.get(1).is_some_and(|word| *word == hash.as_bytes())
}

impl Call {
    fn of(words: &Words, flow: &Flow) -> Outcome<Self> {
        let text = |word: &[u8]| -> Outcome<String> { Ok(String::from_utf8(word.to_vec())?) };
        let keys: usize = text(&words[2])?.parse()?;
        let place = |word: &Vec<u8>| pieces(word, flow);
        let (keys, args) = words[3..].split_at(keys);
        let mut call = Self { keys: keys.iter().map(place).collect(), args: args.iter().map(place).collect() };
        for (at, piece) in [(LOW, Piece::Low), (MADE, Piece::Made), (AT, Piece::At)] {
            // A touch has no command and its own low half.
            if at == AT || !call.args[COMMAND].is_empty() {
                call.args[at] = vec![piece];
            }
        }
        for guard in 0..call.guards() {
            let at = FIXED_ARGS + 3 * guard;
            if bytes(&call.args[at]) == b"v" && call.keys[FIXED_KEYS + guard].contains(&Piece::Case) {
                call.args[at + 1] = vec![Piece::Version];
            }
        }
        let shape = call.args.len() == FIXED_ARGS + 3 * (call.guards() + call.number(OPS))
            && call.keys.len() == FIXED_KEYS + call.guards() + call.number(OPS);
        if shape { Ok(call) } else { Err("the arguments of commit.lua are not as its head says".into()) }
    }
}

fn pieces(word: &[u8], flow: &Flow) -> Text {
    let mut text = Vec::new();
    let mut rest = word;
    // The keyed hashes stand at the end of the names of two kinds of index.
    let hashed = ["index:repeat/", "index:call/"].iter().any(|name| find(word, name.as_bytes()).is_some());
    let tail = if hashed && word.len() > 32 { word.len() - 32 } else { word.len() };
    while !rest.is_empty() {
        let known = [(&flow.case, Piece::Case), (&flow.command, Piece::Command)];
        let found = known.into_iter().filter(|(id, _)| !id.is_empty());
        let next =
            found.filter_map(|(id, piece)| Some((find(rest, id.as_bytes())?, id.len(), piece))).min_by_key(|f| f.0);
        match next {
            Some((at, length, piece)) => {
                text.extend((at > 0).then(|| Piece::Bytes(rest[..at].to_vec())));
                text.push(piece);
                rest = &rest[at + length..];
            }
            None => {
                let end = rest.len() - (word.len() - tail);
                text.push(Piece::Bytes(rest[..end].to_vec()));
                text.extend((end < rest.len()).then_some(Piece::Hash));
                rest = &[];
            }
        }
    }
    text
}

pub(crate) fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Every call that a Redis gets, in order.
struct Monitor {
    lines: BufReader<UnixStream>,
    beside: redis::Connection,
    marks: u32,
}

impl Monitor {
    fn on(redis: &Redis) -> Outcome<Self> {
        let mut stream = UnixStream::connect(redis.socket())?;
        stream.write_all(b"MONITOR\r\n")?;
        let mut lines = BufReader::new(stream);
        lines.read_line(&mut String::new())?;
        Ok(Self { lines, beside: redis.connection()?, marks: 0 })
    }

    /// What came since the last time, without what scripts call.
    fn until_now(&mut self) -> Outcome<Vec<Words>> {
        self.marks += 1;
        let mark = format!("mark-of-the-benchmark-{}", self.marks);
        redis::cmd("ECHO").arg(&mark).exec(&mut self.beside)?;
        let mut calls = Vec::new();
        loop {
            let mut line = Vec::new();
            if self.lines.read_until(b'\n', &mut line)? == 0 {
                return Err("Redis ended while it was watched".into());
            }
            if find(&line, mark.as_bytes()).is_some() {
                return Ok(calls);
            }
            let Some(from) = find(&line, b"] ") else { continue };
            if !line[..from].ends_with(b" lua") {
                calls.push(words(&line[from + 2..]));
            }
        }
    }
}

/// The quoted words of a line, with their escapes undone.
fn words(line: &[u8]) -> Words {
    let (mut words, mut open) = (Vec::new(), false);
    let mut at = 0;
    while at < line.len() {
        match (line[at], open) {
            (b'"', false) => {
                words.push(Vec::new());
                open = true;
            }
            (b'"', true) => open = false,
            (b'\\', true) => {
                let (byte, length) = escape(&line[at + 1..]);
                words.last_mut().into_iter().for_each(|word: &mut Vec<u8>| word.push(byte));
                at += length;
            }
            (byte, true) => words.last_mut().into_iter().for_each(|word: &mut Vec<u8>| word.push(byte)),
            _ => {}
        }
        at += 1;
    }
    words
}

/// The byte that an escape stands for, and how long it is after its backslash.
fn escape(rest: &[u8]) -> (u8, usize) {
    match rest.first() {
        Some(b'x') => {
            let digits = rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("0");
            (u8::from_str_radix(digits, 16).unwrap_or_default(), 3)
        }
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b't') => (b'\t', 1),
        Some(b'a') => (7, 1),
        Some(b'b') => (8, 1),
        Some(other) => (*other, 1),
        None => (b'\\', 0),
    }
}
