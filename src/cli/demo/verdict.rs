//! The verdict on the whole log, read back from the store after the service has stopped: every event is applied again, every
//! rule is checked after each, and every acknowledged command must stand there once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use crate::{
    clock::Clock,
    domain::{
        case::{Event, Records, apply, invariants::violations},
        ids::TerritoryId,
        routing::Means,
    },
    engine::codec::decode_event,
    store::{self, MAX_PAGE, Settings},
};

use super::{
    figures::Check,
    wire::{Acknowledged, Fault},
};

pub(super) async fn verdict(data: &Path, territory: &str, acknowledged: &[Acknowledged]) -> Result<Check, Fault> {
    let territory: TerritoryId = territory.parse().map_err(Fault::other)?;
    let settings = Settings::Embedded { data: data.to_owned(), clock: Clock::System };
    let store = store::open(settings).await.map_err(Fault::other)?;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut found = BTreeSet::new();
    let mut records = Records::default();
    let (mut seq, mut twice) = (0, 0);
    loop {
        let entries = store.log(&territory, seq, MAX_PAGE).await.map_err(Fault::other)?;
        if entries.is_empty() {
            break;
        }
        for entry in &entries {
            if entry.seq != seq + 1 {
                found.insert(format!("the log goes from {seq} to {}", entry.seq));
            }
            seq = entry.seq;
            let event = decode_event(&entry.event).map_err(Fault::other)?;
            apply(&mut records, &event);
            found.extend(violations(&concerned(&records, &event)).iter().map(ToString::to_string));
            twice += u64::from(seen.insert(event.command_id.to_string(), entry.seq).is_some());
        }
    }
    found.extend(violations(&records).iter().map(ToString::to_string));
    let missing = acknowledged.iter().filter(|known| seen.get(&known.command_id) != Some(&known.seq)).count() as u64;
    Ok(Check {
        events: seq,
        acknowledged: acknowledged.len() as u64,
        lost: missing + twice,
        violations: found.into_iter().collect(),
    })
}

/// The case of an event with the slots and shifts it names: what the event may have broken.
fn concerned(records: &Records, event: &Event) -> Records {
    let mut few = Records::default();
    let Some(case) = event.case.and_then(|id| records.cases.get(&id)) else { return few };
    let slots = case.offers.iter().filter_map(|offer| match &offer.means {
        Means::Slot { slot, .. } => records.slots.get(slot),
        Means::Ring | Means::Visit { .. } => None,
    });
    few.slots.extend(slots.map(|slot| (slot.id, slot.clone())));
    let shifts = case.visits.iter().filter_map(|visit| records.shifts.get(&visit.doctor.as_ref()?.1));
    few.shifts.extend(shifts.map(|shift| (shift.id, shift.clone())));
    few.cases.insert(case.id, case.clone());
    few
}
