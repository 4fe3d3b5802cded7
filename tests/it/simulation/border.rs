//! The other territory of a played day: what is sent there waits for its people, every instance carries it, and what both
//! logs tell of it fits together once all is quiet.

use std::collections::BTreeMap;

use sas_dispatch::{
    domain::{
        case::replay::{Replay, border},
        ids::TerritoryId,
        time::Instant,
    },
    engine::{Target, codec},
};

use super::{
    asked::Asked,
    judge::{Judge, Verdict},
    ledger::{Land, Ledger},
    play::Player,
};
use crate::domain::{
    stage::{bas_rhin, yonne},
    transfers::border::{accept, receiver, refuse},
};

/// Both territories of a played day, the first of which is the one that is played.
pub fn territories() -> [TerritoryId; 2] {
    [bas_rhin().0.id.clone(), yonne().0.id.clone()]
}

impl Player {
    /// Both judges look at what the primary keeps.
    pub(super) fn look(&mut self) -> Verdict {
        let world = self.net.world();
        self.judge.look(&world)?;
        self.beyond.look(&world)
    }

    pub(super) fn judge_of(&mut self, territory: &TerritoryId) -> &mut Judge {
        if *territory == bas_rhin().0.id { &mut self.judge } else { &mut self.beyond }
    }

    /// What somebody over there does about one of the cases that were sent to them.
    pub(super) fn over_there(&self, pick: usize, refused: bool) -> Option<Asked> {
        let waits = self.beyond.records.cases.values().filter(|case| case.received.as_ref().is_some_and(|r| r.open()));
        let waits: Vec<_> = waits.collect();
        let case = waits.get(pick % waits.len().max(1))?;
        let command = if refused { refuse() } else { accept() };
        Some(Asked::Act(receiver(), Target::case(case.id), Box::new(command)))
    }

    /// After upkeep, with everything reachable, both logs tell the same of every hand-over.
    pub(super) fn across(&self) -> Verdict {
        let world = self.net.world();
        // Both are whole up to now, whichever was written last.
        let told = |id: &TerritoryId| Some((id.clone(), told(world.truth(), id, world.now())?));
        let logs: BTreeMap<_, _> = territories().iter().filter_map(told).collect();
        match border::between(&logs).findings.into_iter().find(|torn| torn.to.is_none()) {
            Some(torn) => Err(format!("{}: {} of {}: {torn:?}", torn.kind.rule(), torn.kind.problem(), torn.case)),
            None => Ok(()),
        }
    }
}

/// What a territory's log tells of hand-overs; none where nothing was ever written.
fn told(ledger: &Ledger, territory: &TerritoryId, until: Instant) -> Option<border::Log> {
    let Land { log, .. } = ledger.lands.get(territory)?;
    let mut replay = Replay::from_seq(1);
    for entry in log {
        let event = codec::decode_event(&entry.event);
        replay.entry(entry.seq, entry.command_id, entry.at, event.as_ref().map_err(ToString::to_string));
    }
    replay.end(until);
    Some(border::Log { from: replay.known_from(), until, crossings: std::mem::take(&mut replay.crossings) })
}
