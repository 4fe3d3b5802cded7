//! A site that promises its replica or its disk, without it: what is not vital waits, and nobody loses by waiting.

use std::{sync::Arc, time::Duration};

use sas_dispatch::{
    clock::Clock,
    domain::{
        case::{
            Case, Command,
            command::{Open, Qualify},
            state::Claim,
        },
        ids::CaseId,
        regulation::{
            need::CareType,
            qualification::{Priority, Stream},
        },
        routing::Means,
        time::Span,
    },
    engine::{Done, Engine, Failure, Mutation, Options, Renewed, Target},
    store::{
        Durability, Promise, Store, StoreError,
        redis::{Redis, RedisOptions},
    },
};

use super::desk::{Desk, insisting, regulator};
use crate::{
    domain::stage::{self, SAS, arm, coordinator},
    store::{
        callers::{D1, D2, options},
        stand::Stand,
    },
    support::{
        redis::{Server, until},
        topology::Replicated,
    },
};

/// Two instances that promise D2, and ask the store once for each command.
async fn promising(master: &Server) -> Desk {
    promising_at(master, &master.url(), D2).await
}

/// Two instances that reach the server at `url` and promise this.
async fn promising_at(master: &Server, url: &str, promise: Promise) -> Desk {
    let stand = Stand::beside(master).await;
    let way = async |clock: Clock| {
        let options = RedisOptions { clock, ..options(url, promise) };
        std::sync::Arc::new(Redis::connect(options).await.unwrap()) as std::sync::Arc<dyn Store>
    };
    let stores = [way(stand.clock.clone()).await, way(stand.clock.clone()).await];
    let asked = Options { promised: promise.level, patience: Duration::ZERO, ..Options::default() };
    Desk::over(stand, stores, asked)
}

impl Desk {
    async fn waiting_for_amu(&self, priority: Priority) -> CaseId {
        let case = self.opened().await;
        let qualify = Qualify { stream: Stream::Amu, ..stage::qualify(priority) };
        self.done(&arm(), case, Command::Qualify(Box::new(qualify))).await;
        case
    }

    /// A vital emergency that regulator `n` has accepted and holds, and the number of his claim.
    async fn vital(&self, n: usize) -> (CaseId, u64) {
        let case = self.waiting_for_amu(Priority::P0).await;
        let done = self.done(&regulator(n), case, Command::AcceptHandOver).await;
        (case, done.reply.claim_no.unwrap())
    }

    /// Regulator `n` takes the next case of unscheduled care.
    async fn takes_next(&self, n: usize) {
        let mutation = self.mutation();
        insisting(async || self.a.claim_next(&regulator(n), mutation, Stream::Snp).await).await.unwrap();
    }

    async fn renews(&self, n: usize, case: CaseId) -> Result<Renewed, Failure> {
        let no = self.case(case).await.claim.as_ref().unwrap().no;
        self.a.renew_claim(&regulator(n), case, no).await
    }

    async fn case(&self, case: CaseId) -> Arc<Case> {
        self.read(case).await.case
    }

    async fn claim_of(&self, case: CaseId) -> Claim {
        self.case(case).await.claim.clone().expect("somebody holds it")
    }

    async fn upkeep(&self) {
        for engine in [&self.a, &self.b] {
            engine.upkeep_once().await.unwrap();
        }
    }
}

/// Both instances know that the master misses its replica.
async fn missed(desk: &Desk) {
    let level = async |engine: &Engine| engine.durability().await.unwrap().level;
    let known = async || level(&desk.a).await == Durability::D1 && level(&desk.b).await == Durability::D1;
    until("the master misses its replica", known).await;
}

/// Freezes the replica and has something written that only the master has. Whoever watches the replicas may notice first, and
/// then nothing is sent: it is tried anew.
async fn written_alone(desk: &Desk, replica: &Server, write: impl AsyncFn() -> Result<(), Failure>) {
    for _ in 0..10 {
        replica.signal("STOP");
        match write().await {
            Err(Failure::Store(StoreError::Unknown(_))) => return,
            Err(Failure::Store(StoreError::Unavailable(_))) => {}
            other => panic!("written here only: {other:?}"),
        }
        replica.signal("CONT");
        until("the replica follows", async || desk.a.durability().await.unwrap().level == Durability::D2).await;
    }
    panic!("the replica was missed before anything was sent, ten times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_loses_a_case_because_a_replica_is_away_and_nobody_is_told_that_he_kept_it() {
    let redis = Replicated::without_sentinels().await;
    let [master, replica] = &redis.servers;
    let desk = promising(master).await;
    let silent = desk.qualified(Priority::P3).await;
    desk.takes_next(3).await;
    desk.stand.pass(Span::from_secs(30));
    desk.upkeep().await;
    let held = desk.qualified(Priority::P3).await;
    desk.takes_next(1).await;
    let (vital, _) = desk.vital(2).await;
    desk.upkeep().await;

    desk.stand.pass(Span::from_secs(10));
    written_alone(&desk, replica, async || desk.renews(1, held).await.map(|_| ())).await;
    missed(&desk).await;
    let refused = desk.renews(1, held).await.unwrap_err();
    assert!(matches!(refused, Failure::Store(StoreError::Unavailable(_))), "refused beforehand: {refused:?}");
    assert_eq!(desk.renews(2, vital).await.unwrap().durability, Durability::D1, "a vital emergency never waits");
    for _ in 0..10 {
        desk.stand.pass(Span::from_secs(20));
        desk.upkeep().await;
    }
    assert_eq!(desk.claim_of(held).await.suspect, None, "its time stands still");
    assert!(desk.claim_of(silent).await.suspect.is_some(), "it is still left to its holder");
    // The vital one could be renewed and was not: somebody else takes it at once.
    assert!(desk.case(vital).await.claim.as_ref().is_none_or(|claim| claim.suspect.is_some()));
    desk.done(&regulator(4), vital, Command::Claim).await;

    replica.signal("CONT");
    until("renewals are served again", async || desk.renews(1, held).await.is_ok()).await;
    assert_eq!(insisting(async || desk.renews(1, held).await).await.unwrap().durability, Durability::D2);
    desk.upkeep().await;
    assert!(desk.claim_of(silent).await.suspect.is_some(), "he has what was left of his 90 s");
    desk.stand.pass(Span::from_secs(90));
    desk.upkeep().await;
    assert!(desk.claim_of(held).await.suspect.is_some(), "whoever renews no more loses it in the end");
    assert_eq!(desk.case(silent).await.claim, None);
    desk.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_claim_next_gives_the_case_and_the_level_of_its_first_run_though_the_queue_moved_on() {
    let redis = Replicated::without_sentinels().await;
    let [master, replica] = &redis.servers;
    let desk = promising(master).await;
    let first = desk.waiting_for_amu(Priority::P2).await;
    let (vital, claim_no) = desk.vital(2).await;
    let lost_reply = desk.mutation();
    let next = async |engine: &Engine, n: usize, mutation: Mutation| -> Result<Done, Failure> {
        engine.claim_next(&regulator(n), mutation, Stream::Amu).await
    };
    written_alone(&desk, replica, async || next(&desk.a, 1, lost_reply).await.map(|_| ())).await;
    missed(&desk).await;
    // Now a vital emergency is first, which may be claimed at D1. The repeat is not about that one.
    desk.done(&regulator(2), vital, Command::Release { claim_no, may_wait: None }).await;
    for engine in [&desk.a, &desk.b] {
        let again = next(engine, 1, lost_reply).await.map(|done| (done.reply.case, done.durability));
        assert!(matches!(again, Err(Failure::Store(_))), "not yet on the replica: {again:?}");
    }
    assert_eq!(desk.case(vital).await.claim, None, "it was not claimed by the repeat");
    replica.signal("CONT");
    until("the repeat is answered", async || next(&desk.b, 1, lost_reply).await.is_ok()).await;
    for engine in [&desk.a, &desk.b] {
        let again = insisting(async || next(engine, 1, lost_reply).await).await.unwrap();
        assert_eq!((again.reply.case, again.durability, again.replayed), (Some(first), Durability::D2, true));
    }
    let mine = desk.mutation();
    let mine = insisting(async || next(&desk.a, 1, mine).await).await.unwrap();
    assert_eq!(mine.reply.case, Some(vital));
    desk.clean().await;
}

/// A vital emergency goes on at D1; what binds a slot does not: two patients of one slot are worse than one who waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_given_at_the_promised_level_or_not_at_all_for_a_vital_emergency_too() {
    let redis = Replicated::without_sentinels().await;
    let [master, replica] = &redis.servers;
    let desk = promising(master).await;
    let (case, claim_no) = desk.vital(2).await;
    let decision = desk.signs(&regulator(2), (case, claim_no), CareType::Consultation).await;
    let slot = desk.slot(Span::from_hours(2)).await;
    let start = desk.stand.clock.now() + Span::from_hours(2);
    let means = Means::Slot { slot, start, end: start + Span::from_mins(20) };
    let plan = Box::new(stage::plan_at(desk.stand.clock.now(), Some((SAS, means))));
    let advance = || Command::Advance { decision, plan: plan.clone() };
    replica.signal("STOP");
    missed(&desk).await;
    let note = Command::AddNote(stage::text("le patient respire mieux"));
    assert_eq!(desk.done(&arm(), case, note).await.durability, Durability::D1, "a vital emergency never waits");
    let refused = desk.give(&coordinator(), Some(case), advance()).await.unwrap_err();
    assert!(matches!(refused, Failure::Store(StoreError::Unavailable(_))), "{refused:?}");
    assert!(desk.case(case).await.offers.is_empty());
    replica.signal("CONT");
    let mut held = None;
    until("the slot is held", async || {
        held = desk.give(&coordinator(), Some(case), advance()).await.ok();
        held.is_some()
    })
    .await;
    assert_eq!(held.map(|done| done.durability), Some(Durability::D2));
    desk.clean().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vital_emergency_is_taken_and_handed_over_whatever_the_disk_keeps_and_the_receipt_says_the_level() {
    for level in [Durability::D0_5, Durability::Unknown] {
        let server = Server::start("everysec");
        // A user who may not read the settings: what the server keeps is unknown.
        server.command(&["ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-config"]).await;
        let barred = server.url().replace("unix://", "redis+unix://") + "?user=clerk&pass=secret";
        let url = if level == Durability::Unknown { barred } else { server.url() };
        let desk = promising_at(&server, &url, D1).await;
        let rings = async |vital: bool| {
            let open = Command::Open(Box::new(Open { vital, ..stage::call(desk.stand.clock.now()) }));
            desk.a.act(&arm(), desk.mutation(), Target::default(), open).await
        };
        let ordinary = rings(false).await;
        assert!(matches!(ordinary, Err(Failure::Store(StoreError::Unavailable(_)))), "{ordinary:?}");
        let opened = rings(true).await.unwrap();
        assert_eq!(opened.durability, level);
        let case = opened.reply.case.unwrap();
        assert_eq!(desk.done(&regulator(1), case, Command::AcceptHandOver).await.durability, level);
        assert_eq!(desk.renews(1, case).await.unwrap().durability, level);
        desk.stand.pass(Span::from_secs(40));
        desk.upkeep().await;
        let claim = desk.case(case).await.claim.clone();
        assert!(
            claim.is_none_or(|claim| claim.suspect.is_some()),
            "another can take over from a console that is silent"
        );
        desk.clean().await;
    }
}
