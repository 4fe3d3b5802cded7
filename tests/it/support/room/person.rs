//! Somebody at a console, a terminal or an exchange: real gRPC clients, fresh command ids, and the claims a console keeps.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    future::Future,
    panic::Location,
    sync::{Arc, Mutex},
};

use sas_dispatch::{
    clock::Clock,
    domain::actor::Role,
    grpc::{
        client::{Clients, Code, Response, Status},
        pb,
    },
};
use tonic_types::StatusExt;
use uuid::{NoContext, Timestamp, Uuid};

/// How a story ends: told to its end, or stopped where a call was refused.
pub type Story = Result<(), Stopped>;

/// A call that a story did not expect to be refused.
pub struct Stopped(Status, &'static Location<'static>);

impl From<Status> for Stopped {
    #[track_caller]
    fn from(status: Status) -> Self {
        Self(status, Location::caller())
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}: {:?}: {}", self.1, self.0.code(), self.0.message())
    }
}

/// A refusal as a person reads it.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    /// Code for programs.
    pub reason: String,
    /// What to do, in English.
    pub message: String,
    /// The sentence of the French screen.
    pub french: String,
    /// Fields to mend, each a path.
    pub fields: Vec<String>,
}

/// What a story expects to be refused.
pub trait Refused {
    /// The refusal; a call that went through ends the test.
    #[track_caller]
    fn refused(self) -> Refusal;
}

impl<T: fmt::Debug> Refused for Result<T, Status> {
    fn refused(self) -> Refusal {
        let status = self.expect_err("it was to be refused");
        let details = status.get_error_details();
        let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
        Refusal {
            code: status.code(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            french: details.localized_message().map(|told| told.message.clone()).unwrap_or_default(),
            fields: fields.into_iter().map(|violation| violation.field).collect(),
        }
    }
}

/// Counts calls by role.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<String, u32>>>);

impl Calls {
    fn count(&self, role: Role) {
        *self.0.lock().unwrap().entry(format!("{role:?}")).or_default() += 1;
    }

    pub fn by_role(&self) -> BTreeMap<String, u32> {
        self.0.lock().unwrap().clone()
    }
}

/// Somebody in the room.
pub struct Person {
    pub name: String,
    /// The eight services, for what no verb says.
    pub clients: Clients,
    role: Role,
    clock: Clock,
    calls: Calls,
    /// The fencing numbers this console was given, by case.
    claims: Mutex<HashMap<String, u64>>,
}

impl Person {
    pub fn new(name: &str, role: Role, clients: Clients, clock: Clock, calls: Calls) -> Self {
        Self { name: name.to_owned(), clients, role, clock, calls, claims: Mutex::default() }
    }

    /// A command id for one act, made now.
    pub fn act(&self) -> String {
        let ms = u64::try_from(self.clock.now().unix_ms()).unwrap();
        let nanos = u32::try_from(ms % 1_000).unwrap() * 1_000_000;
        Uuid::new_v7(Timestamp::from_unix(NoContext, ms / 1_000, nanos)).to_string()
    }

    /// One call of this person, counted.
    pub async fn counted<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
        self.calls.count(self.role);
        Ok(call.await?.into_inner())
    }

    /// The fencing number this console was given last for a case; 0 without one.
    pub fn claim_no(&self, case: &pb::CaseView) -> u64 {
        self.claims.lock().unwrap().get(&case.case_id).copied().unwrap_or_default()
    }

    /// Notes the fencing number this console was given for a case.
    pub fn holds(&self, case: &pb::CaseView, claim_no: u64) {
        self.claims.lock().unwrap().insert(case.case_id.clone(), claim_no);
    }
}

/// One call of a service: `ask!(person, intake, open_case, request)`.
macro_rules! ask {
    ($person:expr, $service:ident, $rpc:ident, $request:expr) => {{
        let mut client = $person.clients.$service.clone();
        $person.counted(client.$rpc($request)).await
    }};
}
pub(crate) use ask;
