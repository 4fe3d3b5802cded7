//! RegulationService: qualification, queue, claim and the doctor's decision.

use tonic::{Request, Response, Status};

use super::{
    common::{Carried, Desk, Told, has_part_in_the_care},
    pages::Pages,
};
use crate::{
    domain::{
        case::{ActionKind, Refusal},
        regulation::{protocols::propose, qualification::Priority},
        time::Instant,
    },
    engine::{Engine, List, Renewed, WatchFilter},
    grpc::{
        convert::{
            advice,
            intake::Scene,
            protocols,
            regulation::{self as convert, page},
            reply, transfer,
        },
        pb::{self, regulation_service_server::RegulationService},
    },
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Regulation {
    engine: Engine,
}

impl Regulation {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

/// The fencing number of a claim, the end of its lease and how often to renew it, milliseconds.
fn lease(desk: &Desk<'_>, carried: &Carried) -> (u64, i64, i64) {
    let spans = desk.ground.territory.regulation.lease;
    let claim_no = carried.done.reply.claim_no.unwrap_or_default();
    let until: Option<Instant> = carried.done.reply.claim_no.map(|_| carried.done.at + spans.lease);
    (claim_no, until.map_or(0, Instant::unix_ms), spans.renew.ms())
}

/// What every act answers by which somebody holds a case.
macro_rules! held {
    ($response:ident, $desk:expr, $carried:expr) => {{
        let carried = $desk.shown($carried).await;
        let (claim_no, lease_until_unix_ms, renew_every_ms) = lease(&$desk, &carried);
        let Carried { case, receipt, remarkable, .. } = carried;
        let response = pb::$response { case, receipt, claim_no, lease_until_unix_ms, renew_every_ms, remarkable };
        Response::new(response)
    }};
}

/// The decision an act signed.
fn signed(carried: &Carried) -> Result<String, Refusal> {
    let decision = carried.done.reply.decision.map(|id| id.to_string());
    decision.ok_or_else(|| Refusal::Broken("a signature answered without its decision".to_owned()))
}

#[tonic::async_trait]
impl RegulationService for Regulation {
    type WatchQueueStream = Told<pb::WatchQueueResponse>;

    async fn propose_qualification(
        &self,
        request: Request<pb::ProposeQualificationRequest>,
    ) -> Result<Response<pb::ProposeQualificationResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let book = &desk.ground.territory.book;
        let (motive, subject, answers) = protocols::asked(request.get_ref(), book)?;
        let proposal = propose(book, &subject, &motive, &answers);
        // The same that Qualify would make of it here and now.
        let waiting = match proposal.priority {
            Priority::P3 => self.engine.waiting(&desk.actor, proposal.stream).await?,
            _ => None,
        };
        let policy = &desk.ground.territory.regulation;
        let proposal = policy.p3.here_and_now(proposal, &motive, subject.age, waiting).within(policy.due.p3);
        let questions = protocols::questions(book, &motive, &proposal.unanswered, proposal.open_red_flags);
        let proposal = Some(protocols::proposal(&proposal));
        Ok(Response::new(pb::ProposeQualificationResponse { proposal, questions }))
    }

    async fn list_protocols(
        &self,
        request: Request<pb::ListProtocolsRequest>,
    ) -> Result<Response<pb::ListProtocolsResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let book = &desk.ground.territory.book;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let (first, size) = protocols::listed(&asked)?;
        let size = self.engine.page_rows(size);
        let page = book.protocols().iter().skip(first).take(size).map(|known| protocols::protocol(book, known));
        let next = first.saturating_add(size);
        let next_page_token = pages.token((next < book.protocols().len()).then(|| next.to_string()));
        Ok(Response::new(pb::ListProtocolsResponse { protocols: page.collect(), next_page_token }))
    }

    async fn list_advice(
        &self,
        request: Request<pb::ListAdviceRequest>,
    ) -> Result<Response<pb::ListAdviceResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let listed = advice::listed(&asked, &desk.ground.territory.advice, |size| self.engine.page_rows(size))?;
        let next_page_token = pages.token(Some(listed.next_page_token));
        Ok(Response::new(pb::ListAdviceResponse { next_page_token, ..listed }))
    }

    async fn qualify(&self, request: Request<pb::QualifyRequest>) -> Result<Response<pb::QualifyResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let scene = Scene { actor: &desk.actor, ground: &desk.ground, now: self.engine.now() };
        let qualified = desk.act(convert::qualify(request.get_ref(), scene)).await?;
        let Carried { case, receipt, done, remarkable } = desk.shown(qualified).await;
        let decision_id = done.reply.decision.map(|id| id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::QualifyResponse { case, receipt, decision_id, remarkable }))
    }

    async fn claim_next(
        &self,
        request: Request<pb::ClaimNextRequest>,
    ) -> Result<Response<pb::ClaimNextResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let (mutation, asker) = convert::claim_next(request.get_ref())?;
        let done = self.engine.claim_next(&desk.actor, mutation, asker).await?;
        let carried = desk.carried(done, Vec::new());
        Ok(held!(ClaimNextResponse, desk, carried))
    }

    async fn claim(&self, request: Request<pb::ClaimRequest>) -> Result<Response<pb::ClaimResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(convert::claim(request.get_ref())).await?;
        Ok(held!(ClaimResponse, desk, carried))
    }

    async fn renew_claim(
        &self,
        request: Request<pb::RenewClaimRequest>,
    ) -> Result<Response<pb::RenewClaimResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let (case, claim_no) = convert::renew(request.get_ref())?;
        let Renewed { until, seq, durability } = self.engine.renew_claim(&desk.actor, case, claim_no).await?;
        let durability = reply::durability(durability).into();
        Ok(Response::new(pb::RenewClaimResponse { lease_until_unix_ms: until.unix_ms(), seq, durability }))
    }

    async fn release_claim(
        &self,
        request: Request<pb::ReleaseClaimRequest>,
    ) -> Result<Response<pb::ReleaseClaimResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::release(request.get_ref())).await?;
        Ok(Response::new(pb::ReleaseClaimResponse { case, receipt }))
    }

    async fn resume_claim(
        &self,
        request: Request<pb::ResumeClaimRequest>,
    ) -> Result<Response<pb::ResumeClaimResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let resumed = desk.act(convert::resume(request.get_ref())).await?;
        let Carried { case, receipt, remarkable, .. } = desk.shown(resumed).await;
        Ok(Response::new(pb::ResumeClaimResponse { case, receipt, remarkable }))
    }

    async fn accept_hand_over(
        &self,
        request: Request<pb::AcceptHandOverRequest>,
    ) -> Result<Response<pb::AcceptHandOverResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(convert::accept_hand_over(request.get_ref())).await?;
        Ok(held!(AcceptHandOverResponse, desk, carried))
    }

    async fn sign_need(&self, request: Request<pb::SignNeedRequest>) -> Result<Response<pb::SignNeedResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(convert::sign_need(request.get_ref())).await?;
        let decision_id = signed(&carried)?;
        let Carried { case, receipt, .. } = carried;
        Ok(Response::new(pb::SignNeedResponse { case, receipt, decision_id }))
    }

    async fn sign_answer(
        &self,
        request: Request<pb::SignAnswerRequest>,
    ) -> Result<Response<pb::SignAnswerResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(convert::sign_answer(request.get_ref())).await?;
        let decision_id = signed(&carried)?;
        let Carried { case, receipt, .. } = carried;
        Ok(Response::new(pb::SignAnswerResponse { case, receipt, decision_id }))
    }

    async fn reorient(&self, request: Request<pb::ReorientRequest>) -> Result<Response<pb::ReorientResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::reorient(request.get_ref())).await?;
        Ok(Response::new(pb::ReorientResponse { case, receipt }))
    }

    async fn answer_reorientation(
        &self,
        request: Request<pb::AnswerReorientationRequest>,
    ) -> Result<Response<pb::AnswerReorientationResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(convert::answer_reorientation(request.get_ref())).await?;
        Ok(held!(AnswerReorientationResponse, desk, carried))
    }

    async fn transfer_case(
        &self,
        request: Request<pb::TransferCaseRequest>,
    ) -> Result<Response<pb::TransferCaseResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, done, .. } = desk.act(transfer::transfer(request.get_ref())).await?;
        let waits = done.case.as_ref().and_then(|view| view.case.open_action(ActionKind::Transfer));
        let answer_until_unix_ms = waits.map_or(0, |action| action.deadline.unix_ms());
        Ok(Response::new(pb::TransferCaseResponse { case, receipt, answer_until_unix_ms }))
    }

    async fn withdraw_transfer(
        &self,
        request: Request<pb::WithdrawTransferRequest>,
    ) -> Result<Response<pb::WithdrawTransferResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(transfer::withdraw(request.get_ref())).await?;
        Ok(Response::new(pb::WithdrawTransferResponse { case, receipt }))
    }

    async fn answer_transfer(
        &self,
        request: Request<pb::AnswerTransferRequest>,
    ) -> Result<Response<pb::AnswerTransferResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let carried = desk.act(transfer::answer(request.get_ref())).await?;
        Ok(held!(AnswerTransferResponse, desk, carried))
    }

    async fn end_action(
        &self,
        request: Request<pb::EndActionRequest>,
    ) -> Result<Response<pb::EndActionResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let Carried { case, receipt, .. } = desk.act(convert::end_action(request.get_ref())).await?;
        Ok(Response::new(pb::EndActionResponse { case, receipt }))
    }

    async fn list_queue(
        &self,
        request: Request<pb::ListQueueRequest>,
    ) -> Result<Response<pb::ListQueueResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let (stream, page) = convert::queue(&asked)?;
        let listing = self.engine.list(&desk.actor, List::Queue(stream), page).await?;
        let (cases, seq) = (desk.views(&listing), listing.seq);
        Ok(Response::new(pb::ListQueueResponse { cases, next_page_token: pages.token(listing.next), seq }))
    }

    async fn watch_queue(
        &self,
        request: Request<pb::WatchQueueRequest>,
    ) -> Result<Response<Self::WatchQueueStream>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let stream = convert::watched(request.get_ref())?;
        let token = &request.get_ref().resume_token;
        let told = desk
            .watch(token, WatchFilter::Queue(stream), |event| pb::WatchQueueResponse { event: Some(event) })
            .await?;
        Ok(Response::new(told))
    }

    async fn list_hand_overs(
        &self,
        request: Request<pb::ListHandOversRequest>,
    ) -> Result<Response<pb::ListHandOversResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let page = page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list(&desk.actor, List::HandOvers, page).await?;
        let (cases, seq) = (desk.views(&listing), listing.seq);
        Ok(Response::new(pb::ListHandOversResponse { cases, next_page_token: pages.token(listing.next), seq }))
    }

    async fn list_transfers(
        &self,
        request: Request<pb::ListTransfersRequest>,
    ) -> Result<Response<pb::ListTransfersResponse>, Status> {
        let desk = Desk::of(&self.engine, &request)?;
        has_part_in_the_care(&desk.actor)?;
        let mut asked = request.into_inner();
        let pages = Pages::open(&desk.actor, &mut asked)?;
        let page = page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list(&desk.actor, List::Transfers, page).await?;
        let transfers = listing.items.iter().flat_map(transfer::open).collect();
        let (next_page_token, seq) = (pages.token(listing.next), listing.seq);
        Ok(Response::new(pb::ListTransfersResponse { transfers, next_page_token, seq }))
    }
}
