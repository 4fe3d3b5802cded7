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

    /// Whether a lease of length `lease` that ends at `end` has ended by `now`. One that was renewed after the outage, and
    /// so ends later than any from before it could, ends when it says.
    pub(super) fn lease_ended(&self, territory: &TerritoryId, end: Instant, lease: Span, now: Instant) -> bool {
        let outage = self.contacts().get(territory).and_then(|contact| contact.outage);
        let stood: Span = match outage {
            Some((from, until)) if from < end && end <= from + lease => until.since(from),
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
        let ended = |end, now| outages.lease_ended(&here, at(end), Span::from_secs(30), at(now));
        assert!(ended(100, 100) && !ended(130, 129));
        outages.lost(&here);
        outages.reached(&here, at(160));
        assert!(ended(100, 160), "it had ended before");
        assert!(!ended(130, 189), "30 s were left, and are left");
        assert!(ended(130, 190));
        assert!(!ended(195, 194) && ended(195, 195), "renewed after the outage, it ends when it says");
        outages.reached(&here, at(161));
        assert!(!ended(130, 189), "a round that reached the store ends no outage");
    }
}
