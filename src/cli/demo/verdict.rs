//! The verdict on the whole log: the service's own checker, and every acknowledged command looked for in the log as it is
//! read back from the store once the service has stopped.

use std::{collections::BTreeMap, path::Path};

use crate::{
    clock::Clock,
    domain::ids::TerritoryId,
    engine::{Engine, codec::decode_event},
    store::{self, MAX_PAGE, Settings},
};

use super::{
    figures::Check,
    wire::{Acknowledged, Fault},
};

/// What the checker says of log, records and indexes as they stand.
pub(super) async fn checked(engine: &Engine, territory: &TerritoryId) -> Result<Check, Fault> {
    let report = engine.check(territory).await.map_err(Fault::other)?;
    Ok(Check {
        events: report.events,
        index_entries: report.entries as u64,
        longest_silence_s: report.longest_silence.secs(),
        acknowledged: 0,
        lost: 0,
        found: report.found as u64,
        violations: report.violations,
    })
}

/// Counts acknowledged commands that the stored log lacks, has at another place, or has twice.
pub(super) async fn look_for(
    acknowledged: &[Acknowledged],
    data: &Path,
    territory: &TerritoryId,
    check: &mut Check,
) -> Result<(), Fault> {
    let settings = Settings::Embedded { data: data.to_owned(), clock: Clock::System };
    let store = store::open(settings).await.map_err(Fault::other)?;
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    let (mut seq, mut twice) = (0, 0);
    loop {
        let entries = store.log(territory, seq, MAX_PAGE).await.map_err(Fault::other)?;
        let Some(last) = entries.last().map(|entry| entry.seq) else { break };
        for entry in &entries {
            let event = decode_event(&entry.event).map_err(Fault::other)?;
            twice += u64::from(found.insert(event.command_id.to_string(), entry.seq).is_some());
        }
        seq = last;
    }
    let lost = acknowledged.iter().filter(|known| found.get(&known.command_id) != Some(&known.seq)).count();
    check.acknowledged = acknowledged.len() as u64;
    check.lost = lost as u64 + twice;
    Ok(())
}
