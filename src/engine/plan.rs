//! Planning: the routing problem of a decision, from the case and the supply as they are now.

use crate::domain::{
    actor::{Actor, Role},
    case::{Case, Command, Refusal},
    ids::{CaseId, DecisionId},
    routing::{Plan, Problem, plan},
};
use crate::store::Key;

use super::{CaseView, Done, Engine, Failure, Mutation, Place, Target};

impl Engine {
    /// Explains where a decision would go and why, and changes nothing. Only after the need was signed: a plan cannot be
    /// asked for without a decision.
    ///
    /// # Errors
    /// `NotFound` when there is no such case or decision; `State` when it needs no responder.
    pub async fn plan(&self, actor: &Actor, case: CaseId, decision: DecisionId) -> Result<Plan, Failure> {
        let place = self.territory(&actor.territory)?;
        if matches!(actor.role, Role::Responder | Role::BackOffice | Role::Telephony) {
            let needed = "ARM, REGULATOR, COORDINATOR, DISPATCHER, SUPERVISOR".to_owned();
            return Err(Refusal::Role { role: actor.role.code().to_owned(), needed }.into());
        }
        let (view, seq) = self.read_case(actor, case, 0).await?;
        self.plan_of(&place, &view, decision, seq).await
    }

    /// Plans with the supply as it is now and puts the first kept option to its responder. When the option was taken
    /// meanwhile, plans again.
    ///
    /// # Errors
    /// As [`Engine::act`] and [`Engine::plan`].
    pub async fn advance(
        &self,
        actor: &Actor,
        mutation: Mutation,
        target: Target,
        decision: DecisionId,
    ) -> Result<Done, Failure> {
        let place = self.territory(&actor.territory)?;
        let case = target.case.ok_or_else(|| Refusal::NotFound("case".to_owned()))?;
        let mut last = Failure::Busy;
        let mut fresh = false;
        for _ in 0..self.0.options.attempts {
            let planned = self.planned(actor, &place, target, (case, decision), fresh).await?;
            fresh = true;
            let Some((of_plan, plan)) = planned else { continue };
            let command = Command::Advance { decision, plan: Box::new(plan) };
            match self.act(actor, mutation, of_plan, command).await {
                Err(failure) if overtaken(&failure, target) => last = failure,
                result => return result,
            }
        }
        Err(last)
    }

    /// The plan for a case as memory or, when `fresh`, the store has it, and the version it was made for. `None` when
    /// memory leads nowhere: only the store may say so.
    async fn planned(
        &self,
        actor: &Actor,
        place: &Place,
        target: Target,
        (case, decision): (CaseId, DecisionId),
        fresh: bool,
    ) -> Result<Option<(Target, Plan)>, Failure> {
        let key = Key::case(case);
        let not_found = || Refusal::NotFound("case".to_owned());
        let (known, seq) = if fresh {
            let snapshot = self.read_store(&actor.territory, std::slice::from_ref(&key), None).await?;
            let known = self.remember(actor, &snapshot)?.remove(&key).flatten();
            (known.ok_or_else(not_found)?, snapshot.seq)
        } else {
            let Some(known) = self.0.memory.get(&actor.territory, &key) else { return Ok(None) };
            let seq = known.version.seq();
            (known, seq)
        };
        if !fresh && target.version.is_some_and(|read| read != known.version) {
            return Ok(None);
        }
        let target = Target { version: target.version.or(Some(known.version)), ..target };
        let view = CaseView::new(place, &known, self.now()).ok_or_else(not_found)?;
        match self.plan_of(place, &view, decision, seq).await {
            Ok(plan) if fresh || plan.first().is_some() => Ok(Some((target, plan))),
            Ok(_) => Ok(None),
            Err(Failure::Refused(_)) if !fresh => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Plans over the supply as it was at `seq` or later.
    async fn plan_of(&self, place: &Place, view: &CaseView, id: DecisionId, seq: u64) -> Result<Plan, Failure> {
        let decision = view.case.decision(id).ok_or_else(|| Refusal::NotFound("decision".to_owned()))?;
        let care = decision.answer.as_ref().map_or(decision.need.care, |answer| answer.care);
        if !care.needs_supply() {
            return Err(Refusal::state("decision", "it needs no responder").into());
        }
        let supply = self.supply(place, seq).await?;
        let own = crate::domain::case::state::Patient { number: decision.need.patient, ..Default::default() };
        let mut case = Case::clone(&view.case);
        if case.patient(decision.need.patient).is_none() {
            case.patients.push(own);
        }
        let rules = (&place.territory, &place.directory);
        let now = self.not_before(Some(case.last_instant()));
        let problem = Problem::of_case(now, rules, &case, decision, &supply);
        let problem = problem.ok_or_else(|| Refusal::NotFound("patient".to_owned()))?;
        Ok(plan(&problem))
    }
}

/// The slot is another's by now, or the case is no longer as the plan knew it, which the caller did not ask for.
fn overtaken(failure: &Failure, asked: Target) -> bool {
    match failure {
        Failure::Refused(Refusal::State { what, .. } | Refusal::NotFound(what)) => what == "slot",
        Failure::Refused(Refusal::Stale(_)) => asked.version.is_none(),
        _ => false,
    }
}
