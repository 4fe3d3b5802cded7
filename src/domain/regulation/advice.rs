//! Sentences a doctor picks instead of typing them: common advice, and what to watch for.
//!
//! They propose nothing and decide nothing. They are words that a doctor chooses, says and signs, so his signature is the
//! only one they need: no committee's. What is signed are their codes, and with them the words as the list had them that day.

use crate::{
    coded_enum,
    domain::{age::Age, digest::digest},
};

use super::{
    dialogue::{Dialogue, Said},
    wrong::Wrong,
};

/// Words that one signature keeps, bytes, beside the notes and the prescription that its event may hold: twice what the whole
/// shipped list has.
const MOST_SAID: usize = 8 * 1_024;

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

    /// What was told with the words of its codes as they stand here now. A code that the list does not have stays alone.
    pub fn worded(&self, told: Dialogue) -> Dialogue {
        let (mut said, mut room) = (Vec::<Said>::new(), MOST_SAID);
        let watched = told.safety_net.iter().flat_map(|net| &net.watch_for);
        for known in told.advice.iter().chain(watched).filter_map(|code| self.get(code)) {
            if said.iter().any(|said| said.code == known.code) {
                continue;
            }
            let left = room.checked_sub(known.text.len());
            room = left.unwrap_or(room);
            let (text, digest) = match left {
                Some(_) => (known.text.clone(), String::new()),
                None => (String::new(), digest([known.text.as_bytes()])),
            };
            said.push(Said { code: known.code.clone(), version: known.version.clone(), text, digest });
        }
        Dialogue { said, ..told }
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
