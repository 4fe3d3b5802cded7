//! What is asked of an instance, and what it answers.

use std::{future::Future, pin::Pin};

use sas_dispatch::{
    domain::{
        actor::Actor,
        case::Command,
        ids::{CaseId, DecisionId, ShiftId, TerritoryId},
        place::Position,
        regulation::qualification::Stream,
    },
    engine::{Done, Engine, Failure, Mutation, Target},
};

use crate::domain::stage::bas_rhin;

/// What was asked, so that it can be asked again.
#[derive(Debug, Clone)]
pub enum Asked {
    Act(Actor, Target, Box<Command>),
    Advance(Actor, CaseId, DecisionId),
    ClaimNext(Actor),
    Renew(Actor, CaseId, u64),
    Position(Actor, ShiftId),
    Tick,
}

impl Asked {
    /// Where it is asked.
    pub fn territory(&self) -> TerritoryId {
        match self {
            Self::Act(actor, ..)
            | Self::Advance(actor, ..)
            | Self::ClaimNext(actor)
            | Self::Renew(actor, ..)
            | Self::Position(actor, _) => actor.territory.clone(),
            Self::Tick => bas_rhin().0.id.clone(),
        }
    }

    /// Whether what is told of its success names a case.
    pub fn about_a_case(&self) -> bool {
        match self {
            Self::Act(_, target, command) => target.case.is_some() || matches!(**command, Command::Open(_)),
            Self::Advance(..) => true,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub enum Told {
    Done(Result<Box<Done>, Failure>),
    /// Of what leaves no receipt: whether it succeeded.
    Touched(Result<(), Failure>),
}

pub type Running = Pin<Box<dyn Future<Output = Told>>>;

pub fn running(engine: Engine, asked: Asked, mutation: Mutation) -> Running {
    let boxed = |result: Result<Done, Failure>| Told::Done(result.map(Box::new));
    Box::pin(async move {
        match asked {
            Asked::Act(actor, target, command) => boxed(engine.act(&actor, mutation, target, *command).await),
            Asked::Advance(actor, case, decision) => {
                boxed(engine.advance(&actor, mutation, Target::case(case), decision).await)
            }
            Asked::ClaimNext(actor) => boxed(engine.claim_next(&actor, mutation, Stream::Snp).await),
            Asked::Renew(actor, case, no) => Told::Touched(engine.renew_claim(&actor, case, no).await.map(|_| ())),
            Asked::Position(actor, shift) => {
                let position = Position { lat: 48.58, lon: 7.75 };
                Told::Touched(engine.report_position(&actor, shift, position).await.map(|_| ()))
            }
            Asked::Tick => Told::Touched(engine.upkeep_once().await.map(|_| ())),
        }
    })
}

pub fn vital(command: &Command) -> bool {
    match command {
        Command::Open(open) => open.vital,
        _ => false,
    }
}

pub fn kind(told: &Told) -> String {
    match told {
        Told::Done(Ok(done)) if done.replayed => "replayed".to_owned(),
        Told::Done(Ok(_)) => "done".to_owned(),
        Told::Touched(Ok(())) => "touched".to_owned(),
        Told::Done(Err(failure)) | Told::Touched(Err(failure)) => match failure {
            Failure::Refused(refusal) => refusal.code().to_owned(),
            other => format!("{other:?}").split(['(', ' ']).take(2).collect::<Vec<_>>().join(" "),
        },
    }
}
