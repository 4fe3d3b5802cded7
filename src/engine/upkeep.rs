//! Upkeep: everything that falls due. Any instance may do it; a guard lets one win.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{join, join_all};

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{
            Action, ActionKind, Case, Command, Offer,
            command::{OfferAnswer, Timer},
        },
        ids::{CaseId, DecisionId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Committed, Digest, Guard, Index, Key, MAX_PAGE, Member, Policy, Score, StoreError, Txn, due_command},
};

use super::{Done, Engine, Failure, Mutation, Place, Target, act::Extra, memory::Known, policy, transfers::Carried};

/// Upkeep that a stopped service left behind is done under a command id of now, so that it is not refused as too old.
pub(super) const OLDEST_CAUSE: Span = Span::from_hours(1);

/// Pages of one index that a round looks through.
pub(super) const PAGES: usize = 32;

/// How often in the length of a lease it is looked whether claims could be renewed.
const LOOKS: i64 = 10;

/// The kinds of renewals, those that wait for more first.
const KINDS: [Policy; 2] = [Policy::Strict, Policy::Vital];

/// A process that was not seen for so long was away: frozen with its machine, or stopped.
const AWAY: Span = Span::from_secs(5);
/// How often it is seen, however long a round waits for a store.
const SEEN_EVERY: Duration = Duration::from_secs(1);

/// Visits declined between two rounds that are gone on from at once; of more, a coordinator finds the decisions waiting.
const MOST_DECLINED: usize = 1_000;

/// A store that let itself be waited for so long is not asked a second time in one round.
const LATE: Duration = Duration::from_secs(1);

/// Territories whose state could not be reached for a hand-over in this round.
pub(super) type Silent = Mutex<BTreeSet<TerritoryId>>;

impl Engine {
    /// Says that this process is there: before each round of upkeep, and beside it. What ends a claim is put off by as long as
    /// it was not.
    pub fn present(&self) {
        self.0.outages.present(self.now(), AWAY);
    }

    /// Notes that a visit was declined: the next round of upkeep takes the next option, as after one that nobody answered. Where
    /// this instance is gone by then, a coordinator finds the decision waiting.
    pub(super) fn note_declined(&self, territory: &TerritoryId, command: &Command, done: &Result<Done, Failure>) {
        let (Command::AnswerOffer { offer, answer: OfferAnswer::Declined }, Ok(done)) = (command, done) else { return };
        let visit = done.case.as_ref().is_some_and(|view| view.case.offer(*offer).is_some_and(Offer::is_visit));
        let mut declined = self.0.declined.lock().unwrap_or_else(PoisonError::into_inner);
        if visit && declined.len() < MOST_DECLINED {
            declined.push((territory.clone(), done.clone()));
        }
    }

    fn take_declined(&self, territory: &TerritoryId) -> Vec<Done> {
        let mut declined = self.0.declined.lock().unwrap_or_else(PoisonError::into_inner);
        let (here, others) = std::mem::take(&mut *declined).into_iter().partition(|(of, _)| of == territory);
        *declined = others;
        let here: Vec<(TerritoryId, Done)> = here;
        here.into_iter().map(|(_, done)| done).collect()
    }

    /// Says so every second, for as long as it is let run: a round may take longer than that where a store does not answer,
    /// and nobody was away then.
    pub async fn stay_present(&self) {
        loop {
            self.present();
            self.0.clock.sleep(SEEN_EVERY).await;
        }
    }

    /// Carries every hand-over between territories, fires everything that is due in every territory, in order of (due, name),
    /// and goes on with routing where an offer led nowhere. Answers how many steps and timers this instance did. A territory
    /// whose state cannot be reached holds no other one up: those that could not be in the round before are tried beside the
    /// others, all at once, since each may take as long as a call of the store may; and once one cannot be, so are the rest.
    ///
    /// # Errors
    /// When the store does not answer for some territory; the others have been served.
    pub async fn upkeep_once(&self) -> Result<usize, Failure> {
        let mut territories: BTreeSet<TerritoryId> =
            self.territories().iter().map(|place| place.territory.id.clone()).collect();
        let (mut fired, mut failed) = (0, None);
        match self.0.store.territories().await {
            Ok(stored) => territories.extend(stored),
            Err(error) => failed = Some(error.into()),
        }
        let unreached = self.0.outages.unreached();
        let (doubtful, ordinary): (Vec<_>, Vec<_>) = territories.into_iter().partition(|id| unreached.contains(id));
        let doubtful = doubtful.into_iter().map(|territory| async move {
            let done = self.upkeep_of(&territory, &Silent::default()).await;
            (territory, done)
        });
        let silent = Silent::default();
        let ordinary = ordinary.into_iter().map(|territory| async {
            let done = self.upkeep_of(&territory, &silent).await;
            (territory, done)
        });
        let (beside, in_turn) = join(join_all(doubtful), in_turn(ordinary)).await;
        for (territory, done) in beside.into_iter().chain(in_turn) {
            match done {
                Ok(more) => fired += more,
                Err(failure) => {
                    KINDS.iter().for_each(|kind| self.0.outages.lost(&territory, *kind));
                    failed = Some(failure);
                }
            }
        }
        failed.map_or(Ok(fired), Err)
    }

    /// Upkeep of one territory.
    async fn upkeep_of(&self, territory: &TerritoryId, silent: &Silent) -> Result<usize, Failure> {
        // An answer that came in time is recorded before what is late fires; where that fails, what is late fires all the same,
        // unless the store is not there at all.
        let began = self.0.clock.uptime();
        let carried = self.carry_transfers(territory, Carried::Waiting, silent).await;
        if carried.is_err() && self.0.clock.uptime().saturating_sub(began) >= LATE {
            return carried;
        }
        let mut fired = self.fire_due(territory).await?;
        for done in self.take_declined(territory) {
            self.fired(&upkeep(territory), &done).await?;
            fired += 1;
        }
        let done = fired + carried?;
        Ok(done + self.carry_transfers(territory, Carried::Later, silent).await?)
    }

    /// Fires everything that is due in a territory; answers how many this instance fired. A record that cannot be read holds
    /// no other one up.
    async fn fire_due(&self, territory: &TerritoryId) -> Result<usize, Failure> {
        let (mut due, _) = self.due(territory, &Index::timers()).await?;
        let (leases, held) = self.due(territory, &Index::leases()).await?;
        due.extend(leases);
        due.sort_by(|a, b| (a.at, &a.cause).cmp(&(b.at, &b.cause)));
        let place = self.territory(territory)?;
        self.look_whether_renewals_are_served(&place, held, due.iter().any(Due::ends_a_claim)).await;
        let mut fired = 0;
        for due in due {
            let case = due.case;
            match self.fire_if_over(&place, due).await {
                Ok(done) => fired += usize::from(done),
                Err(failure) if failure.is_of_one_record() => {
                    tracing::error!(%territory, %case, %failure, "a timer cannot be fired");
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(fired)
    }

    async fn fire_if_over(&self, place: &Place, due: Due) -> Result<bool, Failure> {
        let now = self.now();
        Ok(self.over(place, &due, now).await? && self.fire(&place.territory.id, due, now).await?)
    }

    /// Notes whether claims could be renewed now. Reading says nothing of it: a replica may be away, a disk full. So the
    /// shortest write is made that waits for what a renewal waits for: while claims are `held` ten times in each lease, and
    /// always before one `ends`.
    async fn look_whether_renewals_are_served(&self, place: &Place, held: bool, ends: bool) {
        let (territory, outages, now) = (&place.territory.id, &self.0.outages, self.now());
        let seldom = Span::from_ms(self.lease(place).ms() / LOOKS);
        if held && !ends && outages.is_reached(territory, Policy::Strict, now - seldom) {
            return;
        }
        let mut served = !held && !ends;
        // Where the promised level can be had, less can be had, too.
        for kind in KINDS {
            served = served || self.serves(territory, kind).await;
            match served {
                true => outages.reached(territory, kind, self.now()),
                false => outages.lost(territory, kind),
            }
        }
    }

    async fn serves(&self, territory: &TerritoryId, policy: Policy) -> bool {
        let (actor, mut lost) = (upkeep(territory), false);
        for _ in 0..self.0.options.attempts {
            let Ok(epoch) = self.epoch(&actor).await else { return false };
            let touch = Txn { policy, ..Txn::touch(territory.clone(), epoch, self.now()) };
            match self.send_once(&touch).await {
                Ok(Committed::Done(_)) => return true,
                Ok(Committed::Clock(now)) => self.set_store_time(now),
                Err(StoreError::Fenced { .. }) => self.0.memory.forget(territory),
                // One answer that is lost, as in a failover, is no outage yet.
                Err(StoreError::Unknown(_) | StoreError::Unavailable(_)) if !lost => lost = true,
                Ok(Committed::Conflict(_)) | Err(_) => return false,
            }
        }
        false
    }

    /// Whether what is due runs out now: the time of a claim, and what is left to the holder of a suspect one, stand still
    /// while his console could not be served.
    async fn over(&self, place: &Place, due: &Due, now: Instant) -> Result<bool, Failure> {
        let (territory, lease) = (&place.territory.id, &place.territory.regulation.lease);
        let span = match due.timer {
            Timer::Lease => lease.lease,
            Timer::Suspect => lease.suspect,
            Timer::Action(_) => return Ok(true),
        };
        let over = |policy| self.0.outages.over(territory, policy, (due.at, span), now);
        Ok(over(Policy::Strict) || over(Policy::Vital) && self.is_vital(territory, due.case).await?)
    }

    pub(super) async fn is_vital(&self, territory: &TerritoryId, case: CaseId) -> Result<bool, Failure> {
        let key = Key::case(case);
        let known = match self.0.memory.get(territory, &key) {
            Some(known) => Some(known),
            None => self.read_one(&upkeep(territory), &key).await?,
        };
        Ok(known.as_ref().and_then(Known::case).is_some_and(policy::vital))
    }

    /// Every entry of an index that is due, a bounded number of pages of them: what is refused again and again stays in
    /// front, and must not hide what stands behind it. And whether the index holds anything at all.
    async fn due(&self, territory: &TerritoryId, index: &Index) -> Result<(Vec<Due>, bool), Failure> {
        let (size, now) = (self.0.options.timers_per_round.clamp(1, MAX_PAGE), self.now().unix_ms());
        let (mut due, mut after, mut any) = (Vec::new(), None, false);
        for _ in 0..PAGES {
            let page = self.0.store.range(territory, index, after, size).await?;
            let whole = page.entries.len() < size;
            any |= !page.entries.is_empty();
            after = page.entries.last().cloned();
            let ripe = page.entries.into_iter().take_while(|(score, _)| *score <= now);
            due.extend(ripe.filter_map(|(score, member)| Due::new(index, score, member)));
            if whole || after.as_ref().is_none_or(|(score, _)| *score > now) {
                break;
            }
        }
        Ok((due, any))
    }

    /// Fires one timer; false when another instance did it, or what was due has been done.
    async fn fire(&self, territory: &TerritoryId, due: Due, now: Instant) -> Result<bool, Failure> {
        let actor = upkeep(territory);
        let at = due.at.max(now - OLDEST_CAUSE);
        let mut answer = self.fire_as(&actor, &due, due.cause.clone(), at).await;
        // The receipt of an earlier firing answers for this one too when the same entry came to stand there again.
        let again = answer.as_ref().ok().filter(|done| done.replayed && !due.ends_a_claim());
        if let Some(view) = again.and_then(|done| done.case.as_ref()) {
            let cause = format!("{}/{:x}", due.cause, u128::from_be_bytes(view.version.to_bytes()));
            answer = self.fire_as(&actor, &due, cause, at).await;
        }
        match answer {
            Ok(done) => {
                self.fired(&actor, &done).await?;
                Ok(true)
            }
            Err(Failure::Refused(_) | Failure::Busy) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    async fn fire_as(&self, actor: &Actor, due: &Due, cause: String, at: Instant) -> Result<Done, Failure> {
        let mutation = Mutation { command_id: due_command(&cause, at), digest: Digest::of(cause.as_bytes()) };
        let extra = Extra { guards: vec![due.guard.clone()], ..Extra::default() };
        self.act_guarded(actor, mutation, Target::case(due.case), &Command::Fire(due.timer), extra).await
    }

    /// After an offer that led nowhere the next option is taken without waiting for a coordinator's hand, unless he is being
    /// told; the open action keeps the case safe if this instance dies before.
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
    let by_itself =
        |action: &&Action| action.kind == ActionKind::Route && action.opened == at && action.alarmed().is_none();
    let routes = case.open_actions().filter(by_itself);
    routes.filter_map(|action| action.about.decision).collect()
}

/// Serves territories one after the other and, once one cannot be, all that are left at the same time: another one may lie
/// where that one does, and waiting for each would hold up those that do not.
pub(super) async fn in_turn<T, F>(served: impl Iterator<Item = F>) -> Vec<(TerritoryId, Result<T, Failure>)>
where
    F: Future<Output = (TerritoryId, Result<T, Failure>)>,
{
    let (mut all, mut left) = (Vec::new(), served);
    for served in left.by_ref() {
        let served = served.await;
        let failed = served.1.is_err();
        all.push(served);
        if failed {
            break;
        }
    }
    all.extend(join_all(left).await);
    all
}

pub(super) fn known_silent(silent: &Silent) -> std::sync::MutexGuard<'_, BTreeSet<TerritoryId>> {
    silent.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The actor of the service's own upkeep in a territory.
pub(super) fn upkeep(territory: &TerritoryId) -> Actor {
    let person = "upkeep".parse().expect("six lower-case letters are a legal person id");
    Actor { person, role: Role::Upkeep, territory: territory.clone(), connection: None }
}

/// Something that is due.
struct Due {
    at: Instant,
    case: CaseId,
    timer: Timer,
    guard: Guard,
    /// Names it, and the instant at which it became due.
    cause: String,
}

impl Due {
    /// Whether it takes a case from somebody.
    fn ends_a_claim(&self) -> bool {
        matches!(self.timer, Timer::Lease | Timer::Suspect)
    }

    /// `None` for an entry that this binary does not know.
    fn new(index: &Index, score: Score, member: Member) -> Option<Self> {
        let (case, timer) = parse_timer(index, &member)?;
        let cause = format!("{index}/{}/{score}", member.0);
        let (at, guard) = (Instant::from_unix_ms(score), Guard::Due(index.clone(), member));
        Some(Self { at, case, timer, guard, cause })
    }
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
