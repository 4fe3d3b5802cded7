//! IntakeService: requests for care come in.

use tonic::{Request, Response, Status};

use super::{
    common::{Carried, Desk, Told},
    pages::Pages,
};
use crate::{
    engine::{Engine, List, WatchFilter},
    grpc::{
        convert::{
            hub,
            intake::{self as convert, Arrivals, Scene},
            regulation::page,
            reply,
        },
        pb::{self, intake_service_server::IntakeService},
    },
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Intake {
    engine: Engine,
    arrivals: Arrivals,
}

impl Intake {
    /// Over an engine, for calls that arrived so long ago.
    pub fn new(engine: Engine, arrivals: Arrivals) -> Self {
        Self { engine, arrivals }
    }

    fn scene<'a>(&self, desk: &'a Desk<'_>) -> Scene<'a> {
        Scene { actor: &desk.actor, ground: &desk.ground, now: self.engine.now() }
    }
}

#[tonic::async_trait]
impl IntakeService for Intake {
    type WatchCasesStream = Told<pb::WatchCasesResponse>;

    async fn open_case(&self, request: Request<pb::OpenCaseRequest>) -> Result<Response<pb::OpenCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let opened = desk.act(convert::open(request.get_ref(), self.scene(&desk), self.arrivals.late)).await?;
        let Carried { case, receipt, remarkable, .. } = desk.shown(opened).await;
        Ok(Response::new(pb::OpenCaseResponse { case, receipt, remarkable }))
    }

    async fn amend_case(
        &self,
        request: Request<pb::AmendCaseRequest>,
    ) -> Result<Response<pb::AmendCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let amended = desk.act(convert::amend(request.get_ref(), self.scene(&desk))).await?;
        let Carried { case, receipt, remarkable, .. } = desk.shown(amended).await;
        Ok(Response::new(pb::AmendCaseResponse { case, receipt, remarkable }))
    }

    async fn add_note(&self, request: Request<pb::AddNoteRequest>) -> Result<Response<pb::AddNoteResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::note(request.get_ref())).await?;
        Ok(Response::new(pb::AddNoteResponse { case, receipt }))
    }

    async fn call_interpreter(
        &self,
        request: Request<pb::CallInterpreterRequest>,
    ) -> Result<Response<pb::CallInterpreterResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::interpreter(request.get_ref())).await?;
        Ok(Response::new(pb::CallInterpreterResponse { case, receipt }))
    }

    async fn link_repeat_call(
        &self,
        request: Request<pb::LinkRepeatCallRequest>,
    ) -> Result<Response<pb::LinkRepeatCallResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::link(request.get_ref())).await?;
        Ok(Response::new(pb::LinkRepeatCallResponse { case, receipt }))
    }

    async fn backfill_case(
        &self,
        request: Request<pb::BackfillCaseRequest>,
    ) -> Result<Response<pb::BackfillCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let filled = desk.act(convert::backfill(request.get_ref(), self.scene(&desk), self.arrivals.paper)).await?;
        let Carried { case, receipt, remarkable, .. } = desk.shown(filled).await;
        Ok(Response::new(pb::BackfillCaseResponse { case, receipt, remarkable }))
    }

    async fn open_case_from_hub(
        &self,
        request: Request<pb::OpenCaseFromHubRequest>,
    ) -> Result<Response<pb::OpenCaseFromHubResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let (act, proposal) = hub::open(request.get_ref(), self.scene(&desk))?;
        let Carried { case, receipt, remarkable, .. } = desk.shown(desk.act(Ok(act)).await?).await;
        Ok(Response::new(pb::OpenCaseFromHubResponse { case, receipt, proposal: Some(proposal), remarkable }))
    }

    async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::GetCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let asked = request.get_ref();
        let id = convert::case_id(&asked.case_id)?;
        let (known, seq) = self.engine.read_case(&desk.actor, id, asked.at_least_seq).await?;
        let repeats = match desk.decides() {
            true => self.engine.repeats(&desk.actor, &known.case).await?,
            false => Vec::new(),
        };
        let remarkable = desk.remarkable(&known).await?;
        Ok(Response::new(pb::GetCaseResponse {
            case: Some(desk.view(&known)),
            seq,
            possible_repeats: repeats.iter().map(reply::possible_repeat).collect(),
            remarkable,
        }))
    }

    async fn list_cases(
        &self,
        request: Request<pb::ListCasesRequest>,
    ) -> Result<Response<pb::ListCasesResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let page = page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list(&desk.actor, List::Open, page).await?;
        let (cases, seq) = (desk.views(&listing), listing.seq);
        Ok(Response::new(pb::ListCasesResponse { cases, next_page_token: pages.token(listing.next), seq }))
    }

    async fn watch_cases(
        &self,
        request: Request<pb::WatchCasesRequest>,
    ) -> Result<Response<Self::WatchCasesStream>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let token = &request.get_ref().resume_token;
        let told = desk.watch(token, WatchFilter::All, |event| pb::WatchCasesResponse { event: Some(event) }).await?;
        Ok(Response::new(told))
    }

    async fn dismiss_case(
        &self,
        request: Request<pb::DismissCaseRequest>,
    ) -> Result<Response<pb::DismissCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::dismiss(request.get_ref())).await?;
        Ok(Response::new(pb::DismissCaseResponse { case, receipt }))
    }
}
