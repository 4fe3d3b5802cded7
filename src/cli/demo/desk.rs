//! A desk: who sits at it in which hour, who is free, and what waits there.

use std::collections::BTreeMap;

use crate::domain::time::Instant;

use super::{acts::Job, staff::Rota};

/// A job's place: from when it may be begun, then in the order in which it came.
pub(super) type Place = (Instant, u64);

/// Persons and the work that waits for them.
#[derive(Debug)]
pub(super) struct Desk {
    rota: Rota,
    midnight: Instant,
    /// Since when each seat is free; none while busy.
    free: Vec<Option<Instant>>,
    jobs: BTreeMap<Place, Job>,
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

    /// The job that may be begun and has waited longest, with its place.
    pub(super) fn next_job(&mut self, now: Instant) -> Option<(Place, Job)> {
        let (place, _) = self.jobs.first_key_value()?;
        if place.0 > now { None } else { self.jobs.pop_first() }
    }

    /// Puts back what nobody was free for, in its place.
    pub(super) fn put_back(&mut self, place: Place, job: Job) {
        self.jobs.insert(place, job);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::demo::acts::JobKind, domain::time::Span};

    #[test]
    fn a_job_nobody_is_free_for_keeps_its_place_and_loses_no_other() {
        let at = Instant::from_unix_ms;
        let job = |case: &str| Job { case: case.to_owned(), kind: JobKind::HandOver };
        let mut desk = Desk::new([1; 24], at(0), 0);
        desk.add(at(5), job("b"));
        desk.add(at(1), job("a"));
        assert_eq!(desk.next_job(at(0)), None);
        let (place, first) = desk.next_job(at(5)).unwrap();
        desk.put_back(place, first);
        let order: Vec<_> = std::iter::from_fn(|| desk.next_job(at(5))).map(|(_, job)| job.case).collect();
        assert_eq!(order, ["a", "b"]);
    }

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
