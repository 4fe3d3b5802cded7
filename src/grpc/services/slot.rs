//! SlotService: slots published, searched, held longer, booked, taken back.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::{
    acts::{after, call, head, perform, version},
    common::in_directory,
    pages::Pages,
};
use crate::{
    domain::actor::Actor,
    engine::{Engine, PageRequest, Place},
    grpc::{
        convert::{
            search::{self, Search},
            slot as convert,
        },
        pb::{self, slot_service_server::SlotService},
    },
};

/// Most reads of the store one search makes; then it answers what it has and a token.
const MOST_READS: usize = 64;

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Slots {
    engine: Engine,
}

impl Slots {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// Asks one responder after the other until the page is full.
    async fn search(
        &self,
        actor: &Actor,
        place: &Arc<Place>,
        mut search: Search,
        at_least_seq: u64,
    ) -> Result<pb::SearchSlotsResponse, Status> {
        for _ in 0..MOST_READS {
            let Some((responder, size, token)) = search.next(&place.directory) else { break };
            let page = PageRequest { size, token, at_least_seq };
            let listing = self.engine.list_slots(actor, &responder, true, page).await?;
            search.found(&place.directory, &responder, listing, self.engine.now());
        }
        let answer = search.answer();
        // Nobody gives care by slots here: the answer is as true as the head of the log.
        let seq = if answer.seq == 0 { head(&self.engine, actor, at_least_seq).await? } else { answer.seq };
        Ok(pb::SearchSlotsResponse { seq, ..answer })
    }
}

#[tonic::async_trait]
impl SlotService for Slots {
    async fn publish_slot(
        &self,
        request: Request<pb::PublishSlotRequest>,
    ) -> Result<Response<pb::PublishSlotResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::publish(&asked)).await?;
        let slot_id = done.reply.slot.map(|id| id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::PublishSlotResponse { receipt, slot_id }))
    }

    async fn withdraw_slot(
        &self,
        request: Request<pb::WithdrawSlotRequest>,
    ) -> Result<Response<pb::WithdrawSlotResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, convert::withdraw(&asked)).await?;
        Ok(Response::new(pb::WithdrawSlotResponse { receipt }))
    }

    async fn search_slots(
        &self,
        request: Request<pb::SearchSlotsRequest>,
    ) -> Result<Response<pb::SearchSlotsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let place = self.engine.territory(&actor.territory)?;
        let search = search::search(&asked, &place.directory, self.engine.now())?;
        let search = search.in_pages(|size| self.engine.page_rows(size));
        let at_least = asked.at_least_seq;
        let found = self.search(&actor, &place, search, at_least).await?;
        let next_page_token = pages.token(Some(found.next_page_token));
        Ok(Response::new(pb::SearchSlotsResponse { next_page_token, ..found }))
    }

    async fn list_slots(
        &self,
        request: Request<pb::ListSlotsRequest>,
    ) -> Result<Response<pb::ListSlotsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let (responder, page) = convert::list(&asked)?;
        in_directory(&self.engine, &actor, Some(&responder))?;
        let listing = self.engine.list_slots(&actor, &responder, false, page).await?;
        let (place, now) = (self.engine.territory(&actor.territory)?, self.engine.now());
        Ok(Response::new(pb::ListSlotsResponse {
            slots: listing.items.iter().map(|slot| convert::listed(&actor, &place, slot, now)).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn renew_hold(
        &self,
        request: Request<pb::RenewHoldRequest>,
    ) -> Result<Response<pb::RenewHoldResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::renew(&asked)).await?;
        Ok(Response::new(convert::renewed(after(&done)?, done.reply.offer, receipt)))
    }

    async fn confirm_slot(
        &self,
        request: Request<pb::ConfirmSlotRequest>,
    ) -> Result<Response<pb::ConfirmSlotResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::confirm(&asked)).await?;
        let place = self.engine.territory(&actor.territory)?;
        Ok(Response::new(convert::confirmed(&place, after(&done)?, done.reply.offer, receipt)))
    }

    async fn cancel_appointment(
        &self,
        request: Request<pb::CancelAppointmentRequest>,
    ) -> Result<Response<pb::CancelAppointmentResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::cancel(&asked)).await?;
        let version = version(&done)?;
        Ok(Response::new(pb::CancelAppointmentResponse { receipt, version }))
    }

    async fn record_attendance(
        &self,
        request: Request<pb::RecordAttendanceRequest>,
    ) -> Result<Response<pb::RecordAttendanceResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::attend(&asked)).await?;
        let version = version(&done)?;
        Ok(Response::new(pb::RecordAttendanceResponse { receipt, version }))
    }
}
