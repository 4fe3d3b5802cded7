//! RoutingService: plans explained, carried out, answered and taken back.

use tonic::{Request, Response, Status};

use super::{
    acts::{after, call, perform, version},
    common::{has_part_in_the_care, in_directory},
    pages::Pages,
};
use crate::{
    domain::actor::Actor,
    engine::{Done, Engine, List},
    grpc::{
        convert::{
            reply::receipt,
            routing::{self as convert, Reader},
        },
        pb::{self, routing_service_server::RoutingService},
    },
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Routing {
    engine: Engine,
}

impl Routing {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// The offer an act was about, as the act left it.
    fn offer(&self, actor: &Actor, done: &Done) -> Result<Option<pb::CaseOffer>, Status> {
        let place = self.engine.territory(&actor.territory)?;
        let view = after(done)?;
        let known = done.reply.offer.and_then(|id| view.case.offer(id));
        Ok(known.map(|known| convert::case_offer(&Reader { place: &place, role: actor.role }, view, known)))
    }
}

#[tonic::async_trait]
impl RoutingService for Routing {
    async fn explain_plan(
        &self,
        request: Request<pb::ExplainPlanRequest>,
    ) -> Result<Response<pb::ExplainPlanResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (case, decision) = convert::explain(&asked)?;
        let at_least = asked.at_least_seq;
        let (view, seq) = self.engine.read_case(&actor, case, at_least).await?;
        let plan = self.engine.plan(&actor, case, decision).await?;
        let place = self.engine.territory(&actor.territory)?;
        Ok(Response::new(convert::explained(&place, &plan, &view, seq)))
    }

    async fn advance(&self, request: Request<pb::AdvanceRequest>) -> Result<Response<pb::AdvanceResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (mutation, target, decision) = convert::advance(&asked)?;
        let done = self.engine.advance(&actor, mutation, target, decision).await?;
        let place = self.engine.territory(&actor.territory)?;
        let offer = self.offer(&actor, &done)?;
        let receipt = receipt(&done, Vec::new());
        Ok(Response::new(convert::advanced(&place, after(&done)?, decision, offer, receipt)))
    }

    async fn answer_offer(
        &self,
        request: Request<pb::AnswerOfferRequest>,
    ) -> Result<Response<pb::AnswerOfferResponse>, Status> {
        let (actor, asked) = call(request)?;
        let act = convert::answer(&asked, self.engine.now());
        let (done, receipt) = perform(&self.engine, &actor, act).await?;
        let (offer, version) = (self.offer(&actor, &done)?, version(&done)?);
        Ok(Response::new(pb::AnswerOfferResponse { receipt, offer, version }))
    }

    async fn cancel_offer(
        &self,
        request: Request<pb::CancelOfferRequest>,
    ) -> Result<Response<pb::CancelOfferResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::cancel(&asked)).await?;
        let (offer, version) = (self.offer(&actor, &done)?, version(&done)?);
        Ok(Response::new(pb::CancelOfferResponse { receipt, offer, version }))
    }

    async fn list_offers(
        &self,
        request: Request<pb::ListOffersRequest>,
    ) -> Result<Response<pb::ListOffersResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        has_part_in_the_care(&actor)?;
        let (responder, page) = convert::list_offers(&asked)?;
        in_directory(&self.engine, &actor, responder.as_ref())?;
        let listing = self.engine.list_offers(&actor, page).await?;
        let place = self.engine.territory(&actor.territory)?;
        let reader = Reader { place: &place, role: actor.role };
        let told = |(view, offer): &(_, _)| convert::open_offer(&reader, view, *offer, responder.as_ref());
        let offers = listing.items.iter().filter_map(told);
        Ok(Response::new(pb::ListOffersResponse {
            offers: offers.collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn list_unanswered(
        &self,
        request: Request<pb::ListUnansweredRequest>,
    ) -> Result<Response<pb::ListUnansweredResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        has_part_in_the_care(&actor)?;
        let page = convert::list_unanswered(&asked)?;
        let listing = self.engine.list(&actor, List::Unanswered, page).await?;
        let place = self.engine.territory(&actor.territory)?;
        Ok(Response::new(pb::ListUnansweredResponse {
            cases: listing.items.iter().flat_map(|view| convert::unanswered(&place, view)).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }
}
