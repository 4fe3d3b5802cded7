//! Red flags and rules of a protocol.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::{
    super::{
        sheet::Table,
        values::{parsed, whole, words},
    },
    Own, Shelf, condition, contradictions,
    question::{code, urgent},
};
use crate::domain::{
    regulation::{
        protocols::{Answers, Condition, PREGNANCY, Population, Question, Rule},
        qualification::{Priority, Stream},
    },
    time::Span,
};

/// What a rule may look at.
pub(super) struct Known {
    questions: Vec<Question>,
    reassuring: Answers,
    population: Population,
    default: Option<Priority>,
    stream: Stream,
}

impl Known {
    pub(super) fn new(
        shelf: &Shelf,
        own: &Own,
        uses: &[String],
        population: Population,
        (default, stream): (Option<Priority>, Stream),
    ) -> Self {
        let common = shelf.common.iter().flat_map(|common| common.questions.clone());
        let used = shelf.library.iter().filter(|known| uses.contains(&known.code)).cloned();
        let questions: Vec<_> = own.iter().map(|(question, _)| question.clone()).chain(common).chain(used).collect();
        let reassuring = questions.iter().map(|known| (known.code.clone(), known.reassuring.clone())).collect();
        Self { questions, reassuring, population, default, stream }
    }

    /// Reads a condition over them.
    pub(super) fn condition(&self, value: &DeValue<'_>) -> Result<Condition, String> {
        condition::read(value, &|code| self.find(code))
    }

    fn find(&self, code: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.code == code)
    }
}

/// P0 and P1 go to the AMU; what is less urgent stays with the protocol's stream, unless the file says otherwise.
pub(super) fn streamed(rule: Rule, stream: Stream) -> Rule {
    match rule.priority {
        Priority::P0 | Priority::P1 => rule,
        _ => Rule { stream, ..rule },
    }
}

/// A sign of gravity.
pub(super) fn red_flag(table: &Table<'_>, known: &Known) -> Option<Rule> {
    let priority = table.required("priority", urgent);
    read(table, known, priority, None)
}

/// Anything else that makes a case more or less urgent than its protocol's default.
pub(super) fn rule(table: &Table<'_>, known: &Known) -> Option<Rule> {
    let priority = table.required("priority", parsed::<Priority>);
    if matches!(priority, Some(Priority::P0 | Priority::NotRegulated)) {
        table.fault("priority", "a rule is P1, P2 or P3: a P0 is a red flag, and NR is no regulation");
    }
    let window = table.optional("window_hours", whole(1..=72)).map(Span::from_hours);
    if (priority == Some(Priority::P3)) != window.is_some() {
        table.fault("window_hours", "a P3 states the window of its telephone appointment, and only a P3 does");
    }
    read(table, known, priority, window)
}

fn read(table: &Table<'_>, known: &Known, priority: Option<Priority>, window: Option<Span>) -> Option<Rule> {
    let code = table.required("code", code);
    let when = table.required("if", |value| known.condition(value));
    let reason = table.required("because", words);
    let stream = table.optional("stream", parsed::<Stream>);
    let (priority, when) = (priority?, when?);
    if when.questions().contains(PREGNANCY) && known.find(PREGNANCY).is_none() {
        table.fault("if", format!("asks about pregnancy: add '{PREGNANCY}' to use"));
    }
    if let Some(problem) = contradictions::of(&when, known.population) {
        table.fault("if", problem);
    }
    let raises = known.default.is_none_or(|default| priority < default);
    if raises && contradictions::always(&when, &known.reassuring) {
        table.fault("if", "fires although nothing worrying was answered");
    }
    let usual = if priority <= Priority::P1 { Stream::Amu } else { known.stream };
    Some(Rule { code: code?, when, priority, stream: stream.unwrap_or(usual), reason: reason?, window })
}

/// Each rule of a protocol has its own code.
pub(super) fn distinct(root: &Table<'_>, red_flags: &[Rule], rules: &[Rule]) {
    let mut codes = BTreeSet::new();
    for rule in red_flags.iter().chain(rules) {
        if !codes.insert(rule.code.as_str()) {
            root.fault("rules", format!("the code '{}' stands twice among red flags and rules", rule.code));
        }
    }
}
