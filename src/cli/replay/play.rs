//! Opening each message in the order in which the calls came, on a clock that stands where each message says.

use std::{collections::BTreeMap, sync::Arc};

use super::Message;
use crate::{
    cli::scratch::Scratch,
    clock::Clock,
    config::{Config, Ground},
    domain::{
        actor::{Actor, Role},
        calendar::Legal,
        case::{
            Command,
            command::{Beside, Qualify, SignNeed},
        },
        ids::{CaseId, CommandId, DecisionId, TerritoryId},
        person::Private,
        regulation::{
            need::{CareType, Need},
            prescription::{Asked, AskedState, DrugLine, Prescription, Situation},
            qualification::{Priority, Stream},
        },
        routing::Plan,
        territory::Territory,
        time::Instant,
    },
    engine::{CaseView, Done, Engine, Failure, LookupKey, Mutation, Options, Place, Target},
    interop::{incoming::IncomingCase, intake},
    store::{Digest, Settings, StoreError, due_command, open},
    telemetry::Metrics,
};

/// What became of one message.
pub(super) struct Played {
    pub(super) result: Result<Opened, Vec<String>>,
}

/// An opened case and its plan.
pub(super) struct Opened {
    pub(super) view: CaseView,
    pub(super) legal: Option<Legal>,
    pub(super) need: Need,
    /// The need stood in the message; otherwise it is assumed.
    pub(super) signed: bool,
    pub(super) plan: Plan,
}

/// Plays all messages; the answers stand in the order of the messages.
pub(super) async fn play(config: &Config, messages: &[Message]) -> Result<Vec<Played>, StoreError> {
    let folder = Scratch::new().map_err(|error| StoreError::Unavailable(format!("a temporary folder: {error}")))?;
    let start = messages.iter().filter_map(|message| message.decoded.as_ref().ok()).map(|case| case.received).min();
    let clock = Clock::manual(start.unwrap_or(Instant::from_unix_ms(0)));
    let store = open(Settings::Embedded { data: folder.path().to_path_buf(), clock: clock.clone() }).await?;
    let place = |ground: &Arc<Ground>| Arc::new(Place { territory: ground.0.clone(), directory: ground.1.clone() });
    let places: BTreeMap<_, _> = config.territories.iter().map(|(id, ground)| (id.clone(), place(ground))).collect();
    let lookup = LookupKey::new(folder.path().as_os_str().as_encoded_bytes());
    let engine = Engine::new(store, clock.clone(), places, lookup, Metrics::silent(), Options::default());
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_by_key(|n| messages[*n].decoded.as_ref().map_or(i64::MAX, |case| case.received.unix_ms()));
    let mut played: BTreeMap<usize, Played> = BTreeMap::new();
    for n in order {
        let result = match &messages[n].decoded {
            Ok(incoming) => {
                clock.advance_to(incoming.received);
                one(&engine, incoming, n).await.map_err(|failure| vec![failure.to_string()])
            }
            Err(faults) => Err(faults.iter().map(ToString::to_string).collect()),
        };
        played.insert(n, Played { result });
    }
    Ok(played.into_values().collect())
}

/// One act after the other, as people would do them: open, qualify, take, sign the need, ask for the plan.
fn defers(territory: &Territory, qualify: &Qualify) -> bool {
    let motives = &territory.regulation.p3.motives;
    qualify.stream != Stream::Psy && qualify.motive.as_ref().is_some_and(|motive| motives.contains(motive))
}

async fn one(engine: &Engine, incoming: &IncomingCase, n: usize) -> Result<Opened, Failure> {
    let acts = Acts { engine, territory: incoming.territory.clone(), now: incoming.received, n };
    let place = engine.territory(&incoming.territory)?;
    let now = engine.now();
    let open = intake::open(incoming, &place.territory, now);
    let done = acts.act(Role::Arm, "open", None, Command::Open(Box::new(open))).await?;
    let case = done.reply.case;
    let qualify: Qualify = intake::qualify(incoming);
    // Nothing is ended in a replay: what nobody regulated elsewhere is shown as deferred, where this territory defers it.
    let deferred = if defers(&place.territory, &qualify) { Priority::P3 } else { Priority::P2 };
    let priority = match qualify.priority {
        Priority::P3 | Priority::NotRegulated => deferred,
        priority => priority,
    };
    let vital = priority == Priority::P0;
    acts.act(Role::Arm, "qualify", case, Command::Qualify(Box::new(Qualify { priority, ..qualify }))).await?;
    let take = if vital { Command::AcceptHandOver } else { Command::Claim };
    let claimed = acts.act(Role::Regulator, "claim", case, take).await?;
    let signed = incoming.need.is_some();
    let sign = SignNeed {
        claim_no: claimed.reply.claim_no.unwrap_or_default(),
        need: intake::need(incoming),
        note: None,
        follow_up: None,
        keep: true,
        beside: Beside { prescription: untold(incoming), ..Beside::default() },
    };
    let need = sign.need.clone();
    let done = acts.act(Role::Regulator, "need", case, Command::SignNeed(Box::new(sign))).await?;
    let (Some(id), Some(decision), Some(view)) = (case, done.reply.decision, done.case) else {
        return Err(Failure::Unavailable("the case could not be read back".to_owned()));
    };
    let plan = match need.care.needs_supply() {
        true => engine.plan(&acts.actor(Role::Regulator), id, decision).await?,
        false => empty_plan(&place, now, &need),
    };
    Ok(Opened { view, legal: place.territory.period_at(now).ok(), need, signed, plan })
}

/// What a file says of a prescription is that there was one: the rest is stated unknown, in a store that is thrown away.
fn untold(incoming: &IncomingCase) -> Option<Box<Prescription>> {
    let unknown = || Some(Asked { state: AskedState::Unknown, answer: Private::default() });
    let words = || Private::new("non précisé dans le fichier".to_owned());
    let need = intake::need(incoming);
    let prescription = || Prescription {
        decision: DecisionId(uuid::Uuid::nil()),
        situation: Situation::WrittenOrder,
        // V07: all other non-therapeutic products.
        lines: vec![DrugLine { drug: words(), dose: words(), days: 1, atc: "V07".to_owned() }],
        allergies: unknown(),
        pregnancy: unknown(),
        weight: unknown(),
        treatments: unknown(),
        prior_examination: unknown(),
        earlier_prescriber: None,
        pharmacy: words(),
    };
    (need.care == CareType::PhonePrescription).then(|| Box::new(prescription()))
}

struct Acts<'a> {
    engine: &'a Engine,
    territory: TerritoryId,
    now: Instant,
    n: usize,
}

impl Acts<'_> {
    fn actor(&self, role: Role) -> Actor {
        let person = match role {
            Role::Regulator => "replay-regulator",
            _ => "replay-arm",
        };
        let person = person.parse().expect("lower-case letters and a hyphen are a legal person id");
        Actor { person, role, territory: self.territory.clone(), connection: None }
    }

    async fn act(&self, role: Role, what: &str, case: Option<CaseId>, command: Command) -> Result<Done, Failure> {
        let cause = format!("replay/{}/{what}", self.n);
        let command_id: CommandId = due_command(&cause, self.now);
        let mutation = Mutation { command_id, digest: Digest::of(cause.as_bytes()) };
        self.engine.act(&self.actor(role), mutation, Target { case, version: None }, command).await
    }
}

/// What needs no responder has no options.
fn empty_plan(place: &Place, at: Instant, need: &Need) -> Plan {
    let period = place.territory.period_at(at).map(|legal| legal.period.code().to_owned()).unwrap_or_default();
    let (sources, rows, left_out) = (Vec::new(), Vec::new(), Vec::new());
    let rules = place.territory.version.name.clone();
    Plan { at, rules, period, deadline: need.deadline(at), sources, rows, kept_left_out: Vec::new(), left_out }
}
