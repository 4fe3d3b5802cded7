//! Sentences a doctor picks instead of typing them: common advice, and what to watch for.
//!
//! They propose nothing and decide nothing. They are words that a doctor chooses, says and signs, so his signature is the
//! only one they need: no committee's. What is signed are their codes; the version of the rules in the signature says which
//! text that was.

use crate::{coded_enum, domain::age::Age};

use super::{dialogue::Dialogue, wrong::Wrong};

coded_enum! {
    /// What a sentence is for.
    SentenceKind {
        /// What to do.
        Advice = "ADVICE", "Conseil";
        /// What to watch for.
        SafetyNet = "SAFETY_NET", "Consigne de surveillance";
    }
}

/// One sentence of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Stable code; what is signed.
    pub code: String,
    /// What it is for.
    pub kind: SentenceKind,
    /// In French.
    pub text: String,
    /// Version of the list it stands in.
    pub version: String,
    /// Motives it is offered for; empty: any.
    pub motives: Vec<String>,
    /// Offered from this age on.
    pub age_from: Option<Age>,
    /// Offered below this age.
    pub age_below: Option<Age>,
}

impl Sentence {
    /// Whether it is offered for a motive and an age; what is not known excludes nothing.
    pub fn fits(&self, motive: Option<&str>, age: Option<Age>) -> bool {
        let listed =
            self.motives.is_empty() || motive.is_none_or(|motive| self.motives.iter().any(|own| own == motive));
        let young = age.zip(self.age_from).is_some_and(|(age, from)| age < from);
        let old = age.zip(self.age_below).is_some_and(|(age, below)| age >= below);
        listed && !young && !old
    }
}

/// The sentences of a territory, by code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdviceList(Vec<Sentence>);

impl AdviceList {
    /// Of these; of two with one code the later stays.
    pub fn new(sentences: impl IntoIterator<Item = Sentence>) -> Self {
        let mut list = Vec::<Sentence>::new();
        for sentence in sentences {
            list.retain(|known| known.code != sentence.code);
            list.push(sentence);
        }
        list.sort_by(|a, b| a.code.cmp(&b.code));
        Self(list)
    }

    /// The same list with others, each in the place of one of its code.
    pub fn with(&self, others: impl IntoIterator<Item = Sentence>) -> Self {
        Self::new(self.0.iter().cloned().chain(others))
    }

    /// Every sentence, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Sentence> {
        self.0.iter()
    }

    /// The sentence of a code.
    pub fn get(&self, code: &str) -> Option<&Sentence> {
        self.0.iter().find(|known| known.code == code)
    }

    /// Codes of what was told that the list does not have. A territory without a list takes any.
    pub fn faults(&self, told: &Dialogue) -> Vec<Wrong> {
        if self.0.is_empty() {
            return Vec::new();
        }
        let watched = told.safety_net.as_ref().map(|net| net.watch_for.as_slice()).unwrap_or_default();
        let advice = self.unknown("dialogue.advice", &told.advice, SentenceKind::Advice);
        advice.chain(self.unknown("dialogue.safety_net.watch_for", watched, SentenceKind::SafetyNet)).collect()
    }

    fn unknown<'a>(
        &'a self,
        field: &'static str,
        codes: &'a [String],
        kind: SentenceKind,
    ) -> impl Iterator<Item = Wrong> + 'a {
        let strange = move |code: &String| self.get(code).is_none_or(|known| known.kind != kind);
        codes.iter().enumerate().filter(move |(_, code)| strange(code)).map(move |(place, _)| {
            let problem =
                format!("no sentence of kind {kind} in this territory's list (ListAdvice); words go to `note`");
            let french = "cette phrase n'est pas dans la liste du territoire : choisissez-en une, ou écrivez une note";
            Wrong::new(format!("{field}[{place}]"), problem, french)
        })
    }
}
