//! Two territories on either side of a border, and the saga that goes between them, a step at a time.

use sas_dispatch::domain::{
    actor::{Actor, Role},
    case::{
        ActionKind, Case, Command, Refusal, Reply,
        command::Timer,
        transfer::{Side, Step, Transfer, TransferAct, act, next},
    },
    ids::CaseId,
    regulation::qualification::Priority,
    time::Span,
};

use super::super::stage::{Stage, arm, bas_rhin, qualify, regulator, someone, text, upkeep, yonne};

/// Bas-Rhin and the Yonne.
#[derive(Clone)]
pub struct Border {
    pub here: Stage,
    pub there: Stage,
}

/// A step as somebody read it, to be taken now or later.
#[derive(Clone)]
pub struct Read {
    pub step: Step,
    pub act: TransferAct,
}

pub fn transfer(act: TransferAct) -> Command {
    Command::Transfer(Box::new(act))
}

pub fn take_back() -> Command {
    transfer(TransferAct::TakeBack { reason: text("le patient est finalement ici") })
}

pub fn accept() -> Command {
    transfer(TransferAct::Answer { refused: None })
}

pub fn refuse() -> Command {
    transfer(TransferAct::Answer { refused: Some(text("adresse dans l'Aube")) })
}

/// Somebody of the Yonne.
pub fn yonne_of(actor: Actor) -> Actor {
    Actor { territory: "fr-89".parse().unwrap(), ..actor }
}

pub fn receiver() -> Actor {
    yonne_of(someone("dr-reg-sens", Role::Regulator))
}

impl Border {
    pub fn new() -> Self {
        Self { here: Stage::of(&bas_rhin()), there: Stage::of(&yonne()) }
    }

    /// A case of this priority that the ARM sends.
    pub fn sent(priority: Priority) -> (Self, CaseId) {
        let mut border = Self::new();
        let case = border.here.qualified(priority);
        border.send(case);
        (border, case)
    }

    pub fn send(&mut self, case: CaseId) {
        let (to, reason) = ("fr-89".parse().unwrap(), text("domicilié à Sens, appel routé par une antenne d'ici"));
        self.here.done(&arm(), case, transfer(TransferAct::Send { claim_no: None, to, reason }));
    }

    pub fn pass(&mut self, span: Span) {
        self.here.pass(span);
        self.there.pass(span);
    }

    pub fn transfer(&self, case: CaseId) -> &Transfer {
        self.here.case(case).transfers.last().unwrap()
    }

    /// The copy's id, opened or not.
    pub fn copy_id(&self, case: CaseId) -> CaseId {
        self.transfer(case).there
    }

    pub fn copy(&self, case: CaseId) -> &Case {
        self.there.case(self.copy_id(case))
    }

    /// The step that the records of both sides ask for, with what it would say.
    pub fn read(&self, case: CaseId) -> Option<Read> {
        let there = self.copy_id(case);
        let known = |stage: &Stage, id: CaseId| stage.records.cases.get(&id).cloned();
        let (sender, copy) = (known(&self.here, case), known(&self.there, there));
        let step = next(there, sender.as_deref(), copy.as_deref())?;
        let sender = sender.as_deref().map(|case| Side { case, number: "DRFR156724354000001" });
        let copy = copy.as_deref().map(|case| Side { case, number: "DRFR158924354000007" });
        let mut act = act(step, there, sender, copy).unwrap();
        if let (TransferAct::Receive(packet) | TransferAct::Bring(packet), Some(sender)) = (&mut act, sender) {
            packet.told_by(sender.case, &self.here.directory);
        }
        Some(Read { step, act })
    }

    /// Takes a step, perhaps one that was read long ago.
    pub fn take(&mut self, case: CaseId, read: &Read) -> Result<Reply, Refusal> {
        let (stage, id) = match read.step.at_sender() {
            true => (&mut self.here, case),
            false => {
                let there = self.copy_id(case);
                (&mut self.there, there)
            }
        };
        let actor = Actor { territory: stage.territory.id.clone(), ..upkeep() };
        stage.give(&actor, Some(id), &transfer(read.act.clone()))
    }

    /// Takes every step there is; answers how many.
    pub fn carry(&mut self, case: CaseId) -> usize {
        for taken in 0..16 {
            let Some(read) = self.read(case) else { return taken };
            self.take(case, &read).unwrap_or_else(|refusal| panic!("{:?}: {refusal}", read.step));
        }
        panic!("the saga has no end");
    }

    /// Here the deadline passes.
    pub fn expire(&mut self, case: CaseId) {
        let action = self.here.action(case, ActionKind::Transfer);
        let now = self.here.now.max(action.deadline);
        (self.here.now, self.there.now) = (now, now);
        self.here.done(&upkeep(), case, Command::Fire(Timer::Action(action.id)));
    }

    /// Here somebody qualifies it anew.
    pub fn requalify(&mut self, case: CaseId, priority: Priority) {
        self.here.done(&arm(), case, Command::Qualify(Box::new(qualify(priority))));
    }

    /// There somebody finds it vital.
    pub fn vital_there(&mut self, case: CaseId) {
        let id = self.copy_id(case);
        self.there.done(&yonne_of(arm()), id, Command::Qualify(Box::new(qualify(Priority::P0))));
    }

    /// There a regulator accepts it.
    pub fn accept(&mut self, case: CaseId) -> u64 {
        let id = self.copy_id(case);
        self.there.done(&receiver(), id, accept()).claim_no.unwrap()
    }

    /// A P2 that Dr Anne holds.
    pub fn held(&mut self) -> (CaseId, u64) {
        self.here.held_by(&regulator())
    }
}
