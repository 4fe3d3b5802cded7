//! Upkeep: everything that falls due. Any instance may do it; a guard lets one win.

use std::collections::BTreeSet;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{ActionKind, Case, Command, command::Timer},
        ids::{CaseId, DecisionId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Digest, Guard, Index, MAX_PAGE, Member, Score, StoreError, due_command},
};

use super::{Done, Engine, Failure, Mutation, Target, act::Extra};

/// Upkeep that a stopped service left behind is done under a command id of now, so that it is not refused as too old.
const OLDEST_CAUSE: Span = Span::from_hours(1);

/// Pages of one index that a round looks through.
const PAGES: usize = 32;

impl Engine {
    /// Fires everything that is due in every territory, in order of (due, name), and goes on with routing where an offer
    /// led nowhere. Answers how many timers this instance fired. A territory whose state cannot be reached holds no other
    /// one up.
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
        for territory in territories {
            match self.upkeep_of(&territory).await {
                Ok(more) => fired += more,
                Err(failure) => {
                    self.0.outages.lost(&territory);
                    failed = Some(failure);
                }
            }
        }
        failed.map_or(Ok(fired), Err)
    }

    async fn upkeep_of(&self, territory: &TerritoryId) -> Result<usize, Failure> {
        let mut due = self.due(territory, &Index::timers()).await?;
        due.extend(self.due(territory, &Index::leases()).await?);
        due.sort_by(|a, b| (a.at, &a.cause).cmp(&(b.at, &b.cause)));
        self.0.outages.reached(territory, self.now());
        let lease = self.lease(&*self.territory(territory)?);
        let mut fired = 0;
        for due in due {
            let now = self.now();
            let runs = matches!(due.timer, Timer::Lease) && !self.0.outages.lease_ended(territory, due.at, lease, now);
            if !runs && self.fire(territory, due, now).await? {
                fired += 1;
            }
        }
        Ok(fired)
    }

    /// Every entry of an index that is due, a bounded number of pages of them: what is refused again and again stays in
    /// front, and must not hide what stands behind it.
    async fn due(&self, territory: &TerritoryId, index: &Index) -> Result<Vec<Due>, Failure> {
        let (size, now) = (self.0.options.timers_per_round.clamp(1, MAX_PAGE), self.now().unix_ms());
        let (mut due, mut after) = (Vec::new(), None);
        for _ in 0..PAGES {
            let page = self.0.store.range(territory, index, after, size).await?;
            let whole = page.entries.len() < size;
            after = page.entries.last().cloned();
            let ripe = page.entries.into_iter().take_while(|(score, _)| *score <= now);
            due.extend(ripe.filter_map(|(score, member)| Due::new(index, score, member)));
            if whole || after.as_ref().is_none_or(|(score, _)| *score > now) {
                break;
            }
        }
        Ok(due)
    }

    /// Fires one timer; false when another instance did it, what was due has been done, or it cannot be done: that is
    /// said in the log, and holds no other one up.
    async fn fire(&self, territory: &TerritoryId, due: Due, now: Instant) -> Result<bool, Failure> {
        let actor = upkeep(territory);
        let at = due.at.max(now - OLDEST_CAUSE);
        let mutation = Mutation { command_id: due_command(&due.cause, at), digest: Digest::of(due.cause.as_bytes()) };
        let extra = Extra { guards: vec![due.guard] };
        let fire = Command::Fire(due.timer);
        match self.act_guarded(&actor, mutation, Target::case(due.case), fire, extra).await {
            Ok(done) => {
                self.fired(&actor, &done).await?;
                Ok(true)
            }
            Err(Failure::Refused(_) | Failure::Busy) => Ok(false),
            Err(Failure::Store(error @ (StoreError::Corrupt(_) | StoreError::Malformed(_)))) => {
                tracing::error!(%territory, case = %due.case, %error, "a timer cannot be fired");
                Ok(false)
            }
            Err(failure) => Err(failure),
        }
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
