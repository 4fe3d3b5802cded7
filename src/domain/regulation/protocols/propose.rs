//! What the protocols propose for what was heard.

use std::collections::BTreeSet;

use super::{
    Age, Book, COMPLAINT, Protocol, Rule,
    answer::{Answers, Value},
    condition::{Condition, View},
    psychiatric,
    subject::Subject,
    waiting::NotDeferred,
};
use crate::domain::{
    regulation::qualification::{Priority, Stream},
    time::Span,
};

/// Below two years a patient is an infant (NOURRISSON, HubSante.patient), regulated by a doctor and never deferred.
pub const INFANT_BELOW: Age = Age::from_days(730);

/// The protocol code of the rules that hold whatever the files say.
pub const SERVICE: &str = "SERVICE";

/// The rule code of a protocol's default.
pub(super) const DEFAULT: &str = "DEFAUT";

const NO_PROTOCOL: (&str, &str) = ("SANS_PROTOCOLE", "Aucun protocole en vigueur pour ce motif : au régulateur");
const PSY: (&str, &str) = ("PSY", "Motif psychiatrique ou suicidaire : jamais différé");
const INFANT: (&str, &str) = ("NOURRISSON", "Nourrisson : toujours au régulateur, jamais différé");
const NO_AGE: (&str, &str) = ("AGE_INCONNU", "Âge inconnu : pas de P3");
const NOT_ASKED: (&str, &str) = ("SANS_REPONSE", "Des signes de gravité n'ont pas été demandés : pas de P3");
const NO_COMPLAINT: (&str, &str) =
    ("PLAINTE_OUVERTE", "La plainte n'est pas dite, ou ce motif n'a pas de protocole pour elle : au régulateur");
const NOT_ALL_ASKED: (&str, &str) =
    ("QUESTIONS_OUVERTES", "Des questions dont dépend le P3 n'ont pas de réponse : pas de P3");

/// The French words of a rule that holds whatever the files say.
pub(super) fn service_reason(protocol: &str, rule: &str) -> Option<&'static str> {
    let here_and_now = NotDeferred::ALL.iter().map(|why| (why.code(), why.label()));
    let mut rules =
        [NO_PROTOCOL, NO_COMPLAINT, PSY, INFANT, NO_AGE, NOT_ASKED, NOT_ALL_ASKED].into_iter().chain(here_and_now);
    rules.find(|(code, _)| protocol == SERVICE && *code == rule).map(|(_, reason)| reason)
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Of which protocol.
    pub protocol: String,
    /// In which version.
    pub version: String,
    /// Which rule.
    pub rule: String,
    /// What it proposes.
    pub priority: Priority,
    /// To which regulation.
    pub stream: Stream,
    /// Why, in French.
    pub reason: String,
}

/// What is proposed. It advises: a person qualifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// How urgent.
    pub priority: Priority,
    /// Which regulation answers.
    pub stream: Stream,
    /// The rule that decided.
    pub rule: Fired,
    /// Every red flag heard, the most urgent first.
    pub red_flags: Vec<Fired>,
    /// Questions still to be asked, those that can raise a red flag first.
    pub unanswered: Vec<String>,
    /// How many of them, from the front, can still raise a red flag: none may be left open for P3 or a protocol of D6311-35.
    pub open_red_flags: usize,
    /// Longest time to the telephone appointment; only for P3.
    pub window: Option<Span>,
    /// Protocols that proposed without a committee's signature (a demonstration or an evaluation).
    pub unsigned: Vec<String>,
    /// Protocols for this motive that are off for want of a signature.
    pub off: Vec<String>,
}

/// Proposes a priority and a stream.
pub fn propose(book: &Book, subject: &Subject, motive: &str, answers: &Answers) -> Proposal {
    let answers = &book.measured(subject, answers);
    let scene = Scene { book, subject, motive, answers, meant: book.meant(subject, motive, answers) };
    let mut red_flags = scene.red_flags();
    red_flags.sort_by_key(urgency);
    let mut found = red_flags.clone();
    found.extend(scene.meant.iter().map(|protocol| scene.of_protocol(protocol)).map(|(fired, _)| fired));
    found.extend(scene.common_rules());
    if scene.meant.is_empty() {
        found.push(service(NO_PROTOCOL, motive));
    }
    let (open, unanswered) = scene.unanswered();
    // The first of equals stays: red flags before rules, in the order of the files.
    let mut rule =
        found.into_iter().min_by_key(urgency).expect("a motive without a protocol has the service's own rule");
    if rule.priority == Priority::P3
        && let Some(lifted) = scene.lifted(!open.is_empty(), &unanswered)
    {
        rule = lifted;
    }
    if scene.speaks_of_another_complaint(&rule) {
        let (rule_code, reason) = NO_COMPLAINT;
        rule = Fired { rule: rule_code.to_owned(), reason: reason.to_owned(), ..rule };
        (rule.protocol, rule.version) = (SERVICE.to_owned(), "1".to_owned());
    }
    let window = (rule.priority == Priority::P3).then(|| scene.window());
    let names = |of: &[&Protocol]| of.iter().map(|known| known.code.clone()).collect::<Vec<_>>();
    let unsigned: Vec<_> = scene.meant.iter().copied().filter(|known| !known.signed()).collect();
    Proposal {
        priority: rule.priority,
        stream: rule.stream,
        rule,
        red_flags,
        open_red_flags: open.len(),
        unanswered: open.into_iter().chain(unanswered).collect(),
        window,
        unsigned: names(&unsigned),
        off: names(&book.off(subject, motive)),
    }
}

/// Most urgent first; among equals the AMU answers.
pub(super) fn urgency(fired: &Fired) -> (Priority, Stream) {
    (fired.priority, fired.stream)
}

fn service((rule, reason): (&str, &str), motive: &str) -> Fired {
    let stream = if psychiatric(motive) { Stream::Psy } else { Stream::Snp };
    let (protocol, version) = (SERVICE.to_owned(), "1".to_owned());
    Fired { protocol, version, rule: rule.to_owned(), priority: Priority::P2, stream, reason: reason.to_owned() }
}

fn fired(protocol: &Protocol, rule: &Rule) -> Fired {
    Fired {
        protocol: protocol.code.clone(),
        version: protocol.version.clone(),
        rule: rule.code.clone(),
        priority: rule.priority,
        stream: rule.stream,
        reason: rule.reason.clone(),
    }
}

struct Scene<'a> {
    book: &'a Book,
    subject: &'a Subject,
    motive: &'a str,
    answers: &'a Answers,
    meant: Vec<&'a Protocol>,
}

impl<'a> Scene<'a> {
    /// A missing answer stands for its reassuring value: what makes more urgent has to be heard.
    fn heard(&self, rule: &Rule) -> bool {
        let view = View { subject: self.subject, answers: self.answers, missing: Some(self.book.reassuring()) };
        rule.when.holds(&view) == Some(true)
    }

    /// Only what was really answered: what makes less urgent is never assumed.
    fn established(&self, rule: &Rule) -> bool {
        let view = View { subject: self.subject, answers: self.answers, missing: None };
        rule.when.holds(&view) == Some(true)
    }

    /// Of the common questions, of the protocols meant, and of any other of which something worrying was heard.
    fn red_flags(&self) -> Vec<Fired> {
        if self.book.silent() {
            return Vec::new();
        }
        let raised = |protocol: &'a Protocol| {
            protocol.red_flags.iter().filter(|flag| self.heard(flag)).map(move |flag| fired(protocol, flag))
        };
        let meant = self.book.common().into_iter().chain(self.meant.iter().copied()).flat_map(raised);
        meant.chain(self.elsewhere()).collect()
    }

    fn elsewhere(&self) -> Vec<Fired> {
        let mut found = Vec::new();
        for at in self.book.heard_of(self.answers) {
            let protocol = &self.book.protocols()[at];
            let meant = self.meant.iter().any(|known| known.code == protocol.code);
            // A sign that was heard is one at any age; a rule that is for some ages only says so itself.
            if meant || !self.book.in_force(protocol) || !protocol.population.admits_sex(self.subject) {
                continue;
            }
            let own: BTreeSet<&str> = protocol.questions.iter().map(|question| question.code.as_str()).collect();
            let worrying = |code: &&str| {
                self.answers.get(*code).is_some_and(|value| self.book.reassuring().get(*code) != Some(value))
            };
            let about = |flag: &&Rule| flag.when.questions().iter().any(|code| own.contains(code) && worrying(code));
            let raised = protocol.red_flags.iter().filter(about).filter(|flag| self.heard(flag));
            found.extend(raised.map(|flag| fired(protocol, flag)));
        }
        found
    }

    /// What one protocol proposes beside its red flags, and the rule if one fired.
    fn of_protocol(&self, protocol: &'a Protocol) -> (Fired, Option<&'a Rule>) {
        let raising = protocol.rules.iter().filter(|rule| rule.priority <= protocol.default);
        if let Some(rule) = raising.filter(|rule| self.heard(rule)).min_by_key(|rule| rule.priority) {
            return (fired(protocol, rule), Some(rule));
        }
        let lowering = protocol.rules.iter().filter(|rule| rule.priority > protocol.default);
        if let Some(rule) = lowering.filter(|rule| self.established(rule)).min_by_key(|rule| rule.priority) {
            return (fired(protocol, rule), Some(rule));
        }
        let default = Fired {
            protocol: protocol.code.clone(),
            version: protocol.version.clone(),
            rule: DEFAULT.to_owned(),
            priority: protocol.default,
            stream: protocol.stream,
            reason: protocol.reason.clone(),
        };
        (default, None)
    }

    /// Rules of the common file: ages at which any motive is more urgent.
    fn common_rules(&self) -> Vec<Fired> {
        let common = self.book.common().filter(|_| !self.book.silent());
        let rules = common.into_iter().flat_map(|common| common.rules.iter().map(move |rule| (common, rule)));
        rules.filter(|(_, rule)| self.heard(rule)).map(|(common, rule)| fired(common, rule)).collect()
    }

    /// A default that is for one complaint of several, and that complaint was not named: its words would be untrue of the
    /// patient, though its priority and stream hold.
    fn speaks_of_another_complaint(&self, rule: &Fired) -> bool {
        let of = self.meant.iter().find(|known| rule.rule == DEFAULT && known.code == rule.protocol);
        let complaint = of.and_then(|known| known.presentation.as_ref()).map(|known| known.code.as_str());
        match (complaint, self.answers.get(COMPLAINT)) {
            (Some(complaint), Some(Value::Choice(named))) => complaint != named,
            (Some(_), _) => self.complaint_open(),
            (None, _) => false,
        }
    }

    /// Why P3 is not for this patient; `None` when it is.
    fn lifted(&self, open_red_flags: bool, unanswered: &[String]) -> Option<Fired> {
        let rule = match self.subject.age {
            _ if psychiatric(self.motive) => PSY,
            None => NO_AGE,
            Some(age) if age < INFANT_BELOW => INFANT,
            Some(_) if open_red_flags => NOT_ASKED,
            Some(_) if self.may_yet_be_raised(unanswered) => NOT_ALL_ASKED,
            Some(_) => return None,
        };
        Some(service(rule, self.motive))
    }

    /// Whether a rule that makes more urgent than P3 still hangs on a question without an answer.
    fn may_yet_be_raised(&self, unanswered: &[String]) -> bool {
        let view = View { subject: self.subject, answers: self.answers, missing: None };
        let rules = self.book.common().into_iter().chain(self.meant.iter().copied()).flat_map(|known| &known.rules);
        let mut open = rules.filter(|rule| rule.priority < Priority::P3 && rule.when.holds(&view).is_none());
        open.any(|rule| rule.when.questions().iter().any(|code| unanswered.iter().any(|asked| asked == code)))
    }

    /// The shortest window of the rules that deferred.
    fn window(&self) -> Span {
        let rules = self.meant.iter().filter_map(|protocol| self.of_protocol(protocol).1);
        rules.filter_map(|rule| rule.window).min().unwrap_or(Span::ZERO)
    }

    /// Questions of the protocols meant that have no answer: those that can raise a red flag, then the others.
    fn unanswered(&self) -> (Vec<String>, Vec<String>) {
        let view = View { subject: self.subject, answers: self.answers, missing: None };
        let (mut open, mut rest) = (Vec::new(), Vec::new());
        if self.complaint_open() {
            rest.push(COMPLAINT.to_owned());
        }
        let asked = |condition: &Option<Condition>| {
            condition.as_ref().and_then(|condition| condition.holds(&view)) != Some(false)
        };
        for protocol in &self.meant {
            let common = self.book.common();
            let watched = self.watched(common.into_iter().chain([*protocol]));
            let vital = |code: &str| common.is_some_and(|known| known.questions.iter().any(|vital| vital.code == code));
            for question in self.book.asked_by(protocol) {
                let code = &question.code;
                let asked = asked(&question.asked_if) && (!vital(code) || asked(&protocol.vital_signs_if));
                if !asked || self.answers.contains_key(code) || open.contains(code) || rest.contains(code) {
                    continue;
                }
                if watched.contains(code.as_str()) { open.push(code.clone()) } else { rest.push(code.clone()) }
            }
        }
        rest.retain(|code| !open.contains(code));
        (open, rest)
    }

    /// Questions on which a red flag still hangs: one that can no longer be raised, whatever is answered, asks nothing.
    fn watched<'b>(&self, of: impl Iterator<Item = &'b Protocol>) -> BTreeSet<&'b str> {
        let view = View { subject: self.subject, answers: self.answers, missing: None };
        let open = of.flat_map(|protocol| &protocol.red_flags).filter(|flag| flag.when.holds(&view).is_none());
        open.flat_map(|flag| flag.when.questions()).collect()
    }

    /// More than one complaint is possible and none was named.
    fn complaint_open(&self) -> bool {
        let named = matches!(self.answers.get(COMPLAINT), Some(Value::Choice(_)));
        let complaints: BTreeSet<_> =
            self.meant.iter().filter_map(|known| known.presentation.as_ref()).map(|known| &known.code).collect();
        !named && complaints.len() > 1
    }
}
