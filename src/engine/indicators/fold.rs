//! A territory's log on its way into days: how far it was read, and whether it still is the same log.

use chrono::Days;

use crate::{
    domain::{
        calendar::local_date,
        case::Event,
        indicators::{
            Projection,
            extract::{Anonymous, Bands},
        },
    },
    engine::{Engine, Failure, Place, act, tail::Told},
    store::{LogEntry, MAX_PAGE, StoreError, Version},
};

/// What was folded, and up to where.
#[derive(Debug)]
pub(in crate::engine) struct Folded {
    pub(super) projection: Projection,
    pub(super) anonymous: Anonymous,
    /// Whether the rows of the extract are kept at all.
    extracted: bool,
    epoch: u64,
    last: Version,
}

impl Folded {
    /// Place in the log.
    pub(super) fn seq(&self) -> u64 {
        self.last.seq()
    }

    fn tell(&mut self, event: &Event) {
        self.projection.tell(event);
        if self.extracted {
            self.anonymous.tell(event);
        }
    }

    /// Takes in what goes on from its place without a gap; the rest is left to whoever reads the log.
    pub(super) fn follow(&mut self, told: &[Told]) {
        for told in told {
            if told.seq() == self.seq() + 1 {
                self.tell(&told.event);
                self.last = told.version;
            }
        }
    }

    fn take(&mut self, entries: &[LogEntry]) -> Result<(), StoreError> {
        for entry in entries {
            self.tell(&act::event(entry)?);
            self.last = entry.version();
        }
        Ok(())
    }
}

impl Engine {
    /// The fold of a place's log up to its head, begun anew where the log is another than the one that was folded.
    pub(super) async fn caught_up<'a>(
        &self,
        place: &Place,
        kept: &'a mut Option<Folded>,
    ) -> Result<&'a mut Folded, Failure> {
        for _ in 0..2 {
            // Whoever goes away in the middle leaves what was folded so far: it is right up to its place.
            let folded = match kept {
                Some(folded) => folded,
                None => kept.insert(self.begin_fold(place).await?),
            };
            if self.read_on(place, folded).await? {
                break;
            }
            tracing::warn!(territory = %place.territory.id, "the log is another one: its days are counted anew");
            *kept = None;
        }
        kept.as_mut().ok_or(Failure::Busy)
    }

    async fn begin_fold(&self, place: &Place) -> Result<Folded, Failure> {
        let territory = &place.territory.id;
        let head = self.0.store.read(territory, &[], None).await?;
        let first = self.0.store.log(territory, 0, 1).await?.first().map_or(1, |entry| entry.seq);
        let zone = place.territory.calendar.zone();
        // Days that are final are on disk; of the others, and one before, the archive has what the store has no more.
        let since = local_date(zone, self.now() - self.statistics().settle) - Days::new(2);
        let archived = self.archived_between(territory, since, first).await?;
        let archived = reaching(&archived, first);
        let begins = archived.first().map_or(first, |entry| entry.seq);
        let extract = self.statistics().extract.as_ref();
        let bands = Bands(extract.map(|extract| extract.age_bands.clone()).unwrap_or_default());
        let mut folded = Folded {
            projection: Projection::new(self.counting(place), begins > 1),
            anonymous: Anonymous::new(zone, bands),
            extracted: extract.is_some(),
            epoch: head.epoch,
            last: Version::NONE,
        };
        folded.take(archived)?;
        if archived.is_empty() && first > 1 {
            folded.last = Version::unknown(first - 1);
        }
        Ok(folded)
    }

    /// Reads to the head. False: what was folded is not this log's history.
    async fn read_on(&self, place: &Place, folded: &mut Folded) -> Result<bool, Failure> {
        let territory = &place.territory.id;
        let head = self.0.store.read(territory, &[], None).await?;
        if folded.seq() == 0 {
            folded.epoch = head.epoch;
        }
        if folded.epoch != head.epoch || head.seq < folded.seq() {
            return Ok(false);
        }
        while folded.seq() < head.seq {
            // The last entry is read again: another command there is another history.
            let page = self.0.store.log(territory, folded.seq().saturating_sub(1), MAX_PAGE).await?;
            let new = match page.first() {
                Some(entry) if entry.seq == folded.seq() => {
                    if !same(folded.last, entry.version()) {
                        return Ok(false);
                    }
                    &page[1..]
                }
                Some(entry) if entry.seq == folded.seq() + 1 => &page[..],
                // Trimmed beyond what was folded: what is between is in the archive.
                Some(_) => return Ok(false),
                None => &[],
            };
            if new.is_empty() {
                break;
            }
            folded.take(new)?;
        }
        Ok(true)
    }
}

/// The last of the archived entries, as far back from `first` as none is missing. Another instance may have archived what
/// is: a day with a gap would be counted as if it were whole.
fn reaching(archived: &[LogEntry], first: u64) -> &[LogEntry] {
    let follows = archived.iter().rev().zip((1..first).rev()).take_while(|(entry, seq)| entry.seq == *seq);
    &archived[archived.len() - follows.count()..]
}

/// One place of one history; a place that was only counted is whatever stands there.
fn same(known: Version, found: Version) -> bool {
    known == found || known == Version::unknown(found.seq())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::time::Instant,
        engine::{
            DayFolder, Statistics,
            indicators::Indicators,
            tail::{Follower, made::told},
        },
        store::due_command,
    };

    fn entry(seq: u64) -> LogEntry {
        let at = Instant::from_unix_ms(1_735_200_000_000);
        LogEntry { seq, command_id: due_command(&seq.to_string(), at), at, counts: Vec::new(), event: Vec::new() }
    }

    fn reached(archived: &[u64], first: u64) -> Vec<u64> {
        let archived: Vec<LogEntry> = archived.iter().copied().map(entry).collect();
        reaching(&archived, first).iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn what_the_archive_has_counts_as_far_back_as_none_is_missing() {
        assert_eq!(reached(&[1, 2, 3], 4), [1, 2, 3]);
        assert_eq!(reached(&[1, 2, 5, 6], 7), [5, 6], "another instance archived 3 and 4");
        assert_eq!(reached(&[1, 2, 3], 6), [0; 0], "another instance archived what came last");
        assert_eq!(reached(&[], 6), [0; 0]);
        assert_eq!(reached(&[], 1), [0; 0]);
    }

    /// How far a fold goes on by itself with what the tail tells.
    async fn followed(days: Option<DayFolder>) -> u64 {
        let (indicators, territory) = (Indicators::default(), "fr-67".parse().expect("an id"));
        let zone = chrono_tz::Europe::Paris;
        let statistics = Statistics { days, ..Statistics::default() };
        let projection = Projection::new(statistics.rules(zone), false);
        let anonymous = Anonymous::new(zone, Bands(Vec::new()));
        indicators.statistics.get_or_init(|| statistics);
        let folded = Folded { projection, anonymous, extracted: false, epoch: 1, last: Version::NONE };
        *indicators.of(&territory).lock().await = Some(folded);
        indicators.follow(&territory, &[told(1, Vec::new())]);
        let cell = indicators.of(&territory);
        let folded = cell.lock().await;
        folded.as_ref().map_or(0, Folded::seq)
    }

    #[tokio::test]
    async fn a_fold_that_nobody_makes_final_does_not_grow_by_itself() {
        assert_eq!(followed(Some(DayFolder::new("never-written"))).await, 1);
        assert_eq!(followed(None).await, 0, "whoever asks next reads on");
    }
}
