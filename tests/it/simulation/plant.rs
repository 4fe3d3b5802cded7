//! Faults put into the simulated store on purpose: whoever hunts for faults must find these, and say which rule they break.
//!
//! The first are a store's own. The others are of the log that is told: what a wrong `decide` would write, each against
//! another rule of design.md §3.

use sas_dispatch::{
    domain::{
        case::{ActionKind, Case, Event, Fact, state::ContactSafety},
        ids::CaseId,
        time::Instant,
    },
    engine::codec,
    store::{Guard, Op, Txn},
};

/// One way in which a store, or what is told in it, can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// Answers that a command was done, and keeps nothing of it.
    DropsAcknowledged,
    /// Carries a command out a second time.
    AppliesTwice,
    /// Leaves out an index entry.
    ForgetsIndexEntry,
    /// Takes a case's version for right whatever it is.
    IgnoresVersions,
    /// Takes the head of a queue for right whatever it is.
    IgnoresHeads,
    /// Keeps no receipt of a command.
    ForgetsReceipt,
    /// Answers before the replica has it.
    AnswersBeforeReplica,
    /// Shows readers of the log what the replica may never have.
    ShowsUnsafe,
    /// Never says that a connection leads to another server.
    HidesServers,
    /// Something to be done is late from the beginning.
    LateAction,
    /// A case is given to somebody who did not ask for it.
    OtherHolder,
    /// A slot that was accepted is not booked.
    LosesBooking,
    /// Nobody is called to regulate what was qualified.
    LosesDoctor,
    /// Who regulated the case drives to it.
    RegulatorDrives,
    /// A contact that must not be rung is to be rung.
    RingsUnsafe,
    /// A need is signed under no rules.
    SignsWithoutRules,
    /// An act stands before what it follows on.
    GoesBackInTime,
}

impl Plant {
    pub const ALL: [Plant; 17] = [
        Self::DropsAcknowledged,
        Self::AppliesTwice,
        Self::ForgetsIndexEntry,
        Self::IgnoresVersions,
        Self::IgnoresHeads,
        Self::ForgetsReceipt,
        Self::AnswersBeforeReplica,
        Self::ShowsUnsafe,
        Self::HidesServers,
        Self::LateAction,
        Self::OtherHolder,
        Self::LosesBooking,
        Self::LosesDoctor,
        Self::RegulatorDrives,
        Self::RingsUnsafe,
        Self::SignsWithoutRules,
        Self::GoesBackInTime,
    ];

    /// How whoever finds it names the rule; none where it may show in one way or another.
    pub fn says(self) -> Option<&'static str> {
        match self {
            Self::DropsAcknowledged | Self::AppliesTwice | Self::ForgetsReceipt | Self::AnswersBeforeReplica => None,
            Self::ForgetsIndexEntry | Self::IgnoresVersions | Self::HidesServers => None,
            Self::IgnoresHeads | Self::ShowsUnsafe => None,
            Self::LateAction => Some("2: an action was late when it was opened"),
            Self::OtherHolder => Some("3: claimed for somebody else"),
            Self::LosesBooking => Some("rule 4: "),
            Self::LosesDoctor => Some("5: "),
            Self::RegulatorDrives => Some("6: the regulator took the visit"),
            Self::RingsUnsafe => Some("rule 11: "),
            Self::SignsWithoutRules => Some("rule 13: "),
            Self::GoesBackInTime => Some("time went back"),
        }
    }
}

/// What is planted, and how often it could have come into play so far.
#[derive(Debug, Clone, Default)]
pub struct Planted {
    pub what: Option<Plant>,
    chances: u32,
}

/// A fault that shows at once would be too easy: it waits for so many chances, and strikes once.
const WAITS: u32 = 12;

impl Planted {
    pub fn new(what: Plant) -> Self {
        Self { what: Some(what), chances: 0 }
    }

    pub fn is(&self, plant: Plant) -> bool {
        self.what == Some(plant)
    }

    fn strikes(&mut self) -> bool {
        self.chances += 1;
        self.chances == WAITS
    }

    /// Whether it strikes at this command.
    pub fn now(&mut self, plant: Plant, txn: &Txn) -> bool {
        self.is(plant) && txn.event.is_some() && self.strikes()
    }

    /// An event as it is told, where what is planted can be told in it; `case` gives a case as the event left it.
    pub fn told(&mut self, event: &[u8], case: impl Fn(CaseId) -> Option<Case>) -> Option<Vec<u8>> {
        let what = self.what.filter(|what| what.says().is_some() && self.chances == 0)?;
        let mut event = codec::decode_event(event).expect("a store is given events");
        let case = case(event.case?)?;
        what.spoils(&mut event, &case).then(|| {
            self.chances += 1;
            codec::encode_event(&event)
        })
    }

    /// Whether this op is left out.
    pub fn forgets(&mut self, op: &Op) -> bool {
        self.is(Plant::ForgetsIndexEntry) && matches!(op, Op::IndexAdd(..)) && self.strikes()
    }

    /// Whether a guard that does not hold is let through, this time and always.
    pub fn ignores(&self, guard: &Guard) -> bool {
        match guard {
            Guard::Version(..) => self.is(Plant::IgnoresVersions),
            Guard::First(..) => self.is(Plant::IgnoresHeads),
            _ => false,
        }
    }
}

impl Plant {
    /// Writes what is wrong into an event; false where it has no place for it.
    fn spoils(self, event: &mut Event, case: &Case) -> bool {
        let before = Instant::from_unix_ms(event.at.unix_ms() - 1);
        let opened = |fact: &Fact| matches!(fact, Fact::Opened(_));
        match self {
            Self::LateAction => changed(event, |fact| match fact {
                Fact::ActionOpened(action) => set(&mut action.deadline, before),
                _ => false,
            }),
            Self::OtherHolder => changed(event, |fact| match fact {
                Fact::Claimed { by, .. } => set(by, "dr-reg-carla".parse().expect("an id")),
                _ => false,
            }),
            Self::LosesBooking => lost(event, |fact| matches!(fact, Fact::SlotBooked { .. })),
            Self::LosesDoctor => {
                let first =
                    case.decisions.is_empty() && event.facts.iter().any(|fact| matches!(fact, Fact::Qualified(_)));
                let alone = case.open_actions().count() == 1 && !event.facts.iter().any(opened);
                first
                    && alone
                    && lost(event, |fact| matches!(fact, Fact::ActionOpened(new) if new.kind == ActionKind::Regulate))
            }
            Self::RegulatorDrives => changed(event, |fact| match (fact, case.regulators.first()) {
                (Fact::VisitTaken { doctor, .. }, Some(regulator)) => set(doctor, regulator.clone()),
                _ => false,
            }),
            Self::RingsUnsafe => {
                let rung = |fact: &Fact| matches!(fact, Fact::ActionOpened(new) if new.kind == ActionKind::ReEvaluate);
                let rings = event.facts.iter().any(rung);
                let safety = ContactSafety { may_ring: false, ..case.safety };
                event.facts.extend(rings.then_some(Fact::SafetySet(safety)));
                rings
            }
            Self::SignsWithoutRules => changed(event, |fact| match fact {
                Fact::NeedSigned(decision) => set(&mut decision.signed.rules, String::new()),
                _ => false,
            }),
            Self::GoesBackInTime => {
                let claimed = event.facts.iter().any(|fact| matches!(fact, Fact::Claimed { .. }));
                event.at = Instant::from_unix_ms(case.entered.unix_ms() - 1);
                claimed
            }
            _ => false,
        }
    }
}

fn set<T>(place: &mut T, value: T) -> bool {
    *place = value;
    true
}

/// Changes the first fact that `how` changes.
fn changed(event: &mut Event, how: impl FnMut(&mut Fact) -> bool) -> bool {
    event.facts.iter_mut().any(how)
}

/// Leaves out the facts that `which` picks.
fn lost(event: &mut Event, which: impl Fn(&Fact) -> bool) -> bool {
    let before = event.facts.len();
    event.facts.retain(|fact| !which(fact));
    event.facts.len() < before
}
