//! Triage protocols on the wire: answers in, questions and proposals out.

use crate::{
    domain::{
        case::command::Answered,
        person::Private,
        regulation::{
            protocols::{
                self, Age, Answers, Book, COMPLAINT, Fired, Kind, Proposal, Protocol, Question, Seal, Subject, Value,
            },
            qualification::{FiredCode, Proposed, Qualification},
        },
        time::Span,
    },
    engine::Failure,
    grpc::pb,
};

use super::{codes::Coded, fields::Fields};

/// Most answers of one request.
const MOST_ANSWERS: usize = 100;
/// Longest code of a question or a choice, characters.
const LONGEST_CODE: usize = 32;

/// The shape of the answers; whether a protocol asks them is judged with the territory's protocols.
pub fn answers(fields: &mut Fields, given: &[pb::ProtocolAnswer]) -> Vec<Answered> {
    use pb::protocol_answer::Value as Wire;
    if given.len() > MOST_ANSWERS {
        fields.fault::<()>("answers", format!("{} answers: at most {MOST_ANSWERS}", given.len()));
    }
    let mut read = Vec::new();
    for (place, answer) in given.iter().take(MOST_ANSWERS).enumerate() {
        let at = format!("answers[{place}]");
        if answer.question.is_empty() || answer.question.len() > LONGEST_CODE {
            fields.fault::<()>(&format!("{at}.question"), format!("expected a code of 1 to {LONGEST_CODE} characters"));
            continue;
        }
        let value = match &answer.value {
            Some(Wire::Yes(yes)) => Some(Value::Yes(*yes)),
            Some(Wire::Number(number)) => Some(Value::Number(*number)),
            Some(Wire::Choice(code)) if code.len() <= LONGEST_CODE => Some(Value::Choice(code.clone())),
            Some(Wire::Choice(_)) => {
                fields.fault(format!("{at}.choice"), format!("expected a code of at most {LONGEST_CODE} characters"))
            }
            None => fields.fault(&at, "must have one of yes, choice and number"),
        };
        let question = answer.question.clone();
        read.extend(value.map(|value| Answered { question, value: Private::new(value) }));
    }
    read
}

/// What a proposal is asked for: motive, patient and the answers until now.
///
/// # Errors
/// Every wrong field at once.
pub fn asked(request: &pb::ProposeQualificationRequest, book: &Book) -> Result<(String, Subject, Answers), Failure> {
    let mut fields = Fields::default();
    let motive = fields.id::<crate::domain::regulation::motives::Motive>("motive", &request.motive);
    let age = fields.optional::<Age>("age", &request.age);
    let sex: Option<crate::domain::case::sealed::Sex> = fields.optional_code("sex", request.sex);
    let given = answers(&mut fields, &request.answers);
    for (place, answer) in given.iter().enumerate() {
        if let Some(problem) = book.fault(&answer.question, answer.value.reveal()) {
            let part = if book.known(&answer.question) { "value" } else { "question" };
            fields.fault::<()>(&format!("answers[{place}].{part}"), problem);
        }
    }
    let subject = Subject { age, sex: sex.and_then(|sex| sex.code().parse().ok()), pregnant: request.pregnant };
    let answers = given.into_iter().map(|answer| (answer.question, answer.value.reveal().clone())).collect();
    fields.done(motive.map(|motive| (motive.code().to_owned(), subject, answers)))
}

/// A proposal of this moment.
pub fn proposal(known: &Proposal) -> pb::TriageProposal {
    pb::TriageProposal {
        priority: known.priority.wire(),
        stream: known.stream.wire(),
        rule: Some(fired(&known.rule)),
        red_flags: known.red_flags.iter().map(fired).collect(),
        unanswered: known.unanswered.clone(),
        window_ms: known.window.map_or(0, Span::ms),
        unsigned_protocols: known.unsigned.clone(),
        off_protocols: known.off.clone(),
    }
}

/// What was proposed for a case, with the words that its protocols have now.
pub fn proposed(book: &Book, known: &Qualification) -> Option<pb::TriageProposal> {
    let Proposed { rule, red_flags, unsigned, .. } = known.proposal.as_deref()?;
    Some(pb::TriageProposal {
        priority: rule.priority.wire(),
        stream: rule.stream.wire(),
        rule: Some(fired_code(book, rule)),
        red_flags: red_flags.iter().map(|flag| fired_code(book, flag)).collect(),
        unsigned_protocols: unsigned.clone(),
        ..Default::default()
    })
}

fn fired(known: &Fired) -> pb::FiredRule {
    pb::FiredRule {
        protocol: known.protocol.clone(),
        version: known.version.clone(),
        rule: known.rule.clone(),
        priority: known.priority.wire(),
        stream: known.stream.wire(),
        reason: known.reason.clone(),
    }
}

fn fired_code(book: &Book, known: &FiredCode) -> pb::FiredRule {
    pb::FiredRule {
        protocol: known.protocol.clone(),
        version: known.version.clone(),
        rule: known.rule.clone(),
        priority: known.priority.wire(),
        stream: known.stream.wire(),
        reason: book.reason(&known.protocol, &known.rule).unwrap_or_default().to_owned(),
    }
}

/// Questions by code, in this order.
pub fn questions(book: &Book, motive: &str, codes: &[String], open_red_flags: usize) -> Vec<pb::ProtocolQuestion> {
    let listed = |protocol: &Protocol| protocol.motives.iter().any(|code| code == motive);
    let complaint = book.complaint(listed);
    let known = |(place, code): (usize, &String)| {
        let asked = if code == COMPLAINT { Some(&complaint) } else { book.question(code) };
        asked.map(|asked| question(asked, place < open_red_flags))
    };
    codes.iter().enumerate().filter_map(known).collect()
}

fn question(known: &Question, red_flag: bool) -> pb::ProtocolQuestion {
    use pb::protocol_question::Type;
    let choice =
        |choice: &protocols::Choice| pb::ProtocolChoice { code: choice.code.clone(), label: choice.label.clone() };
    let kind = match &known.kind {
        Kind::YesNo => Type::YesNo(true),
        Kind::Choice(choices) => Type::Choices(pb::ProtocolChoices { choices: choices.iter().map(choice).collect() }),
        Kind::Number { unit, min, max, or_no } => {
            let reassuring = if let Value::Number(number) = &known.reassuring { *number } else { *min };
            Type::Number(pb::ProtocolNumber { unit: unit.clone(), min: *min, max: *max, reassuring, or_no: *or_no })
        }
    };
    pb::ProtocolQuestion { code: known.code.clone(), text: known.text.clone(), r#type: Some(kind), red_flag }
}

/// One protocol of a territory.
pub fn protocol(book: &Book, known: &Protocol) -> pb::TriageProtocol {
    let (watched, common) = (known.watched(), book.common().map(Protocol::watched).unwrap_or_default());
    let red = |code: &str| watched.contains(code) || common.contains(code);
    let complaint = book.complaint(|other| other.motives.iter().any(|motive| known.motives.contains(motive)));
    let shared = book.shares_motive(known).then_some(&complaint);
    let source = |source: &protocols::Source| pb::ProtocolSource {
        title: source.title.clone(),
        year: u32::from(source.year),
        url: source.url.clone().unwrap_or_default(),
        opened: source.opened.map(|date| date.to_string()).unwrap_or_default(),
    };
    let flag = |flag: &protocols::Rule| pb::FiredRule {
        protocol: known.code.clone(),
        version: known.version.clone(),
        rule: flag.code.clone(),
        priority: flag.priority.wire(),
        stream: flag.stream.wire(),
        reason: flag.reason.clone(),
    };
    pb::TriageProtocol {
        code: known.code.clone(),
        title: known.title.clone(),
        version: known.version.clone(),
        motives: known.motives.clone(),
        presentation: known.presentation.as_ref().map(|known| known.code.clone()).unwrap_or_default(),
        age_from: known.population.from.map(|age| age.to_string()).unwrap_or_default(),
        age_below: known.population.below.map(|age| age.to_string()).unwrap_or_default(),
        sex: known.population.sex.map_or(0, |sex| match sex {
            protocols::Sex::Female => pb::Sex::Female.into(),
            protocols::Sex::Male => pb::Sex::Male.into(),
        }),
        questions: shared
            .into_iter()
            .chain(book.asked_by(known))
            .map(|asked| question(asked, red(&asked.code)))
            .collect(),
        red_flags: known.red_flags.iter().map(flag).collect(),
        default_priority: known.default.wire(),
        sources: known.sources.iter().map(source).collect(),
        in_force: book.in_force(known),
        committee: match &known.seal {
            Seal::Signed(committee) => committee.name.clone(),
            Seal::Unsigned | Seal::Changed(_) => String::new(),
        },
        digest: known.digest.clone(),
    }
}

/// The answers kept with a case.
pub fn kept(answers: &Answers) -> Vec<pb::ProtocolAnswer> {
    use pb::protocol_answer::Value as Wire;
    let wire = |(question, value): (&String, &Value)| {
        let value = match value {
            Value::Yes(yes) => Wire::Yes(*yes),
            Value::Number(number) => Wire::Number(*number),
            Value::Choice(code) => Wire::Choice(code.clone()),
        };
        pb::ProtocolAnswer { question: question.clone(), value: Some(value) }
    };
    answers.iter().map(wire).collect()
}

/// Which protocols of a list are asked for: the first, and how many.
///
/// # Errors
/// A page size that is too large or a token that is none.
pub fn listed(request: &pb::ListProtocolsRequest) -> Result<(usize, usize), Failure> {
    let mut fields = Fields::default();
    let page = first_of(&mut fields, request.page_size, &request.page_token);
    fields.done(page)
}

/// Where a page of a list in memory begins, and how long it is.
pub(super) fn first_of(fields: &mut Fields, size: u32, token: &str) -> Option<(usize, usize)> {
    let page = fields.page(size, token, 0);
    let first = match token {
        "" => Some(0),
        token => token.parse().ok().or_else(|| fields.fault("page_token", "give back the token of the page before")),
    };
    first.zip(page.map(|page| page.size))
}
