//! One call: a changing one is repeated under its command id, on one instance after the other, until its outcome is known.

use std::{future::Future, sync::Arc, time::Duration};

use sas_dispatch::{
    domain::actor::Role,
    grpc::{
        client::{Clients, Code, Response, Status},
        pb,
    },
};
use tokio::time::timeout;

use crate::{
    history::{Op, Outcome, Read, Recorder, Renewed, Shape, Told, hex},
    pace::{Dice, Pace, pass},
    service::Doors,
};

/// How long one attempt may take: longer than the service's own wait for its store, shorter than most faults.
const ATTEMPT: Duration = Duration::from_secs(3);
/// How long a client keeps repeating, microseconds.
const PATIENCE_US: u64 = 15_000_000;

/// One client of a territory.
#[derive(Debug, Clone)]
pub struct Caller {
    pub process: usize,
    pub territory: String,
    pub doors: Arc<Doors>,
    pub recorder: Arc<Recorder>,
    pub pace: Pace,
    pub dice: Dice,
    /// The instance it talks to; another one after a failure.
    pub at: usize,
    /// What it does is about a vital emergency, as its screen shows or its own words say.
    pub vital: bool,
}

/// A changing call before it is made.
#[derive(Debug, Clone)]
pub struct Draft<'a> {
    pub kind: &'static str,
    pub person: &'a str,
    pub role: Role,
    pub case: Option<&'a str>,
    pub under_claim: Option<u64>,
}

/// What a reply tells of what was done.
pub trait Answer {
    fn told(&self) -> Told;

    /// The answer is that there was nothing to do.
    fn empty(&self) -> bool {
        false
    }
}

impl Caller {
    /// Makes a changing call; the reply when it was acknowledged.
    pub async fn change<T, F, Fut>(&mut self, draft: Draft<'_>, command_id: String, call: F) -> Option<T>
    where
        T: Answer,
        F: Fn(Clients) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        let invoked_us = self.pace.us();
        let (mut instances, mut last) = (Vec::new(), String::new());
        let (mut reply, mut refused) = (None, None);
        while self.pace.us() < invoked_us + PATIENCE_US {
            instances.push(self.at);
            match self.attempt(&draft, &call).await {
                Ok(response) => {
                    reply = Some(response.into_inner());
                    break;
                }
                Err(status) if repeatable(status.code()) => {
                    last = format!("{:?}: {}", status.code(), status.message());
                    self.doors.forget(self.at).await;
                    self.at = (self.at + 1) % self.doors.count();
                    pass(self.dice.between(20, 200)).await;
                }
                Err(status) => {
                    refused = Some(Outcome::Refused {
                        code: format!("{:?}", status.code()),
                        reason: status.message().chars().take(160).collect(),
                    });
                    break;
                }
            }
        }
        let done = |reply: &T| if reply.empty() { Outcome::Nothing } else { Outcome::Done(Box::new(reply.told())) };
        let told = reply.as_ref().map(done);
        let outcome = told.or(refused).unwrap_or(Outcome::Unknown { last });
        self.recorder.op(Op {
            process: self.process,
            kind: draft.kind,
            territory: self.territory.clone(),
            person: draft.person.to_owned(),
            command_id,
            case: draft.case.map(str::to_owned),
            under_claim: draft.under_claim,
            vital: self.vital,
            instances,
            invoked_us,
            completed_us: self.pace.us(),
            outcome,
        });
        reply
    }

    async fn attempt<T, F, Fut>(&mut self, draft: &Draft<'_>, call: &F) -> Result<Response<T>, Status>
    where
        F: Fn(Clients) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        let clients = self.clients(draft.person, draft.role).await?;
        timeout(ATTEMPT, call(clients)).await.unwrap_or_else(|_| Err(Status::deadline_exceeded("the client's own")))
    }

    async fn clients(&self, person: &str, role: Role) -> Result<Clients, Status> {
        let link = self.doors.link(self.at).await.ok_or_else(|| Status::unavailable("nobody listens"))?;
        link.acting(person, role, &self.territory).map_err(|bad| Status::invalid_argument(bad.to_string()))
    }

    /// Makes a read, once; `told` says the place it was answered at and what it showed.
    pub async fn read<T, F, Fut>(
        &mut self,
        (kind, role, at_least_seq): (&'static str, Role, u64),
        call: F,
        told: impl FnOnce(&T) -> Read,
    ) -> Option<T>
    where
        F: Fn(Clients) -> Fut,
        Fut: Future<Output = Result<Response<T>, Status>>,
    {
        let invoked_us = self.pace.us();
        let draft = Draft { kind, person: "lecture-1", role, case: None, under_claim: None };
        let reply = match self.attempt(&draft, &call).await {
            Ok(response) => response.into_inner(),
            Err(status) => {
                if repeatable(status.code()) {
                    self.doors.forget(self.at).await;
                    self.at = (self.at + 1) % self.doors.count();
                    pass(self.dice.between(20, 200)).await;
                }
                return None;
            }
        };
        let (territory, instance, completed_us) = (self.territory.clone(), self.at, self.pace.us());
        self.recorder.read(Read { kind, territory, instance, invoked_us, completed_us, at_least_seq, ..told(&reply) });
        Some(reply)
    }

    /// Keeps a claim alive: no command, no receipt, and yet only its holder may.
    pub async fn renew(&mut self, person: &str, case: &str, claim_no: u64) {
        let invoked_us = self.pace.us();
        let draft = Draft { kind: "RenewClaim", person, role: Role::Regulator, case: None, under_claim: None };
        let request = pb::RenewClaimRequest { case_id: case.to_owned(), claim_no };
        let call = |mut clients: Clients| {
            let request = request.clone();
            async move { clients.regulation.renew_claim(request).await }
        };
        let Ok(reply) = self.attempt(&draft, &call).await else { return };
        self.recorder.read(Read {
            kind: "RenewClaim",
            territory: self.territory.clone(),
            instance: self.at,
            invoked_us,
            completed_us: self.pace.us(),
            seq: reply.get_ref().seq,
            renewed: Some(Renewed {
                person: person.to_owned(),
                case: case.to_owned(),
                claim_no,
                durability: level(reply.get_ref().durability()),
            }),
            ..Read::default()
        });
    }
}

/// Whether the outcome is open: the same command is sent again.
fn repeatable(code: Code) -> bool {
    matches!(
        code,
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Cancelled
            | Code::Unknown
            | Code::Internal
            | Code::ResourceExhausted
    )
}

fn level(durability: pb::Durability) -> String {
    let level = match durability {
        pb::Durability::D05 => "D0.5",
        pb::Durability::D1 => "D1",
        pb::Durability::D2 => "D2",
        pb::Durability::D0 => "D0",
        pb::Durability::Unknown | pb::Durability::Unspecified => "unknown",
    };
    level.to_owned()
}

fn receipt(known: Option<&pb::Receipt>) -> Told {
    let Some(receipt) = known else { return Told::default() };
    Told {
        seq: receipt.seq,
        at_ms: receipt.at_unix_ms,
        durability: level(receipt.durability()),
        replayed: receipt.replayed,
        ..Told::default()
    }
}

fn with_case(told: Told, view: Option<&pb::CaseView>) -> Told {
    let Some(view) = view else { return told };
    let (version, vital) = (Some(hex(&view.version)), is_vital(view));
    Told { case: Some(view.case_id.clone()), version, shape: Shape::of(view), vital, ..told }
}

/// Whether a case is a vital emergency: nothing about it waits for a replica.
pub(super) fn is_vital(view: &pb::CaseView) -> bool {
    view.qualification.as_ref().is_some_and(|known| known.priority() == pb::Priority::P0)
}

fn id(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

macro_rules! answers {
    ($($reply:ident: $told:expr $(, empty $empty:expr)?;)*) => {$(
        impl Answer for pb::$reply {
            fn told(&self) -> Told {
                let told: fn(&Self, Told) -> Told = $told;
                told(self, receipt(self.receipt.as_ref()))
            }

            $(fn empty(&self) -> bool {
                let empty: fn(&Self) -> bool = $empty;
                empty(self)
            })?
        }
    )*};
}

fn claimed(told: Told, no: u64) -> Told {
    Told { claim_no: Some(no), ..told }
}

fn version(told: Told, version: &[u8]) -> Told {
    Told { version: Some(hex(version)), ..told }
}

answers! {
    OpenCaseResponse: |reply, told| with_case(told, reply.case.as_ref());
    AmendCaseResponse: |reply, told| with_case(told, reply.case.as_ref());
    AddNoteResponse: |reply, told| with_case(told, reply.case.as_ref());
    DismissCaseResponse: |reply, told| with_case(told, reply.case.as_ref());
    QualifyResponse: |reply, told| with_case(told, reply.case.as_ref());
    ClaimNextResponse: |reply, told| claimed(with_case(told, reply.case.as_ref()), reply.claim_no),
        empty |reply| reply.case.is_none();
    ClaimResponse: |reply, told| claimed(with_case(told, reply.case.as_ref()), reply.claim_no);
    AcceptHandOverResponse: |reply, told| claimed(with_case(told, reply.case.as_ref()), reply.claim_no);
    ReleaseClaimResponse: |reply, told| with_case(told, reply.case.as_ref());
    ResumeClaimResponse: |reply, told| with_case(told, reply.case.as_ref());
    SignNeedResponse: |reply, told| with_case(told, reply.case.as_ref());
    SignAnswerResponse: |reply, told| with_case(told, reply.case.as_ref());
    ReorientResponse: |reply, told| with_case(told, reply.case.as_ref());
    TransferCaseResponse: |reply, told| with_case(told, reply.case.as_ref());
    WithdrawTransferResponse: |reply, told| with_case(told, reply.case.as_ref());
    AnswerTransferResponse: |reply, told| {
        let told = with_case(told, reply.case.as_ref());
        if reply.claim_no > 0 { claimed(told, reply.claim_no) } else { told }
    };
    EndActionResponse: |reply, told| with_case(told, reply.case.as_ref());
    ForceReleaseResponse: |reply, told| version(told, &reply.version);
    AdvanceResponse: |reply, told| version(told, &reply.version);
    AnswerOfferResponse: |reply, told| version(told, &reply.version);
    CancelOfferResponse: |reply, told| version(told, &reply.version);
    RenewHoldResponse: |reply, told| version(told, &reply.version);
    ConfirmSlotResponse: |reply, told| version(told, &reply.version);
    CancelAppointmentResponse: |reply, told| version(told, &reply.version);
    RecordAttendanceResponse: |reply, told| version(told, &reply.version);
    ReportVisitResponse: |reply, told| version(told, &reply.version);
    AcceptVisitResponse: |_, told| told;
    DeclineVisitResponse: |_, told| told;
    ProgressVisitResponse: |_, told| told;
    OpenShiftResponse: |_, told| told;
    EndShiftResponse: |_, told| told;
    WithdrawSlotResponse: |_, told| told;
    PublishSlotResponse: |reply, told| Told { slot: id(&reply.slot_id), ..told };
    ReportCallEventResponse: |reply, told| Told { case: id(&reply.case_id), ..version(told, &reply.version) };
}
