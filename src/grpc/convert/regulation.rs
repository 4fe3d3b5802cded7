//! Requests of regulation as commands.

use std::{collections::BTreeSet, fmt::Display};

use crate::{
    domain::{
        case::{
            Command,
            command::{Beside, PaperDecision, Particulars, Qualify, SignAnswer, SignNeed},
        },
        ids::{CaseId, Skill},
        regulation::{
            motives::Motive,
            need::{Constraints, Need},
            qualification::{Priority, Stream},
        },
        territory::MOST_SKILLS,
    },
    engine::{Asker, Failure, Mutation, PageRequest},
    grpc::pb,
};

use super::{
    beside::{beside, stated},
    fields::{Act, Fields, LONGEST_WORDS, Part},
    intake::Scene,
    particulars::{Parts, particulars},
    protocols::answers,
};

/// Most reasons of a need.
const MOST_REASONS: usize = 16;
/// Longest reason code or protocol name, characters.
const LONGEST_CODE: usize = 32;
/// Longest name of a protocol, characters.
const LONGEST_PROTOCOL: usize = 120;

/// Qualifies. For a P0 nothing but the command itself can be wrong.
///
/// # Errors
/// Every wrong field at once.
pub fn qualify(request: &pb::QualifyRequest, scene: Scene<'_>) -> Result<Act, Failure> {
    let vital = request.priority == pb::Priority::P0 as i32;
    let mut fields = Fields::never_refusing(vital);
    let mutation = fields.mutation_or_made("Qualify", &request.command_id, request, (scene.actor, scene.now));
    let target = fields.target(&request.case_id, &request.version);
    let priority: Option<Priority> = fields.code("priority", request.priority);
    let stream = if vital { Some(Stream::Amu) } else { fields.code("stream", request.stream) };
    let parts = Parts {
        caller: request.caller.as_ref(),
        place: request.place.as_ref(),
        safety: request.safety.as_ref(),
        patients: &request.patients,
    };
    let command = Qualify {
        priority: priority.unwrap_or(Priority::P0),
        stream: stream.unwrap_or(Stream::Amu),
        motive: motive(&mut fields, &request.motive),
        flags: list(&mut fields, "flags", &request.flags),
        symptoms: request.symptoms,
        protocol: protocol(&mut fields, &request.protocol),
        skill: fields.optional("skill", &request.skill),
        waiting: None,
        particulars: particulars(&mut fields, parts, scene.told_at(scene.now)),
        note: fields.optional_words("note", &request.note, LONGEST_WORDS),
        answers: answers(&mut fields, &request.answers),
        lower_reason: fields.optional_words("lower_reason", &request.lower_reason, LONGEST_WORDS),
        appointment: fields.optional_instant("appointment_unix_ms", request.appointment_unix_ms),
    };
    let complete = priority.is_some() && stream.is_some();
    fields.act(mutation, target, complete.then(|| Command::Qualify(Box::new(command))))
}

/// A qualification from paper.
pub(super) fn on_paper(fields: &mut Fields, given: &pb::PaperQualification) -> Option<Qualify> {
    let priority: Option<Priority> = fields.code("qualification.priority", given.priority);
    let vital = priority == Some(Priority::P0);
    let stream = if vital { Some(Stream::Amu) } else { fields.code("qualification.stream", given.stream) };
    if given.motive.is_empty() && !vital {
        fields.fault::<()>("qualification.motive", "must be set unless P0: a code of HubSante.motif such as M03.14");
    }
    let motive = fields.optional::<Motive>("qualification.motive", &given.motive);
    let flags = list(fields, "qualification.flags", &given.flags);
    Some(Qualify {
        skill: None,
        priority: priority?,
        stream: stream?,
        motive: motive.map(|motive| motive.code().to_owned()),
        flags,
        symptoms: given.symptoms,
        protocol: None,
        waiting: None,
        particulars: Particulars::default(),
        note: None,
        answers: Vec::new(),
        lower_reason: None,
        appointment: None,
    })
}

/// A decision from paper.
pub(super) fn decided_on_paper(fields: &mut Fields, given: &pb::PaperDecision) -> Option<PaperDecision> {
    let need = need(fields, "decision.need", given.need.as_ref());
    let other = fields.optional_code("decision.care", given.care);
    let supply = fields.optional_code("decision.supply_reason", given.supply_reason);
    let at = fields.instant("decision.at_unix_ms", given.at_unix_ms);
    let note = fields.optional_words("decision.note", &given.note, LONGEST_WORDS);
    let need = need?;
    let care = other.unwrap_or(need.care);
    Some(PaperDecision { need, care, supply, at: at?, arranged: given.arranged, note })
}

/// The shape of a motive; whether the list has it is judged with the case, which may have brought a foreign one.
fn motive(fields: &mut Fields, text: &str) -> Option<String> {
    if text.is_empty() && !fields.lenient() {
        return fields.fault("motive", "must be set unless P0: a code of HubSante.motif such as M03.14");
    }
    fields.optional::<Motive>("motive", text).map(|motive| motive.code().to_owned())
}

fn list<T: super::codes::Coded>(fields: &mut Fields, field: &str, numbers: &[i32]) -> Vec<T> {
    let known = numbers.iter().take(64).enumerate();
    known.filter_map(|(place, number)| fields.code(format!("{field}[{place}]"), *number)).collect()
}

fn protocol(fields: &mut Fields, name: &str) -> Option<String> {
    let length = name.chars().count();
    if length > LONGEST_PROTOCOL {
        return fields.fault("protocol", format!("{length} characters: at most {LONGEST_PROTOCOL}"));
    }
    (length > 0).then(|| name.to_owned())
}

/// Claims the next case of a stream.
///
/// # Errors
/// Every wrong field at once.
pub fn claim_next(request: &pb::ClaimNextRequest) -> Result<(Mutation, Asker), Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ClaimNext", &request.command_id, request);
    let stream = fields.code("stream", request.stream);
    let skills = skills(&mut fields, &request.skills);
    fields.done(mutation.zip(stream).map(|(mutation, stream)| (mutation, Asker { stream, skills })))
}

/// What a regulator is versed in.
pub fn skills(fields: &mut Fields, given: &[String]) -> BTreeSet<Skill> {
    if given.len() > MOST_SKILLS {
        fields.fault::<()>("skills", format!("{} skills: at most {MOST_SKILLS}", given.len()));
    }
    let named = given.iter().take(MOST_SKILLS).enumerate();
    named.filter_map(|(place, skill)| fields.id(format!("skills[{place}]"), skill)).collect()
}

/// Claims a case.
///
/// # Errors
/// Every wrong field at once.
pub fn claim(request: &pb::ClaimRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("Claim", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    fields.act(mutation, target, Some(Command::Claim))
}

/// Which claim is kept alive.
///
/// # Errors
/// Every wrong field at once.
pub fn renew(request: &pb::RenewClaimRequest) -> Result<(CaseId, u64), Failure> {
    let mut fields = Fields::default();
    let case = fields.id("case_id", &request.case_id);
    let claim_no = claim_no(&mut fields, request.claim_no);
    fields.done(case.zip(claim_no))
}

fn claim_no(fields: &mut Fields, number: u64) -> Option<u64> {
    if number == 0 {
        fields.fault("claim_no", "must be set: the number your claim was answered with")
    } else {
        Some(number)
    }
}

/// Gives a case back.
///
/// # Errors
/// Every wrong field at once.
pub fn release(request: &pb::ReleaseClaimRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ReleaseClaim", &request.command_id, request);
    let target = fields.target(&request.case_id, &[]);
    let claim_no = claim_no(&mut fields, request.claim_no);
    let may_wait = fields.optional_instant("may_wait_until_unix_ms", request.may_wait_until_unix_ms);
    fields.act(mutation, target, claim_no.map(|claim_no| Command::Release { claim_no, may_wait }))
}

/// Takes a claim up again.
///
/// # Errors
/// Every wrong field at once.
pub fn resume(request: &pb::ResumeClaimRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("ResumeClaim", &request.command_id, request);
    let target = fields.target(&request.case_id, &[]);
    let claim_no = claim_no(&mut fields, request.claim_no);
    fields.act(mutation, target, claim_no.map(|claim_no| Command::Resume { claim_no }))
}

/// Accepts a P0.
///
/// # Errors
/// Every wrong field at once.
pub fn accept_hand_over(request: &pb::AcceptHandOverRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AcceptHandOver", &request.command_id, request);
    let target = fields.target(&request.case_id, &[]);
    fields.act(mutation, target, Some(Command::AcceptHandOver))
}

/// Signs a need.
///
/// # Errors
/// Every wrong field at once.
pub fn sign_need(request: &pb::SignNeedRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("SignNeed", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let claim_no = claim_no(&mut fields, request.claim_no);
    let need = need(&mut fields, "need", request.need.as_ref());
    let note = fields.optional_words("note", &request.note, LONGEST_WORDS);
    let follow_up = fields.optional_instant("follow_up_unix_ms", request.follow_up_unix_ms);
    let (told, refusal) = (request.dialogue.as_ref(), request.refusal.as_ref());
    let stated = stated(&mut fields, request.resource_type, request.destination);
    let beside = Beside { stated, ..beside(&mut fields, told, refusal, request.prescription.as_ref()) };
    let sign = claim_no.zip(need).map(|(claim_no, need)| SignNeed {
        claim_no,
        need,
        note,
        follow_up,
        keep: request.keep_claim,
        beside,
    });
    fields.act(mutation, target, sign.map(|sign| Command::SignNeed(Box::new(sign))))
}

fn need(fields: &mut Fields, field: &str, given: Option<&pb::Need>) -> Option<Need> {
    let Some(given) = given else {
        return fields.fault(field, "must be set: care, level and longest_delay");
    };
    let care = fields.code(Part(field, "care"), given.care);
    let level = fields.code(Part(field, "level"), given.level);
    let longest_delay = fields.code(Part(field, "longest_delay"), given.longest_delay);
    let reasons = codes_only(fields, Part(field, "reasons"), &given.reasons);
    let constraints = given.constraints.unwrap_or_default();
    Some(Need {
        patient: given.patient.max(1),
        care: care?,
        level: level?,
        longest_delay: longest_delay?,
        constraints: Constraints {
            must_examine: constraints.must_examine,
            home_only: constraints.home_only,
            transport: constraints.transport,
            isolation: constraints.isolation,
        },
        reasons,
    })
}

/// Codes only: what is signed is stored in the clear, so no free text enters it.
pub(super) fn codes_only(fields: &mut Fields, field: impl Display, given: &[String]) -> Vec<String> {
    if given.len() > MOST_REASONS {
        fields.fault::<()>(&field, format!("{} codes: at most {MOST_REASONS}", given.len()));
    }
    let legal = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "._-".contains(c);
    for (place, reason) in given.iter().take(MOST_REASONS).enumerate() {
        if reason.is_empty() || reason.len() > LONGEST_CODE || !reason.chars().all(legal) {
            let problem = format!("expected a code of 1 to {LONGEST_CODE} characters A-Z 0-9 . _ -; words go to note");
            fields.fault::<()>(&format!("{field}[{place}]"), problem);
        }
    }
    given.to_vec()
}

/// Signs an answer.
///
/// # Errors
/// Every wrong field at once.
pub fn sign_answer(request: &pb::SignAnswerRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("SignAnswer", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let claim_no = claim_no(&mut fields, request.claim_no);
    let decision = fields.id("decision_id", &request.decision_id);
    let care = fields.code("care", request.care);
    let supply = fields.optional_code("supply_reason", request.supply_reason);
    let note = fields.optional_words("note", &request.note, LONGEST_WORDS);
    let (told, refusal) = (request.dialogue.as_ref(), request.refusal.as_ref());
    let stated = stated(&mut fields, request.resource_type, request.destination);
    let beside = Beside { stated, ..beside(&mut fields, told, refusal, request.prescription.as_ref()) };
    let sign = claim_no.zip(decision).zip(care).map(|((claim_no, decision), care)| SignAnswer {
        claim_no,
        decision,
        care,
        supply,
        note,
        keep: request.keep_claim,
        beside,
    });
    fields.act(mutation, target, sign.map(|sign| Command::SignAnswer(Box::new(sign))))
}

/// Sends a case to another stream.
///
/// # Errors
/// Every wrong field at once.
pub fn reorient(request: &pb::ReorientRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("Reorient", &request.command_id, request);
    let target = fields.target(&request.case_id, &[]);
    let claim_no = claim_no(&mut fields, request.claim_no);
    let stream = fields.code("stream", request.stream);
    let reason = fields.words("reason", &request.reason, LONGEST_WORDS);
    let command = claim_no.zip(stream).zip(reason);
    let command = command.map(|((claim_no, stream), reason)| Command::Reorient { claim_no, stream, reason });
    fields.act(mutation, target, command)
}

/// Takes over what another stream sent, or sends it back.
///
/// # Errors
/// Every wrong field at once.
pub fn answer_reorientation(request: &pb::AnswerReorientationRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("AnswerReorientation", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let refused = fields.refusal("refused_reason", &request.refused_reason, LONGEST_WORDS);
    fields.act(mutation, target, Some(Command::AnswerReorientation { refused }))
}

/// Ends an action.
///
/// # Errors
/// Every wrong field at once.
pub fn end_action(request: &pb::EndActionRequest) -> Result<Act, Failure> {
    let mut fields = Fields::default();
    let mutation = fields.mutation("EndAction", &request.command_id, request);
    let target = fields.target(&request.case_id, &request.version);
    let action = fields.id("action_id", &request.action_id);
    let end = fields.code("end", request.end);
    let note = fields.optional_words("note", &request.note, LONGEST_WORDS);
    let command = action.zip(end).map(|(action, end)| Command::EndAction { action, end, note });
    fields.act(mutation, target, command)
}

/// Which page of which queue.
///
/// # Errors
/// Every wrong field at once.
pub fn queue(request: &pb::ListQueueRequest) -> Result<(Stream, PageRequest), Failure> {
    let mut fields = Fields::default();
    let stream = fields.code("stream", request.stream);
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    fields.done(stream.zip(page))
}

/// Which page of a list without further choice.
///
/// # Errors
/// A wrong page size.
pub fn page(size: u32, token: &str, at_least_seq: u64) -> Result<PageRequest, Failure> {
    let mut fields = Fields::default();
    let page = fields.page(size, token, at_least_seq);
    fields.done(page)
}

/// Which queue is watched.
///
/// # Errors
/// An unspecified stream.
pub fn watched(request: &pb::WatchQueueRequest) -> Result<Stream, Failure> {
    let mut fields = Fields::default();
    let stream = fields.code("stream", request.stream);
    fields.done(stream)
}
