//! VisitService: shifts, positions, missions and their progress.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tonic::{Request, Response, Status};

use super::{
    acts::{after, call, perform, version},
    common::{has_part_in_the_care, in_directory},
    pages::Pages,
};
use crate::{
    domain::{
        actor::Actor,
        case::{Command, Refusal},
        visits::ShiftState,
    },
    engine::{Done, Engine, Failure, PageRequest, WatchFilter},
    grpc::{
        convert::{
            fields::Act,
            visit::{self as convert, Whose},
        },
        pb::{self, visit_service_server::VisitService},
    },
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Visits {
    engine: Engine,
}

impl Visits {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Carries an act on a visit out and answers the visit as it left it.
    async fn on_visit(
        &self,
        actor: &Actor,
        act: Result<Act, Failure>,
    ) -> Result<(Option<pb::Receipt>, Option<pb::Mission>), Status> {
        let command = act.as_ref().map(|act| act.command.clone()).ok();
        let (done, receipt) = perform(&self.engine, actor, act).await?;
        let mission = command.map(|command| self.mission(actor, &done, &command)).transpose()?.flatten();
        Ok((receipt, mission))
    }

    /// Missions are of a structure or a sector that the configuration has, or had: what was taken out of it goes on with what it
    /// has in hand. That an unknown one has none would say too much.
    async fn have_missions(&self, actor: &Actor, whose: &Whose) -> Result<(), Status> {
        let place = self.engine.territory(&actor.territory)?;
        let (known, what) = match whose {
            Whose::Responder(id) => (place.directory.get(id).is_some(), "responder"),
            Whose::Sector(id) => (place.territory.sectors.names.contains_key(id), "sector"),
        };
        if known {
            return Ok(());
        }
        let one = PageRequest { size: 1, ..PageRequest::default() };
        let has_some = !self.engine.list(actor, whose.list(), one).await?.items.is_empty();
        if has_some { Ok(()) } else { Err(Refusal::NotFound(what.to_owned()).into()) }
    }

    fn mission(&self, actor: &Actor, done: &Done, command: &Command) -> Result<Option<pb::Mission>, Status> {
        let place = self.engine.territory(&actor.territory)?;
        Ok(convert::mission_of(actor, &place, after(done)?, command))
    }
}

#[tonic::async_trait]
impl VisitService for Visits {
    type WatchMissionsStream = Pin<Box<dyn Stream<Item = Result<pb::WatchMissionsResponse, Status>> + Send>>;

    async fn open_shift(
        &self,
        request: Request<pb::OpenShiftRequest>,
    ) -> Result<Response<pb::OpenShiftResponse>, Status> {
        let (actor, asked) = call(request)?;
        let act = convert::open_shift(&asked, self.engine.now());
        let (done, receipt) = perform(&self.engine, &actor, act).await?;
        let shift_id = done.reply.shift.map(|id| id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::OpenShiftResponse { receipt, shift_id }))
    }

    async fn end_shift(&self, request: Request<pb::EndShiftRequest>) -> Result<Response<pb::EndShiftResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, convert::end_shift(&asked)).await?;
        Ok(Response::new(pb::EndShiftResponse { receipt }))
    }

    async fn report_position(
        &self,
        request: Request<pb::ReportPositionRequest>,
    ) -> Result<Response<pb::ReportPositionResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (shift, position) = convert::position(&asked)?;
        let seq = self.engine.report_position(&actor, shift, position).await?;
        Ok(Response::new(pb::ReportPositionResponse { seq }))
    }

    async fn list_shifts(
        &self,
        request: Request<pb::ListShiftsRequest>,
    ) -> Result<Response<pb::ListShiftsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let (responder, page) = convert::list_shifts(&asked)?;
        in_directory(&self.engine, &actor, responder.as_ref())?;
        let listing = self.engine.list_shifts(&actor, page).await?;
        let now = self.engine.now();
        let wanted = listing.items.iter().filter(|shift| responder.as_ref().is_none_or(|id| shift.responder == *id));
        let wanted = wanted.filter(|shift| shift.state != ShiftState::Free || now < shift.end);
        Ok(Response::new(pb::ListShiftsResponse {
            shifts: wanted.map(|known| convert::shift(&actor, known, now)).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn list_missions(
        &self,
        request: Request<pb::ListMissionsRequest>,
    ) -> Result<Response<pb::ListMissionsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        has_part_in_the_care(&actor)?;
        let (whose, page) = convert::list_missions(&asked)?;
        self.have_missions(&actor, &whose).await?;
        let listing = self.engine.list(&actor, whose.list(), page).await?;
        let place = self.engine.territory(&actor.territory)?;
        let missions = listing.items.iter().flat_map(|view| convert::missions(&actor, &place, view, &whose));
        Ok(Response::new(pb::ListMissionsResponse {
            missions: missions.collect(),
            tasks: listing.items.iter().flat_map(|view| convert::tasks(view, &whose)).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn watch_missions(
        &self,
        request: Request<pb::WatchMissionsRequest>,
    ) -> Result<Response<Self::WatchMissionsStream>, Status> {
        let (actor, asked) = call(request)?;
        has_part_in_the_care(&actor)?;
        let (responder, resume) = convert::watch(&asked)?;
        let filter = WatchFilter::Missions(responder.clone());
        let whose = Whose::Responder(responder);
        self.have_missions(&actor, &whose).await?;
        let place = self.engine.territory(&actor.territory)?;
        let changes = self.engine.watch(&actor, resume, filter).await?;
        let told = changes.map(move |change| Ok(convert::change(&actor, &place, &whose, &change?)));
        Ok(Response::new(Box::pin(told)))
    }

    async fn accept_visit(
        &self,
        request: Request<pb::AcceptVisitRequest>,
    ) -> Result<Response<pb::AcceptVisitResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (receipt, mission) = self.on_visit(&actor, convert::accept(&asked)).await?;
        Ok(Response::new(pb::AcceptVisitResponse { receipt, mission }))
    }

    async fn decline_visit(
        &self,
        request: Request<pb::DeclineVisitRequest>,
    ) -> Result<Response<pb::DeclineVisitResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, convert::decline(&asked)).await?;
        Ok(Response::new(pb::DeclineVisitResponse { receipt }))
    }

    async fn progress_visit(
        &self,
        request: Request<pb::ProgressVisitRequest>,
    ) -> Result<Response<pb::ProgressVisitResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (receipt, mission) = self.on_visit(&actor, convert::progress(&asked)).await?;
        Ok(Response::new(pb::ProgressVisitResponse { receipt, mission }))
    }

    async fn report_visit(
        &self,
        request: Request<pb::ReportVisitRequest>,
    ) -> Result<Response<pb::ReportVisitResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::report(&asked)).await?;
        let version = version(&done)?;
        Ok(Response::new(pb::ReportVisitResponse { receipt, version }))
    }
}
