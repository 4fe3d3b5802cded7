//! What a story of the engine stands on: a store, two instances over it, and short ways to act.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sas_dispatch::{
    domain::{
        actor::{Actor, Role},
        case::{
            Command, Event,
            command::{Qualify, SignAnswer, StartDuty},
        },
        ids::{CaseId, DecisionId},
        regulation::{
            need::CareType,
            qualification::{Priority, Stream},
            room::Affiliation,
        },
        slots::SlotKind,
        time::Span,
    },
    engine::{CaseView, Done, Engine, Failure, LookupKey, Mutation, Options, Place, Target, codec},
    store::{Digest, Store, StoreError, due_command},
    telemetry::Metrics,
};

use crate::{
    domain::stage::{self, SAS, SAS_DOCTOR, bas_rhin, doctor},
    store::stand::Stand,
};

/// As clients do: while the store does not answer as is promised, the same is asked again.
pub async fn insisting<T>(ask: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    let mut again = tokio::time::interval(Duration::from_millis(50));
    let answered = async {
        loop {
            again.tick().await;
            match ask().await {
                Err(Failure::Store(StoreError::Unavailable(_) | StoreError::Unknown(_))) => {}
                answer => break answer,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.expect("the store answers in time")
}

pub struct Desk {
    pub stand: Stand,
    /// Two instances of the service over one store.
    pub a: Engine,
    pub b: Engine,
    made: AtomicU64,
}

impl Desk {
    pub fn new(stand: Stand) -> Self {
        Self::with(stand, Options::default())
    }

    pub fn with(stand: Stand, options: Options) -> Self {
        let stores = [stand.store.clone(), stand.store.clone()];
        Self::over(stand, stores, options)
    }

    /// Two instances, each with its own way to the store.
    pub fn over(stand: Stand, stores: [Arc<dyn Store>; 2], options: Options) -> Self {
        let [a, b] = stores.map(|store| Self::instance(&stand, store, options));
        Self { stand, a, b, made: AtomicU64::new(0) }
    }

    /// One more instance over the store.
    pub fn engine(stand: &Stand, options: Options) -> Engine {
        Self::instance(stand, stand.store.clone(), options)
    }

    fn instance(stand: &Stand, store: Arc<dyn Store>, options: Options) -> Engine {
        let ground = bas_rhin();
        let (territory, directory) = (ground.0.clone(), ground.1.clone());
        let places = BTreeMap::from([(territory.id.clone(), Arc::new(Place { territory, directory }))]);
        let lookup = LookupKey::new(*b"a key for stories");
        Engine::new(store, stand.clock.clone(), places, lookup, Metrics::silent(), options)
    }

    /// A new command of now.
    pub fn mutation(&self) -> Mutation {
        let made = self.made.fetch_add(1, Ordering::SeqCst);
        let digest = Digest::of(format!("request {made}").as_bytes());
        Mutation { command_id: due_command(&format!("command {made}"), self.stand.clock.now()), digest }
    }

    pub async fn give(&self, actor: &Actor, case: Option<CaseId>, command: Command) -> Result<Done, Failure> {
        self.a.act(actor, self.mutation(), Target { case, version: None }, command).await
    }

    pub async fn done(&self, actor: &Actor, case: CaseId, command: Command) -> Done {
        self.insists(actor, Some(case), command).await
    }

    async fn insists(&self, actor: &Actor, case: Option<CaseId>, command: Command) -> Done {
        let (name, target) = (command.name(), Target { case, version: None });
        let mutation = self.mutation();
        let give = async || self.a.act(actor, mutation, target, command.clone()).await;
        insisting(give).await.unwrap_or_else(|failure| panic!("{name}: {failure}"))
    }

    pub async fn opened(&self) -> CaseId {
        let mutation = self.mutation();
        let mut open = stage::call(self.stand.clock.now());
        // Somebody else calls each time: a repeat call would be looked at twice.
        let number = format!("+336399{:05}", mutation.command_id.0.as_u128() % 100_000);
        open.particulars.caller.iter_mut().for_each(|caller| caller.phone = stage::text(&number));
        let open = Command::Open(Box::new(open));
        let give = async || self.a.act(&stage::arm(), mutation, Target::default(), open.clone()).await;
        insisting(give).await.unwrap().reply.case.unwrap()
    }

    pub async fn qualified(&self, priority: Priority) -> CaseId {
        let case = self.opened().await;
        let qualify: Qualify = stage::qualify(priority);
        self.done(&stage::arm(), case, Command::Qualify(Box::new(qualify))).await;
        case
    }

    /// A P2 for which Dr Anne decided a consultation: it waits for a coordinator.
    pub async fn decided(&self) -> (CaseId, DecisionId) {
        let case = self.qualified(Priority::P2).await;
        let anne = stage::regulator();
        let claim_no = self.done(&anne, case, Command::Claim).await.reply.claim_no.unwrap();
        (case, self.signs(&anne, (case, claim_no), CareType::Consultation).await)
    }

    /// Need and answer of a case that `actor` holds.
    pub async fn signs(&self, actor: &Actor, (case, claim_no): (CaseId, u64), care: CareType) -> DecisionId {
        let need = Command::SignNeed(Box::new(stage::sign(claim_no, care)));
        let decision = self.done(actor, case, need).await.reply.decision.unwrap();
        let (supply, note, keep, beside) = (None, None, false, Default::default());
        let sign = SignAnswer { claim_no, decision, care, supply, note, keep, beside };
        self.done(actor, case, Command::SignAnswer(Box::new(sign))).await;
        decision
    }

    /// A slot of Dr Marée, which begins in `ahead`.
    pub async fn slot(&self, ahead: Span) -> sas_dispatch::domain::ids::SlotId {
        let start = self.stand.clock.now() + ahead;
        let (responder, kind, end) = (SAS.parse().unwrap(), SlotKind::Snp, start + Span::from_mins(20));
        let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
        self.insists(&doctor(SAS_DOCTOR), None, publish).await.reply.slot.unwrap()
    }

    pub async fn read(&self, case: CaseId) -> CaseView {
        self.b.read_case(&stage::regulator(), case, 0).await.unwrap().0
    }

    /// Every event of the log.
    pub async fn log(&self) -> Vec<Event> {
        let entries = self.stand.store.log(&self.stand.territory, 0, 1_000).await.unwrap();
        entries.iter().map(|entry| codec::decode_event(&entry.event).unwrap()).collect()
    }

    /// Nothing may be wrong at the end of a story.
    pub async fn clean(&self) {
        let report = self.b.check(&self.stand.territory).await.unwrap();
        assert!(report.clean(), "{:#?}", report.violations);
        assert!(report.events > 0 && report.entries > 0);
    }

    /// Eight hours on duty from now, of who enters himself, for the hospital.
    pub fn hospital_duty(&self) -> StartDuty {
        let now = self.stand.clock.now();
        StartDuty {
            person: None,
            stream: Stream::Snp,
            skills: Default::default(),
            affiliation: Affiliation::Hospital,
            from: now,
            until: now + Span::from_hours(8),
            shifts: Vec::new(),
        }
    }
}

pub fn regulator(n: usize) -> Actor {
    stage::someone(&format!("dr-reg-{n}"), Role::Regulator)
}
