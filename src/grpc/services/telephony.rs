//! TelephonyService: what a telephone exchange tells of its calls. No call is lost.

use tonic::{Request, Response, Status};

use super::acts::{after, call};
use crate::{
    domain::{
        actor::{Actor, Role},
        case::{Command, Refusal, command::CallEvent},
        ids::CaseId,
    },
    engine::{Done, Engine, Failure, Mutation, Target, naming},
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
    fn of(done: &Done, receipt: pb::Receipt) -> Result<Self, Failure> {
        let view = after(done)?;
        Ok(Self { receipt, case: view.case.id, version: view.version })
    }
}

/// How often an event looks for its case before the exchange reports it again: each time another event came first.
const ROUNDS: usize = 4;

impl Telephony {
    /// Over an engine.
    pub fn new(engine: Engine) -> Self {
        Self { engine }
    }

    /// One event of one call, whatever the clock that its command id was made by: neither a ring is lost for it, nor that the
    /// caller broke off. Told twice, it says no more than told once.
    async fn told(&self, actor: &Actor, reported: &Reported) -> Result<Told, Failure> {
        match self.told_as_named(actor, reported).await {
            told if naming::is_stale(&told) => {
                let again = convert::under_another_id(reported, actor, self.engine.now());
                self.told_as_named(actor, &again).await
            }
            told => told,
        }
    }

    /// One event of one call: of its case, which it opens when the call is new. Which it is is known from the call itself:
    /// only one event of a call opens a case.
    async fn told_as_named(&self, actor: &Actor, reported: &Reported) -> Result<Told, Failure> {
        let mut found = self.engine.remembered_call(actor, &reported.call);
        let mut over = None;
        for _ in 0..ROUNDS {
            if found.is_none() {
                match self.first(actor, reported, over).await? {
                    Some(done) => return Told::of(&done, receipt(&done, convert::late(reported))),
                    None => found = self.engine.find_call(actor, &reported.call).await?,
                }
            }
            let case = found.ok_or_else(|| Refusal::NotFound("call".to_owned()))?;
            match self.known(actor, reported, case).await? {
                Known::Told(told) => return Ok(told),
                Known::Over => over = Some(case),
                Known::Gone => over = None,
            }
            // Another instance may have opened a newer case under this name.
            found = self.engine.find_call(actor, &reported.call).await?.filter(|newer| *newer != case);
        }
        Err(Failure::Busy)
    }

    /// An event of a call that has its case. It rang before: then only the same command again answers its receipt.
    async fn known(&self, actor: &Actor, reported: &Reported, case: CaseId) -> Result<Known, Failure> {
        let done = match reported.happened {
            Happened::Later(report) => {
                // The second act of a report whose first opened the case.
                let begun = convert::opened_by(convert::second_id(reported.mutation.command_id), case);
                let actor = if begun { &as_exchange(actor) } else { actor };
                self.engine.call_event(actor, reported.mutation, case, (&reported.open, report)).await
            }
            Happened::Ringing if convert::opened_by(reported.mutation.command_id, case) => {
                let open = Command::Open(Box::new(reported.open.clone()));
                self.engine.act(actor, reported.mutation, Target::case(case), open).await
            }
            Happened::Ringing => match self.engine.rings_again(actor, case, &reported.open, reported.told_at).await {
                Ok(None) => return Ok(Known::Over),
                Ok(Some((version, seq))) => {
                    let level = self.engine.level().await;
                    let receipt = convert::known(seq, self.engine.now(), level, reported);
                    return Ok(Known::Told(Told { receipt, case, version }));
                }
                Err(failure) => Err(failure),
            },
        };
        match done {
            Ok(done) => Ok(Known::Told(Told::of(&done, receipt(&done, convert::in_order(reported, &done)))?)),
            Err(failure) if failure.is_of_its_call() => Ok(Known::Over),
            Err(Failure::Refused(Refusal::NotFound(_) | Refusal::Archived(_))) => Ok(Known::Gone),
            Err(failure) => Err(failure),
        }
    }

    /// As [`Self::unknown`]; `None` when another event of the same call came first after all.
    async fn first(&self, actor: &Actor, reported: &Reported, over: Option<CaseId>) -> Result<Option<Done>, Failure> {
        match self.unknown(actor, reported, over).await {
            Err(failure) if failure.is_of_its_call() => Ok(None),
            result => result.map(Some),
        }
    }

    /// An event of a call nobody heard of before. `over`: the case that its name stood for, for an earlier call.
    async fn unknown(&self, actor: &Actor, reported: &Reported, over: Option<CaseId>) -> Result<Done, Failure> {
        let open = reported.open.clone();
        match reported.happened {
            Happened::Later(report) if report.event == CallEvent::HungUp => {
                let Mutation { command_id, digest } = reported.mutation;
                let first = Mutation { command_id: convert::second_id(command_id), digest };
                let opened = self.engine.open_another(actor, first, open, over).await?;
                let target = Target { case: opened.reply.case, version: None };
                self.engine.act(&as_exchange(actor), reported.mutation, target, Command::Call(report)).await
            }
            // Who is said to be on the line again, in a call nobody heard of, waits for somebody like one who rings.
            Happened::Ringing | Happened::Later(_) => {
                self.engine.open_another(actor, reported.mutation, open, over).await
            }
        }
    }
}

/// Whoever may open the case of a call may say that its caller has gone.
fn as_exchange(actor: &Actor) -> Actor {
    Actor { role: Role::Telephony, ..actor.clone() }
}

/// What becomes of an event of a call whose case is known.
enum Known {
    /// It was told to that case.
    Told(Told),
    /// That case is of an earlier call, or the name stands for another one: it is of another call.
    Over,
    /// That case has left the store.
    Gone,
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
        let case = self.engine.newest_call(&actor, &call).await?;
        let case = case.ok_or_else(|| Refusal::NotFound("call".to_owned()))?;
        let (view, seq) = self.engine.read_case(&actor, case, asked.at_least_seq).await?;
        Ok(Response::new(convert::call(&view, seq)))
    }
}
