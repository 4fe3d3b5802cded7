//! DirectoryService: who can give care, as the configuration says.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::acts::{call, head};
use crate::{
    domain::actor::Actor,
    engine::{Engine, Place},
    grpc::{
        convert::{
            directory::{self as convert, rules},
            routing::Reader,
        },
        pb::{self, directory_service_server::DirectoryService},
    },
};

/// Answers from the configuration.
#[derive(Debug, Clone)]
pub struct Responders {
    engine: Engine,
}

impl Responders {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    fn place(&self, actor: &Actor) -> Result<Arc<Place>, Status> {
        Ok(self.engine.territory(&actor.territory)?)
    }
}

#[tonic::async_trait]
impl DirectoryService for Responders {
    async fn get_responder(
        &self,
        request: Request<pb::GetResponderRequest>,
    ) -> Result<Response<pb::GetResponderResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let responder = convert::get(&reader, &asked, self.engine.now())?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let (responder, rules) = (Some(responder), rules(&place.territory));
        Ok(Response::new(pb::GetResponderResponse { responder, rules, seq }))
    }

    async fn list_responders(
        &self,
        request: Request<pb::ListRespondersRequest>,
    ) -> Result<Response<pb::ListRespondersResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let found = convert::list(&reader, &asked, self.engine.now())?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let (responders, next_page_token) = found;
        Ok(Response::new(pb::ListRespondersResponse {
            responders,
            next_page_token,
            rules: rules(&place.territory),
            seq,
        }))
    }

    async fn find_own_gp(
        &self,
        request: Request<pb::FindOwnGpRequest>,
    ) -> Result<Response<pb::FindOwnGpResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let found = convert::find_own_gp(&reader, &asked, self.engine.now())?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let (responders, next_page_token) = found;
        Ok(Response::new(pb::FindOwnGpResponse { responders, next_page_token, seq }))
    }

    async fn get_programme(
        &self,
        request: Request<pb::GetProgrammeRequest>,
    ) -> Result<Response<pb::GetProgrammeResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let found = convert::get_programme(&reader, &asked, self.engine.now())?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        Ok(Response::new(pb::GetProgrammeResponse { seq, ..found }))
    }
}
