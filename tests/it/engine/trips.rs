//! One round trip: every changing rpc of the real service costs one call of the commit script, and nothing else of Redis;
//! with a replica one WAIT behind it, on the same connection.
//!
//! The rpcs come from the proto files, so that a new one without a case fails here. Counted is what the server's MONITOR
//! shows of clients, beside the server's own count of scripts. What the service asks on its own account is set apart: the
//! tail of the log (XREAD, XRANGE, and the HINCRBY and WAIT behind such a read) and the audit of the server's settings every
//! ten seconds (INFO, CONFIG).

mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
};

use prost::Message;
use rstest::rstest;
use sas_dispatch::{
    domain::{actor::Role, time::Span},
    grpc::{
        client::{Code, Status},
        pb::{
            self, ActionEnd, ActionKind, Attendance, Attribution, CallEventKind, CareLevel, CareType, LongestDelay,
            Priority, Stream, VisitStatus,
        },
    },
};

use self::wire::{EPOCH, Wire};
use crate::stories::transfers;
use crate::support::room::{Ground, Person, Room, Story, ask, ill, need, qualified};

const STRASBOURG: &str = "67482";
const MAREE: &str = "sas-67-maree";
const SOS: &str = "sos-medecins-strasbourg";
const CENTRE: &str = "strasbourg-centre";

/// How many scripts a claim may cost on average while sixteen regulators of two instances reach for one queue. It is about
/// four, as chance has it who overtakes whom; sixteen who all chase one case would need about as many.
const SCRIPTS_PER_CLAIM: u64 = 8;

/// Rpcs that change nothing begin with one of these.
const READING: [&str; 8] = ["Get", "List", "Watch", "Search", "Find", "Explain", "Propose", "Compare"];
/// The tail of the log, and the write behind which it waits for the replica.
const TAIL: [&str; 3] = ["xread", "xrange", "hincrby"];
/// What a connection asks at its beginning and at each audit of the server's settings, which begins with the first.
const AUDIT: [&str; 4] = ["info", "config", "time", "client"];
/// Audits that a story of some seconds may see, on a busy machine half a minute.
const MOST_AUDITS: usize = 6;

/// Every changing rpc of every service.
fn changing() -> Vec<String> {
    let set = prost_types::FileDescriptorSet::decode(pb::FILE_DESCRIPTOR_SET).unwrap();
    let ours = set.file.into_iter().filter(|file| file.package() == "sas.dispatch.v1");
    let methods = ours.flat_map(|file| file.service).flat_map(|service| service.method);
    let names = methods.map(|method| method.name().to_owned());
    names.filter(|name| !READING.iter().any(|reading| name.starts_with(reading))).collect()
}

/// What each rpc asked of Redis.
struct Count {
    wire: Wire,
    scripts: u64,
    asked: BTreeMap<&'static str, Vec<Vec<String>>>,
    /// What each client asked last.
    last_of: BTreeMap<String, String>,
    audits: usize,
}

impl Count {
    async fn on(room: &Room) -> Self {
        let mut wire = Wire::tap(&room.redis_socket()).await;
        let scripts = wire.mark().await.scripts;
        Self { wire, scripts, asked: BTreeMap::new(), last_of: BTreeMap::new(), audits: 0 }
    }

    /// One call, and what it asked.
    async fn of<T: Debug>(&mut self, rpc: &'static str, call: impl Future<Output = Result<T, Status>>) -> T {
        let before = self.wire.mark().await;
        self.scripts = before.scripts;
        self.without_tail(before.commands);
        let answer = call.await.unwrap_or_else(|status| panic!("{rpc}: {}", status.message()));
        let asked = self.wire.mark().await;
        let (audits, asked_for): (Vec<_>, Vec<_>) =
            asked.commands.into_iter().partition(|(_, name)| AUDIT.contains(&name.as_str()));
        self.audits += audits.iter().filter(|(_, name)| name == AUDIT[0]).count();
        let asked_for = self.without_tail(asked_for);
        let counted = asked_for.iter().filter(|name| *name == "evalsha" || *name == EPOCH).count() as u64;
        assert_eq!(asked.scripts - self.scripts, counted, "{rpc}: the server's own count");
        let asked_for = asked_for.into_iter().filter(|name| name != EPOCH).collect();
        self.asked.entry(rpc).or_default().push(asked_for);
        answer
    }

    /// What was asked, but for the reads of the log and the WAIT that its reader sends behind one, perhaps a second later:
    /// that of a commit follows it at once.
    fn without_tail(&mut self, asked: Vec<(String, String)>) -> Vec<String> {
        let mut kept = Vec::new();
        for (client, name) in asked {
            let before = self.last_of.insert(client, name.clone());
            let behind_a_read = name == "wait" && before.is_none_or(|before| TAIL.contains(&before.as_str()));
            if !behind_a_read && !TAIL.contains(&name.as_str()) {
                kept.push(name);
            }
        }
        kept
    }

    /// Every rpc was called, and each call was what one commit is.
    fn judge(self, commit: &[&str]) {
        let many: Vec<_> = self.asked.iter().filter(|(_, calls)| calls.iter().any(|asked| *asked != commit)).collect();
        assert!(many.is_empty(), "not {commit:?}: {many:#?}");
        let missing: Vec<_> = changing().into_iter().filter(|rpc| !self.asked.contains_key(rpc.as_str())).collect();
        assert!(missing.is_empty(), "no case for {missing:?}");
        assert!(self.audits <= MOST_AUDITS, "{} audits", self.audits);
    }
}

/// Everybody in the room.
struct People {
    arm: Person,
    reg: Person,
    osnp: Person,
    chief: Person,
    office: Person,
    doctor: Person,
    pbx: Person,
}

#[rstest]
#[case::of_its_own(Ground::Redis, &["evalsha"])]
#[case::with_a_replica(Ground::Replicated, &["evalsha", "wait"])]
#[tokio::test]
async fn every_changing_rpc_is_one_commit_and_nothing_else(#[case] ground: Ground, #[case] commit: &[&str]) -> Story {
    let room = Room::on(ground, "fr-67", "2024-12-19 10:00").await;
    let people = People {
        arm: room.arm("arm-1"),
        reg: room.regulator("reg-1"),
        osnp: room.coordinator("osnp-1"),
        chief: room.supervisor("chief-1"),
        office: room.back_office(),
        doctor: room.responder("dr-67-sos-aurore"),
        pbx: room.telephony(),
    };
    // On the heap: the futures of this story are large, and the stack of a test is not.
    Box::pin(warm(&room, &people)).await?;
    let mut count = Count::on(&room).await;
    Box::pin(roster(&room, &people, &mut count)).await?;
    Box::pin(intake(&room, &people, &mut count)).await?;
    Box::pin(telephone(&people, &mut count)).await?;
    Box::pin(regulation(&room, &people, &mut count)).await?;
    Box::pin(slots(&room, &people, &mut count)).await?;
    Box::pin(offers(&people, &mut count)).await?;
    Box::pin(visits(&room, &people, &mut count)).await?;
    Box::pin(sheets(&room, &people, &mut count)).await?;
    count.judge(commit);
    room.closes().await
}

/// The instance has seen the territory, its queue and its supply once.
async fn warm(room: &Room, people: &People) -> Result<(), Status> {
    people.office.publishes(MAREE, room.today("09:00") + 4 * 3_600_000).await?;
    let case = to_be_seen(people).await?;
    let held = people.osnp.advances(&case).await?.offer.unwrap();
    people.osnp.confirms(&held).await?;
    assert!(people.reg.claims_next(Stream::Snp).await?.is_none());
    Ok(())
}

async fn waiting(people: &People, priority: Priority) -> Result<pb::CaseView, Status> {
    let case = people.arm.opens(STRASBOURG, ill()).await?;
    people.arm.qualifies(&case, qualified(priority, "M03.14")).await
}

/// A patient without a GP who should be seen today.
async fn to_be_seen(people: &People) -> Result<pb::CaseView, Status> {
    let case = waiting(people, Priority::P2).await?;
    let case = people.reg.claims(&case).await?;
    let case = people.reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
    people.reg.answers(&case, CareType::Consultation).await
}

/// Who regulates. The first duty of all makes the record that the others change.
async fn roster(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let (reg, chief) = (&people.reg, &people.chief);
    let duty = |who: &Person, person: &str| pb::StartDutyRequest {
        command_id: who.act(),
        person: person.to_owned(),
        stream: Stream::Snp.into(),
        affiliation: pb::Affiliation::Liberal.into(),
        until_unix_ms: room.today("20:00"),
        ..Default::default()
    };
    let first = duty(chief, "reg-2");
    ask!(chief, supervision, start_duty, first)?;
    let own = duty(reg, "");
    let own = count.of("StartDuty", async { ask!(reg, supervision, start_duty, own) }).await;
    let (command_id, reason) = (chief.act(), pb::SurgeReason::Epidemic.into());
    let surge = pb::StartSurgeRequest { command_id, reason, until_unix_ms: room.today("12:00") };
    count.of("StartSurge", async { ask!(chief, supervision, start_surge, surge) }).await;
    let over = pb::EndSurgeRequest { command_id: chief.act() };
    count.of("EndSurge", async { ask!(chief, supervision, end_surge, over) }).await;
    let end = pb::EndDutyRequest { command_id: reg.act(), duty_id: own.duty_id };
    count.of("EndDuty", async { ask!(reg, supervision, end_duty, end) }).await;
    Ok(())
}

async fn intake(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let arm = &people.arm;
    let case = count.of("OpenCase", arm.opens(STRASBOURG, ill())).await;
    let earlier = arm.opens(STRASBOURG, ill()).await?;
    // Of a call that tells nothing of who rings there is nothing to compare: with more, what resembles it is read before.
    let silent = arm.opens_from("", "", pb::Patient::default()).await?;
    let amend = pb::AmendCaseRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        patients: vec![pb::Patient { reduced_mobility: true, ..ill() }],
        ..Default::default()
    };
    count.of("AmendCase", async { ask!(arm, intake, amend_case, amend) }).await;
    count.of("AddNote", arm.notes(&case, "L'appelant est le voisin")).await;
    count.of("LinkRepeatCall", arm.links(&case, &earlier)).await;
    let paper =
        pb::BackfillCaseRequest { command_id: arm.act(), arrived_unix_ms: room.today("08:30"), ..Default::default() };
    count.of("BackfillCase", async { ask!(arm, intake, backfill_case, paper) }).await;
    let message = std::fs::read("tests/data/hub/strasbourg-fever.json").unwrap();
    let hub = pb::OpenCaseFromHubRequest { command_id: arm.act(), message };
    count.of("OpenCaseFromHub", async { ask!(arm, intake, open_case_from_hub, hub) }).await;
    let dismiss = pb::DismissCaseRequest {
        command_id: arm.act(),
        case_id: silent.case_id.clone(),
        attribution: Attribution::WrongNumber.into(),
        ..Default::default()
    };
    count.of("DismissCase", async { ask!(arm, intake, dismiss_case, dismiss) }).await;
    let interpreter = pb::CallInterpreterRequest {
        command_id: arm.act(),
        case_id: case.case_id.clone(),
        language: "ar".to_owned(),
        ..Default::default()
    };
    count.of("CallInterpreter", async { ask!(arm, intake, call_interpreter, interpreter) }).await;
    Ok(())
}

/// Sheets of remarkable patients; from then on opening a case asks whether one is about its patients.
async fn sheets(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let office = &people.office;
    let put = pb::PutRemarkableSheetRequest {
        command_id: office.act(),
        text: "Pas de réanimation".to_owned(),
        expires_unix_ms: room.today("09:00") + 86_400_000,
        name: "Camille Exemple".to_owned(),
        birth_date: "1984-03-02".to_owned(),
        ..Default::default()
    };
    let sheet_id =
        count.of("PutRemarkableSheet", async { ask!(office, directory, put_remarkable_sheet, put) }).await.sheet_id;
    let end = pb::EndRemarkableSheetRequest { command_id: office.act(), sheet_id };
    count.of("EndRemarkableSheet", async { ask!(office, directory, end_remarkable_sheet, end) }).await;
    Ok(())
}

async fn telephone(people: &People, count: &mut Count) -> Result<(), Status> {
    let events = [CallEventKind::Ringing, CallEventKind::Answered, CallEventKind::HungUp, CallEventKind::Reconnected];
    for event in events {
        count.of("ReportCallEvent", people.pbx.call("call-1", event)).await;
    }
    Ok(())
}

async fn regulation(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let (arm, reg, chief) = (&people.arm, &people.reg, &people.chief);
    let case = arm.opens(STRASBOURG, ill()).await?;
    let case = count.of("Qualify", arm.qualifies(&case, qualified(Priority::P1, "M03.14"))).await;
    let first = count.of("ClaimNext", reg.claims_next(Stream::Snp)).await.unwrap();
    assert_eq!(first.case_id, case.case_id);
    count.of("RenewClaim", reg.renews(&case)).await;
    count.of("RenewClaim", reg.renews(&case)).await;
    // The console is silent for longer than its lease, then it is back.
    room.wait(Span::from_secs(40)).await;
    count.of("ResumeClaim", reg.resumes(&case)).await;
    count.of("ReleaseClaim", reg.releases(&case)).await;
    count.of("Claim", reg.claims(&case)).await;
    count.of("ForceRelease", chief.takes_back(&case, "Régulateur appelé en salle de crise")).await;
    let again = count.of("ClaimNext", reg.claims_next(Stream::Snp)).await.unwrap();
    assert_eq!(again.case_id, case.case_id);
    let consultation = need(CareType::Consultation, CareLevel::R3, LongestDelay::H8);
    let case = count.of("SignNeed", reg.signs_need(&case, consultation)).await;
    count.of("SignAnswer", reg.answers(&case, CareType::Consultation)).await;
    let other = waiting(people, Priority::P2).await?;
    let other = reg.claims(&other).await?;
    count.of("Reorient", reg.reorients(&other, Stream::Amu, "Douleur thoracique typique")).await;
    let answer = pb::AnswerReorientationRequest {
        command_id: reg.act(),
        case_id: other.case_id.clone(),
        refused_reason: "Douleur pariétale".to_owned(),
        ..Default::default()
    };
    count.of("AnswerReorientation", async { ask!(reg, regulation, answer_reorientation, answer) }).await;
    Box::pin(handed_over(room, people, count)).await?;
    let vital = arm.opens(STRASBOURG, ill()).await?;
    let vital = arm.qualifies(&vital, qualified(Priority::P0, "M01.01")).await?;
    let vital = count.of("AcceptHandOver", reg.accepts_hand_over(&vital)).await;
    let smur = need(CareType::Amu, CareLevel::R1, LongestDelay::Immediate);
    let vital = reg.signs_need_saying(&vital, smur, "SMUR déclenché").await?;
    count.of("EndAction", reg.ends(&vital, ActionKind::AwaitReport, ActionEnd::Done)).await;
    Ok(())
}

/// To another territory, and from there.
async fn handed_over(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let (arm, reg) = (&people.arm, &people.reg);
    let case = waiting(people, Priority::P2).await?;
    count.of("TransferCase", Box::pin(transfers::sends(arm, &case, "fr-89", 0))).await;
    count.of("WithdrawTransfer", Box::pin(transfers::takes_back(arm, &case))).await;
    Box::pin(advised(reg, &case)).await?;
    for refused in ["", "À Troyes"] {
        Box::pin(answered(room, people, count, refused)).await?;
    }
    Ok(())
}

/// A case from elsewhere is taken, or sent back with a reason. Whoever has it then ends it: nothing is left that would fall
/// due later.
async fn answered(room: &Room, people: &People, count: &mut Count, refused: &str) -> Result<(), Status> {
    let reg = &people.reg;
    let (regulator, sens) =
        (room.elsewhere("reg-sens", Role::Regulator, "fr-89"), room.elsewhere("arm-sens", Role::Arm, "fr-89"));
    let case = sens.opens("89387", ill()).await?;
    let case = sens.qualifies(&case, qualified(Priority::P1, "M03.14")).await?;
    let sent = Box::pin(transfers::sends(&sens, &case, "fr-67", 0)).await?;
    room.wait(Span::from_secs(1)).await;
    let copy_id = sent.transfers[0].there_case_id.clone();
    let copy = reg.reads(&pb::CaseView { case_id: copy_id, ..Default::default() }).await?;
    count.of("AnswerTransfer", Box::pin(transfers::answers(reg, &copy, refused))).await;
    room.wait(Span::from_secs(1)).await;
    if !refused.is_empty() {
        return Box::pin(advised(&regulator, &case)).await;
    }
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    reg.signs_need_saying(&copy, advice, "Repos").await.map(drop)
}

async fn advised(regulator: &Person, case: &pb::CaseView) -> Result<(), Status> {
    let held = regulator.claims(case).await?;
    let advice = need(CareType::Advice, CareLevel::R4, LongestDelay::H24);
    regulator.signs_need_saying(&held, advice, "Repos").await?;
    Ok(())
}

async fn slots(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let (osnp, office) = (&people.osnp, &people.office);
    let publish = office.publishes(MAREE, room.today("11:00"));
    let spare = count.of("PublishSlot", publish).await;
    count.of("WithdrawSlot", office.withdraws(&spare)).await;
    for start in ["11:20", "11:40"] {
        office.publishes(MAREE, room.today(start)).await?;
    }
    let case = to_be_seen(people).await?;
    let held = count.of("Advance", osnp.advances(&case)).await.offer.unwrap();
    count.of("RenewHold", osnp.holds_longer(&held)).await;
    count.of("ConfirmSlot", osnp.confirms(&held)).await;
    let missed = osnp.reads(&case).await?;
    let case = to_be_seen(people).await?;
    let held = count.of("Advance", osnp.advances(&case)).await.offer.unwrap();
    osnp.confirms(&held).await?;
    let booked = osnp.reads(&case).await?;
    count.of("CancelAppointment", osnp.cancels(&booked, "Le patient préfère l'après-midi")).await;
    // Nobody is absent before his hour.
    room.wait_until("11:20").await;
    count.of("RecordAttendance", osnp.records(&missed, Attendance::NoShow)).await;
    Ok(())
}

/// Offers to a general practitioner, who is rung.
async fn offers(people: &People, count: &mut Count) -> Result<(), Status> {
    let (arm, reg, osnp) = (&people.arm, &people.reg, &people.osnp);
    for taken_back in [false, true] {
        let patient = pb::Patient { own_gp_id: "gp-67-colombage".to_owned(), ..ill() };
        let case = arm.opens(STRASBOURG, patient).await?;
        let case = arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
        let case = reg.claims(&case).await?;
        let case = reg.signs_need(&case, need(CareType::Consultation, CareLevel::R3, LongestDelay::H8)).await?;
        let case = reg.answers(&case, CareType::Consultation).await?;
        let offer = count.of("Advance", osnp.advances(&case)).await.offer.unwrap();
        if !taken_back {
            count.of("AnswerOffer", osnp.hears_nobody(&offer)).await;
            continue;
        }
        let cancel = pb::CancelOfferRequest {
            command_id: osnp.act(),
            case_id: offer.case_id.clone(),
            offer_id: offer.offer.as_ref().unwrap().offer_id.clone(),
            reason: "Le patient ira ailleurs".to_owned(),
            ..Default::default()
        };
        count.of("CancelOffer", async { ask!(osnp, routing, cancel_offer, cancel) }).await;
    }
    Ok(())
}

async fn visits(room: &Room, people: &People, count: &mut Count) -> Result<(), Status> {
    let (reg, osnp, doctor) = (&people.reg, &people.osnp, &people.doctor);
    room.wait_until("21:00").await;
    let shift = count.of("OpenShift", doctor.goes_on_duty(SOS, CENTRE, room.wall("2024-12-20 08:00"))).await;
    for position in [(48.58, 7.75), (48.59, 7.75)] {
        count.of("ReportPosition", doctor.is_at(&shift, position.0, position.1)).await;
    }
    let mut put = Vec::new();
    for _ in 0..2 {
        let case = waiting(people, Priority::P2).await?;
        let case = reg.claims(&case).await?;
        let case = reg.signs_need(&case, need(CareType::HomeVisit, CareLevel::R2, LongestDelay::H2)).await?;
        let case = reg.answers(&case, CareType::HomeVisit).await?;
        put.push(count.of("Advance", osnp.advances(&case)).await.offer.unwrap().case_id);
    }
    let missions = doctor.missions(SOS).await?;
    let of = |case: &String| missions.iter().find(|mission| mission.case_id == *case).unwrap();
    count.of("DeclineVisit", doctor.declines(of(&put[0]))).await;
    let mission = count.of("AcceptVisit", doctor.takes(of(&put[1]), &shift)).await;
    for status in [VisitStatus::EnRoute, VisitStatus::Arrived, VisitStatus::WithPatient, VisitStatus::Finished] {
        count.of("ProgressVisit", doctor.moves(&mission, status)).await;
    }
    count.of("ReportVisit", doctor.reports(&mission, "Angine, amoxicilline six jours.")).await;
    count.of("EndShift", doctor.end_duty(&shift)).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_regulators_at_one_queue_do_not_chase_one_case() -> Story {
    let here = Room::on(Ground::Redis, "fr-67", "2024-12-19 10:00").await;
    let there = here.beside().await;
    let arm = here.arm("arm-1");
    for _ in 0..64 {
        let case = arm.opens(STRASBOURG, ill()).await?;
        arm.qualifies(&case, qualified(Priority::P2, "M03.14")).await?;
    }
    let mut wire = Wire::tap(&here.redis_socket()).await;
    let before = wire.mark().await.scripts;
    let regulators = (0..16).map(|n| if n % 2 == 0 { &here } else { &there }.regulator(&format!("reg-{n}")));
    let mut tasks = tokio::task::JoinSet::new();
    for regulator in regulators {
        tasks.spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < 4 {
                match regulator.claims_next(Stream::Snp).await {
                    Ok(case) => taken.push(case.expect("64 wait").case_id),
                    Err(busy) => assert_eq!(busy.code(), Code::Aborted, "{}", busy.message()),
                }
            }
            taken
        });
    }
    let taken: BTreeSet<String> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 64, "each case once");
    let scripts = wire.mark().await.scripts - before;
    assert!(scripts <= 64 * SCRIPTS_PER_CLAIM, "{scripts} scripts for 64 claims");
    here.closes().await
}
