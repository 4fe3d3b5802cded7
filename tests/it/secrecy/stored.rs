//! Everything in a store, split into what a stranger with access reads (names, members, scores, clear parts) and what is
//! sealed.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};
use redis::Value;
use sas_dispatch::engine::codec::clear_part;

use crate::support::redis::Server;

type Named = (&'static str, &'static str);
type Record = (u128, Option<u64>, &'static [u8]);
type Log = (u128, i64, Vec<u64>, &'static [u8]);
type Receipt = ([u8; 32], u64, i64, i64, Vec<u64>, &'static [u8]);

const RECORDS: TableDefinition<Named, Record> = TableDefinition::new("records");
const INDEXES: TableDefinition<(&str, &str, i64, &str), ()> = TableDefinition::new("indexes");
const SCORES: TableDefinition<(&str, &str, &str), i64> = TableDefinition::new("scores");
const COUNTERS: TableDefinition<Named, u64> = TableDefinition::new("counters");
const LOG: TableDefinition<(&str, u64), Log> = TableDefinition::new("log");
const RECEIPTS: TableDefinition<(&str, u128), Receipt> = TableDefinition::new("receipts");
/// Every table; `heads` and `receipt_ages` hold a territory's id and numbers only.
const LOOKUPS: TableDefinition<&str, &str> = TableDefinition::new("lookups");
const TABLES: [&str; 9] =
    ["counters", "heads", "indexes", "log", "lookups", "receipt_ages", "receipts", "records", "scores"];

#[derive(Default)]
pub(super) struct Stored {
    pub(super) names: Vec<String>,
    pub(super) clear: Vec<Vec<u8>>,
    pub(super) sealed: Vec<Vec<u8>>,
}

/// Bytes of a digest.
const DIGEST: usize = 32;

impl Stored {
    /// Bytes with a sealed part are split; others are clear as a whole.
    fn bytes(&mut self, bytes: &[u8]) {
        match clear_part(bytes) {
            Ok(clear) => {
                self.clear.push(clear.to_vec());
                // One byte of layout and four of length stand before the clear part.
                self.sealed.push(bytes[5 + clear.len()..].to_vec());
            }
            Err(_) => self.clear.push(bytes.to_vec()),
        }
    }

    /// The file of the embedded engine, whose program has stopped.
    pub(super) fn in_file(path: &Path) -> Self {
        let mut stored = Self::default();
        let database = Database::open(path).unwrap();
        let read = database.begin_read().unwrap();
        let mut tables: Vec<_> = read.list_tables().unwrap().map(|table| table.name().to_owned()).collect();
        tables.sort();
        assert_eq!(tables, TABLES, "a table that this search does not know");
        for row in read.open_table(RECORDS).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.names.push(row.0.value().1.to_owned());
            stored.bytes(row.1.value().2);
        }
        for row in read.open_table(INDEXES).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.names.push(format!("{:?}", row.0.value()));
        }
        for row in read.open_table(SCORES).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.names.push(format!("{:?} {}", row.0.value(), row.1.value()));
        }
        for row in read.open_table(LOOKUPS).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.names.push(format!("{} {}", row.0.value(), row.1.value()));
        }
        for row in read.open_table(COUNTERS).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.names.push(format!("{:?} {}", row.0.value(), row.1.value()));
        }
        for row in read.open_table(LOG).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.bytes(row.1.value().3);
        }
        for row in read.open_table(RECEIPTS).unwrap().iter().unwrap().map(Result::unwrap) {
            stored.bytes(row.1.value().5);
        }
        stored
    }

    /// A text of Redis: of a record the bytes after its version, number and `|`; others as they are.
    fn text(&mut self, text: &[u8]) {
        let version = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        match (version >= 32, text.get(version)) {
            (true, Some(b'|')) => {
                self.clear.push(text[..version].to_vec());
                self.bytes(&text[version + 1..]);
            }
            _ => self.bytes(text),
        }
    }

    /// Every key of a Redis, whatever its type.
    pub(super) async fn in_redis(server: &Server) -> Self {
        let mut stored = Self::default();
        for key in texts(server.command(&["KEYS", "*"]).await) {
            let key = String::from_utf8(key).unwrap();
            let kind = texts(server.command(&["TYPE", &key]).await).remove(0);
            let content = match kind.as_slice() {
                b"hash" => server.command(&["HGETALL", &key]).await,
                b"zset" => server.command(&["ZRANGE", &key, "0", "-1", "WITHSCORES"]).await,
                b"stream" => server.command(&["XRANGE", &key, "-", "+"]).await,
                b"set" => server.command(&["SMEMBERS", &key]).await,
                b"string" => server.command(&["GET", &key]).await,
                other => panic!("a key of type {}", String::from_utf8_lossy(other)),
            };
            let texts = texts(content);
            match key.contains(":receipt:") {
                // The digest that a receipt begins with is chance, and holds any two letters some time.
                true => texts.iter().for_each(|text| stored.clear.push(text[DIGEST..].to_vec())),
                false => texts.iter().for_each(|text| stored.text(text)),
            }
            stored.names.push(key);
        }
        stored
    }
}

/// Every text in an answer, however deep.
fn texts(value: Value) -> Vec<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => vec![bytes],
        Value::SimpleString(text) => vec![text.into_bytes()],
        Value::Array(items) | Value::Set(items) => items.into_iter().flat_map(texts).collect(),
        Value::Map(pairs) => pairs.into_iter().flat_map(|(key, value)| [texts(key), texts(value)].concat()).collect(),
        Value::Int(number) => vec![number.to_string().into_bytes()],
        Value::Double(number) => vec![number.to_string().into_bytes()],
        Value::Nil => Vec::new(),
        other => panic!("an answer of another kind: {other:?}"),
    }
}
