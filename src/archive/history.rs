//! One history out of many sections: what was appended twice counts once, and what a later epoch has overtaken is left out.

use std::collections::BTreeMap;

use crate::store::{Key, LogEntry, Record, dump::Row};

use super::Header;

/// The log entries and last records of one territory, put together from sections in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Entries by seq, each with its epoch.
    entries: BTreeMap<u64, (u64, LogEntry)>,
    /// Records as they were last written, each with the epoch of its section.
    records: BTreeMap<Key, (u64, Record)>,
    /// Entries that two sections tell differently within one epoch.
    pub contradictions: Vec<u64>,
    /// Entries of a history that a later epoch has overtaken, by epoch and seq: they were lost with the store they stood in.
    overtaken: BTreeMap<(u64, u64), LogEntry>,
}

impl History {
    /// Takes a section in.
    pub fn add(&mut self, header: &Header, rows: Vec<Row>) {
        for row in rows {
            match row {
                Row::Log(entry) => self.entry(header.epoch, entry),
                Row::Record(key, record) => self.record(header.epoch, key, record),
                Row::Entry(..) | Row::Counter(..) | Row::Receipt(_) => {}
            }
        }
    }

    /// A store restored from an old backup goes on in a new epoch from an earlier seq: what the lost tail told from there
    /// on is no longer part of the history.
    fn entry(&mut self, epoch: u64, entry: LogEntry) {
        let before = self.entries.range(..=entry.seq).next_back();
        if before.is_some_and(|(_, (known, _))| *known > epoch) {
            self.overtaken.insert((epoch, entry.seq), entry);
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
        for seq in lost {
            let lost = self.entries.remove(&seq);
            self.overtaken.extend(lost.map(|(epoch, entry)| ((epoch, seq), entry)));
        }
        self.entries.insert(entry.seq, (epoch, entry));
    }

    /// Sections come in any order: two machines may each have kept a record before one of them took it out of the store.
    fn record(&mut self, epoch: u64, key: Key, record: Record) {
        let known = self.records.get(&key);
        if known.is_none_or(|(before, kept)| (*before, kept.version) <= (epoch, record.version)) {
            self.records.insert(key, (epoch, record));
        }
    }

    /// The records by key.
    pub fn records(&self) -> impl Iterator<Item = (&Key, &Record)> {
        self.records.iter().map(|(key, (_, record))| (key, record))
    }

    /// The entries by seq.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.entries.values().map(|(_, entry)| entry)
    }

    /// The entries that a later epoch has overtaken, by epoch and seq.
    pub fn overtaken(&self) -> impl ExactSizeIterator<Item = &LogEntry> {
        self.overtaken.values()
    }

    /// Epoch and seq of the last entry it tells of; zeros when it tells of none.
    pub fn last(&self) -> (u64, u64) {
        self.entries.last_key_value().map_or((0, 0), |(seq, (epoch, _))| (*epoch, *seq))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        archive::Content,
        domain::{ids::CommandId, time::Instant},
        store::{Version, dump::Head},
    };

    const THEN: Instant = Instant::from_unix_ms(0);

    /// A section of one record as it was at `seq`.
    fn section(epoch: u64, seq: u64) -> (Header, Vec<Row>) {
        let head = Head { epoch, seq, schema: 1, touches: 0, last: THEN, wall: THEN };
        let territory = "fr-67".parse().expect("a territory id");
        let header = Header::new(territory, Content::Archive, head, (1, 0), THEN);
        let version = Version::new(seq, CommandId(Uuid::nil()), THEN);
        let record = Record { version, number: None, value: format!("{epoch}/{seq}").into_bytes() };
        (header, vec![Row::Record(Key::from_stored("case/a".to_owned()), record)])
    }

    #[test]
    fn of_two_folders_that_kept_a_record_the_later_version_counts_in_whatever_order_they_are_named() {
        for (sections, last) in [([(1, 4), (1, 9)], "1/9"), ([(1, 9), (2, 7)], "2/7")] {
            for order in [sections, [sections[1], sections[0]]] {
                let mut history = History::default();
                order.into_iter().map(|(epoch, seq)| section(epoch, seq)).for_each(|(header, rows)| {
                    history.add(&header, rows);
                });
                let kept: Vec<_> = history.records().map(|(_, record)| record.value.as_slice()).collect();
                assert_eq!(kept, [last.as_bytes()], "{order:?}");
            }
        }
    }

    /// What an old backup lost and the archive still had could be read by nobody.
    #[test]
    fn what_a_later_epoch_has_overtaken_is_still_told_in_whatever_order_the_sections_are_named() {
        let entry = |epoch: u64, seq: u64| {
            let (mut header, _) = section(epoch, seq);
            (header.first_seq, header.last_seq) = (seq, seq);
            let event = format!("{epoch}/{seq}").into_bytes();
            let command_id = CommandId(Uuid::from_u128(u128::from(10 * epoch + seq)));
            (header, vec![Row::Log(LogEntry { seq, command_id, at: THEN, counts: Vec::new(), event })])
        };
        // Entries 2 and 3 of epoch 1 were lost; epoch 2 goes on from 1.
        let sections = [(1, 1), (1, 2), (1, 3), (2, 2)];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [0, 3, 1, 2]] {
            let mut history = History::default();
            order.map(|at| entry(sections[at].0, sections[at].1)).iter().for_each(|(header, rows)| {
                history.add(header, rows.clone());
            });
            let told = |entries: Vec<&LogEntry>| -> Vec<String> {
                entries.iter().map(|entry| String::from_utf8_lossy(&entry.event).into_owned()).collect()
            };
            assert_eq!(told(history.entries().collect()), ["1/1", "2/2"], "{order:?}");
            assert_eq!(told(history.overtaken().collect()), ["1/2", "1/3"], "{order:?}");
        }
    }
}
