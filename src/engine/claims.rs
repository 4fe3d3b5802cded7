//! Claims: the head of a queue for whoever asks next, and the renewal of a lease. One round trip each while memory is
//! right; the guards decide, and a conflict says who is first.

use std::{collections::BTreeSet, sync::Arc};

use tracing::{Instrument, debug_span};

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{Case, Command, Outcome, Refusal, Reply, RestsOn},
        ids::{CaseId, Skill},
        time::Instant,
    },
    store::{Durability, Guard, Index, Key, MAX_PAGE, Member, Op, Receipt, Txn, txn::MAX_GUARDS},
};

use super::{
    Done, Engine, Failure, Mutation, Place, Target,
    act::{Attempt, Extra, Loaded, Work, answered, of_roster},
    draws::{self, Asker},
    memory::{Known, Memory},
    policy,
    positions::Touched,
    queues,
    shifts::{Hours, LOOKS},
};

/// How far into a queue a regulator is looked for a case that is not his own patient's.
const NOT_HIS: usize = 20;

/// What an attempt to claim came to.
enum Step {
    Done(Box<Done>),
    /// The queue has moved on, and memory with it.
    Moved,
    /// Memory has nobody for this regulator: only the store may say so.
    Nobody,
}

/// Where fronts were seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// In what this instance remembers.
    Here,
    /// In the store, a moment ago.
    InStore,
}

/// What stands at a place of a queue.
enum Waiting {
    /// This case.
    Case(Known),
    /// None any longer.
    Gone,
    /// One whose record cannot be read.
    Unreadable,
}

/// The front of one of the queues that a regulator draws from.
struct Front {
    index: Index,
    places: Vec<queues::Place>,
}

impl Engine {
    /// Claims the first case of the queues a regulator of `stream` draws from: the commit holds only if it still is the
    /// first of all of them. `reply.case` is empty when nobody waits.
    ///
    /// # Errors
    /// As [`Engine::act`]; a skill that the territory does not know.
    pub async fn claim_next(
        &self,
        actor: &Actor,
        mutation: Mutation,
        asker: impl Into<Asker>,
    ) -> Result<Done, Failure> {
        let asker = asker.into();
        let command = Command::ClaimNext(asker.stream);
        if actor.role != Role::Regulator {
            return self.act(actor, mutation, Target::default(), command).await;
        }
        let place = self.territory(&actor.territory)?;
        known_skills(&place, &asker.skills)?;
        let room = self.room(&actor.territory).await;
        let former = self.former_skills(&place);
        let indexes = draws::from((&place.territory, &former), &room, self.now(), &actor.person, &asker);
        let hours = Hours::now(actor, self.now());
        let mut extra = self.beside_in_memory(actor, &hours);
        let mut result = Err(Failure::Busy);
        for look in 0..LOOKS {
            let target = Target::default();
            let work = Work { actor, place: &place, mutation, target, command: &command, extra: &extra };
            let span = debug_span!("act", command = command.name());
            result = self.claimed(&work, &indexes).instrument(span).await;
            if !matches!(result, Err(Failure::Busy)) || look + 1 == LOOKS {
                break;
            }
            extra = self.stored_beside(actor, &hours).await?;
        }
        self.counted(actor, command.name(), &result);
        result
    }

    async fn claimed(&self, work: &Work<'_>, indexes: &[Index]) -> Result<Done, Failure> {
        for _ in 0..self.0.options.attempts {
            let step = match self.claim_first(work, self.fronts(work, indexes), Seen::Here).await? {
                Step::Nobody => match self.read_queues(work, indexes).await? {
                    // A lost reply gives the same case again.
                    Queued::Before(receipt) => self.before(work, receipt).await?,
                    Queued::Nobody(seq) => return self.nobody_waits(seq).await,
                    Queued::These(fronts) => self.claim_first(work, fronts, Seen::InStore).await?,
                },
                step => step,
            };
            match step {
                Step::Done(done) => return answered(work.actor, work.place, *done),
                Step::Nobody => return Err(Refusal::Independence.into()),
                Step::Moved => {}
            }
        }
        Err(Failure::Busy)
    }

    /// The answer of a command that was carried out before.
    async fn before(&self, work: &Work<'_>, receipt: Receipt) -> Result<Step, Failure> {
        Ok(match self.replay(work, &Loaded::new(), receipt).await? {
            Attempt::Done(done) => Step::Done(done),
            Attempt::Again(_) => Step::Moved,
        })
    }

    /// The fronts of the queues as memory has them.
    fn fronts(&self, work: &Work<'_>, indexes: &[Index]) -> Vec<Front> {
        let front = |index: &Index| {
            let places = self.0.memory.queue(&work.actor.territory, index, |queue| queue.front(NOT_HIS));
            Front { index: index.clone(), places }
        };
        indexes.iter().map(front).collect()
    }

    /// Claims the first case of the queues that the regulator may regulate: never one whose care he gives or gave. The
    /// heads of all of them, and the cases that are passed over, are guarded as well. Who stands between them is not: whoever
    /// is not the first of all is only given as the store has the queues, since memory may lack a more urgent one.
    async fn claim_first(&self, work: &Work<'_>, fronts: Vec<Front>, seen: Seen) -> Result<Step, Failure> {
        let head = |front: &Front| {
            let first = front.places.first().map(|(_, member)| member.clone());
            Guard::First(front.index.clone(), first)
        };
        let guards = fronts.iter().map(head).chain(work.extra.guards.iter().cloned()).collect();
        let extra = Extra { guards, ..Extra::default() };
        let waiting = in_order(&fronts, work.extra.guards.len() + work.extra.shifts.len());
        let mut his = Loaded::new();
        if !work.extra.shifts.is_empty() {
            let shifts: Vec<Key> = work.extra.shifts.iter().copied().map(Key::shift).collect();
            // What he is refused for is the store's word, and never before that of its first run.
            let command = Some(work.mutation.command_id);
            let snapshot = self.read_store(&work.actor.territory, &shifts, command).await?;
            if let Some(receipt) = snapshot.receipt {
                return self.before(work, receipt).await;
            }
            his = self.remember(work.actor, &snapshot)?;
        }
        let mut loaded = his.clone();
        for (place, (index, member)) in waiting.iter().enumerate() {
            if place > 0 && seen == Seen::Here {
                return Ok(Step::Nobody);
            }
            let Ok(case) = member.0.parse::<CaseId>() else { continue };
            let key = Key::case(case);
            let known = match self.waiting_case(work.actor, &key, &waiting).await? {
                Waiting::Case(known) => known,
                Waiting::Gone => return Ok(self.passed(work, index, member)),
                // It keeps its place, for a binary that reads it; nobody else waits for that.
                Waiting::Unreadable => continue,
            };
            let mut looked_at = his.clone();
            looked_at.insert(key.clone(), Some(known.clone()));
            loaded.insert(key, Some(known));
            let work = Work { target: Target::case(case), extra: &extra, ..*work };
            match self.decided(&work, &looked_at) {
                Ok(outcome) => return self.commit_first(&work, &loaded, outcome, (index, member)).await,
                Err(Refusal::Independence) => {}
                Err(refusal) if of_roster(&refusal) => {
                    self.refresh_room(&work.actor.territory).await?;
                    let outcome = self.decided(&work, &looked_at)?;
                    return self.commit_first(&work, &loaded, outcome, (index, member)).await;
                }
                Err(refusal @ Refusal::Broken(_)) => return Err(refusal.into()),
                Err(refusal) if refusal.rests_on(RestsOn::Shifts) => return Err(refusal.into()),
                // It does not wait any longer. What the store said a moment ago has changed since.
                Err(_) => return Ok(self.passed(&work, index, member)),
            }
        }
        Ok(Step::Nobody)
    }

    async fn commit_first(
        &self,
        work: &Work<'_>,
        loaded: &Loaded,
        outcome: Box<Outcome>,
        (index, member): (&Index, &Member),
    ) -> Result<Step, Failure> {
        let Some(_turn) = UnderWay::begin(&self.0.memory, work.place, index, member) else {
            return Ok(Step::Moved);
        };
        Ok(match self.commit(work, loaded, outcome).await? {
            Attempt::Done(done) => Step::Done(done),
            Attempt::Again(reason) => {
                reason.into_iter().for_each(|reason| self.0.metrics.retry(reason));
                Step::Moved
            }
        })
    }

    /// The case of `key`. When it has to be read, so are the others of the front that are not known: the next regulator
    /// asks for the next of them.
    async fn waiting_case(&self, actor: &Actor, key: &Key, waiting: &[(Index, Member)]) -> Result<Waiting, Failure> {
        let territory = &actor.territory;
        if let Some(known) = self.0.memory.get(territory, key) {
            return Ok(Waiting::Case(known));
        }
        let keys = waiting.iter().filter_map(|(index, member)| index.head_record(member));
        let unknown: Vec<Key> = keys.filter(|key| self.0.memory.get(territory, key).is_none()).collect();
        let snapshot = self.read_store(territory, &unknown, None).await?;
        let (mut loaded, unreadable) = self.remember_readable(actor, &snapshot);
        Ok(match loaded.remove(key).flatten() {
            Some(known) => Waiting::Case(known),
            None if unreadable.contains(key) => Waiting::Unreadable,
            None => Waiting::Gone,
        })
    }

    fn passed(&self, work: &Work<'_>, index: &Index, member: &Member) -> Step {
        self.0.memory.queue(&work.actor.territory, index, |queue| queue.remove(member));
        Step::Moved
    }

    /// The fronts of the queues as the store has them, with their records; or that this command was carried out before.
    async fn read_queues(&self, work: &Work<'_>, indexes: &[Index]) -> Result<Queued, Failure> {
        let territory = &work.actor.territory;
        let (mut pages, mut seq) = (Vec::new(), u64::MAX);
        for index in indexes {
            let page = self.0.store.range(territory, index, None, MAX_PAGE.min(queues::FRONT)).await?;
            seq = seq.min(page.seq);
            pages.push((index, page.entries));
        }
        let front = |(index, entries): &(&Index, Vec<queues::Place>)| {
            let places = entries.iter().take(NOT_HIS).cloned().collect();
            Front { index: (*index).clone(), places }
        };
        let fronts: Vec<Front> = pages.iter().map(front).collect();
        let members = in_order(&fronts, work.extra.guards.len() + work.extra.shifts.len());
        let keys: Vec<Key> = members.iter().filter_map(|(index, member)| index.head_record(member)).collect();
        // The receipt is read after the queues: a first run that took the last case has left it by now.
        let snapshot = self.read_store(territory, &keys, Some(work.mutation.command_id)).await?;
        self.remember_readable(work.actor, &snapshot);
        if let Some(receipt) = snapshot.receipt {
            return Ok(Queued::Before(receipt));
        }
        for (index, entries) in pages {
            let whole = entries.len() < queues::FRONT;
            self.0.memory.queue(territory, index, |queue| queue.fill(entries, whole));
        }
        if members.is_empty() { Ok(Queued::Nobody(seq)) } else { Ok(Queued::These(fronts)) }
    }

    async fn nobody_waits(&self, seq: u64) -> Result<Done, Failure> {
        let durability = self.level().await;
        let (reply, at) = (Reply::default(), self.now());
        Ok(Done { reply, seq, at, durability, replayed: false, renamed: false, case: None })
    }

    /// Renews the lease of a claim: a touch, without event or receipt. Where it cannot be served at the promised level the
    /// claim stands still until it can be ([`super::outage`]): the console goes on trying.
    ///
    /// # Errors
    /// `NotHolderWordless` when the case is not (any longer) the actor's under this number.
    pub async fn renew_claim(&self, actor: &Actor, case: CaseId, claim_no: u64) -> Result<Renewed, Failure> {
        let place = self.territory(&actor.territory)?;
        let key = Key::case(case);
        let touched = self.touch(actor, &key, |known, at| {
            let record = known.case().ok_or(Refusal::NotHolderWordless)?;
            renewable(record, actor, claim_no)?;
            let mut txn = Txn::touch(actor.territory.clone(), 0, at);
            txn.policy = policy::renewal(record);
            let until = at + self.lease(&place);
            txn.ops = vec![Op::IndexAdd(Index::leases(), until.unix_ms(), Member::from(&case))];
            Ok((txn, until))
        });
        let Touched { receipt, made: until, .. } = touched.await?;
        Ok(Renewed { until, seq: receipt.seq, durability: receipt.durability })
    }
}

/// A claim that was renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The end of its lease.
    pub until: Instant,
    /// The place in the log at which it was the actor's.
    pub seq: u64,
    /// How safe the renewal is.
    pub durability: Durability,
}

/// What the store says of a queue.
enum Queued {
    /// The command was carried out before.
    Before(Receipt),
    /// Nobody waits, at this seq.
    Nobody(u64),
    /// Who waits in front of each.
    These(Vec<Front>),
}

/// The cases of all fronts in the one order in which they are regulated, as many as a transaction can guard beside `others`.
fn in_order(fronts: &[Front], others: usize) -> Vec<(Index, Member)> {
    let places = fronts.iter().flat_map(|front| front.places.iter().map(move |place| (place, &front.index)));
    let mut places: Vec<_> = places.collect();
    places.sort_unstable();
    let most = NOT_HIS.min(MAX_GUARDS.saturating_sub(fronts.len() + others));
    places.into_iter().take(most).map(|((_, member), index)| (index.clone(), member.clone())).collect()
}

fn known_skills(place: &Place, skills: &BTreeSet<Skill>) -> Result<(), Refusal> {
    let known = &place.territory.regulation.skills;
    if skills.iter().all(|skill| known.contains(skill)) {
        return Ok(());
    }
    let names: Vec<&str> = known.iter().map(|skill| skill.as_str()).collect();
    Err(Refusal::field("skills", format!("not skills of this territory; it knows: {}", names.join(", "))))
}

fn renewable(case: &Case, actor: &Actor, claim_no: u64) -> Result<(), Refusal> {
    let claim = case.claim.as_ref().filter(|claim| claim.no == claim_no && claim.by == actor.person);
    if claim.ok_or(Refusal::NotHolderWordless)?.suspect.is_some() {
        return Err(Refusal::state("claim", "its lease has ended: resume it first (ResumeClaim)"));
    }
    Ok(())
}

/// A claim under way, until it is dropped: also when the caller goes away.
struct UnderWay<'a> {
    memory: &'a Memory,
    place: &'a Arc<Place>,
    index: &'a Index,
    member: &'a Member,
}

impl<'a> UnderWay<'a> {
    fn begin(memory: &'a Memory, place: &'a Arc<Place>, index: &'a Index, member: &'a Member) -> Option<Self> {
        let begun = memory.queue(&place.territory.id, index, |queue| queue.begin(member));
        begun.then_some(Self { memory, place, index, member })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.memory.queue(&self.place.territory.id, self.index, |queue| queue.end(self.member));
    }
}
