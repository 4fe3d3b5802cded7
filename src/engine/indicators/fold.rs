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
    ) -> Result<&'a Folded, Failure> {
        // Taken out while it is worked on: one that stopped half way is folded again.
        let mut folded = match kept.take() {
            Some(folded) => folded,
            None => self.begin_fold(place).await?,
        };
        if !self.read_on(place, &mut folded).await? {
            tracing::warn!(territory = %place.territory.id, "the log is another one: its days are counted anew");
            folded = self.begin_fold(place).await?;
            if !self.read_on(place, &mut folded).await? {
                return Err(Failure::Busy);
            }
        }
        Ok(kept.insert(folded))
    }

    async fn begin_fold(&self, place: &Place) -> Result<Folded, Failure> {
        let territory = &place.territory.id;
        let head = self.0.store.read(territory, &[], None).await?;
        let first = self.0.store.log(territory, 0, 1).await?.first().map_or(1, |entry| entry.seq);
        let zone = place.territory.calendar.zone();
        // Days that are final are on disk; of the others, and one before, the archive has what the store has no more.
        let since = local_date(zone, self.now() - self.statistics().settle) - Days::new(2);
        let archived = self.archived_between(territory, since, first).await?;
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
        folded.take(&archived)?;
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

/// One place of one history; a place that was only counted is whatever stands there.
fn same(known: Version, found: Version) -> bool {
    known == found || known == Version::unknown(found.seq())
}
