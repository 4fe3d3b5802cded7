//! Upkeep: everything that falls due. Any instance may do it; a guard lets one win.

use std::collections::BTreeSet;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{ActionKind, Case, Command, command::Timer},
        ids::{CaseId, DecisionId, TerritoryId},
        time::{Instant, Span},
    },
    store::{Digest, Guard, Index, Member, Score, due_command},
};

use super::{Done, Engine, Failure, Mutation, Target, act::Extra};

/// Upkeep that a stopped service left behind is done under a command id of now, so that it is not refused as too old.
const OLDEST_CAUSE: Span = Span::from_hours(1);

impl Engine {
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
