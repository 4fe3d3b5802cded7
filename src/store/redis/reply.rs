//! What the scripts answer, as the heads of the `.lua` files say. Anything else is `Corrupt`, never guessed at.

use std::{collections::BTreeMap, str::FromStr};

use ::redis::Value;

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{
        Committed, Conflict, Durability, Guard, Key, LogEntry, Member, Page, Receipt, Record, Snapshot, StoreError,
        Txn, Version,
    },
};

use super::names::Names;

/// The entries of a list, taken one after the other.
struct Fields(std::vec::IntoIter<Value>);

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} in an answer of Redis"))
}

impl Fields {
    fn of(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(entries) => Ok(Self(entries.into_iter())),
            _ => Err(unreadable("no list")),
        }
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            Some(Value::SimpleString(text)) => Ok(text.into_bytes()),
            _ => Err(unreadable("no text")),
        }
    }

    fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|_| unreadable("text that is not UTF-8"))
    }

    fn parse<T: FromStr>(&mut self) -> Result<T, StoreError> {
        self.text()?.parse().map_err(|_| unreadable("a number or id that does not read as one"))
    }

    fn instant(&mut self) -> Result<Instant, StoreError> {
        Ok(Instant::from_unix_ms(self.parse()?))
    }

    fn counts(&mut self) -> Result<Vec<u64>, StoreError> {
        counts(&self.text()?)
    }

    fn list(&mut self) -> Result<Self, StoreError> {
        Self::of(self.0.next().unwrap_or_default())
    }

    fn is_empty(&self) -> bool {
        self.0.as_slice().is_empty()
    }

    /// `{key version number bytes, …}`; `prefix` is cut off the keys.
    fn records(&mut self, prefix: &str) -> Result<BTreeMap<Key, Option<Record>>, StoreError> {
        let mut records = BTreeMap::new();
        let mut rows = self.list()?;
        while !rows.is_empty() {
            let mut row = rows.list()?;
            let key = row.text()?;
            let key = key.strip_prefix(prefix).ok_or_else(|| unreadable("a foreign key"))?;
            records.insert(Key::from_stored(key), row.record()?);
        }
        Ok(records)
    }

    fn record(&mut self) -> Result<Option<Record>, StoreError> {
        let (version, number, value) = (self.text()?, self.text()?, self.bytes()?);
        if version.is_empty() {
            return Ok(None);
        }
        let version = Self::version(&version)?;
        let number = if number.is_empty() { None } else { Some(number.parse()) };
        let number = number.transpose().map_err(|_| unreadable("a record's number"))?;
        Ok(Some(Record { version, number, value }))
    }

    /// The command of the log's last entry; none when there is none, or it is unreadable: who reads records goes on.
    fn command(&mut self) -> Result<Option<CommandId>, StoreError> {
        Ok(self.text()?.parse().ok())
    }

    fn version(text: &str) -> Result<Version, StoreError> {
        let version = u128::from_str_radix(text, 16).ok().and_then(|v| Version::from_bytes(&v.to_be_bytes()));
        version.ok_or_else(|| unreadable("a version"))
    }

    /// The receipt of `command`, whose id, seq and instant are its version.
    fn receipt(&mut self, command: CommandId, durability: Durability) -> Result<Receipt, StoreError> {
        let (seq, at, counts, outcome) = (self.parse()?, self.instant()?, self.counts()?, self.bytes()?);
        let version = Version::new(seq, command, at);
        Ok(Receipt { seq, at, counts, outcome, version, durability, replayed: true })
    }
}

/// `a,b,…`; empty text is none.
fn counts(text: &str) -> Result<Vec<u64>, StoreError> {
    let number = |n: &str| n.parse().map_err(|_| unreadable("a count that is no number"));
    text.split(',').filter(|n| !n.is_empty()).map(number).collect()
}

/// What `commit.lua` says of what is done. The version of a command is its id, seq and instant; a touch's stands there.
fn done(answer: &[u8], txn: &Txn, durability: Durability) -> Result<Receipt, StoreError> {
    let mut parts = answer.splitn(7, |byte| *byte == b'|');
    let mut next = || parts.next().ok_or_else(|| unreadable("too few parts"));
    let text = |part| str::from_utf8(part).map_err(|_| unreadable("text that is not UTF-8"));
    if next()? != b"done" {
        return Err(unreadable("an unknown word"));
    }
    let replayed = next()? == b"1";
    let whole = |part| text(part)?.parse::<i64>().map_err(|_| unreadable("a number that does not read as one"));
    let seq = u64::try_from(whole(next()?)?).map_err(|_| unreadable("a seq below zero"))?;
    let at = Instant::from_unix_ms(whole(next()?)?);
    let (counts, version) = (counts(text(next()?)?)?, text(next()?)?);
    let version = match txn.command {
        Some((command, _)) => Version::new(seq, command, at),
        None => Fields::version(version)?,
    };
    let outcome = next()?.to_vec();
    Ok(Receipt { seq, at, counts, outcome, version, durability, replayed })
}

/// The answer of `commit.lua`.
pub(super) fn commit(value: Value, names: &Names, txn: &Txn, durability: Durability) -> Result<Committed, StoreError> {
    if let Value::BulkString(answer) = &value {
        return done(answer, txn, durability).map(Committed::Done);
    }
    let mut fields = Fields::of(value)?;
    let which = fields.text()?;
    let command = || txn.command.map(|(id, _)| id).ok_or_else(|| unreadable("a command's answer to a touch"));
    match which.as_str() {
        "conflict" => Ok(Committed::Conflict(conflict(fields, names, txn)?)),
        "clock" => Ok(Committed::Clock(fields.instant()?)),
        "fenced" => Err(StoreError::Fenced { current: fields.parse()? }),
        "schema" => Err(StoreError::Newer { found: fields.parse()?, known: txn.schema }),
        "other" => Err(StoreError::OtherPayload(command()?)),
        "stale" => Err(StoreError::StaleCommand(command()?)),
        "numbered" => Err(StoreError::numbered_again()),
        "corrupt" => Err(StoreError::Corrupt(fields.text()?)),
        _ => Err(unreadable("an unknown word")),
    }
}

fn conflict(mut fields: Fields, names: &Names, txn: &Txn) -> Result<Conflict, StoreError> {
    let (seq, last, epoch, at) = (fields.parse()?, fields.command()?, fields.parse()?, fields.instant()?);
    let records = fields.records(&names.records(&txn.territory, ""))?;
    let mut heads = BTreeMap::new();
    let mut rows = fields.list()?;
    while !rows.is_empty() {
        let (guard, member): (usize, String) = (rows.parse()?, rows.text()?);
        let Some(Guard::First(index, _)) = txn.guards.get(guard.wrapping_sub(1)) else {
            return Err(unreadable("a head of no index"));
        };
        heads.insert(index.clone(), member.strip_prefix('=').map(|member| Member(member.to_owned())));
    }
    Ok(Conflict { snapshot: Snapshot { seq, last, epoch, at, records, receipt: None }, heads })
}

/// The answer of `read.lua`, and whether the clock's step back must be noted.
pub(super) fn read(
    value: Value,
    names: &Names,
    territory: &TerritoryId,
    command: Option<CommandId>,
    durability: Durability,
) -> Result<(Snapshot, bool), StoreError> {
    let mut fields = expect(value, "read")?;
    let (seq, last, epoch, at) = (fields.parse()?, fields.command()?, fields.parse()?, fields.instant()?);
    let must_note = fields.text()? == "1";
    let mut receipt = fields.list()?;
    let receipt = match command {
        Some(command) if !receipt.is_empty() => Some(receipt.receipt(command, durability)?),
        _ => None,
    };
    let records = fields.records(&names.records(territory, ""))?;
    Ok((Snapshot { seq, last, epoch, at, records, receipt }, must_note))
}

/// The answer of `range.lua`.
pub(super) fn page(value: Value) -> Result<Page, StoreError> {
    let mut fields = expect(value, "page")?;
    let (seq, last) = (fields.parse()?, fields.command()?);
    let (mut rows, mut entries) = (fields.list()?, Vec::new());
    while !rows.is_empty() {
        let member = Member(rows.text()?);
        entries.push((rows.parse()?, member));
    }
    Ok(Page { seq, last, entries })
}

/// The answer of `trim.lua`: the first seq that is kept.
pub(super) fn trimmed(value: Value) -> Result<u64, StoreError> {
    expect(value, "trimmed")?.parse()
}

fn expect(value: Value, word: &str) -> Result<Fields, StoreError> {
    let mut fields = Fields::of(value)?;
    match fields.text()? {
        got if got == word => Ok(fields),
        got if got == "corrupt" => Err(StoreError::Corrupt(fields.text()?)),
        _ => Err(unreadable("an unknown word")),
    }
}

/// The answer of XRANGE: `[<seq>-0, [name, value, …]]` for each entry.
pub(super) fn log(value: Value) -> Result<Vec<LogEntry>, StoreError> {
    let (mut rows, mut entries) = (Fields::of(value)?, Vec::new());
    while !rows.is_empty() {
        let mut row = rows.list()?;
        let id = row.text()?;
        let seq =
            id.strip_suffix("-0").and_then(|seq| seq.parse().ok()).ok_or_else(|| unreadable("a log entry's id"))?;
        entries.push(entry(seq, row.list()?)?);
    }
    Ok(entries)
}

fn entry(seq: u64, mut fields: Fields) -> Result<LogEntry, StoreError> {
    let mut values = BTreeMap::new();
    while !fields.is_empty() {
        let name = fields.text()?;
        values.insert(name, fields.0.next().unwrap_or_default());
    }
    let mut take = |name: &str| Fields(vec![values.remove(name).unwrap_or_default()].into_iter());
    let command_id = take("command").parse()?;
    let (at, counts, event) = (take("at").instant()?, take("counts").counts()?, take("event").bytes()?);
    Ok(LogEntry { seq, command_id, at, counts, event })
}
