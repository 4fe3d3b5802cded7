//! DirectoryService: who can give care, as the configuration says, and the sheets of remarkable patients.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::{
    acts::{call, head, perform},
    pages::Pages,
};
use crate::{
    domain::{
        actor::{Actor, Role},
        case::Refusal,
    },
    engine::{Engine, Place},
    grpc::{
        convert::{directory as convert, intake::Scene, regulation::page, routing::Reader, sheets},
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
        let (responder, rules) = (Some(responder), place.territory.version.text());
        Ok(Response::new(pb::GetResponderResponse { responder, rules, seq }))
    }

    async fn list_responders(
        &self,
        request: Request<pb::ListRespondersRequest>,
    ) -> Result<Response<pb::ListRespondersResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let found = convert::list(&reader, &asked, self.engine.now(), |size| self.engine.page_rows(size))?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let (responders, next_page_token) = (found.0, pages.token(Some(found.1)));
        Ok(Response::new(pb::ListRespondersResponse {
            responders,
            next_page_token,
            rules: place.territory.version.text(),
            seq,
        }))
    }

    async fn find_own_gp(
        &self,
        request: Request<pb::FindOwnGpRequest>,
    ) -> Result<Response<pb::FindOwnGpResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let place = self.place(&actor)?;
        let reader = Reader { place: &place, role: actor.role };
        let found = convert::find_own_gp(&reader, &asked, self.engine.now(), |size| self.engine.page_rows(size))?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let (responders, next_page_token) = (found.0, pages.token(Some(found.1)));
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

    async fn put_remarkable_sheet(
        &self,
        request: Request<pb::PutRemarkableSheetRequest>,
    ) -> Result<Response<pb::PutRemarkableSheetResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.place(&actor)?;
        let scene = Scene { actor: &actor, ground: &place, now: self.engine.now() };
        let (done, receipt) = perform(&self.engine, &actor, sheets::put(&asked, scene)).await?;
        let sheet_id = done.reply.sheet.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(Response::new(pb::PutRemarkableSheetResponse { sheet_id, receipt }))
    }

    async fn end_remarkable_sheet(
        &self,
        request: Request<pb::EndRemarkableSheetRequest>,
    ) -> Result<Response<pb::EndRemarkableSheetResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, sheets::end(&asked)).await?;
        Ok(Response::new(pb::EndRemarkableSheetResponse { receipt }))
    }

    async fn list_remarkable_sheets(
        &self,
        request: Request<pb::ListRemarkableSheetsRequest>,
    ) -> Result<Response<pb::ListRemarkableSheetsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        Refusal::unless(actor.role, &[Role::BackOffice, Role::Regulator, Role::Supervisor])?;
        let page = page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list_sheets(&actor, page).await?;
        let now = self.engine.now();
        let sheets = listing.items.iter().map(|sheet| sheets::listed(sheet, now)).collect();
        let next_page_token = pages.token(listing.next);
        Ok(Response::new(pb::ListRemarkableSheetsResponse { sheets, next_page_token, seq: listing.seq }))
    }
}
