//! A desk: who sits at it in which hour, who is free, and what waits there.

use std::collections::BTreeMap;

use crate::domain::time::{Instant, Span};

use super::{acts::Job, staff::Rota};

/// Persons and the work that waits for them.
#[derive(Debug)]
pub(super) struct Desk {
    rota: Rota,
    midnight: Instant,
    /// Since when each seat is free; none while busy.
    free: Vec<Option<Instant>>,
    jobs: BTreeMap<(Instant, u64), Job>,
    sequence: u64,
}

impl Desk {
    /// With `backup` persons beside the rota, called only by [`Desk::take_backup`].
    pub(super) fn new(rota: Rota, midnight: Instant, backup: usize) -> Self {
        let most = rota.iter().copied().max().unwrap_or(1);
        Self { rota, midnight, free: vec![Some(midnight); most + backup], jobs: BTreeMap::new(), sequence: 0 }
    }

    /// Takes somebody who is called in when everybody on duty is busy.
    pub(super) fn take_backup(&mut self) -> Option<usize> {
        let most = self.rota.iter().copied().max().unwrap_or(1);
        let seat = (most..self.free.len()).find(|seat| self.free[*seat].is_some())?;
        self.free[seat] = None;
        Some(seat)
    }

    fn on_duty(&self, now: Instant) -> usize {
        let hour = (now.since(self.midnight).secs() / 3_600) % 24;
        self.rota[usize::try_from(hour).unwrap_or(0)]
    }

    /// Takes whoever on duty has been free the longest, from seat `first` on.
    pub(super) fn take_seat(&mut self, now: Instant, first: usize) -> Option<usize> {
        let on = self.on_duty(now).min(self.free.len());
        let seat = (first..on).filter_map(|seat| Some((self.free[seat]?, seat))).min()?.1;
        self.free[seat] = None;
        Some(seat)
    }

    pub(super) fn release(&mut self, seat: usize, now: Instant) {
        self.free[seat] = Some(now);
    }

    /// Work that may be begun from `from` on.
    pub(super) fn add(&mut self, from: Instant, job: Job) {
        self.sequence += 1;
        self.jobs.insert((from, self.sequence), job);
    }

    /// The job that has waited longest, if one may be begun and has waited `patience`.
    pub(super) fn next_job(&mut self, now: Instant, patience: Span) -> Option<Job> {
        let (key, _) = self.jobs.first_key_value()?;
        let key = *key;
        (key.0 + patience <= now).then(|| self.jobs.remove(&key)).flatten()
    }

    /// Puts back what nobody was free for, in its place.
    pub(super) fn put_back(&mut self, job: Job, now: Instant) {
        self.jobs.insert((now, 0), job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_free_of_those_on_duty_is_taken() {
        let at = Instant::from_unix_ms;
        let mut rota = [1; 24];
        rota[1] = 2;
        let mut desk = Desk::new(rota, at(0), 1);
        assert_eq!(desk.take_seat(at(0), 0), Some(0));
        assert_eq!(desk.take_seat(at(1), 0), None);
        let one = at(3_600_000);
        assert_eq!(desk.take_seat(one, 0), Some(1));
        assert_eq!(desk.take_seat(one, 0), None);
        assert_eq!((desk.take_backup(), desk.take_backup()), (Some(2), None));
        desk.release(1, one);
        desk.release(0, one + Span::from_secs(1));
        assert_eq!(desk.take_seat(one + Span::from_secs(2), 0), Some(1));
    }
}
