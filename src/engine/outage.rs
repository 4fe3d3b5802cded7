//! The time of a claim stands still while renewals cannot be served: what would end during an outage ends later, by as
//! long as the outage lasted.
//!
//! There are two kinds of outages, since there are two kinds of renewals. Those of a vital emergency go on where less than
//! the promised durability can be had ([`Policy::Vital`]); all others wait for it ([`Policy::Strict`]), and so do their
//! claims: nobody loses a case because a replica is away.
//!
//! And nobody loses one because this process was away (stopped, restarted, or frozen with its machine): no console could
//! reach it then, and it must not be the first to judge.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{
    domain::{
        ids::TerritoryId,
        time::{Instant, Span},
    },
    store::Policy,
};

/// Most outages remembered of one kind: a claim lives through more of them only where everything comes and goes.
const MOST: usize = 64;

#[derive(Debug, Clone, Default)]
struct Contact {
    /// The last round of upkeep that found renewals served.
    last: Option<Instant>,
    /// A round since then did not.
    lost: bool,
    /// Each from the last round before it to the first after it, in order.
    outages: VecDeque<(Instant, Instant)>,
}

impl Contact {
    fn add(&mut self, from: Instant, until: Instant) {
        self.outages.push_back((from, until));
        if self.outages.len() > MOST {
            self.outages.pop_front();
        }
    }

    /// When a time of length `span` that would end at `end` ends. It began at `end - span`: what was before does not count.
    fn ends(&self, end: Instant, span: Span) -> Instant {
        let began = end - span;
        self.outages.iter().fold(end, |ends, (from, until)| {
            let from = began.max(*from);
            if from < ends && from < *until { ends + until.since(from) } else { ends }
        })
    }
}

/// When this instance could have served renewals in each territory.
#[derive(Debug, Default)]
pub(super) struct Outages {
    contacts: Mutex<BTreeMap<(TerritoryId, Policy), Contact>>,
    /// When this process was away, wherever the store was.
    away: Mutex<Contact>,
}

impl Outages {
    fn contacts(&self) -> MutexGuard<'_, BTreeMap<(TerritoryId, Policy), Contact>> {
        self.contacts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn away(&self) -> MutexGuard<'_, Contact> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This process was there at `now`, and before that last when this was called. Further back than `often`, or never, it
    /// was away since.
    pub(super) fn present(&self, now: Instant, often: Span) {
        let mut away = self.away();
        let since = away.last.unwrap_or(Instant::from_unix_ms(0));
        if now.since(since) > often {
            away.add(since, now);
        }
        away.last = Some(now);
    }

    /// No renewal of this kind can be served.
    pub(super) fn lost(&self, territory: &TerritoryId, policy: Policy) {
        self.contacts().entry((territory.clone(), policy)).or_default().lost = true;
    }

    /// The territories in which not even the renewal of a vital emergency could be served when it was last looked.
    pub(super) fn unreached(&self) -> BTreeSet<TerritoryId> {
        let contacts = self.contacts();
        let lost = contacts.iter().filter(|((_, policy), contact)| *policy == Policy::Vital && contact.lost);
        lost.map(|((territory, _), _)| territory.clone()).collect()
    }

    /// Renewals of this kind can be served.
    pub(super) fn reached(&self, territory: &TerritoryId, policy: Policy, now: Instant) {
        let mut contacts = self.contacts();
        let contact = contacts.entry((territory.clone(), policy)).or_default();
        if std::mem::take(&mut contact.lost)
            && let Some(last) = contact.last
        {
            contact.add(last, now);
        }
        contact.last = Some(now);
    }

    /// Whether renewals of this kind could be served when it was last looked, and that was after `since`.
    pub(super) fn is_reached(&self, territory: &TerritoryId, policy: Policy, since: Instant) -> bool {
        let contacts = self.contacts();
        let contact = contacts.get(&(territory.clone(), policy));
        contact.is_some_and(|contact| !contact.lost && contact.last.is_some_and(|last| last > since))
    }

    /// Whether a time of length `span` that would end at `end`, without any outage, has ended by `now`.
    pub(super) fn over(
        &self,
        territory: &TerritoryId,
        policy: Policy,
        (end, span): (Instant, Span),
        now: Instant,
    ) -> bool {
        let away = self.away().ends(end, span);
        let contacts = self.contacts();
        let contact = contacts.get(&(territory.clone(), policy));
        contact.map_or(away <= now, |contact| !contact.lost && contact.ends(end, span).max(away) <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_unix_ms(seconds * 1_000)
    }

    struct Room(Outages, TerritoryId);

    impl Room {
        fn new() -> Self {
            Self(Outages::default(), "fr-67".parse().expect("an id"))
        }

        fn reached(&self, seconds: i64) {
            self.0.reached(&self.1, Policy::Strict, at(seconds));
        }

        fn present(&self, seconds: i64) {
            self.0.present(at(seconds), Span::from_secs(5));
        }

        fn outage(&self, from: i64, until: i64) {
            self.reached(from);
            self.0.lost(&self.1, Policy::Strict);
            self.reached(until);
        }

        fn ended(&self, end: i64, now: i64) -> bool {
            self.0.over(&self.1, Policy::Strict, (at(end), Span::from_secs(30)), at(now))
        }
    }

    #[test]
    fn a_lease_that_ends_in_an_outage_ends_later_by_as_long_as_it_lasted() {
        let room = Room::new();
        assert!(room.ended(100, 100) && !room.ended(130, 129), "nothing is known of any outage");
        room.outage(100, 160);
        assert!(room.ended(100, 160), "it had ended before");
        assert!(!room.ended(130, 189), "30 s were left, and are left");
        assert!(room.ended(130, 190));
        assert!(!room.ended(195, 194) && room.ended(195, 195), "renewed after the outage, it ends when it says");
        assert!(!room.ended(150, 189) && room.ended(150, 190), "renewed by another instance 20 s into it, it has 30 s");
        room.reached(161);
        assert!(!room.ended(130, 189), "a round that reached the store ends no outage");
    }

    #[test]
    fn what_would_have_ended_before_this_process_began_is_left_its_whole_time() {
        let room = Room::new();
        room.present(1_000);
        room.reached(1_000);
        assert!(!room.ended(980, 1_029) && room.ended(980, 1_030), "its console could not reach anybody here");
        assert!(
            !room.ended(1_010, 1_029) && room.ended(1_010, 1_030),
            "20 s of it were before, 10 s are left, and it has 30"
        );
        assert!(room.ended(1_040, 1_040), "begun since");
    }

    #[test]
    fn a_process_that_was_frozen_leaves_what_was_left_before() {
        let room = Room::new();
        (0..=25).for_each(|round| room.present(1_000 + 4 * round));
        room.present(1_160);
        assert!(!room.ended(1_110, 1_169) && room.ended(1_110, 1_170), "10 s were left at 1,100");
        assert!(room.ended(1_095, 1_160), "it had ended before");
    }

    #[test]
    fn outages_that_follow_each_other_add_up() {
        let room = Room::new();
        room.outage(100, 160);
        room.outage(170, 180);
        assert!(!room.ended(130, 199), "10 s were left after the first, 20 s of them after the second");
        assert!(room.ended(130, 200));
        assert!(!room.ended(120, 189) && room.ended(120, 190));
    }

    #[test]
    fn nothing_ends_while_renewals_cannot_be_served() {
        let room = Room::new();
        room.reached(100);
        room.0.lost(&room.1, Policy::Strict);
        assert!(!room.ended(50, 1_000));
        let vital = |end| room.0.over(&room.1, Policy::Vital, (at(end), Span::from_secs(30)), at(130));
        assert!(vital(130) && !vital(131), "a vital emergency goes on at a lower level, and its claims with it");
    }
}
