//! Several real processes on one real Redis: one is killed or stands still, and the others take its work up.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use sas_dispatch::{
    clock::Clock,
    domain::{actor::Role, case::Fact, ids::TerritoryId},
    engine::codec::decode_event,
    grpc::{
        client::{Code, connect},
        pb::{self, CareLevel, CareType, LongestDelay, Priority, Stream},
    },
    store::{self, Settings, Store, redis::RedisOptions},
};
use tempfile::TempDir;

use crate::{
    config::Copy,
    stories::transfers,
    support::{
        redis::Server,
        room::{Calls, Person, Refused, Story, ask, ill, need, qualified},
    },
};

/// What all instances share: a Redis, a configuration, and the key of the look-ups.
struct Site {
    redis: Server,
    config: Copy,
    data: TempDir,
}

/// One process; killed when it goes out of scope.
struct Instance {
    child: Child,
    address: String,
}

impl Site {
    fn new() -> Self {
        Self { redis: Server::start("always"), config: Copy::of_shipped(), data: TempDir::new().unwrap() }
    }

    /// Whose leases end while somebody waits for it.
    fn with_short_leases() -> Self {
        let site = Self::new();
        let territory = "territories/fr-67/territory.toml";
        site.config.replace(territory, "lease_seconds = 30", "lease_seconds = 3");
        site.config.replace(territory, "renew_seconds = 10", "renew_seconds = 1");
        site
    }

    fn starts(&self) -> Instance {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(self.config.path());
        command.args(["--redis", &self.redis.url(), "--data"]).arg(self.data.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        let address = said.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
        let address = address.expect("it says where it listens").to_owned();
        Instance { child, address }
    }

    /// The store as an instance sees it.
    async fn store(&self) -> std::sync::Arc<dyn Store> {
        store::open(Settings::Redis(RedisOptions::new(self.redis.url()))).await.unwrap()
    }

    /// How many events of the log hold a fact.
    async fn told(&self, what: fn(&Fact) -> bool) -> usize {
        self.told_in("fr-67", what).await
    }

    async fn told_in(&self, territory: &str, what: fn(&Fact) -> bool) -> usize {
        let territory: TerritoryId = territory.parse().unwrap();
        let entries = self.store().await.log(&territory, 0, store::MAX_PAGE).await.unwrap();
        let events = entries.iter().map(|entry| decode_event(&entry.event).unwrap());
        events.filter(|event| event.facts.iter().any(what)).count()
    }
}

impl Instance {
    async fn somebody(&self, name: &str, role: Role) -> Person {
        self.elsewhere(name, role, "fr-67").await
    }

    async fn elsewhere(&self, name: &str, role: Role, territory: &str) -> Person {
        let link = connect(self.address.parse().unwrap()).await.unwrap();
        Person::new(name, role, link.acting(name, role, territory).unwrap(), Clock::System, Calls::default())
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn suspect(fact: &Fact) -> bool {
    matches!(fact, Fact::ClaimSuspect { .. })
}

async fn waiting(arm: &Person) -> Result<pb::CaseView, crate::support::room::Stopped> {
    let case = arm.opens("67482", ill()).await?;
    Ok(arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?)
}

async fn signs(person: &Person, case: &pb::CaseView, claim_no: u64) -> Result<pb::SignNeedResponse, tonic::Status> {
    let request = pb::SignNeedRequest {
        command_id: person.act(),
        case_id: case.case_id.clone(),
        claim_no,
        need: Some(need(CareType::Advice, CareLevel::R4, LongestDelay::H24)),
        note: "Repos".to_owned(),
        ..Default::default()
    };
    ask!(person, regulation, sign_need, request)
}

#[tokio::test]
async fn a_doctor_whose_instance_was_killed_goes_on_at_another() -> Story {
    let site = Site::new();
    let (first, second, third) = (site.starts(), site.starts(), site.starts());
    let case = waiting(&first.somebody("arm-1", Role::Arm).await).await?;
    let here = first.somebody("dr-1", Role::Regulator).await;
    here.claims_next(Stream::Snp).await?.expect("one waits");
    let claim_no = here.claim_no(&case);
    drop(first);
    // The same claim, at another instance, while the lease runs.
    let there = second.somebody("dr-1", Role::Regulator).await;
    let request = pb::RenewClaimRequest { case_id: case.case_id.clone(), claim_no };
    ask!(there, regulation, renew_claim, request)?;
    let signed = signs(&there, &case, claim_no).await?;
    assert_eq!(signed.case.unwrap().decisions.len(), 1);
    assert_eq!(third.somebody("dr-2", Role::Regulator).await.reads(&case).await?.decisions.len(), 1);
    assert_eq!(site.told(|fact| matches!(fact, Fact::NeedSigned(_))).await, 1);
    Ok(())
}

#[tokio::test]
async fn what_a_killed_instance_would_have_fired_is_fired_once_by_the_others() -> Story {
    let site = Site::with_short_leases();
    let (first, second, third) = (site.starts(), site.starts(), site.starts());
    let case = waiting(&first.somebody("arm-1", Role::Arm).await).await?;
    let doctor = first.somebody("dr-1", Role::Regulator).await;
    let request = pb::ClaimRequest { command_id: doctor.act(), case_id: case.case_id.clone(), ..Default::default() };
    let claimed = ask!(doctor, regulation, claim, request)?;
    drop(first);
    // Nobody renews: the two that are left fire the end of the lease, once.
    let watching = second.somebody("dr-2", Role::Regulator).await;
    let told = loop {
        let seen = watching.reads(&case).await?;
        let since = seen.claim.as_ref().map_or(0, |claim| claim.suspect_since_unix_ms);
        if since > 0 {
            break since;
        }
    };
    let late = told - claimed.lease_until_unix_ms;
    assert!((0..60_000).contains(&late), "a lease of 3 s ended {late} ms after its end");
    assert!(third.somebody("dr-3", Role::Regulator).await.reads(&case).await?.claim.unwrap().suspect_since_unix_ms > 0);
    assert_eq!(site.told(suspect).await, 1, "two were there to fire it");
    Ok(())
}

#[tokio::test]
async fn an_instance_that_stood_still_past_the_end_of_a_lease_is_fenced() -> Story {
    let site = Site::with_short_leases();
    let (asleep, awake) = (site.starts(), site.starts());
    let case = waiting(&awake.somebody("arm-1", Role::Arm).await).await?;
    let holder = asleep.somebody("dr-1", Role::Regulator).await;
    holder.claims(&case).await?;
    let claim_no = holder.claim_no(&case);
    asleep.signal("STOP");
    // Meanwhile the lease ends, and another doctor takes the case from a supervisor's hand.
    let other = awake.somebody("dr-2", Role::Regulator).await;
    while other.reads(&case).await?.claim.is_some_and(|claim| claim.suspect_since_unix_ms == 0) {}
    let chief = awake.somebody("chief-1", Role::Supervisor).await;
    let release = pb::ForceReleaseRequest {
        command_id: chief.act(),
        case_id: case.case_id.clone(),
        reason: "poste muet".to_owned(),
        ..Default::default()
    };
    ask!(chief, supervision, force_release, release)?;
    other.claims(&case).await?;
    asleep.signal("CONT");
    // The instance wakes with what it remembered: its late words change nothing.
    let refused = signs(&holder, &case, claim_no).await.refused();
    assert_eq!((refused.code, refused.reason.as_str()), (Code::FailedPrecondition, "NOT_HOLDER"));
    let now = other.reads(&case).await?;
    assert!(now.decisions.is_empty());
    assert_eq!(now.claim.unwrap().claim_no, other.claim_no(&case));
    assert_eq!(site.told(|fact| matches!(fact, Fact::NeedSigned(_))).await, 0);
    Ok(())
}

#[tokio::test]
async fn a_hand_over_goes_on_whichever_instance_is_killed_between_its_steps() -> Story {
    let site = Site::new();
    let (first, second, third) = (site.starts(), site.starts(), site.starts());
    let arm = first.somebody("arm-1", Role::Arm).await;
    let case = waiting(&arm).await?;
    transfers::sends(&arm, &case, "fr-89", 0).await?;
    drop(first);
    let sens = second.elsewhere("dr-sens", Role::Regulator, "fr-89").await;
    let copy = loop {
        if let Some(copy) = sens.queue(Stream::Snp).await?.pop() {
            break copy;
        }
    };
    let taken = transfers::answers(&sens, &copy, "").await?;
    let claim_no = sens.claim_no(&taken);
    drop(second);
    let sens = third.elsewhere("dr-sens", Role::Regulator, "fr-89").await;
    loop {
        let seen = sens.reads(&copy).await?;
        if seen.received.unwrap().end() == pb::TransferEnd::Accepted {
            break;
        }
    }
    assert_eq!(signs(&sens, &copy, claim_no).await?.case.unwrap().decisions.len(), 1);
    let sent = third.somebody("dr-2", Role::Regulator).await.reads(&case).await?;
    assert_eq!(sent.transfers[0].end(), pb::TransferEnd::Accepted);
    assert_eq!(site.told(|fact| matches!(fact, Fact::TransferEnded { .. })).await, 1, "each step once");
    assert_eq!(site.told_in("fr-89", |fact| matches!(fact, Fact::TransferReceived(_))).await, 1);
    assert_eq!(site.told_in("fr-89", |fact| matches!(fact, Fact::TransferSettled { .. })).await, 1);
    Ok(())
}
