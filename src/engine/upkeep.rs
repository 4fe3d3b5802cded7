//! Upkeep: claims, renewals, positions, and everything that falls due. Any instance may do it; a guard lets one win.

use std::collections::BTreeSet;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{ActionKind, Case, Command, Refusal, command::Timer},
        ids::{CaseId, DecisionId, ShiftId, TerritoryId},
        place::Position,
        regulation::qualification::Stream,
        time::{Instant, Span},
    },
    store::{Committed, Digest, Guard, Index, Key, Member, Op, Policy, Score, Txn, due_command},
};

use super::{
    Done, Engine, Failure, Mutation, Target,
    act::Extra,
    codec::{self, Entity},
};

/// Upkeep that a stopped service left behind is done under a command id of now, so that it is not refused as too old.
const OLDEST_CAUSE: Span = Span::from_hours(1);

/// How far into a queue a regulator is looked for a case that is not his own patient's.
const NOT_HIS: usize = 20;

impl Engine {
    /// Claims the head of a queue: the commit holds only if it still is the head. `reply.case` is empty when nobody
    /// waits.
    ///
    /// # Errors
    /// As [`Engine::act`].
    pub async fn claim_next(&self, actor: &Actor, mutation: Mutation, stream: Stream) -> Result<Done, Failure> {
        if actor.role != Role::Regulator {
            return self.act(actor, mutation, Target::default(), Command::Claim).await;
        }
        let index = Index::queue(stream.code());
        for _ in 0..self.0.options.attempts {
            let snapshot = self.0.store.read(&actor.territory, &[], Some(mutation.command_id)).await?;
            if let Some(receipt) = &snapshot.receipt {
                // A lost reply gives the same case again: the command is sent as it was.
                let case = super::act::reply(receipt).case.ok_or_else(|| Refusal::NotFound("case".to_owned()))?;
                return self.act(actor, mutation, Target::case(case), Command::Claim).await;
            }
            let page = self.0.store.range(&actor.territory, &index, None, NOT_HIS).await?;
            if page.entries.is_empty() {
                return self.nobody_waits(page.seq).await;
            }
            if let Some(done) = self.claim_first(actor, mutation, &index, page.entries).await? {
                return Ok(done);
            }
        }
        Err(Failure::Busy)
    }

    /// Claims the first case of the queue that the regulator may regulate: never one whose care he gives or gave. `None`
    /// when the queue has moved on.
    async fn claim_first(
        &self,
        actor: &Actor,
        mutation: Mutation,
        index: &Index,
        entries: Vec<(Score, Member)>,
    ) -> Result<Option<Done>, Failure> {
        let head = entries.first().map(|(_, member)| member.clone());
        for (_, member) in entries {
            let Ok(case) = member.0.parse() else { continue };
            let guards = vec![Guard::First(index.clone(), head.clone())];
            match self.act_guarded(actor, mutation, Target::case(case), Command::Claim, Extra { guards }).await {
                Err(Failure::Refused(Refusal::Independence)) => {}
                Err(Failure::Refused(Refusal::State { .. }) | Failure::Busy) => return Ok(None),
                result => return result.map(Some),
            }
        }
        Err(Refusal::Independence.into())
    }

    async fn nobody_waits(&self, seq: u64) -> Result<Done, Failure> {
        let durability = self.0.store.durability().await?.level;
        Ok(Done { reply: Default::default(), seq, at: self.now(), durability, replayed: false, case: None })
    }

    /// Renews the lease of a claim and answers its new end and the seq it was read at: a touch, without event or receipt.
    ///
    /// # Errors
    /// `NotHolder` when the case is not (any longer) the actor's under this number.
    pub async fn renew_claim(&self, actor: &Actor, case: CaseId, claim_no: u64) -> Result<(Instant, u64), Failure> {
        let place = self.territory(&actor.territory)?;
        let key = Key::case(case);
        for _ in 0..self.0.options.attempts {
            let snapshot = self.0.store.read(&actor.territory, std::slice::from_ref(&key), None).await?;
            let loaded = self.remember(actor, &snapshot)?;
            let known = loaded.get(&key).cloned().flatten().ok_or_else(|| Refusal::NotFound("case".to_owned()))?;
            let Entity::Case(record) = known.entity.as_ref() else { return Err(Refusal::NotHolder.into()) };
            let claim = record.claim.as_ref().filter(|claim| claim.no == claim_no && claim.by == actor.person);
            let claim = claim.ok_or(Refusal::NotHolder)?;
            if claim.suspect.is_some() {
                return Err(Refusal::state("claim", "its lease has ended: resume it first (ResumeClaim)").into());
            }
            let at = self.now();
            let until = at + self.lease(&place);
            let member = Member::from(&case);
            let mut txn = Txn::touch(actor.territory.clone(), snapshot.epoch, at);
            // A renewal that is lost ends a lease early, which is safe; one that is refused would do so at once.
            txn.policy = Policy::Degraded;
            txn.guards = vec![Guard::Version(key.clone(), known.version)];
            txn.ops = vec![Op::IndexAdd(Index::leases(), until.unix_ms(), member)];
            if self.touched(&txn).await? {
                return Ok((until, snapshot.seq));
            }
        }
        Err(Failure::Busy)
    }

    /// Keeps a doctor's position: a touch, without event or receipt.
    ///
    /// # Errors
    /// `NotFound`, or `Role` when the shift is another doctor's.
    pub async fn report_position(&self, actor: &Actor, shift: ShiftId, position: Position) -> Result<u64, Failure> {
        let key = Key::shift(shift);
        for _ in 0..self.0.options.attempts {
            let snapshot = self.0.store.read(&actor.territory, std::slice::from_ref(&key), None).await?;
            let loaded = self.remember(actor, &snapshot)?;
            let known = loaded.get(&key).cloned().flatten().ok_or_else(|| Refusal::NotFound("shift".to_owned()))?;
            let Entity::Shift(record) = known.entity.as_ref() else {
                return Err(Refusal::NotFound("shift".to_owned()).into());
            };
            if record.doctor != actor.person {
                let needed = "the doctor of the shift".to_owned();
                return Err(Refusal::Role { role: "other".to_owned(), needed }.into());
            }
            let at = self.now();
            let mut moved = record.clone();
            moved.position = Some((position, at));
            let mut txn = Txn::touch(actor.territory.clone(), snapshot.epoch, at);
            txn.schema = crate::domain::case::state::SCHEMA;
            txn.policy = Policy::Degraded;
            txn.guards = vec![Guard::Version(key.clone(), known.version)];
            let value = codec::encode(&Entity::Shift(moved));
            txn.ops = vec![Op::Put { key: key.clone(), value, number: None }];
            if self.touched(&txn).await? {
                self.0.memory.put(&actor.territory, &key, None);
                return Ok(snapshot.seq);
            }
        }
        Err(Failure::Busy)
    }

    async fn touched(&self, txn: &Txn) -> Result<bool, Failure> {
        match self.send(txn).await? {
            Some(Committed::Done(_)) => Ok(true),
            Some(Committed::Clock(now)) => {
                self.set_store_time(now);
                Ok(false)
            }
            Some(Committed::Conflict(_)) | None => Ok(false),
        }
    }

    /// Fires everything that is due in every territory, in order of (due, name), and goes on with routing where an offer
    /// led nowhere. Answers how many timers this instance fired.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn upkeep_once(&self) -> Result<usize, Failure> {
        let mut territories: BTreeSet<TerritoryId> = self.0.store.territories().await?.into_iter().collect();
        territories.extend(self.territories().iter().map(|place| place.territory.id.clone()));
        let mut fired = 0;
        for territory in territories {
            fired += self.upkeep_of(&territory).await?;
        }
        Ok(fired)
    }

    async fn upkeep_of(&self, territory: &TerritoryId) -> Result<usize, Failure> {
        let actor = upkeep(territory);
        let now = self.now();
        let mut due: Vec<(Score, CaseId, Timer, Guard, String)> = Vec::new();
        for index in [Index::timers(), Index::leases()] {
            let page =
                self.0.store.range(territory, &index, None, self.0.options.timers_per_round.clamp(1, 1_000)).await?;
            let ripe = page.entries.into_iter().take_while(|(score, _)| *score <= now.unix_ms());
            due.extend(ripe.filter_map(|(score, member)| {
                let (case, timer) = parse_timer(&index, &member)?;
                let cause = format!("{index}/{}", member.0);
                Some((score, case, timer, Guard::Due(index.clone(), member), cause))
            }));
        }
        due.sort_by(|a, b| (a.0, &a.4).cmp(&(b.0, &b.4)));
        let mut fired = 0;
        for (score, case, timer, guard, cause) in due {
            let at = Instant::from_unix_ms(score).max(now - OLDEST_CAUSE);
            let cause = format!("{cause}/{score}");
            let mutation = Mutation { command_id: due_command(&cause, at), digest: Digest::of(cause.as_bytes()) };
            let extra = Extra { guards: vec![guard] };
            match self.act_guarded(&actor, mutation, Target::case(case), Command::Fire(timer), extra).await {
                Ok(done) => {
                    fired += 1;
                    self.fired(&actor, &done).await?;
                }
                // Somebody else did it, or what was due has been done.
                Err(Failure::Refused(_) | Failure::Busy) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(fired)
    }

    /// After an offer that led nowhere the next option is taken without waiting for a coordinator's hand; the open action
    /// keeps the case safe if this instance dies before.
    async fn fired(&self, actor: &Actor, done: &Done) -> Result<(), Failure> {
        let Some(view) = &done.case else { return Ok(()) };
        for decision in reopened(&view.case, done.at) {
            self.advance_by_itself(actor, view.case.id, decision, done).await?;
        }
        Ok(())
    }

    pub(super) async fn advance_by_itself(
        &self,
        actor: &Actor,
        case: CaseId,
        decision: DecisionId,
        done: &Done,
    ) -> Result<(), Failure> {
        let cause = format!("advance/{case}/{decision}/{}", done.seq);
        let mutation = Mutation { command_id: due_command(&cause, done.at), digest: Digest::of(cause.as_bytes()) };
        match self.advance(actor, mutation, Target::case(case), decision).await {
            Ok(_) | Err(Failure::Refused(_) | Failure::Busy) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

fn reopened(case: &Case, at: Instant) -> Vec<DecisionId> {
    let routes = case.open_actions().filter(|action| action.kind == ActionKind::Route && action.opened == at);
    routes.filter_map(|action| action.about.decision).collect()
}

/// The actor of the service's own upkeep in a territory.
pub(super) fn upkeep(territory: &TerritoryId) -> Actor {
    let person = "upkeep".parse().expect("six lower-case letters are a legal person id");
    Actor { person, role: Role::Upkeep, territory: territory.clone(), connection: None }
}

fn parse_timer(index: &Index, member: &Member) -> Option<(CaseId, Timer)> {
    if *index == Index::leases() {
        return Some((member.0.parse().ok()?, Timer::Lease));
    }
    let mut parts = member.0.split('/');
    let (kind, case, rest) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    match kind {
        "action" => Some((case, Timer::Action(rest.parse().ok()?))),
        "suspect" => Some((case, Timer::Suspect)),
        _ => None,
    }
}
