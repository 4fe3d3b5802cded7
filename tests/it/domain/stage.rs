//! What a story of a case stands on: Bas-Rhin as configured, the people who act, a clock that only moves when told to.
//!
//! Every accepted command is checked three times over: the event folded by itself gives the same records, no invariant
//! is broken, and an independent oracle that only reads events agrees.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use sas_dispatch::{
    config::Config,
    domain::{
        actor::{Actor, Role},
        case::{
            Action, ActionKind, Case, Command, Event, Records, Refusal, Reply, apply,
            command::{Beside, OfferAnswer, Open, Particulars, Qualify, SignAnswer, SignNeed, Timer},
            decide,
            decide::Context,
            fact::Opened,
            invariants,
            sealed::{Caller, Identity},
            state::{Channel, Line, Patient, Whereabouts},
        },
        directory::Directory,
        ids::{CaseId, DecisionId, OfferId, ResponderId, ShiftId, SlotId},
        person::Private,
        regulation::{
            need::{CareLevel, CareType, Constraints, LongestDelay, Need},
            prescription::{Asked, AskedState, DrugLine, Prescription, Situation},
            qualification::{Priority, Stream},
        },
        routing::{Category, Means, Plan, Row, Verdict},
        slots::SlotKind,
        territory::Territory,
        time::{Instant, Span},
    },
    engine::codec,
    store::due_command,
};

use super::oracle::Oracle;

/// Thursday 19 December 2024, 10:00 in Strasbourg: an ordinary working day.
pub const THURSDAY: Instant = Instant::from_unix_ms(1_734_598_800_000);

pub const GP: &str = "gp-67-colombage";
pub const GP_DOCTOR: &str = "dr-67-colombage";
pub const SAS: &str = "sas-67-maree";
pub const SAS_DOCTOR: &str = "dr-67-maree";
/// A second doctor at [`SAS`], where a story asks for one ([`Stage::sas_of_two`]).
pub const SAS_COLLEAGUE: &str = "dr-67-goemon";
pub const SOS: &str = "sos-medecins-strasbourg";
pub const SOS_DOCTOR: &str = "dr-67-sos-aurore";
pub const SECTOR: &str = "strasbourg-centre";

type Ground = (Territory, Directory);

/// Bas-Rhin as the repository ships it.
pub fn bas_rhin() -> Arc<Ground> {
    static CONFIG: OnceLock<Arc<Ground>> = OnceLock::new();
    CONFIG.get_or_init(|| shipped("fr-67")).clone()
}

/// Yonne as the repository ships it.
pub fn yonne() -> Arc<Ground> {
    static CONFIG: OnceLock<Arc<Ground>> = OnceLock::new();
    CONFIG.get_or_init(|| shipped("fr-89")).clone()
}

fn shipped(territory: &str) -> Arc<Ground> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut ground = Config::load(&dir).unwrap().territory(&territory.parse().unwrap()).unwrap();
    // The protocols of D6311-35 are annexed to a convention here; those of triage are not signed, and say nothing.
    let regulation = &mut Arc::make_mut(&mut ground).0.regulation;
    regulation.unsigned_run = true;
    // Stories are told in a quiet room; only those of that look at how many wait.
    regulation.p3.waiting_from = 0;
    ground
}

pub fn someone(person: &str, role: Role) -> Actor {
    let connection = Some(format!("{person}-console").parse().unwrap());
    Actor { person: person.parse().unwrap(), role, territory: "fr-67".parse().unwrap(), connection }
}

pub fn arm() -> Actor {
    someone("arm-lea", Role::Arm)
}

pub fn regulator() -> Actor {
    someone("dr-reg-anne", Role::Regulator)
}

pub fn other_regulator() -> Actor {
    someone("dr-reg-bruno", Role::Regulator)
}

pub fn coordinator() -> Actor {
    someone("osnp-chloe", Role::Coordinator)
}

pub fn doctor(person: &str) -> Actor {
    someone(person, Role::Responder)
}

pub fn supervisor() -> Actor {
    someone("chef-de-salle", Role::Supervisor)
}

pub fn upkeep() -> Actor {
    someone("upkeep", Role::Upkeep)
}

pub fn text(words: &str) -> Private<String> {
    Private::new(words.to_owned())
}

#[derive(Clone)]
pub struct Stage {
    pub territory: Territory,
    pub directory: Directory,
    pub now: Instant,
    /// By how much the clock of whoever decides next is off, milliseconds.
    pub off: i64,
    pub records: Records,
    pub log: Vec<Event>,
    pub oracle: Oracle,
}

impl Stage {
    pub fn new() -> Self {
        Self::of(&bas_rhin())
    }

    pub fn of(ground: &Ground) -> Self {
        let (territory, directory) = (ground.0.clone(), ground.1.clone());
        let (records, log, oracle) = (Records::default(), Vec::new(), Oracle::default());
        Self { territory, directory, now: THURSDAY, off: 0, records, log, oracle }
    }

    /// A room in which many decide, whose clocks may differ by so much.
    pub fn of_clocks_apart(apart: Span) -> Self {
        Self { oracle: Oracle::of_clocks_apart(apart), ..Self::new() }
    }

    /// The instant of an act about `case`: what the clock of whoever decides says, but never before what the case tells of.
    pub fn instant(&self, case: Option<CaseId>) -> Instant {
        let now = Instant::from_unix_ms(self.now.unix_ms() + self.off);
        case.and_then(|id| self.records.cases.get(&id)).map_or(now, |case| case.last_instant().max(now))
    }

    pub fn pass(&mut self, span: Span) {
        self.now = self.now + span;
    }

    fn story(&self, command: &Command) -> String {
        format!("story/{}/{}/{}", self.territory.id, self.log.len(), command.name())
    }

    /// Gives a command; an accepted one is checked in every way there is.
    pub fn give(&mut self, actor: &Actor, case: Option<CaseId>, command: &Command) -> Result<Reply, Refusal> {
        let command_id = due_command(&self.story(command), self.now);
        let context = Context {
            territory: &self.territory,
            directory: &self.directory,
            actor,
            command_id,
            now: self.instant(case),
            records: &self.records,
            case,
        };
        let outcome = decide(&context, command)?;
        assert_eq!(decide(&context, command).as_ref(), Ok(&outcome), "the same input gives the same outcome");
        let mut folded = self.records.clone();
        apply(&mut folded, &outcome.event);
        assert_eq!(folded, outcome.after, "the event says all that changed");
        let stored = codec::decode_event(&codec::encode_event(&outcome.event)).unwrap();
        assert_eq!(stored, outcome.event, "the event survives its stored form");
        let broken = invariants::violations(&folded);
        assert!(broken.is_empty(), "{} broke {broken:?}", command.name());
        self.oracle.see(&self.territory, &outcome.event, &folded);
        (self.records, _) = (folded, self.log.push(outcome.event));
        Ok(outcome.reply)
    }

    /// Gives a command about `case` that must be accepted.
    pub fn done(&mut self, actor: &Actor, case: CaseId, command: Command) -> Reply {
        let name = command.name();
        let reply = self.give(actor, Some(case), &command).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        assert_eq!(reply.refused, None, "{name}");
        reply
    }

    /// Gives a command about `case` that must be refused, and changes nothing.
    pub fn refused(&mut self, actor: &Actor, case: CaseId, command: Command) -> Refusal {
        let before = self.records.clone();
        let Err(refusal) = self.give(actor, Some(case), &command) else { panic!("{} was accepted", command.name()) };
        assert_eq!(before, self.records);
        assert!(!matches!(refusal, Refusal::Broken(_)), "a rule had to catch what decide should refuse: {refusal}");
        refusal
    }

    pub fn case(&self, id: CaseId) -> &Case {
        &self.records.cases[&id]
    }

    pub fn waits(&self, id: CaseId, kind: ActionKind) -> bool {
        self.case(id).open_action(kind).is_some()
    }

    pub fn action(&self, id: CaseId, kind: ActionKind) -> Action {
        self.case(id)
            .open_action(kind)
            .unwrap_or_else(|| panic!("no open {kind}: {:#?}", self.case(id).actions))
            .clone()
    }

    /// Moves the clock to the deadline of an action and fires its timer.
    pub fn late(&mut self, id: CaseId, kind: ActionKind) {
        let action = self.action(id, kind);
        self.now = self.now.max(action.deadline);
        self.done(&upkeep(), id, Command::Fire(Timer::Action(action.id)));
    }

    pub fn opened(&mut self, actor: &Actor, open: Open) -> CaseId {
        self.give(actor, None, &Command::Open(Box::new(open))).unwrap().case.unwrap()
    }

    /// A caller with a number and one adult patient in Strasbourg whose GP is Dr Colombage.
    pub fn called(&mut self) -> CaseId {
        let now = self.now;
        self.opened(&arm(), call(now))
    }

    pub fn qualified(&mut self, priority: Priority) -> CaseId {
        let case = self.called();
        self.done(&arm(), case, Command::Qualify(Box::new(qualify(priority))));
        case
    }

    /// A qualified P2 that `actor` holds.
    pub fn held_by(&mut self, actor: &Actor) -> (CaseId, u64) {
        let case = self.qualified(Priority::P2);
        (case, self.claim(actor, case))
    }

    pub fn claim(&mut self, actor: &Actor, case: CaseId) -> u64 {
        self.done(actor, case, Command::Claim).claim_no.unwrap()
    }

    pub fn need(&mut self, actor: &Actor, case: CaseId, claim_no: u64, care: CareType) -> DecisionId {
        self.done(actor, case, Command::SignNeed(Box::new(sign(claim_no, care)))).decision.unwrap()
    }

    pub fn answer(&mut self, actor: &Actor, case: CaseId, claim_no: u64, decision: DecisionId, care: CareType) {
        let (supply, note, keep) = (None, None, false);
        let sign = SignAnswer { claim_no, decision, care, supply, note, keep, beside: Default::default() };
        self.done(actor, case, Command::SignAnswer(Box::new(sign)));
    }

    /// A P2 for which Dr Anne decided this care: it waits for a coordinator.
    pub fn decided(&mut self, care: CareType) -> (CaseId, DecisionId) {
        self.decided_within(care, LongestDelay::H4)
    }

    /// The same within another delay than four hours.
    pub fn decided_within(&mut self, care: CareType, within: LongestDelay) -> (CaseId, DecisionId) {
        let (case, claim) = self.held_by(&regulator());
        let mut need = sign(claim, care);
        need.need.longest_delay = within;
        let decision = self.done(&regulator(), case, Command::SignNeed(Box::new(need))).decision.unwrap();
        self.answer(&regulator(), case, claim, decision, care);
        (case, decision)
    }

    /// Puts the decision to this responder.
    pub fn offered(&mut self, case: CaseId, decision: DecisionId, who: &str, means: Means) -> OfferId {
        let plan = Box::new(self.plan(Some((who, means))));
        self.done(&coordinator(), case, Command::Advance { decision, plan }).offer.unwrap()
    }

    /// A plan of now with one kept option, or with none left.
    pub fn plan(&self, kept: Option<(&str, Means)>) -> Plan {
        plan_at(self.now, kept)
    }

    /// A slot that Dr Marée publishes: it begins in `ahead` and lasts 20 minutes.
    pub fn slot(&mut self, ahead: Span) -> (SlotId, Means) {
        let (start, end) = (self.now + ahead, self.now + ahead + Span::from_mins(20));
        let (responder, kind) = (SAS.parse().unwrap(), SlotKind::Snp);
        let publish = Command::PublishSlot { slot: None, responder, kind, start, end };
        let slot = self.give(&doctor(SAS_DOCTOR), None, &publish).unwrap().slot.unwrap();
        (slot, Means::Slot { slot, start, end })
    }

    /// From now on Dr Marée is not alone at his practice.
    pub fn sas_of_two(&mut self) {
        let mut known: Vec<_> = self.directory.iter().cloned().collect();
        let practice = known.iter_mut().find(|known| known.id.as_str() == SAS).unwrap();
        practice.doctors.push(SAS_COLLEAGUE.parse().unwrap());
        self.directory = Directory::new(known);
    }

    /// A doctor of SOS Médecins goes on duty in Strasbourg for eight hours.
    pub fn on_duty(&mut self, person: &str) -> ShiftId {
        let (start, end) = (self.now, self.now + Span::from_hours(8));
        let (responder, sectors) = (SOS.parse().unwrap(), vec![SECTOR.parse().unwrap()]);
        let open = Command::OpenShift { responder, sectors, start, end, position: None, doctor: None };
        self.give(&doctor(person), None, &open).unwrap().shift.unwrap()
    }

    pub fn accepted(&mut self, actor: &Actor, case: CaseId, offer: OfferId) {
        let answer = OfferAnswer::Accepted { appointment: Some(self.now + Span::from_hours(1)) };
        self.done(actor, case, Command::AnswerOffer { offer, answer });
    }
}

/// A plan with one kept option, or with none left.
pub fn plan_at(at: Instant, kept: Option<(&str, Means)>) -> Plan {
    let row = kept.map(|(who, means)| Row {
        category: match means {
            Means::Ring => Category::OwnGp,
            Means::Slot { .. } => Category::SasSlot,
            Means::Visit { .. } => Category::HomeVisit,
        },
        responder: Some(who.parse::<ResponderId>().unwrap()),
        means: Some(means),
        earliest: None,
        busy_until: None,
        snp_cap_reached: false,
        distance_m: None,
        verdict: Verdict::Kept { rank: 1 },
    });
    let (rules, period) = ("67-2024.1@story".to_owned(), "OFFICE_HOURS".to_owned());
    let (rows, sources, left_out, kept_left_out) = (row.into_iter().collect(), vec![], vec![], vec![]);
    Plan { at, rules, period, deadline: at, sources, rows, left_out, kept_left_out }
}

pub fn call(now: Instant) -> Open {
    let opened = Opened {
        channel: Channel::Console,
        origin: Some("15".to_owned()),
        arrived: now,
        call: None,
        number_form: None,
        line: Line::OnLine,
    };
    let caller = Caller { phone: text("+33639981234"), ..Caller::default() };
    let patient = Patient { number: 1, own_gp: Some(GP.parse().unwrap()), ..Patient::default() };
    let identity = Identity { number: 1, name: text("Personne Fictive"), ..Identity::default() };
    let place = Whereabouts {
        commune: Some("67482".parse().unwrap()),
        position: None,
        sector: Some(SECTOR.parse().unwrap()),
        kind: None,
    };
    let particulars = Particulars {
        caller: Some(caller),
        place: Some(place),
        patients: vec![(patient, identity)],
        ..Particulars::default()
    };
    Open { opened, answered: true, vital: false, particulars, note: None, paper: None, heard: None }
}

pub fn qualify(priority: Priority) -> Qualify {
    Qualify {
        skill: None,
        priority,
        stream: Stream::Snp,
        motive: Some(if priority == Priority::NotRegulated { "M06.02" } else { "M03.14" }.to_owned()),
        flags: Vec::new(),
        symptoms: priority != Priority::NotRegulated,
        protocol: None,
        waiting: None,
        particulars: Particulars::default(),
        note: None,
        answers: Vec::new(),
        lower_reason: None,
        appointment: None,
    }
}

pub fn sign(claim_no: u64, care: CareType) -> SignNeed {
    let level = if matches!(care, CareType::Amu) { CareLevel::R1 } else { CareLevel::R3 };
    let need = Need {
        patient: 1,
        care,
        level,
        longest_delay: LongestDelay::H4,
        constraints: Constraints::default(),
        reasons: vec!["M03.14".to_owned()],
    };
    let prescription = (care == CareType::PhonePrescription).then(|| Box::new(prescription()));
    let beside = Beside { prescription, ..Beside::default() };
    SignNeed { claim_no, need, note: None, follow_up: None, keep: false, beside }
}

/// One drug for three days, sent to a pharmacy, with all that is asked.
pub fn prescription() -> Prescription {
    let asked = |state| Some(Asked { state, answer: text("non") });
    let line = DrugLine { drug: text("paracétamol"), dose: text("1 g"), days: 3, atc: "N02BE01".to_owned() };
    Prescription {
        decision: DecisionId(uuid::Uuid::nil()),
        situation: Situation::WrittenOrder,
        lines: vec![line],
        allergies: asked(AskedState::Answered),
        pregnancy: asked(AskedState::Unknown),
        weight: asked(AskedState::NotConcerned),
        treatments: asked(AskedState::Answered),
        prior_examination: asked(AskedState::Unknown),
        earlier_prescriber: None,
        pharmacy: text("Pharmacie Inventée"),
    }
}

pub fn visit_means() -> Means {
    Means::Visit { sector: SECTOR.parse().unwrap() }
}

/// What completes a file: whoever is not known is stated unknown, and a motive where there is none.
pub fn complete(case: &Case) -> Command {
    let known = if case.patients.is_empty() {
        vec![Patient { number: 1, ..Patient::default() }]
    } else {
        case.patients.clone()
    };
    let unknown = |patient: Patient| {
        let identity = Identity { number: patient.number, ..Identity::default() };
        (Patient { identity_unknown: true, ..patient }, identity)
    };
    let motive = case.qualification.as_ref().filter(|known| known.motive.is_none()).map(|_| "M03.14".to_owned());
    let patients = known.into_iter().map(unknown).collect();
    Command::Amend(Box::new(Particulars { patients, motive, ..Particulars::default() }))
}
