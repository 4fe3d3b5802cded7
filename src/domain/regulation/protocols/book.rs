//! The protocols of a territory together: which are in force, and which are meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Age,
    answer::{Answers, Value},
    question::{Choice, Kind, Question},
    rules::Protocol,
    subject::Subject,
};

/// Code of the question that tells the protocols of one motive apart.
pub const COMPLAINT: &str = "PLAINTE";

/// From this age on it can be told without a thermometer that somebody has no fever.
const MEASURED_FROM: Age = Age::from_days(90);

/// Every protocol of a territory.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    /// What is asked in every case: vital signs and red flags of any motive.
    common: Option<Protocol>,
    /// Questions that several protocols share.
    library: Vec<Question>,
    protocols: Vec<Protocol>,
    /// Unsigned protocols propose too: a demonstration or an evaluation, never a room.
    unsigned_run: bool,
    reassuring: Answers,
    own: BTreeMap<String, usize>,
}

impl Book {
    /// From the common file and the protocols, sorted by code.
    pub fn new(common: Option<Protocol>, library: Vec<Question>, mut protocols: Vec<Protocol>) -> Self {
        protocols.sort_by(|a, b| a.code.cmp(&b.code));
        let all = protocols.iter().chain(&common).flat_map(|known| &known.questions).chain(&library);
        let reassuring = all.map(|question| (question.code.clone(), question.reassuring.clone())).collect();
        let own = protocols.iter().enumerate();
        let own = own.flat_map(|(at, known)| known.questions.iter().map(move |asked| (asked.code.clone(), at)));
        let own = own.collect();
        Self { common, library, protocols, unsigned_run: false, reassuring, own }
    }

    /// The same protocols, those without a signature in force as well.
    pub fn with_unsigned(self) -> Self {
        Self { unsigned_run: true, ..self }
    }

    /// Whether unsigned protocols propose too.
    pub fn runs_unsigned(&self) -> bool {
        self.unsigned_run
    }

    /// What is asked in every case.
    pub fn common(&self) -> Option<&Protocol> {
        self.common.as_ref()
    }

    /// Questions that several protocols share.
    pub fn library(&self) -> &[Question] {
        &self.library
    }

    /// Every protocol, by code.
    pub fn protocols(&self) -> &[Protocol] {
        &self.protocols
    }

    /// The same book with only the protocols that `keep` picks.
    pub fn only(&self, keep: impl Fn(&Protocol) -> bool) -> Self {
        let kept = self.protocols.iter().filter(|protocol| keep(protocol)).cloned().collect();
        Self { unsigned_run: self.unsigned_run, ..Self::new(self.common.clone(), self.library.clone(), kept) }
    }

    /// The same book with another protocol, which takes the place of one of its code.
    pub fn with(&self, protocol: Protocol) -> Self {
        let mut protocols = self.protocols.clone();
        protocols.retain(|known| known.code != protocol.code);
        protocols.push(protocol);
        Self { unsigned_run: self.unsigned_run, ..Self::new(self.common.clone(), self.library.clone(), protocols) }
    }

    /// Whether a protocol proposes here.
    pub fn in_force(&self, protocol: &Protocol) -> bool {
        self.unsigned_run || protocol.signed()
    }

    /// True when no protocol proposes here at all: the front line's own judgement stands.
    pub fn silent(&self) -> bool {
        !self.protocols.iter().any(|protocol| self.in_force(protocol))
    }

    /// Codes of the protocols that propose nothing for want of a signature.
    pub fn off_codes(&self) -> Vec<String> {
        self.protocols.iter().filter(|known| !self.in_force(known)).map(|known| known.code.clone()).collect()
    }

    /// A question by code, the main complaint included.
    pub fn question(&self, code: &str) -> Option<&Question> {
        let common = self.common.iter().flat_map(|common| &common.questions);
        let own = self.own.get(code).into_iter().flat_map(|at| &self.protocols[*at].questions);
        common.chain(&self.library).chain(own).find(|question| question.code == code)
    }

    /// Whether there is a question of this code.
    pub fn known(&self, code: &str) -> bool {
        code == COMPLAINT || self.question(code).is_some()
    }

    /// What is wrong with an answer, in words that do not repeat it; `None` when it is one.
    pub fn fault(&self, code: &str, value: &Value) -> Option<String> {
        if code == COMPLAINT {
            return self.complaint(|_| true).fault(value);
        }
        match self.question(code) {
            Some(question) => question.fault(value),
            None => Some("no protocol here has a question of this code: list them with ListProtocols".to_owned()),
        }
    }

    /// The question of the main complaint, over the protocols that `of` picks.
    pub fn complaint(&self, of: impl Fn(&Protocol) -> bool) -> Question {
        let mut choices: Vec<Choice> = Vec::new();
        for known in
            self.protocols.iter().filter(|protocol| of(protocol)).filter_map(|known| known.presentation.as_ref())
        {
            if !choices.iter().any(|choice| choice.code == known.code) {
                choices.push(Choice { code: known.code.clone(), label: known.label.clone() });
            }
        }
        Question {
            code: COMPLAINT.to_owned(),
            text: "Quelle est la plainte principale ?".to_owned(),
            reassuring: Value::Choice(choices.first().map(|choice| choice.code.clone()).unwrap_or_default()),
            kind: Kind::Choice(choices),
            asked_if: None,
        }
    }

    /// Every question a protocol asks: the main complaint where others share its motives, the common ones, its own.
    pub fn asked_by<'a>(&'a self, protocol: &'a Protocol) -> impl Iterator<Item = &'a Question> {
        let common = self.common.iter().flat_map(|common| &common.questions);
        let shared = protocol.uses.iter().filter_map(|code| self.library.iter().find(|known| known.code == *code));
        common.chain(&protocol.questions).chain(shared)
    }

    /// True when another protocol shares a motive with this one, so that the main complaint has to be asked.
    pub fn shares_motive(&self, protocol: &Protocol) -> bool {
        let shares = |other: &Protocol| other.motives.iter().any(|motive| protocol.motives.contains(motive));
        protocol.presentation.is_some()
            && self.protocols.iter().any(|other| other.presentation != protocol.presentation && shares(other))
    }

    /// The French words of a rule, as the protocols stand now.
    pub fn reason(&self, protocol: &str, rule: &str) -> Option<&str> {
        if let Some(reason) = super::propose::service_reason(protocol, rule) {
            return Some(reason);
        }
        let known = self.protocols.iter().chain(&self.common).find(|known| known.code == protocol)?;
        let found = known.red_flags.iter().chain(&known.rules).find(|fired| fired.code == rule);
        found.map(|rule| rule.reason.as_str()).or((rule == super::propose::DEFAULT).then_some(known.reason.as_str()))
    }

    pub(super) fn reassuring(&self) -> &Answers {
        &self.reassuring
    }

    /// The protocols in force that are meant by motive and complaint, for this patient.
    pub(super) fn meant(&self, subject: &Subject, motive: &str, answers: &Answers) -> Vec<&Protocol> {
        let here = |known: &&Protocol| self.in_force(known) && known.population.admits(subject);
        let listed = |known: &&Protocol| known.motives.iter().any(|code| code == motive);
        let of_motive: Vec<_> = self.protocols.iter().filter(here).filter(listed).collect();
        let Some(Value::Choice(complaint)) = answers.get(COMPLAINT) else { return of_motive };
        let said = |known: &&Protocol| known.presentation.as_ref().is_some_and(|known| known.code == *complaint);
        if of_motive.iter().any(said) {
            // A protocol without a complaint of its own is for every complaint of its motive.
            return of_motive.into_iter().filter(|known| known.presentation.is_none() || said(known)).collect();
        }
        // A complaint that the motive does not have: what it is about counts beside the motive's own.
        let elsewhere = self.protocols.iter().filter(here).filter(said);
        of_motive.into_iter().chain(elsewhere).collect()
    }

    /// The answers with a "no" to what is measured as the value that worries least. Not before three months: there a fever is
    /// measured, whatever anybody feels.
    pub(super) fn measured(&self, subject: &Subject, answers: &Answers) -> Answers {
        let young = subject.age.is_some_and(|age| age < MEASURED_FROM);
        let measured = |(code, value): (&String, &Value)| match (self.reassuring.get(code), value) {
            (Some(Value::Number(_)), Value::Yes(_)) if young => None,
            (Some(Value::Number(least)), Value::Yes(false)) => Some((code.clone(), Value::Number(*least))),
            _ => Some((code.clone(), value.clone())),
        };
        answers.iter().filter_map(measured).collect()
    }

    /// Protocols of this motive that are off for want of a signature.
    pub(super) fn off(&self, subject: &Subject, motive: &str) -> Vec<&Protocol> {
        let off = |known: &&Protocol| !self.in_force(known) && known.population.admits(subject);
        self.protocols.iter().filter(off).filter(|known| known.motives.iter().any(|code| code == motive)).collect()
    }

    /// Protocols of other motives of which something was heard that does not reassure.
    pub(super) fn heard_of(&self, answers: &Answers) -> BTreeSet<usize> {
        let worries = |(code, value): &(&String, &Value)| self.reassuring.get(*code) != Some(*value);
        answers.iter().filter(worries).filter_map(|(code, _)| self.own.get(code).copied()).collect()
    }
}
