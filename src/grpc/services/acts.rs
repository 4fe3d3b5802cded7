//! What every changing call does between its two conversions.

use tonic::{Request, Status};

use crate::{
    domain::{actor::Actor, case::Refusal},
    engine::{CaseView, Done, Engine, Failure, PageRequest},
    grpc::{
        convert::{fields::Act, reply::receipt},
        pb,
    },
};

use super::common::actor;

/// Who calls, and what is asked.
///
/// # Errors
/// A fault of this program: no layer said who acts.
pub(super) fn call<T>(request: Request<T>) -> Result<(Actor, T), Status> {
    Ok((actor(&request)?, request.into_inner()))
}

/// Carries out what was read, and makes its receipt.
///
/// # Errors
/// Wrong fields, or the engine's refusal.
pub(super) async fn perform(
    engine: &Engine,
    actor: &Actor,
    act: Result<Act, Failure>,
) -> Result<(Done, Option<pb::Receipt>), Status> {
    let act = act?;
    let done = engine.act(actor, act.mutation, act.target, act.command).await?;
    let receipt = receipt(&done, act.warnings);
    Ok((done, Some(receipt)))
}

/// The case as an act left it.
///
/// # Errors
/// A fault of this program: an act on a case answered without it.
pub(super) fn after(done: &Done) -> Result<&CaseView, Failure> {
    done.case.as_ref().ok_or_else(|| Refusal::Broken("an act on a case without the case".to_owned()).into())
}

/// The version of the case as an act left it.
///
/// # Errors
/// As [`after`].
pub(super) fn version(done: &Done) -> Result<Vec<u8>, Status> {
    Ok(after(done)?.version.to_bytes().to_vec())
}

/// The head of the territory's log for a read that concerns no record of the store.
///
/// # Errors
/// When the store does not answer, or is not as new as asked for.
pub(super) async fn head(engine: &Engine, actor: &Actor, at_least_seq: u64) -> Result<u64, Status> {
    let page = PageRequest { size: 1, token: None, at_least_seq };
    Ok(engine.list_shifts(actor, page).await?.seq)
}
