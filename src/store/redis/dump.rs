//! Whole territories. A dump lists the territory's keys and reads them in pages; it is of one moment when the head has
//! not moved from the first to the last. A load writes the head last; until then a mark in its place makes every script
//! answer that the head is unreadable, so that nothing half-loaded is served or committed upon.

use std::collections::{BTreeSet, VecDeque};

use ::redis::{Cmd, Value, cmd, from_redis_value};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{
        Counter, Index, Key, MAX_PAGE, MAX_READ, Member, Score, Store, StoreError,
        dump::{Broken, Dump, Head, KeptReceipt, Load, Page, Portable, Row, not_empty},
        pace::Pace,
        txn::RECEIPT_LIFE,
    },
};

use super::{
    Redis,
    begin::LOOKUP,
    call::{self, Request},
    form,
    names::Names,
    reply,
};

/// What stands for the epoch while a load is under way.
const LOADING: &str = "loading";
/// Commands on their way at one time.
const ABREAST: usize = 64;
/// Keys that one step of the listing looks at.
const LISTED_AT_ONCE: usize = 1_000;

type Fields = Vec<Option<Vec<u8>>>;

fn unreadable(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} in Redis"))
}

/// What is left to be read.
enum Part {
    Records(Vec<Key>),
    Index(Index, Option<(Score, Member)>),
    Counters,
    Receipts(Vec<CommandId>),
    Log(u64),
}

/// All of one territory.
struct Whole {
    redis: Redis,
    territory: TerritoryId,
    head: Head,
    /// The store's now when the dump began.
    now: Instant,
    parts: VecDeque<Part>,
}

#[async_trait]
impl Portable for Redis {
    async fn stands(&self, territory: &TerritoryId) -> Result<Option<Head>, StoreError> {
        self.whole_head(territory).await
    }

    async fn dump(&self, territory: &TerritoryId) -> Result<Option<Box<dyn Dump>>, StoreError> {
        let Some(head) = self.whole_head(territory).await? else { return Ok(None) };
        let listed = self.owned(territory).await?;
        let strip = |kind: &str| -> Vec<String> {
            listed.iter().filter_map(|name| name.strip_prefix(kind).map(str::to_owned)).collect()
        };
        let mut parts = VecDeque::new();
        let records: Vec<Key> = strip("record:").into_iter().map(Key::from_stored).collect();
        parts.extend(records.chunks(MAX_READ).map(|keys| Part::Records(keys.to_vec())));
        parts.extend(strip("index:").into_iter().map(|name| Part::Index(Index::from_stored(name), None)));
        parts.push_back(Part::Counters);
        let ids: Result<Vec<CommandId>, _> = strip("receipt:").iter().map(|id| id.parse()).collect();
        let mut ids = ids.map_err(|_| unreadable("a receipt of no command"))?;
        ids.sort_unstable();
        parts.extend(ids.chunks(MAX_PAGE).map(|ids| Part::Receipts(ids.to_vec())));
        parts.push_back(Part::Log(0));
        let now = Pace { last: head.last.unix_ms(), wall: head.wall.unix_ms() }.at(self.clock.now()).0;
        Ok(Some(Box::new(Whole { redis: self.clone(), territory: territory.clone(), head, now, parts })))
    }

    async fn load(&self, territory: &TerritoryId, head: Head, broken: Broken) -> Result<Box<dyn Load>, StoreError> {
        let known = self.head_fields(territory).await?;
        let half = known.first().and_then(|epoch| epoch.as_deref()) == Some(LOADING.as_bytes());
        if known.iter().any(Option::is_some) && !(half && broken == Broken::Replace) {
            return Err(if half { broken_off(territory) } else { not_empty(territory) });
        }
        self.territories.add(territory);
        let mut mark = cmd("HSET");
        mark.arg(self.names.head(territory)).arg("epoch").arg(LOADING);
        self.command_of(territory, &mark).await?;
        // It comes from elsewhere, and its look-up key with it.
        let mut forget = cmd("HDEL");
        forget.arg(self.names.head(territory)).arg(LOOKUP);
        self.command_of(territory, &forget).await?;
        for name in self.owned(territory).await?.into_iter().filter(|name| name != "head") {
            let mut clear = cmd("UNLINK");
            clear.arg(self.names.whole(territory, &name));
            self.command_of(territory, &clear).await?;
        }
        Ok(Box::new(Filling { redis: self.clone(), territory: territory.clone(), head }))
    }
}

fn broken_off(territory: &TerritoryId) -> StoreError {
    StoreError::Unavailable(format!(
        "a load of {territory} was begun here and has not ended; once no import is running, import again with \
         --replace-broken"
    ))
}

impl Redis {
    pub(super) async fn command_of(&self, territory: &TerritoryId, command: &Cmd) -> Result<Value, StoreError> {
        let request = Request::of(command.clone());
        Ok(self.link.call(territory, &request, None).await?.value)
    }

    async fn head_fields(&self, territory: &TerritoryId) -> Result<Fields, StoreError> {
        let mut get = cmd("HMGET");
        get.arg(self.names.head(territory));
        ["epoch", "seq", "schema", "touches", "last", "wall"].iter().for_each(|field| {
            get.arg(field);
        });
        fields(self.command_of(territory, &get).await?)
    }

    /// Where the territory stands; `None` when it has no state.
    async fn whole_head(&self, territory: &TerritoryId) -> Result<Option<Head>, StoreError> {
        let fields = self.head_fields(territory).await?;
        if fields.iter().all(Option::is_none) {
            return Ok(None);
        }
        if fields[0].as_deref() == Some(LOADING.as_bytes()) {
            return Err(broken_off(territory));
        }
        let number = |at: usize| number::<i64>(&fields, at);
        let positive = |at: usize| number(at).and_then(|n| u64::try_from(n).map_err(|_| unreadable("a negative head")));
        Ok(Some(Head {
            epoch: positive(0)?,
            seq: positive(1)?,
            schema: u32::try_from(positive(2)?).map_err(|_| unreadable("a schema out of range"))?,
            touches: positive(3)?,
            last: Instant::from_unix_ms(number(4)?),
            wall: Instant::from_unix_ms(number(5)?),
        }))
    }

    /// The names of everything the territory owns, sorted and without the part before them.
    async fn owned(&self, territory: &TerritoryId) -> Result<BTreeSet<String>, StoreError> {
        let prefix = self.names.whole(territory, "");
        let (mut names, mut cursor) = (BTreeSet::new(), "0".to_owned());
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(Names::pattern(&prefix)).arg("COUNT").arg(LISTED_AT_ONCE);
            let (next, found): (String, Vec<String>) =
                from_redis_value(self.command_of(territory, &scan).await?).map_err(|_| unreadable("a list of keys"))?;
            names.extend(found.iter().filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)));
            if next == "0" {
                return Ok(names);
            }
            cursor = next;
        }
    }

    async fn kept_receipt(&self, territory: &TerritoryId, id: CommandId) -> Result<Option<KeptReceipt>, StoreError> {
        let mut get = cmd("GET");
        get.arg(self.names.receipt(territory, id));
        let text: Option<Vec<u8>> = from_redis_value(self.command_of(territory, &get).await?)
            .map_err(|_| unreadable("a receipt of another type"))?;
        // One that outlived its 72 h meanwhile is gone.
        text.map(|text| form::parse_receipt(id, &text)).transpose()
    }

    async fn counters(&self, territory: &TerritoryId) -> Result<Vec<Row>, StoreError> {
        let mut get = cmd("HGETALL");
        get.arg(self.names.counters(territory));
        let all: std::collections::BTreeMap<String, u64> = from_redis_value(self.command_of(territory, &get).await?)
            .map_err(|_| unreadable("counters that are no numbers"))?;
        Ok(all.into_iter().map(|(name, value)| Row::Counter(Counter::from_stored(name), value)).collect())
    }
}

impl Whole {
    /// The rows of a part, and what of it is left.
    async fn read(&self, part: Part) -> Result<(Vec<Row>, Option<Part>), StoreError> {
        let (redis, territory) = (&self.redis, &self.territory);
        match part {
            Part::Records(keys) => {
                // Not by `Store::read`, which may note the clock: a dump changes nothing.
                let request = call::read(&redis.names, &redis.clock, territory, &keys, None);
                let answer = redis.link.call(territory, &request, None).await?;
                let (snapshot, _) = reply::read(answer.value, &redis.names, territory, None, answer.level)?;
                let rows = snapshot.records.into_iter();
                Ok((rows.filter_map(|(key, record)| Some(Row::Record(key, record?))).collect(), None))
            }
            Part::Index(index, after) => {
                let page = redis.range(territory, &index, after, MAX_PAGE).await?;
                let left =
                    (page.entries.len() == MAX_PAGE).then(|| Part::Index(index.clone(), page.entries.last().cloned()));
                let entry = |(score, member)| Row::Entry(index.clone(), score, member);
                Ok((page.entries.into_iter().map(entry).collect(), left))
            }
            Part::Counters => Ok((redis.counters(territory).await?, None)),
            Part::Receipts(ids) => {
                let asked = ids.into_iter().map(|id| redis.kept_receipt(territory, id));
                let found: Vec<_> = stream::iter(asked).buffered(ABREAST).try_collect().await?;
                let lives = |receipt: &KeptReceipt| self.now.since(receipt.written) <= RECEIPT_LIFE;
                Ok((found.into_iter().flatten().filter(lives).map(Row::Receipt).collect(), None))
            }
            Part::Log(after) => {
                let entries = redis.log(territory, after, MAX_PAGE).await?;
                let left = entries.last().map(|last| Part::Log(last.seq));
                Ok((entries.into_iter().map(Row::Log).collect(), left))
            }
        }
    }
}

#[async_trait]
impl Dump for Whole {
    fn head(&self) -> Head {
        self.head
    }

    async fn next(&mut self) -> Result<Page, StoreError> {
        while let Some(part) = self.parts.pop_front() {
            let (rows, left) = self.read(part).await?;
            left.into_iter().for_each(|left| self.parts.push_front(left));
            if !rows.is_empty() {
                return Ok(Page::Rows(rows));
            }
        }
        let unmoved = self.redis.whole_head(&self.territory).await? == Some(self.head);
        Ok(if unmoved { Page::End } else { Page::Moved })
    }
}

/// A load under way.
struct Filling {
    redis: Redis,
    territory: TerritoryId,
    head: Head,
}

impl Filling {
    /// What writes a row; a receipt that has outlived its 72 h needs none.
    fn command(&self, row: Row) -> Option<Cmd> {
        let (names, territory) = (&self.redis.names, &self.territory);
        let mut command = Cmd::new();
        match row {
            Row::Record(key, record) => {
                command.arg("SET").arg(names.record(territory, &key)).arg(form::record(&record));
            }
            Row::Entry(index, score, member) => {
                command.arg("ZADD").arg(names.index(territory, &index)).arg(score).arg(member.0);
            }
            Row::Counter(counter, value) => {
                command.arg("HSET").arg(names.counters(territory)).arg(counter.as_str()).arg(value);
            }
            Row::Receipt(receipt) => {
                let left = (receipt.written + RECEIPT_LIFE).since(self.redis.clock.now()).ms();
                if left == 0 {
                    return None;
                }
                command.arg("SET").arg(names.receipt(territory, receipt.command)).arg(form::receipt(&receipt));
                command.arg("PX").arg(left);
            }
            Row::Log(entry) => {
                command.arg("XADD").arg(names.log(territory)).arg(format!("{}-0", entry.seq));
                command.arg("command").arg(entry.command_id.to_string()).arg("at").arg(entry.at.unix_ms());
                command.arg("counts").arg(listed(&entry.counts)).arg("event").arg(entry.event);
            }
        }
        Some(command)
    }
}

#[async_trait]
impl Load for Filling {
    async fn add(&mut self, rows: Vec<Row>) -> Result<(), StoreError> {
        // The entries of a stream must come in order; everything else may go abreast.
        let (log, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| matches!(row, Row::Log(_)));
        let abreast = others.into_iter().map(|row| async {
            if let Some(command) = self.command(row) {
                self.redis.command_of(&self.territory, &command).await?;
            }
            Ok::<_, StoreError>(())
        });
        stream::iter(abreast).buffer_unordered(ABREAST).try_collect::<()>().await?;
        for command in log.into_iter().flat_map(|row| self.command(row)) {
            self.redis.command_of(&self.territory, &command).await?;
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let Head { epoch, seq, schema, touches, last, wall } = self.head;
        let mut set = cmd("HSET");
        set.arg(self.redis.names.head(&self.territory)).arg("epoch").arg(epoch).arg("seq").arg(seq);
        set.arg("schema").arg(schema).arg("touches").arg(touches);
        set.arg("last").arg(last.unix_ms()).arg("wall").arg(wall.unix_ms());
        self.redis.command_of(&self.territory, &set).await.map(|_| ())
    }
}

fn listed(counts: &[u64]) -> String {
    counts.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

fn fields(value: Value) -> Result<Fields, StoreError> {
    from_redis_value(value).map_err(|_| unreadable("a hash that does not read as one"))
}

fn text(fields: &Fields, at: usize) -> Result<String, StoreError> {
    let bytes = fields.get(at).cloned().flatten().ok_or_else(|| unreadable("a missing field"))?;
    String::from_utf8(bytes).map_err(|_| unreadable("text that is not UTF-8"))
}

fn number<T: std::str::FromStr>(fields: &Fields, at: usize) -> Result<T, StoreError> {
    text(fields, at)?.parse().map_err(|_| unreadable("a number that does not read as one"))
}
