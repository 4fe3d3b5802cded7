//! Redis memory of an open case, of an event of the log and of a receipt.

use redis::{Cmd, Connection, Pipeline, Value};

use crate::{
    Outcome,
    growth::{fill, sizes, waiting},
    machine::Redis,
    path::Step,
    recording::{Call, Piece, Recording, Text, Values, applied, load, low_half, made, now, script},
    table::{Limit, Table},
};

/// Open cases whose memory is taken apart.
const CASES: usize = 10_000;
/// Cases taken through their whole path, for log and receipts.
const PATHS: usize = 500;
/// Bytes of record and index entries of an open case beyond its payload.
const MOST: f64 = 1_200.0;

/// Measures with each number of open cases and writes the rows; bytes.
pub(crate) fn measure(recording: &Recording, most: usize, table: &mut Table) -> Outcome<()> {
    let call = waiting(recording);
    let payload = payload(&call) as f64;
    table.note("bytes of payload of an open case", payload);
    for size in sizes(most) {
        let redis = Redis::start(None)?;
        let mut connection = redis.connection()?;
        load(&mut connection)?;
        let before = redis.info("memory", "used_memory", None)?;
        fill(&redis, &call, size)?;
        let each = (redis.info("memory", "used_memory", None)? - before) / size as f64;
        let name = format!("Redis bytes of an open case beyond its payload, of {size}");
        // Beside a hundred the server's own buffers weigh more than the cases.
        table.number(&name, each - payload, (size >= CASES).then_some(Limit::AtMost(MOST)));
        if size == CASES {
            parts(&mut connection, &call, payload, table)?;
        }
    }
    paths(recording, table)
}

fn parts(connection: &mut Connection, call: &Call, payload: f64, table: &mut Table) -> Outcome<()> {
    table.note("  its record's key, beyond the payload", average(connection, "*:record:*")? - payload);
    table.note("  its own index keys, each", average(connection, "*:index:repeat/*")?);
    for index in ["open", "timers", "queue/SNP"] {
        let all = usage(connection, &format!("{}:index:{index}", prefix(call)))?;
        table.note(&format!("  its entry of the index {index}"), all / CASES as f64);
    }
    Ok(())
}

/// Log and receipts: bounded by trimming and by 72 hours, so apart.
fn paths(recording: &Recording, table: &mut Table) -> Outcome<()> {
    let redis = Redis::start(None)?;
    let mut connection = redis.connection()?;
    load(&mut connection)?;
    play(recording, &mut connection)?;
    let log = format!("{}:log", prefix(&recording.of(Step::Open).call));
    let events: f64 = redis::cmd("XLEN").arg(&log).query(&mut connection)?;
    table.note("Redis bytes of an event in the log (mean of the path)", usage(&mut connection, &log)? / events);
    let events = [Step::Open, Step::Qualify, Step::Claim, Step::Decide];
    let bytes: usize = events.iter().map(|step| length(&recording.of(*step).call.args[8])).sum();
    table.note("  of it payload", bytes as f64 / events.len() as f64);
    table.note("Redis bytes of a receipt, kept 72 hours", average(&mut connection, "*:receipt:*")?);
    Ok(())
}

/// Commits every step of some cases, all cases a step at a time.
fn play(recording: &Recording, connection: &mut Connection) -> Outcome<()> {
    let script = script();
    let cases: Vec<uuid::Uuid> = (0..PATHS).map(|_| uuid::Uuid::now_v7()).collect();
    let mut versions = vec![String::new(); PATHS];
    for step in Step::ALL.into_iter().filter(|step| *step != Step::Renew) {
        let mut batch = Pipeline::new();
        let commands: Vec<String> = (0..PATHS).map(|_| uuid::Uuid::now_v7().to_string()).collect();
        for (number, command) in commands.iter().enumerate() {
            let mut call = recording.of(step).call.clone();
            if step == Step::Open && number == 0 {
                call.args[5] = vec![Piece::Bytes(b"0".to_vec())];
            }
            let (case, hash) = (cases[number].to_string(), cases[number].simple().to_string());
            let (low, made, at) = (low_half(command), made(command), now());
            let version = &versions[number];
            let values =
                Values { case: &case, hash: &hash, command, low: &low, made: &made, at: &at, version, shift: 0 };
            let mut cmd = Cmd::new();
            call.write(script.get_hash(), &values, &mut cmd);
            batch.add_command(cmd);
        }
        let answers: Vec<Value> = batch.query(connection)?;
        for (number, answer) in answers.iter().enumerate() {
            versions[number] = format!("{:016x}{}", applied(answer)?, low_half(&commands[number]));
        }
    }
    Ok(())
}

fn prefix(call: &Call) -> String {
    let head = match call.keys[0].as_slice() {
        [Piece::Bytes(head)] => String::from_utf8_lossy(head).into_owned(),
        _ => String::new(),
    };
    head.trim_end_matches(":head").to_owned()
}

fn length(text: &Text) -> usize {
    let piece = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes.len(),
        Piece::Case | Piece::Command => 36,
        Piece::Hash | Piece::Version => 32,
        Piece::Low => 16,
        Piece::Made | Piece::At | Piece::Score(_) => 13,
    };
    text.iter().map(piece).sum()
}

/// Bytes of the record that a call puts.
fn payload(call: &Call) -> usize {
    let puts = call.ops().into_iter().filter(|(_, three)| three[0] == [Piece::Bytes(b"p".to_vec())]);
    puts.map(|(_, three)| length(&three[1])).sum()
}

fn usage(connection: &mut Connection, key: &str) -> Outcome<f64> {
    let bytes: Option<f64> = redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).query(connection)?;
    Ok(bytes.unwrap_or_default())
}

/// The mean memory of some of the keys of a pattern.
fn average(connection: &mut Connection, pattern: &str) -> Outcome<f64> {
    let (_, keys): (u64, Vec<String>) =
        redis::cmd("SCAN").arg(0).arg("MATCH").arg(pattern).arg("COUNT").arg(5_000).query(connection)?;
    let all: Vec<f64> = keys.iter().take(200).map(|key| usage(connection, key)).collect::<Outcome<_>>()?;
    Ok(all.iter().sum::<f64>() / all.len().max(1) as f64)
}
