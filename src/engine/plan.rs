//! Planning: the routing problem of a decision, from the case and the supply as they are now.

use crate::domain::{
    actor::{Actor, Role},
    case::{Command, Refusal},
    ids::{CaseId, DecisionId},
    routing::{Plan, Problem, plan},
};

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
            return Err(Refusal::Role { role: "other".to_owned(), needed }.into());
        }
        let (view, _) = self.read_case(actor, case, 0).await?;
        self.plan_of(&place, &view, decision).await
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
        for _ in 0..self.0.options.attempts {
            let (view, _) = self.read_case(actor, case, 0).await?;
            // A command that was carried out is answered from its receipt whatever the plan is now.
            let plan = self.plan_of(&place, &view, decision).await?;
            let command = Command::Advance { decision, plan: Box::new(plan) };
            match self.act(actor, mutation, target, command).await {
                Err(failure @ Failure::Refused(Refusal::State { .. } | Refusal::NotFound(_)))
                    if slot_lost(&failure) =>
                {
                    last = failure;
                }
                result => return result,
            }
        }
        Err(last)
    }

    async fn plan_of(&self, place: &Place, view: &CaseView, id: DecisionId) -> Result<Plan, Failure> {
        let decision = view.case.decision(id).ok_or_else(|| Refusal::NotFound("decision".to_owned()))?;
        let care = decision.answer.as_ref().map_or(decision.need.care, |answer| answer.care);
        if !care.needs_supply() {
            return Err(Refusal::state("decision", "it needs no responder").into());
        }
        let supply = self.supply(place).await?;
        let own = crate::domain::case::state::Patient { number: decision.need.patient, ..Default::default() };
        let mut case = view.case.clone();
        if case.patient(decision.need.patient).is_none() {
            case.patients.push(own);
        }
        let rules = (&place.territory, &place.directory);
        let problem = Problem::of_case(self.now(), rules, &case, decision, &supply);
        let problem = problem.ok_or_else(|| Refusal::NotFound("patient".to_owned()))?;
        Ok(plan(&problem))
    }
}

fn slot_lost(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(Refusal::State { what, .. } | Refusal::NotFound(what)) => what == "slot",
        _ => false,
    }
}
