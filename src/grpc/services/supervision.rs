//! SupervisionService: the calendar, what is late, what is open, how safe a write is.

use tonic::{Request, Response, Status};

use super::{
    acts::{call, head, perform, version},
    common::has_part_in_the_care,
    indicators,
    pages::Pages,
};
use crate::{
    domain::case::Refusal,
    engine::{Engine, List},
    grpc::{
        convert::{
            reply::{durability, receipt},
            room, supervision as convert,
        },
        pb::{self, supervision_service_server::SupervisionService},
    },
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Supervision {
    engine: Engine,
}

impl Supervision {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }
}

#[tonic::async_trait]
impl SupervisionService for Supervision {
    async fn get_calendar(
        &self,
        request: Request<pb::GetCalendarRequest>,
    ) -> Result<Response<pb::GetCalendarResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (at, written) = convert::instant(&asked, self.engine.now())?;
        let place = self.engine.territory(&actor.territory)?;
        let legal = place.territory.period_at(at).map_err(|error| Refusal::field("at", error.to_string()))?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        let calendar = convert::calendar(&place.territory, at, written, &legal);
        Ok(Response::new(pb::GetCalendarResponse { seq, ..calendar }))
    }

    async fn list_alarms(
        &self,
        request: Request<pb::ListAlarmsRequest>,
    ) -> Result<Response<pb::ListAlarmsResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        has_part_in_the_care(&actor)?;
        let page = convert::page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list(&actor, List::Alarms, page).await?;
        Ok(Response::new(pb::ListAlarmsResponse {
            alarms: listing.items.iter().flat_map(convert::alarms).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn list_open_cases(
        &self,
        request: Request<pb::ListOpenCasesRequest>,
    ) -> Result<Response<pb::ListOpenCasesResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        has_part_in_the_care(&actor)?;
        let page = convert::page(asked.page_size, &asked.page_token, asked.at_least_seq)?;
        let listing = self.engine.list(&actor, List::Open, page).await?;
        Ok(Response::new(pb::ListOpenCasesResponse {
            cases: listing.items.iter().map(convert::open_case).collect(),
            next_page_token: pages.token(listing.next),
            seq: listing.seq,
        }))
    }

    async fn force_release(
        &self,
        request: Request<pb::ForceReleaseRequest>,
    ) -> Result<Response<pb::ForceReleaseResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (done, receipt) = perform(&self.engine, &actor, convert::force_release(&asked)).await?;
        let version = version(&done)?;
        Ok(Response::new(pb::ForceReleaseResponse { receipt, version }))
    }

    async fn start_duty(
        &self,
        request: Request<pb::StartDutyRequest>,
    ) -> Result<Response<pb::StartDutyResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (mutation, duty) = room::start_duty(&asked, self.engine.now())?;
        let done = self.engine.start_duty(&actor, mutation, duty).await?;
        let duty_id = done.reply.duty.map(|id| id.to_string()).unwrap_or_default();
        Ok(Response::new(pb::StartDutyResponse { receipt: Some(receipt(&done, Vec::new())), duty_id }))
    }

    async fn end_duty(&self, request: Request<pb::EndDutyRequest>) -> Result<Response<pb::EndDutyResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, room::end_duty(&asked)).await?;
        Ok(Response::new(pb::EndDutyResponse { receipt }))
    }

    async fn list_duties(
        &self,
        request: Request<pb::ListDutiesRequest>,
    ) -> Result<Response<pb::ListDutiesResponse>, Status> {
        let (actor, mut asked) = call(request)?;
        let pages = Pages::open(&actor, &mut asked)?;
        let page = room::duties_page(&asked)?;
        head(&self.engine, &actor, asked.at_least_seq).await?;
        let (known, seq) = self.engine.roster(&actor).await?;
        let duties = room::duties(&known, self.engine.now(), page, seq);
        let next_page_token = pages.token(Some(duties.next_page_token));
        Ok(Response::new(pb::ListDutiesResponse { next_page_token, ..duties }))
    }

    async fn start_surge(
        &self,
        request: Request<pb::StartSurgeRequest>,
    ) -> Result<Response<pb::StartSurgeResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, room::start_surge(&asked)).await?;
        Ok(Response::new(pb::StartSurgeResponse { receipt }))
    }

    async fn end_surge(&self, request: Request<pb::EndSurgeRequest>) -> Result<Response<pb::EndSurgeResponse>, Status> {
        let (actor, asked) = call(request)?;
        let (_, receipt) = perform(&self.engine, &actor, room::end_surge(&asked)).await?;
        Ok(Response::new(pb::EndSurgeResponse { receipt }))
    }

    async fn get_relay(&self, request: Request<pb::GetRelayRequest>) -> Result<Response<pb::GetRelayResponse>, Status> {
        let (actor, asked) = call(request)?;
        let most = room::deadlines(&asked)?;
        head(&self.engine, &actor, asked.at_least_seq).await?;
        let page = self.engine.relay(&actor, most).await?;
        Ok(Response::new(room::relay(&page)))
    }

    async fn get_status(
        &self,
        request: Request<pb::GetStatusRequest>,
    ) -> Result<Response<pb::GetStatusResponse>, Status> {
        let (actor, asked) = call(request)?;
        let place = self.engine.territory(&actor.territory)?;
        let report = self.engine.durability().await?;
        let seq = head(&self.engine, &actor, asked.at_least_seq).await?;
        Ok(Response::new(pb::GetStatusResponse {
            durability: durability(report.level) as i32,
            durability_facts: report.facts,
            now_unix_ms: self.engine.now().unix_ms(),
            rules: place.territory.version.text(),
            configured: place.territory.configured,
            responders: u32::try_from(place.directory.len()).unwrap_or(u32::MAX),
            seq,
        }))
    }

    async fn get_indicators(
        &self,
        request: Request<pb::GetIndicatorsRequest>,
    ) -> Result<Response<pb::GetIndicatorsResponse>, Status> {
        indicators::get(&self.engine, request).await.map(Response::new)
    }

    async fn get_unmet_needs(
        &self,
        request: Request<pb::GetUnmetNeedsRequest>,
    ) -> Result<Response<pb::GetUnmetNeedsResponse>, Status> {
        indicators::unmet_needs(&self.engine, request).await.map(Response::new)
    }

    async fn compare_regulators(
        &self,
        request: Request<pb::CompareRegulatorsRequest>,
    ) -> Result<Response<pb::CompareRegulatorsResponse>, Status> {
        indicators::compare(&self.engine, request).await.map(Response::new)
    }

    async fn list_independence_exceptions(
        &self,
        request: Request<pb::ListIndependenceExceptionsRequest>,
    ) -> Result<Response<pb::ListIndependenceExceptionsResponse>, Status> {
        indicators::exceptions(&self.engine, request).await.map(Response::new)
    }
}
