//! Lease time stands still while renewals cannot be served: what ended during an outage of the store ends later, by as
//! long as the outage lasted.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::{
    ids::TerritoryId,
    time::{Instant, Span},
};

#[derive(Debug, Clone, Copy, Default)]
struct Contact {
    /// The last round of upkeep that reached the store.
    last: Option<Instant>,
    /// A round since then did not.
    lost: bool,
    /// The last outage, from the last contact before it to the first after it.
    outage: Option<(Instant, Instant)>,
}

/// When this instance could reach the state of each territory.
#[derive(Debug, Default)]
pub(super) struct Outages(Mutex<BTreeMap<TerritoryId, Contact>>);

impl Outages {
    fn contacts(&self) -> MutexGuard<'_, BTreeMap<TerritoryId, Contact>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lost(&self, territory: &TerritoryId) {
        self.contacts().entry(territory.clone()).or_default().lost = true;
    }

    pub(super) fn reached(&self, territory: &TerritoryId, now: Instant) {
        let mut contacts = self.contacts();
        let contact = contacts.entry(territory.clone()).or_default();
        if std::mem::take(&mut contact.lost)
            && let Some(last) = contact.last
        {
            contact.outage = Some((last, now));
        }
        contact.last = Some(now);
    }

    /// Whether a lease that ends at `end` has ended by `now`.
    pub(super) fn lease_ended(&self, territory: &TerritoryId, end: Instant, now: Instant) -> bool {
        let outage = self.contacts().get(territory).and_then(|contact| contact.outage);
        let stood: Span = match outage {
            Some((from, until)) if end > from => until.since(from),
            _ => Span::ZERO,
        };
        end + stood <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_unix_ms(seconds * 1_000)
    }

    #[test]
    fn a_lease_that_ends_in_an_outage_ends_later_by_as_long_as_it_lasted() {
        let (outages, here) = (Outages::default(), "fr-67".parse().expect("an id"));
        outages.reached(&here, at(100));
        assert!(outages.lease_ended(&here, at(100), at(100)) && !outages.lease_ended(&here, at(130), at(129)));
        outages.lost(&here);
        outages.reached(&here, at(160));
        assert!(outages.lease_ended(&here, at(100), at(160)), "it had ended before");
        assert!(!outages.lease_ended(&here, at(130), at(189)), "30 s were left, and are left");
        assert!(outages.lease_ended(&here, at(130), at(190)));
        outages.reached(&here, at(161));
        assert!(!outages.lease_ended(&here, at(130), at(189)), "a round that reached the store ends no outage");
    }
}
