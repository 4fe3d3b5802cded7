//! What this instance knows of one territory's history, and what a look at the store says of it. Pure.
//!
//! A command id at a seq names a history well: after a fork the same id can come again, but not at the same seqs for a
//! whole window of entries.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    domain::{
        ids::{CommandId, TerritoryId},
        time::Instant,
    },
    store::{Receipt, StoreError},
};

/// The last entries of a log whose command ids are remembered.
pub(super) const WINDOW: u64 = 64;
/// Epochs whose last acknowledged entry is remembered.
const MOST_MARKS: usize = 8;

/// An entry of the log that was acknowledged to a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The epoch it was written in.
    pub epoch: u64,
    /// Its place in the log.
    pub seq: u64,
    /// Its command.
    pub command: CommandId,
    /// Its instant.
    pub at: Instant,
}

/// A look at the store: head, last restore, and entries at and after what is remembered.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub epoch: u64,
    pub seq: u64,
    pub at: Instant,
    /// The epoch that the last `restore` began; 0 when there was none.
    pub restored: u64,
    pub entries: BTreeMap<u64, CommandId>,
}

/// What a look says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything remembered is there.
    Same,
    /// The head is far enough, and the log does not show yet what was only seen (its replicas are behind).
    Unsure,
    /// The same of what was acknowledged: it may turn out to be gone.
    Untold,
    /// What was only seen is not there.
    Other,
    /// What was acknowledged is not there; the last of it.
    Behind(Mark),
}

/// What is remembered of one territory.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// The highest epoch seen, and the highest seq seen in it.
    pub epoch: u64,
    pub seq: u64,
    /// The last entries known, each at its seq, within [`WINDOW`] of the highest.
    entries: VecDeque<(u64, CommandId)>,
    /// The last acknowledged entry of each epoch.
    pub marks: BTreeMap<u64, Mark>,
    /// What other instances acknowledged in an epoch in which there is a later mark, or this one before a mark that came while
    /// the log hid it. Where a store began anew after it was lost, an epoch names two histories, and what is gone with the
    /// one is not in the other.
    beside: Vec<Mark>,
    /// The engine's generation in which all this was found to be so.
    pub verified: Option<u64>,
    /// The last acknowledged entry that is missing: writes are refused.
    pub behind: Option<Mark>,
    /// How far this instance knows that the history reached which is gone, seen or acknowledged; while behind.
    pub reached: u64,
    /// The log hides what was acknowledged: whether it is there is not known, and nothing is written that waits for replicas.
    pub untold: bool,
    /// How often the history was found to be another.
    pub resets: u64,
    /// The marks differ from those in the file.
    pub unwritten: bool,
    /// When the server was asked last whether it is still the primary, while behind; in the clock's uptime.
    pub asked: Option<Duration>,
}

impl Past {
    /// Begins with what was kept across a restart.
    pub fn recall(&mut self, marks: Vec<Mark>) {
        for mark in marks {
            match self.marks.get(&mark.epoch).copied() {
                Some(kept) if kept == mark => {}
                Some(kept) if kept.seq >= mark.seq => self.beside.push(mark),
                kept => {
                    self.beside.extend(kept);
                    self.marks.insert(mark.epoch, mark);
                }
            }
        }
        self.epoch = self.highest_epoch();
    }

    /// Everything that must be in the store.
    pub fn all_marks(&self) -> impl Iterator<Item = &Mark> {
        self.marks.values().chain(&self.beside)
    }

    pub fn knows_nothing(&self) -> bool {
        self.epoch == 0 && self.marks.is_empty()
    }

    /// The store stood at `epoch` and `seq`, where its log has `last`. A lower epoch is an answer that came late. A higher
    /// one was raised by somebody who found another history: what is remembered must be checked.
    pub fn see(&mut self, epoch: u64, seq: u64, last: Option<CommandId>) {
        if epoch > self.epoch {
            if self.epoch > 0 {
                self.resets += 1;
                self.verified = None;
            }
            self.epoch = epoch;
        }
        if epoch == self.epoch {
            self.see_head(seq, last);
        }
    }

    /// The store stood at `seq`, where its log has `last`: perhaps more than it shows. What was read rests on that entry,
    /// and where another one comes to stand there, it was read of another history.
    pub fn see_head(&mut self, seq: u64, last: Option<CommandId>) {
        self.seq = self.seq.max(seq);
        last.into_iter().for_each(|command| self.see_entry(seq, command));
    }

    /// The log holds `command` at `seq`.
    pub fn see_entry(&mut self, seq: u64, command: CommandId) {
        self.seq = self.seq.max(seq);
        let place = self.entries.partition_point(|(known, _)| *known < seq);
        if self.entries.get(place).is_none_or(|(known, _)| *known != seq) {
            self.entries.insert(place, (seq, command));
        }
        let last = self.entries.back().map_or(0, |(last, _)| *last);
        while self.entries.front().is_some_and(|(first, _)| first + WINDOW <= last) {
            self.entries.pop_front();
        }
    }

    /// A commit in `epoch` was acknowledged. Only an event that was written now has its command at its seq: a repeated
    /// command may have been silent when it was first sent. It must be there ever after when it is `kept`: acknowledged at
    /// the level the site promises.
    pub fn acknowledge(&mut self, epoch: u64, command: Option<CommandId>, receipt: &Receipt, kept: bool) {
        let epoch = epoch.max(1);
        self.see(epoch, receipt.seq, None);
        let Some(command) = command.filter(|_| !receipt.replayed) else { return };
        self.see_entry(receipt.seq, command);
        if !kept {
            return;
        }
        self.mark(Mark { epoch, seq: receipt.seq, command, at: receipt.at });
    }

    /// A repeated command was acknowledged at the level the site promises, and the log shows its event at its place.
    pub fn acknowledge_again(&mut self, command: CommandId, receipt: &Receipt) {
        self.mark(Mark { epoch: self.epoch.max(1), seq: receipt.seq, command, at: receipt.at });
    }

    /// Whether what was acknowledged in this epoch reaches as far as `seq`: nothing before it goes without it.
    pub fn remembers(&self, seq: u64) -> bool {
        self.marks.get(&self.epoch.max(1)).is_some_and(|mark| mark.seq >= seq)
    }

    fn mark(&mut self, mark: Mark) {
        if self.marks.get(&mark.epoch).is_none_or(|kept| kept.seq < mark.seq) {
            let before = self.marks.insert(mark.epoch, mark);
            // Whether that one is there is not known yet: a later one says nothing of it.
            self.beside.extend(before.filter(|_| self.untold));
            self.unwritten = true;
        }
        while self.marks.len() > MOST_MARKS {
            self.marks.pop_first();
        }
    }

    /// The seqs whose entries a look must bring: the window, and each mark outside it, as (after, limit) of a page.
    pub fn pages(&self) -> Vec<(u64, usize)> {
        let mut pages = Vec::new();
        let window = self.entries.front().zip(self.entries.back()).map(|((first, _), (last, _))| *first..=*last);
        if let Some(window) = &window {
            pages.push((window.start() - 1, usize::try_from(window.end() - window.start() + 1).unwrap_or(1)));
        }
        let outside = |mark: &&Mark| window.as_ref().is_none_or(|window| !window.contains(&mark.seq));
        pages.extend(self.all_marks().filter(outside).map(|mark| (mark.seq - 1, 1)));
        pages
    }

    /// Compares what is remembered with what was found.
    pub fn judge(&self, found: &Look) -> Verdict {
        let lost = self.all_marks().filter(|mark| mark.epoch >= found.restored);
        let lost = lost.filter(|mark| found.shows(mark.seq, mark.command) == Some(false));
        if let Some(last) = lost.max_by_key(|mark| (mark.epoch, mark.seq)) {
            return Verdict::Behind(*last);
        }
        if self.all_marks().filter(|mark| mark.epoch >= found.restored).any(|mark| found.hides(mark.seq)) {
            return Verdict::Untold;
        }
        let shown: Vec<Option<bool>> = self.entries.iter().map(|(seq, command)| found.shows(*seq, *command)).collect();
        if found.epoch < self.epoch || found.seq < self.seq || shown.contains(&Some(false)) {
            return Verdict::Other;
        }
        if shown.last() == Some(&None) { Verdict::Unsure } else { Verdict::Same }
    }

    /// Goes on from what was found; another history, or another epoch of it, is a reset.
    pub fn adopt(&mut self, found: &Look, same: bool, generation: u64) {
        if !same {
            self.entries.clear();
            self.seq = 0;
        }
        self.resets += u64::from(!same || found.epoch != self.epoch && self.epoch > 0);
        self.epoch = found.epoch;
        self.seq = self.seq.max(found.seq);
        found.entries.iter().for_each(|(seq, command)| self.see_entry(*seq, *command));
        self.verified = Some(generation);
        // A later mark that is there has every earlier one before it.
        // One from before an operator's word that is there all the same must be there ever after.
        let stays = |mark: &&Mark| mark.epoch >= found.restored || found.shows(mark.seq, mark.command) == Some(true);
        let last = self.marks.values().filter(stays).max_by_key(|mark| mark.seq).copied();
        let others = !std::mem::take(&mut self.beside).is_empty();
        if self.behind.take().is_some() || self.marks.len() > 1 || others {
            self.marks = last.into_iter().map(|mark| (mark.epoch, mark)).collect();
            self.unwritten = true;
        }
    }

    /// What was acknowledged is not there: nothing seen counts any more, and the marks stay.
    pub fn fall_behind(&mut self, found: &Look, missing: Mark, generation: u64) {
        self.resets += u64::from(self.behind != Some(missing));
        if self.behind.is_none() {
            self.reached = self.seq.max(missing.seq);
        }
        self.entries.clear();
        (self.epoch, self.seq) = (found.epoch, found.seq);
        (self.behind, self.verified) = (Some(missing), Some(generation));
    }

    /// `Behind` while what was acknowledged is missing.
    pub fn refused(&self, territory: &TerritoryId) -> Result<(), StoreError> {
        let Some(missing) = self.behind else { return Ok(()) };
        let territory = territory.clone();
        Err(StoreError::Behind { territory, acknowledged: missing.seq, head: self.seq })
    }

    /// The highest epoch known, seen or acknowledged.
    pub fn highest_epoch(&self) -> u64 {
        self.marks.last_key_value().map_or(0, |(epoch, _)| *epoch).max(self.epoch)
    }
}

impl Look {
    /// Whether the log is not shown as far as `seq`, though the head is. A log keeps its last entry: one that was trimmed
    /// there shows a later one.
    fn hides(&self, seq: u64) -> bool {
        seq <= self.seq && self.entries.range(seq..).next().is_none()
    }

    /// Whether the log holds `command` at `seq`; `None` when it was trimmed there or is not shown that far.
    fn shows(&self, seq: u64, command: CommandId) -> Option<bool> {
        match self.entries.get(&seq) {
            Some(found) => Some(*found == command),
            None if seq > self.seq => Some(false),
            None => None,
        }
    }
}
