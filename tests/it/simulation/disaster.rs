//! What befalls servers: the primary is lost, an old copy is put back, and an operator settles what is missing.

use std::{collections::BTreeSet, task::Waker};

use sas_dispatch::{
    domain::ids::{CommandId, TerritoryId},
    store::{Op, Txn, Version},
};

use super::{
    ledger::Ledger,
    net::{Level, Request, Server, Stage, World},
};

impl World {
    /// The replica takes the primary's place with so many of the commits that it lacked; the rest is lost. Instances go on
    /// talking to the old primary until it fails them.
    pub fn fail_over(&mut self, saved: usize) {
        if self.level == Level::D1 {
            return self.cut();
        }
        self.replicate(saved);
        self.note_durable();
        self.becomes(self.replica.clone());
    }

    /// Another server is the primary from now on, with this.
    fn becomes(&mut self, ledger: Ledger) {
        let territories: Vec<TerritoryId> = self.truth().lands.keys().cloned().collect();
        let ended = territories.into_iter().map(|territory| (territory.clone(), self.seen(self.primary, &territory)));
        let ended = ended.collect();
        self.tail.clear();
        let old = &mut self.servers[self.primary];
        old.ended = Some(ended);
        let (skew, plant) = (old.skew, old.ledger.plant.clone());
        self.servers.push(Server { ledger: Ledger { plant, ..ledger }, skew, ended: None });
        self.primary = self.servers.len() - 1;
    }

    /// A copy of everything is made.
    pub fn back_up(&mut self) {
        self.backup = Some(self.truth().clone());
    }

    /// Every server is lost, and the last copy is put back: what was acknowledged since is gone.
    pub fn put_back(&mut self) {
        let Some(backup) = self.backup.clone() else { return };
        self.note_durable();
        self.replica = Ledger { plant: Default::default(), ..backup.clone() };
        self.becomes(backup);
        self.cut();
        (0..self.doors.len()).for_each(|instance| self.connect(instance));
        let kept: BTreeSet<CommandId> =
            self.truth().lands.values().flat_map(|land| land.log.iter().map(|entry| entry.command_id)).collect();
        for missing in &mut self.missing {
            missing.retain(|(_, command)| !kept.contains(command));
        }
        self.went_back = true;
    }

    /// The operator has settled what is missing.
    pub fn settled(&mut self) {
        self.missing.iter_mut().for_each(Vec::clear);
        self.went_back = false;
    }

    /// An instance acknowledged a command with an event.
    pub fn acknowledged(&mut self, instance: usize, territory: &TerritoryId, command: CommandId) {
        if !self.went_back {
            self.missing[instance].push((territory.clone(), command));
        }
    }

    /// Whoever misses what it acknowledged changes nothing, but for calls that come in and another epoch.
    pub(super) fn may_write(&mut self, instance: usize, txn: &Txn) {
        let raises = txn.ops.iter().any(|op| matches!(op, Op::RaiseEpoch { .. }));
        // One that says nothing only finds out whether this server is the primary.
        let empty = txn.ops.is_empty() && txn.event.is_none();
        if !self.went_back || txn.even_behind || raises || empty {
            return;
        }
        // What another instance has done again under its id is there.
        let log = self.truth().lands.get(&txn.territory).map(|land| land.log.as_slice()).unwrap_or_default();
        let gone = |command: CommandId| log.iter().all(|entry| entry.command_id != command);
        let missing = self.missing[instance].iter().rev();
        let mut here = missing.filter(|(territory, command)| *territory == txn.territory && gone(*command));
        if let Some((_, command)) = here.next() {
            let said = format!("1: instance {instance} wrote on although {command}, which it acknowledged, is gone");
            self.wrong.get_or_insert(said);
        }
    }

    /// Everything that may be shown by now.
    pub fn note_durable(&mut self) -> &BTreeSet<Version> {
        let territories: Vec<TerritoryId> = self.truth().lands.keys().cloned().collect();
        for territory in territories {
            let safe = self.replicated(&territory);
            let log = &self.servers[self.primary].ledger.lands[&territory].log;
            let new = log.iter().rev().filter(|entry| entry.seq <= safe).map(|entry| entry.version());
            self.durable.extend(new.take_while(|version| !self.durable.contains(version)).collect::<Vec<_>>());
        }
        &self.durable
    }

    /// The old primaries are gone for good: whoever still talks to one is cut off and finds the new one.
    pub fn heal(&mut self) {
        for place in 0..self.calls.len() {
            let open = matches!(self.calls[place].stage, Stage::Sent | Stage::Answered(..));
            if open && self.calls[place].server != self.primary {
                let answer = self.silence(place);
                self.back(place, answer);
            }
        }
        (0..self.doors.len()).for_each(|instance| self.connect(instance));
        self.replicate(usize::MAX);
    }

    /// What the operator's tool asks of the primary.
    pub fn operate(&mut self, request: &Request) -> super::net::Answer {
        let answer = self.serve(self.primary, request, None);
        self.replicate(usize::MAX);
        answer
    }

    /// The instance is gone, with all it waited for; what was on its way still arrives, if `late`.
    pub fn forget(&mut self, instance: usize, late: bool) {
        self.doors[instance].1 += 1;
        self.connect(instance);
        for call in self.calls.iter_mut().filter(|call| call.instance == instance) {
            let commit = matches!((&call.request, &call.stage), (Request::Commit(_), Stage::Sent | Stage::Ghost));
            call.stage = if commit && late { Stage::Ghost } else { Stage::Back(None) };
            call.waker.take().into_iter().for_each(Waker::wake);
        }
        self.calls.retain(|call| !matches!(call.stage, Stage::Back(None)));
    }

    /// Every connection is cut: nobody hears an answer, whether or not the server had one.
    pub fn cut(&mut self) {
        for place in 0..self.calls.len() {
            if matches!(self.calls[place].stage, Stage::Sent | Stage::Answered(..)) {
                let answer = self.silence(place);
                self.back(place, answer);
            }
        }
        for door in &mut self.doors {
            door.2 += 1;
        }
    }
}
