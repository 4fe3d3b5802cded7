//! What a command costs with a hundred, ten thousand and a million open cases, beside the growth of the script itself.

use std::{collections::BTreeMap, time::Duration};

use redis::{Cmd, Pipeline, Value};
use sas_dispatch::clock::Stopwatch;

use crate::{
    Outcome,
    machine::{Level, Redis, Server},
    path::{Kind, Step},
    recording::{Call, FIXED_ARGS, FIXED_KEYS, Piece, Recording, Text, Values, applied, load, now, script},
    rounds::Arm,
    table::{Limit, Table},
};

/// Cases of one caller in a round.
const CASES: usize = 40;
/// Calls sent at once while a store is filled.
const BATCH: usize = 500;
/// Deadlines of the filled cases lie this far ahead, ms: none falls due while they are measured.
const AHEAD: i64 = 10 * 24 * 3_600_000;

/// The numbers of open cases to measure with, up to `most`.
pub(crate) fn sizes(most: usize) -> Vec<usize> {
    [100, 10_000, 1_000_000].into_iter().filter(|size| *size <= most.max(100)).collect()
}

/// What was measured with each number of open cases, round by round.
type Rounds = BTreeMap<usize, Vec<f64>>;

/// Fills a Redis with each number of open cases, and measures the path beside them in turn.
pub(crate) async fn measure(recording: &Recording, most: usize, time: Duration, table: &mut Table) -> Outcome<()> {
    let sizes = sizes(most);
    let mut grounds = Vec::new();
    for size in &sizes {
        let redis = Redis::start_for(Level::Everysec, |redis| fill(redis, &waiting(recording), *size))?;
        let arm = Arm::at(Server::service(Some(&redis))?, Kind::Service, 1).await?;
        grounds.push((arm, redis));
    }
    let watch = Stopwatch::start();
    let (mut p50, mut script, mut steps) = (Rounds::new(), Rounds::new(), BTreeMap::<Step, Rounds>::new());
    for number in 0.. {
        for (size, (arm, redis)) in sizes.iter().zip(&grounds) {
            let before = spent(redis)?;
            let round = arm.round(1, CASES).await?;
            let after = spent(redis)?;
            if number > 0 {
                p50.entry(*size).or_default().push(round.path.p50_us);
                script.entry(*size).or_default().push((after.0 - before.0) / (after.1 - before.1));
                for (step, cost) in &round.steps {
                    steps.entry(*step).or_default().entry(*size).or_default().push(cost.p50_us);
                }
            }
        }
        if watch.elapsed() > time && number >= 3 {
            break;
        }
    }
    for size in sizes.iter().skip(1) {
        rows(*size, &p50, &script, table);
        for (step, p50) in &steps {
            table.ratio(&format!("p50 of {} at {size} open cases / at 100", step.rpc()), &p50[size], &p50[&100], None);
        }
    }
    Ok(())
}

/// Time in scripts, µs, and their calls.
fn spent(redis: &Redis) -> Outcome<(f64, f64)> {
    let number = |part| redis.info("commandstats", "cmdstat_evalsha", Some(part));
    Ok((number("usec")?, number("calls")?))
}

fn rows(size: usize, p50: &Rounds, script: &Rounds, table: &mut Table) {
    let grown = |of: &Rounds| -> Vec<f64> { of[&size].iter().zip(&of[&100]).map(|(a, b)| a / b).collect() };
    table.ratio(&format!("script time at {size} open cases / at 100"), &script[&size], &script[&100], None);
    table.ratio(&format!("p50 of the path at {size} open cases / at 100"), &p50[&size], &p50[&100], None);
    let name = format!("growth to {size} open cases: p50 / script");
    table.ratio(&name, &grown(p50), &grown(script), Some(Limit::AtMost(1.1)));
}

/// A case that waits in the queue, as one call without guards, event or receipt: the record and the index entries that
/// opening and qualifying leave.
pub(crate) fn waiting(recording: &Recording) -> Call {
    let (open, qualify) = (&recording.of(Step::Open).call, &recording.of(Step::Qualify).call);
    let (mut record, mut counter, mut entries) = (None, Text::new(), BTreeMap::new());
    for (key, [tag, x, y]) in open.ops().into_iter().chain(qualify.ops()) {
        match tag.first() {
            Some(Piece::Bytes(tag)) if tag == b"p" => {
                counter = if y.is_empty() { counter } else { y };
                record = Some((key, x));
            }
            Some(Piece::Bytes(tag)) if tag == b"+" => {
                entries.insert(format!("{key:?}{y:?}"), (key, moved(x), y));
            }
            _ => drop(entries.remove(&format!("{key:?}{x:?}"))),
        }
    }
    let text = |text: &str| vec![Piece::Bytes(text.as_bytes().to_vec())];
    let mut call = Call { keys: open.keys[..FIXED_KEYS].to_vec(), args: open.args[..FIXED_ARGS].to_vec() };
    call.keys[3] = call.keys[0].clone();
    for (at, value) in [(0, ""), (2, "0123456789"), (3, "0"), (8, ""), (9, ""), (10, "0")] {
        call.args[at] = if value.is_empty() { Text::new() } else { text(value) };
    }
    call.args[11] = text(&(entries.len() + usize::from(record.is_some())).to_string());
    if let Some((key, bytes)) = record {
        call.keys.push(key);
        call.args.extend([text("p"), bytes, counter.clone()]);
    }
    for (key, score, member) in entries.into_values() {
        call.keys.push(key);
        call.args.extend([text("+"), score, member]);
    }
    call
}

/// Each filled case has scores of its own.
fn moved(score: Text) -> Text {
    match score.as_slice() {
        [Piece::Bytes(bytes)] => match std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()) {
            Some(number) => vec![Piece::Score(number)],
            None => score,
        },
        _ => score,
    }
}

/// Puts `size` cases into an empty Redis.
pub(crate) fn fill(redis: &Redis, call: &Call, size: usize) -> Outcome<()> {
    let mut connection = redis.connection()?;
    let script = script();
    load(&mut connection)?;
    let mut first = call.clone();
    first.args[5] = vec![Piece::Bytes(b"0".to_vec())];
    for from in (0..size).step_by(BATCH) {
        let mut batch = Pipeline::new();
        for number in from..(from + BATCH).min(size) {
            let mut cmd = Cmd::new();
            let case = uuid::Uuid::now_v7();
            let (text, hash, at) = (case.to_string(), case.simple().to_string(), now());
            let values =
                Values { case: &text, hash: &hash, at: &at, shift: AHEAD + number as i64, ..Default::default() };
            if number == 0 { &first } else { call }.write(script.get_hash(), &values, &mut cmd);
            batch.add_command(cmd);
        }
        let answers: Vec<Value> = batch.query(&mut connection)?;
        for answer in answers {
            applied(&answer)?;
        }
    }
    Ok(())
}
