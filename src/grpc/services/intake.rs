//! IntakeService: requests for care come in.

use tonic::{Request, Response, Status};

use super::{
    common::{Carried, Desk, Told},
    pages::Pages,
};
use crate::{
    domain::actor::Role,
    engine::{CaseView, Engine, Failure, List, WatchFilter},
    grpc::{
        convert::{
            hub,
            intake::{self as convert, Arrivals, Scene},
            regulation::page,
            reply, sheets,
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

    async fn remarkable(&self, desk: &Desk<'_>, known: Option<&CaseView>) -> Result<Vec<pb::RemarkableSheet>, Failure> {
        let Some(known) = known.filter(|_| entitled(desk)) else { return Ok(Vec::new()) };
        let found = self.engine.remarkable(&desk.actor, &known.case).await?;
        Ok(found.iter().map(|found| sheets::found(found, self.engine.now())).collect())
    }
}

/// Who decides about a case, and so sees what else is known of its patients.
fn entitled(desk: &Desk<'_>) -> bool {
    matches!(desk.actor.role, Role::Arm | Role::Regulator | Role::Coordinator)
}

#[tonic::async_trait]
impl IntakeService for Intake {
    type WatchCasesStream = Told<pb::WatchCasesResponse>;

    async fn open_case(&self, request: Request<pb::OpenCaseRequest>) -> Result<Response<pb::OpenCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, mut receipt, done } =
            desk.act(convert::open(request.get_ref(), self.scene(&desk), self.arrivals.late)).await?;
        // The case is open whatever becomes of the sheets: GetCase shows them later.
        let remarkable = self.remarkable(&desk, done.case.as_ref()).await.unwrap_or_else(|_| {
            let warning = reply::unread_sheets();
            receipt.iter_mut().for_each(|receipt| receipt.warnings.push(warning.clone()));
            Vec::new()
        });
        Ok(Response::new(pb::OpenCaseResponse { case, receipt, remarkable }))
    }

    async fn amend_case(
        &self,
        request: Request<pb::AmendCaseRequest>,
    ) -> Result<Response<pb::AmendCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::amend(request.get_ref(), self.scene(&desk))).await?;
        Ok(Response::new(pb::AmendCaseResponse { case, receipt }))
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
        let Carried { case, receipt, .. } =
            desk.act(convert::backfill(request.get_ref(), self.scene(&desk), self.arrivals.paper)).await?;
        Ok(Response::new(pb::BackfillCaseResponse { case, receipt }))
    }

    async fn open_case_from_hub(
        &self,
        request: Request<pb::OpenCaseFromHubRequest>,
    ) -> Result<Response<pb::OpenCaseFromHubResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let (act, proposal) = hub::open(request.get_ref(), self.scene(&desk))?;
        let Carried { case, receipt, .. } = desk.act(Ok(act)).await?;
        Ok(Response::new(pb::OpenCaseFromHubResponse { case, receipt, proposal: Some(proposal) }))
    }

    async fn get_case(&self, request: Request<pb::GetCaseRequest>) -> Result<Response<pb::GetCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let asked = request.get_ref();
        let id = convert::case_id(&asked.case_id)?;
        let (known, seq) = self.engine.read_case(&desk.actor, id, asked.at_least_seq).await?;
        let repeats = match entitled(&desk) {
            true => self.engine.repeats(&desk.actor, &known.case).await?,
            false => Vec::new(),
        };
        let remarkable = self.remarkable(&desk, Some(&known)).await?;
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
