//! TelephonyService: what a telephone exchange tells of its calls. No call is lost.

use tonic::{Request, Response, Status};

use super::acts::{after, call};
use crate::{
    domain::{
        actor::Actor,
        case::{Command, Refusal, command::CallEvent},
        ids::CaseId,
    },
    engine::{Done, Engine, Failure, Mutation, Target},
    grpc::{
        convert::{
            reply::receipt,
            telephony::{self as convert, Happened, Reported},
        },
        pb::{self, telephony_service_server::TelephonyService},
    },
    store::Version,
};

/// Answers from the engine.
#[derive(Debug, Clone)]
pub struct Telephony {
    engine: Engine,
}

/// What the exchange is told of one event.
struct Told {
    receipt: pb::Receipt,
    case: CaseId,
    version: Version,
}

impl Told {
    fn of(done: &Done, receipt: pb::Receipt) -> Result<Self, Status> {
        let view = after(done)?;
        Ok(Self { receipt, case: view.case.id, version: view.version })
    }
}

impl Telephony {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// One event of one call: of its case, which it opens when the call is new. Which it is is known from the call itself:
    /// only one event of a call opens a case.
    async fn told(&self, actor: &Actor, reported: &Reported) -> Result<Told, Status> {
        let mut found = self.engine.remembered_call(actor, &reported.call);
        if found.is_none() && reported.happened == Happened::Later(CallEvent::Reconnected) {
            found = self.engine.find_call(actor, &reported.call).await?;
        }
        if found.is_none() {
            match self.first(actor, reported).await? {
                Some(done) => return Told::of(&done, receipt(&done, convert::late(reported))),
                None => found = self.engine.find_call(actor, &reported.call).await?,
            }
        }
        let case = found.ok_or_else(|| Refusal::NotFound("call".to_owned()))?;
        self.known(actor, reported, case).await
    }

    /// An event of a call that has its case. It rang before: then only the same command again answers its receipt.
    async fn known(&self, actor: &Actor, reported: &Reported, case: CaseId) -> Result<Told, Status> {
        let command = match reported.happened {
            Happened::Later(event) => Command::Call(event),
            Happened::Ringing if convert::opened_by(reported.mutation.command_id, case) => {
                Command::Open(Box::new(reported.open.clone()))
            }
            Happened::Ringing => {
                let (view, seq) = self.engine.read_case(actor, case, 0).await?;
                let level = self.engine.level().await;
                let receipt = convert::known(seq, self.engine.now(), level, reported);
                return Ok(Told { receipt, case, version: view.version });
            }
        };
        let done = self.engine.act(actor, reported.mutation, Target::case(case), command).await?;
        Told::of(&done, receipt(&done, reported.warnings.clone()))
    }

    /// As [`Self::unknown`]; `None` when another event of the same call came first after all.
    async fn first(&self, actor: &Actor, reported: &Reported) -> Result<Option<Done>, Failure> {
        match self.unknown(actor, reported).await {
            Err(Failure::Refused(Refusal::State { what, .. })) if what == "call" => Ok(None),
            result => result.map(Some),
        }
    }

    /// An event of a call nobody heard of before.
    async fn unknown(&self, actor: &Actor, reported: &Reported) -> Result<Done, Failure> {
        let open = Command::Open(Box::new(reported.open.clone()));
        match reported.happened {
            Happened::Ringing | Happened::Later(CallEvent::Answered) => {
                self.engine.act(actor, reported.mutation, Target::default(), open).await
            }
            Happened::Later(CallEvent::HungUp) => {
                let Mutation { command_id, digest } = reported.mutation;
                let first = Mutation { command_id: convert::second_id(command_id), digest };
                let opened = self.engine.act(actor, first, Target::default(), open).await?;
                let target = Target { case: opened.reply.case, version: None };
                self.engine.act(actor, reported.mutation, target, Command::Call(CallEvent::HungUp)).await
            }
            Happened::Later(CallEvent::Reconnected) => Err(Refusal::NotFound("call".to_owned()).into()),
        }
    }
}

#[tonic::async_trait]
impl TelephonyService for Telephony {
    async fn report_call_event(
        &self,
        request: Request<pb::ReportCallEventRequest>,
    ) -> Result<Response<pb::ReportCallEventResponse>, Status> {
        let (actor, asked) = call(request)?;
        let reported = convert::event(&asked, self.engine.now())?;
        let Told { receipt, case, version } = self.told(&actor, &reported).await?;
        Ok(Response::new(pb::ReportCallEventResponse {
            receipt: Some(receipt),
            case_id: case.to_string(),
            version: version.to_bytes().to_vec(),
        }))
    }

    async fn get_call(&self, request: Request<pb::GetCallRequest>) -> Result<Response<pb::GetCallResponse>, Status> {
        let (actor, asked) = call(request)?;
        let call = convert::get(&asked)?;
        let case = self.engine.find_call(&actor, &call).await?.ok_or_else(|| Refusal::NotFound("call".to_owned()))?;
        let (view, seq) = self.engine.read_case(&actor, case, asked.at_least_seq).await?;
        Ok(Response::new(convert::call(&view, seq)))
    }
}
