//! The path of one case, rpc by rpc, as its people call them: the load that every server is measured under.

use prost::Message;
use sas_dispatch::{
    domain::actor::Role,
    grpc::{
        client::{Clients, Link, Status},
        pb::{self, CareLevel, CareType, LineState, LongestDelay, Priority, Sex, Stream},
    },
};

use crate::Outcome;

/// The territory of the load.
pub(crate) const TERRITORY: &str = "fr-67";

/// One rpc of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A request for care comes in.
    Open,
    /// The ARM qualifies it; it enters the queue.
    Qualify,
    /// A regulator takes it.
    Claim,
    /// The regulator's console renews the lease: a touch, without event or receipt.
    Renew,
    /// The regulator decides (advice: need and answer in one act); the claim ends.
    Decide,
}

impl Step {
    /// In the order of a case.
    pub(crate) const ALL: [Self; 5] = [Self::Open, Self::Qualify, Self::Claim, Self::Renew, Self::Decide];

    /// The rpc.
    pub(crate) fn rpc(self) -> &'static str {
        match self {
            Self::Open => "OpenCase",
            Self::Qualify => "Qualify",
            Self::Claim => "Claim",
            Self::Renew => "RenewClaim",
            Self::Decide => "SignNeed",
        }
    }
}

/// Who answers: the service, or the bare server, which has the id of a case's first command as the case's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Service,
    Bare,
}

/// One case under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    pub(crate) case: String,
    claim_no: u64,
    /// The id of the last command; empty after a touch.
    pub(crate) command: String,
    /// The bytes of the last answer, when they are asked for.
    pub(crate) answer: Option<Vec<u8>>,
}

/// One place in the room: an ARM and a regulator who see each case through.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    kind: Kind,
    arm: Clients,
    regulator: Clients,
    calls: u32,
    keep_answers: bool,
}

pub(crate) fn command_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Desk {
    pub(crate) fn new(kind: Kind, link: &Link, number: usize) -> Outcome<Self> {
        let arm = link.acting(&format!("arm-{number}"), Role::Arm, TERRITORY)?;
        let regulator = link.acting(&format!("regulator-{number}"), Role::Regulator, TERRITORY)?;
        let calls = u32::try_from(number)? * 151;
        Ok(Self { kind, arm, regulator, calls, keep_answers: false })
    }

    /// Keeps the bytes of each answer in the flow.
    pub(crate) fn keeping_answers(self) -> Self {
        Self { keep_answers: true, ..self }
    }

    /// Makes one call for the case.
    pub(crate) async fn take(&mut self, step: Step, flow: &mut Flow) -> Result<(), Status> {
        flow.command = if step == Step::Renew { String::new() } else { command_id() };
        match step {
            Step::Open => self.open(flow).await,
            Step::Qualify => self.qualify(flow).await,
            Step::Claim => self.claim(flow).await,
            Step::Renew => self.renew(flow).await,
            Step::Decide => self.decide(flow).await,
        }
    }

    fn kept(&self, flow: &mut Flow, answer: &impl Message) {
        flow.answer = self.keep_answers.then(|| answer.encode_to_vec());
    }

    async fn open(&mut self, flow: &mut Flow) -> Result<(), Status> {
        self.calls += 1;
        // The ten thousand numbers that are kept for works of fiction.
        let phone = format!("+3363998{:04}", self.calls % 10_000);
        let request = pb::OpenCaseRequest {
            command_id: flow.command.clone(),
            origin: "116117".to_owned(),
            line: LineState::Unspecified.into(),
            caller: Some(pb::Caller { name: "Dominique Exemple".to_owned(), phone, ..Default::default() }),
            place: Some(place()),
            patients: vec![patient()],
            note: "Appelle pour sa mère, fièvre depuis hier soir.".to_owned(),
            ..Default::default()
        };
        let answer = self.arm.intake.open_case(request).await?.into_inner();
        self.kept(flow, &answer);
        flow.case = match self.kind {
            Kind::Service => answer.case.map(|case| case.case_id).unwrap_or_default(),
            Kind::Bare => flow.command.clone(),
        };
        Ok(())
    }

    async fn qualify(&mut self, flow: &mut Flow) -> Result<(), Status> {
        let request = pb::QualifyRequest {
            command_id: flow.command.clone(),
            case_id: flow.case.clone(),
            priority: Priority::P2.into(),
            stream: Stream::Snp.into(),
            motive: "M03.14".to_owned(),
            symptoms: true,
            note: "Fièvre à 39, boit peu, pas de gêne respiratoire.".to_owned(),
            ..Default::default()
        };
        let answer = self.arm.regulation.qualify(request).await?.into_inner();
        self.kept(flow, &answer);
        Ok(())
    }

    async fn claim(&mut self, flow: &mut Flow) -> Result<(), Status> {
        let request =
            pb::ClaimRequest { command_id: flow.command.clone(), case_id: flow.case.clone(), ..Default::default() };
        let answer = self.regulator.regulation.claim(request).await?.into_inner();
        self.kept(flow, &answer);
        flow.claim_no = answer.claim_no;
        Ok(())
    }

    async fn renew(&mut self, flow: &mut Flow) -> Result<(), Status> {
        let request = pb::RenewClaimRequest { case_id: flow.case.clone(), claim_no: flow.claim_no };
        let answer = self.regulator.regulation.renew_claim(request).await?.into_inner();
        self.kept(flow, &answer);
        Ok(())
    }

    async fn decide(&mut self, flow: &mut Flow) -> Result<(), Status> {
        let need = pb::Need {
            patient: 1,
            care: CareType::Advice.into(),
            level: CareLevel::R4.into(),
            longest_delay: LongestDelay::Immediate.into(),
            ..Default::default()
        };
        let request = pb::SignNeedRequest {
            command_id: flow.command.clone(),
            case_id: flow.case.clone(),
            claim_no: flow.claim_no,
            need: Some(need),
            note: "Conseils et consignes de rappel donnés.".to_owned(),
            ..Default::default()
        };
        let answer = self.regulator.regulation.sign_need(request).await?.into_inner();
        self.kept(flow, &answer);
        Ok(())
    }
}

fn place() -> pb::Place {
    let (commune, street) = ("67482".to_owned(), "3 rue Inventée".to_owned());
    pb::Place { commune, street, access: "2e étage, code 12A".to_owned(), ..Default::default() }
}

fn patient() -> pb::Patient {
    let (name, birth_date) = ("Camille Exemple".to_owned(), "1948-03-02".to_owned());
    pb::Patient { number: 1, name, birth_date, sex: Sex::Female.into(), ..Default::default() }
}
