//! One history out of many sections: what was appended twice counts once, and what a later epoch has overtaken is left out.

use std::collections::BTreeMap;

use crate::store::{Key, LogEntry, Record, dump::Row};

use super::Header;

/// The log entries and last records of one territory, put together from sections in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Entries by seq, each with its epoch.
    entries: BTreeMap<u64, (u64, LogEntry)>,
    /// Records as they were last written.
    pub records: BTreeMap<Key, Record>,
    /// Entries that two sections tell differently within one epoch.
    pub contradictions: Vec<u64>,
}

impl History {
    /// Takes a section in.
    pub fn add(&mut self, header: &Header, rows: Vec<Row>) {
        for row in rows {
            match row {
                Row::Log(entry) => self.entry(header.epoch, entry),
                Row::Record(key, record) => {
                    self.records.insert(key, record);
                }
                Row::Entry(..) | Row::Counter(..) | Row::Receipt(_) => {}
            }
        }
    }

    /// A store restored from an old backup goes on in a new epoch from an earlier seq: what the lost tail told from there
    /// on is no longer part of the history.
    fn entry(&mut self, epoch: u64, entry: LogEntry) {
        let before = self.entries.range(..=entry.seq).next_back();
        if before.is_some_and(|(_, (known, _))| *known > epoch) {
            return;
        }
        if let Some((_, kept)) = self.entries.get(&entry.seq).filter(|(known, _)| *known == epoch) {
            if *kept != entry {
                self.contradictions.push(entry.seq);
            }
            return;
        }
        let later = self.entries.range(entry.seq..);
        let lost: Vec<u64> = later.filter(|(_, (known, _))| *known < epoch).map(|(seq, _)| *seq).collect();
        lost.iter().for_each(|seq| drop(self.entries.remove(seq)));
        self.entries.insert(entry.seq, (epoch, entry));
    }

    /// The entries by seq.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.values().map(|(_, entry)| entry)
    }

    /// The last seq it tells of; 0 when it tells of none.
    pub fn last_seq(&self) -> u64 {
        self.entries.last_key_value().map_or(0, |(seq, _)| *seq)
    }
}
