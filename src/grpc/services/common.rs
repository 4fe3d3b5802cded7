//! What every handler does before and after its one question to the engine.

use std::sync::Arc;

use tonic::{Request, Status};

use crate::{
    domain::actor::Actor,
    engine::{Engine, Failure, Place},
    grpc::actor,
};

/// Who acts: put into the call by the layer, never read from a message.
pub(super) fn actor<T>(request: &Request<T>) -> Result<Actor, Status> {
    actor::acting(request)
}

/// A failure as a status.
pub(super) fn refused(failure: Failure) -> Status {
    failure.into()
}

/// The territory of a call.
pub(super) fn ground(engine: &Engine, actor: &Actor) -> Result<Arc<Place>, Status> {
    engine.territory(&actor.territory).map_err(refused)
}
