//! The end of a story: its log, played again from the first event, breaks no rule on the way and gives what is stored.

use sas_dispatch::{
    domain::{
        case::{
            Records, apply,
            invariants::{broken_history, violations},
        },
        ids::TerritoryId,
    },
    engine::codec::{Entity, decode, decode_event},
    store::{Key, MAX_PAGE, Store},
};

/// Ends the test at the first event after which something holds that must never happen.
pub async fn nothing_that_must_never_happen_has(store: &dyn Store) {
    for territory in store.territories().await.unwrap() {
        let records = replayed(store, &territory).await;
        let cases = records.cases.keys().map(|id| Key::case(*id));
        let slots = records.slots.keys().map(|id| Key::slot(*id));
        let shifts = records.shifts.keys().map(|id| Key::shift(*id));
        for key in cases.chain(slots).chain(shifts) {
            let snapshot = store.read(&territory, std::slice::from_ref(&key), None).await.unwrap();
            let stored = snapshot.records[&key].as_ref().unwrap();
            as_replayed(&records, decode(key.as_str(), &stored.value).unwrap());
        }
    }
}

async fn replayed(store: &dyn Store, territory: &TerritoryId) -> Records {
    let (mut records, mut seq) = (Records::default(), 0);
    loop {
        let entries = store.log(territory, seq, MAX_PAGE).await.unwrap();
        if entries.is_empty() {
            return records;
        }
        for entry in entries {
            seq += 1;
            assert_eq!(entry.seq, seq, "the log has no gap");
            let event = decode_event(&entry.event).unwrap();
            let old = event.case.and_then(|id| records.cases.get(&id).cloned());
            apply(&mut records, &event);
            let new = event.case.map(|id| &records.cases[&id]);
            let mut broken = violations(&records);
            broken.extend(old.as_ref().zip(new).into_iter().flat_map(|(old, new)| broken_history(old, new)));
            assert_eq!(broken, [], "after {seq}, {}", event.command);
        }
    }
}

fn as_replayed(records: &Records, stored: Entity) {
    match stored {
        Entity::Case(case) => assert_eq!(Some(&*case), records.cases.get(&case.id)),
        Entity::Slot(slot) => assert_eq!(Some(&slot), records.slots.get(&slot.id)),
        // A position is no event: the last one counts.
        Entity::Shift(shift) => {
            let known = &records.shifts[&shift.id];
            assert_eq!((&shift.state, shift.end), (&known.state, known.end));
        }
    }
}
