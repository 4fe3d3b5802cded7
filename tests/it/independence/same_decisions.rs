//! The same commands over different supplies: what the protocols propose and ask, qualifications, queues and needs are the
//! same, byte for byte.

use std::{cell::Cell, fs};

use proptest::{
    prelude::*,
    sample::{select, subsequence},
    test_runner::{Config as Cases, TestRunner},
};
use prost::Message;
use sas_dispatch::{
    config::Config,
    grpc::{
        client::Status,
        pb::{self, CareLevel, CareType, Flag, LongestDelay, Priority, Stream},
    },
    store::due_command,
};

use crate::{
    config::Copy,
    support::room::{Ground, Person, Room, ask, prescription, shipped},
};

const MORNING: &str = "2024-12-19 10:00";
const SOS: &str = "sos-medecins-strasbourg";
/// Responders with agendas, own GPs among them.
const AGENDAS: [&str; 5] = ["gp-67-colombage", "gp-67-houblon", "sas-67-maree", "sas-67-phare", "mmg-strasbourg"];

/// How many of the protocols' questions are answered before the qualification.
const QUESTIONS: usize = 4;

/// One request and what is decided about it.
#[derive(Debug, Clone)]
struct Play {
    /// As a request line of another system, which proposes; otherwise from a console.
    from_hub: bool,
    commune: &'static str,
    own_gp: &'static str,
    age: u32,
    reduced_mobility: bool,
    priority: Priority,
    motive: &'static str,
    flags: Vec<Flag>,
    care: CareType,
    level: CareLevel,
    delay: LongestDelay,
    home_only: bool,
    /// How the caller answers the protocols' questions, one digit for each.
    said: Vec<u8>,
}

fn plays() -> impl Strategy<Value = Vec<Play>> {
    let who =
        (select(vec!["67482", "67180", "67462"]), select(vec!["", AGENDAS[0], AGENDAS[1]]), 0..99_u32, any::<bool>());
    let how = (
        any::<bool>(),
        select(vec![Priority::P0, Priority::P1, Priority::P2, Priority::P2, Priority::P3]),
        select(vec!["M03.14", "M03.21", "M06.02"]),
        subsequence(vec![Flag::RedFlag, Flag::CommunicationBarrier], 0..=2),
        prop::collection::vec(any::<u8>(), QUESTIONS),
    );
    let cares = vec![
        CareType::Consultation,
        CareType::HomeVisit,
        CareType::Teleconsultation,
        CareType::Advice,
        CareType::PhonePrescription,
        CareType::Ambulance,
    ];
    let need = (
        select(cares),
        select(vec![CareLevel::R2, CareLevel::R3, CareLevel::R4]),
        select(vec![LongestDelay::M30, LongestDelay::H2, LongestDelay::H8, LongestDelay::H48]),
        any::<bool>(),
    );
    let play = (who, how, need).prop_map(|(who, how, need)| {
        let (commune, own_gp, age, reduced_mobility) = who;
        let (from_hub, priority, motive, flags, said) = how;
        let (care, level, delay, home_only) = need;
        let what = (care, level, delay, home_only);
        Play {
            from_hub,
            commune,
            own_gp,
            age,
            reduced_mobility,
            priority,
            motive,
            flags,
            care: what.0,
            level: what.1,
            delay: what.2,
            home_only: what.3,
            said,
        }
    });
    prop::collection::vec(play, 1..4)
}

/// A consultation that a slot of today answers, and a visit that a doctor on duty makes.
fn asked_for() -> Vec<Play> {
    let consultation = Play {
        from_hub: false,
        commune: "67482",
        own_gp: "",
        age: 40,
        reduced_mobility: false,
        priority: Priority::P2,
        motive: "M03.14",
        flags: Vec::new(),
        care: CareType::Consultation,
        level: CareLevel::R3,
        delay: LongestDelay::H8,
        home_only: false,
        said: Vec::new(),
    };
    let visit = Play { care: CareType::HomeVisit, home_only: true, ..consultation.clone() };
    vec![consultation, visit]
}

/// People of one room whose commands have the same names in every room.
struct Desk<'a> {
    room: &'a Room,
    arm: Person,
    doctor: Person,
    made: u32,
    /// What was seen of triage and need, in order.
    seen: Vec<Vec<u8>>,
    /// What the supply was shown to be, to know that it differed.
    plans: Vec<Vec<u8>>,
    /// Proposals that a protocol made, to know that there were any.
    proposed: u32,
}

impl Desk<'_> {
    fn command(&mut self) -> String {
        self.made += 1;
        due_command(&format!("act {}", self.made), self.room.now()).to_string()
    }

    fn see(&mut self, what: &impl Message) {
        self.seen.push(what.encode_to_vec());
    }

    async fn play(&mut self, play: &Play) -> Result<(), Status> {
        let case = if play.from_hub { self.received(play).await? } else { self.opened(play).await? };
        let answers = self.asked(play).await?;
        let request = pb::QualifyRequest {
            command_id: self.command(),
            case_id: case.case_id.clone(),
            priority: play.priority.into(),
            stream: Stream::Snp.into(),
            motive: play.motive.to_owned(),
            flags: play.flags.iter().map(|flag| i32::from(*flag)).collect(),
            symptoms: true,
            answers,
            lower_reason: "Appelant rassurant".to_owned(),
            ..Default::default()
        };
        // Below a red flag, or deferred where it may not be: refused in the same words everywhere.
        let qualified = match ask!(self.arm, regulation, qualify, request) {
            Ok(qualified) => qualified,
            Err(refused) => {
                self.seen.push(refused.message().as_bytes().to_vec());
                return self.queue().await;
            }
        };
        let case = qualified.case.unwrap();
        self.see(case.qualification.as_ref().unwrap());
        qualified.receipt.unwrap().warnings.iter().for_each(|warning| self.see(warning));
        self.queue().await?;
        if play.priority == Priority::P0 { Ok(()) } else { self.decided(play, &case).await }
    }

    /// What the protocols propose and ask, question by question: each reply whole.
    async fn asked(&mut self, play: &Play) -> Result<Vec<pb::ProtocolAnswer>, Status> {
        let mut answers = Vec::new();
        for said in play.said.iter().map(Some).chain([None]) {
            let request = pb::ProposeQualificationRequest {
                motive: play.motive.to_owned(),
                age: format!("P{}Y", play.age),
                answers: answers.clone(),
                ..Default::default()
            };
            let reply = ask!(self.arm, regulation, propose_qualification, request)?;
            self.see(&reply);
            let rule = reply.proposal.as_ref().and_then(|proposal| proposal.rule.as_ref());
            self.proposed += u32::from(rule.is_some_and(|rule| rule.protocol != "SERVICE"));
            answers.extend(said.zip(reply.questions.first()).map(|(said, asked)| answered(asked, *said)));
        }
        Ok(answers)
    }

    async fn opened(&mut self, play: &Play) -> Result<pb::CaseView, Status> {
        let patient = pb::Patient {
            own_gp_id: play.own_gp.to_owned(),
            age_years: Some(play.age),
            reduced_mobility: play.reduced_mobility,
            ..Default::default()
        };
        let request = pb::OpenCaseRequest {
            command_id: self.command(),
            place: Some(pb::Place { commune: play.commune.to_owned(), ..Default::default() }),
            patients: vec![patient],
            ..Default::default()
        };
        Ok(ask!(self.arm, intake, open_case, request)?.case.unwrap())
    }

    async fn received(&mut self, play: &Play) -> Result<pb::CaseView, Status> {
        let line = serde_json::json!({ "request": {
            "at": "2024-12-19T09:59:00+01:00", "insee": play.commune, "motive": play.motive,
            "age": format!("P{}Y", play.age), "reduced_mobility": play.reduced_mobility, "priority": "P2", "stream": "SNP",
            "need": { "care_type": "CONSULTATION", "level": "R3", "longest_delay_minutes": 1440 },
        }});
        let request = pb::OpenCaseFromHubRequest { command_id: self.command(), message: line.to_string().into_bytes() };
        let opened = ask!(self.arm, intake, open_case_from_hub, request)?;
        self.see(opened.proposal.as_ref().unwrap());
        Ok(opened.case.unwrap())
    }

    /// Who waits, in which order.
    async fn queue(&mut self) -> Result<(), Status> {
        for case in self.arm.queue(Stream::Snp).await? {
            self.seen.push(case.case_id.into_bytes());
            self.see(&case.qualification.unwrap());
        }
        Ok(())
    }

    /// The need is signed, or refused for what it says; then the supply is shown, and the need is read again.
    async fn decided(&mut self, play: &Play, case: &pb::CaseView) -> Result<(), Status> {
        let claim =
            pb::ClaimRequest { command_id: self.command(), case_id: case.case_id.clone(), ..Default::default() };
        let claim_no = ask!(self.doctor, regulation, claim, claim)?.claim_no;
        let need = pb::Need {
            patient: 1,
            care: play.care.into(),
            level: play.level.into(),
            longest_delay: play.delay.into(),
            constraints: Some(pb::Constraints { home_only: play.home_only, ..Default::default() }),
            reasons: vec![play.motive.to_owned()],
        };
        let request = pb::SignNeedRequest {
            command_id: self.command(),
            case_id: case.case_id.clone(),
            claim_no,
            prescription: (need.care() == CareType::PhonePrescription).then(prescription),
            need: Some(need),
            keep_claim: true,
            ..Default::default()
        };
        let signed = match ask!(self.doctor, regulation, sign_need, request) {
            Ok(signed) => signed.case.unwrap(),
            Err(refused) => {
                self.seen.push(refused.message().as_bytes().to_vec());
                return self.released(case, claim_no).await;
            }
        };
        self.decision(&signed);
        let id = signed.decisions[0].decision_id.clone();
        let asked = pb::ExplainPlanRequest { case_id: case.case_id.clone(), decision_id: id, at_least_seq: 0 };
        match ask!(self.doctor, routing, explain_plan, asked) {
            Ok(plan) => self.plans.push(plan.plan.unwrap().encode_to_vec()),
            Err(refused) => self.plans.push(refused.message().as_bytes().to_vec()),
        }
        let read = self.doctor.reads(&signed).await?;
        self.decision(&read);
        self.released(case, claim_no).await
    }

    /// All of a decision but the digest of the whole configuration, responders included, that signed it.
    fn decision(&mut self, case: &pb::CaseView) {
        let mut decision = case.decisions[0].clone();
        for signature in
            [&mut decision.signed].into_iter().chain(decision.answer.as_mut().map(|answer| &mut answer.signed))
        {
            let rules = &mut signature.as_mut().unwrap().rules;
            *rules = rules.split('@').next().unwrap_or_default().to_owned();
        }
        self.see(&decision);
        self.see(case.qualification.as_ref().unwrap());
    }

    async fn released(&mut self, case: &pb::CaseView, claim_no: u64) -> Result<(), Status> {
        let request = pb::ReleaseClaimRequest {
            command_id: self.command(),
            case_id: case.case_id.clone(),
            claim_no,
            may_wait_until_unix_ms: 0,
        };
        // A case that was decided is no longer held: what is told is the same everywhere.
        if let Err(refused) = ask!(self.doctor, regulation, release_claim, request) {
            self.seen.push(refused.message().as_bytes().to_vec());
        }
        Ok(())
    }
}

/// What a caller says to a question, chosen by a number.
fn answered(asked: &pb::ProtocolQuestion, said: u8) -> pb::ProtocolAnswer {
    use pb::{protocol_answer::Value, protocol_question::Type};
    let value = match asked.r#type.as_ref().expect("every question has a type") {
        Type::YesNo(_) => Value::Yes(said % 2 == 1),
        Type::Choices(known) => Value::Choice(known.choices[usize::from(said) % known.choices.len()].code.clone()),
        Type::Number(known) => Value::Number([known.reassuring, known.min, known.max][usize::from(said) % 3]),
    };
    pb::ProtocolAnswer { question: asked.code.clone(), value: Some(value) }
}

/// A room in which the protocols propose, signed or not.
async fn room(config: Config) -> Room {
    Room::configured(config.with_unsigned_protocols(), Ground::Embedded, "fr-67", MORNING).await
}

/// Other names, affiliations and connections of the same responders, and none of what brings them a supplement (the SAS and
/// PDSA conventions, the patients beyond their slots).
fn other_responders() -> Config {
    let copy = Copy::of_shipped();
    let path = copy.path().join("territories/fr-67/responders.toml");
    let text = fs::read_to_string(&path).unwrap();
    let other = text
        .replace("name = \"Dr", "name = \"Autre")
        .replace("practice = \"cabinet-67-petite-venise\"", "practice = \"cabinet-67-neudorf\"")
        .replace("cpts = \"cpts-67-exemple-strasbourg\"", "cpts = \"cpts-67-exemple-alsace-nord\"")
        .replace("sas = true", "sas = false")
        .replace("pdsa = true", "pdsa = false")
        .replace("supernumerary = true", "supernumerary = false")
        .replace("connected = true", "connected = false");
    assert_ne!(other, text);
    fs::write(&path, other).unwrap();
    // The rules are those of the other rooms, which defer however few wait.
    copy.replace("territories/fr-67/territory.toml", "\nwaiting_from = 2\n", "\nwaiting_from = 0\n");
    copy.load().unwrap()
}

async fn rooms() -> Result<Vec<Room>, Status> {
    let empty = room(shipped()).await;
    let full = room(shipped()).await;
    for agenda in AGENDAS {
        for hour in ["10:30", "11:00", "14:00", "16:30"] {
            full.back_office().publishes(agenda, full.today(hour)).await?;
        }
    }
    let others = room(other_responders()).await;
    let duty = room(shipped()).await;
    for doctor in ["dr-67-sos-aurore", "dr-67-sos-brume", "dr-67-sos-comete"] {
        duty.responder(doctor).goes_on_duty(SOS, "strasbourg-centre", duty.today("20:00")).await?;
    }
    Ok(vec![empty, full, others, duty])
}

#[test]
fn what_is_decided_is_the_same_over_every_supply() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rooms = runtime.block_on(rooms()).unwrap();
    let (made, differed, proposed) = (Cell::new(0), Cell::new([0_u32; 4]), Cell::new(0_u32));
    let mut runner = TestRunner::new(Cases { cases: 32, failure_persistence: None, ..Cases::default() });
    let compare = |plays: Vec<Play>| {
        let mut desks = Vec::new();
        for room in &rooms {
            let (arm, doctor) = (room.arm("arm-1"), room.regulator("reg-1"));
            let mut desk =
                Desk { room, arm, doctor, made: made.get(), seen: Vec::new(), plans: Vec::new(), proposed: 0 };
            for play in &plays {
                let played = runtime.block_on(desk.play(play));
                played.map_err(|status| TestCaseError::fail(format!("refused: {}", status.message())))?;
            }
            desks.push(desk);
        }
        made.set(made.get() + 100);
        let mut counts = differed.get();
        for (place, desk) in desks.iter().enumerate().skip(1) {
            prop_assert_eq!(&desk.seen, &desks[0].seen, "supply {} reached what is decided", place);
            counts[place] += u32::from(desk.plans != desks[0].plans);
        }
        differed.set(counts);
        proposed.set(proposed.get() + desks[0].proposed);
        Ok(())
    };
    // What each supply has to offer, asked for by name: chance need not.
    compare(asked_for()).unwrap_or_else(|error| panic!("{error}"));
    let [_, slots, responders, duty] = differed.get();
    assert!(
        slots > 0 && responders > 0 && duty > 0,
        "a supply that changed no plan shows nothing: {:?}",
        differed.get()
    );
    runner.run(&plays(), compare).unwrap_or_else(|error| panic!("{error}"));
    assert!(proposed.get() > 100, "protocols that propose nothing show nothing: {} proposals", proposed.get());
    runtime.block_on(async {
        for room in rooms {
            room.closes().await.unwrap();
        }
    });
}
