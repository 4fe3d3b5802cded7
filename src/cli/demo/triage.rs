//! The assistant asks what the protocols ask. In the demonstration nobody has signed them, and they advise all the same.

use crate::{
    domain::actor::Role,
    grpc::pb::{self, Priority, protocol_answer::Value, protocol_question::Type},
};

use super::{
    room::Room,
    wire::{Fault, call},
};

/// How often the next questions are asked: an answer may lead to another question.
const ROUNDS: usize = 3;

impl Room {
    /// The priority at which the caller is qualified and the answers given: what was heard, or what the protocols say where
    /// that is more urgent. Who can wait is asked everything; everything reassures.
    pub(super) async fn triaged(
        &mut self,
        name: &str,
        caller: usize,
    ) -> Result<(Priority, Vec<pb::ProtocolAnswer>), Fault> {
        let (want, patient) = (self.people[caller].caller.want.clone(), self.people[caller].caller.patient.clone());
        let mut answers = Vec::new();
        if matches!(want.priority, Priority::P0 | Priority::NotRegulated) {
            return Ok((want.priority, answers));
        }
        let mut priority = want.priority;
        for _ in 0..ROUNDS {
            let request = pb::ProposeQualificationRequest {
                motive: want.motive.to_owned(),
                age: format!("P{}Y", patient.age_years.unwrap_or_default()),
                sex: patient.sex,
                pregnant: None,
                answers: answers.clone(),
            };
            let asked =
                call!(self.wire, "ProposeQualification", name, Role::Arm, regulation.propose_qualification(request))?;
            let Some(pb::ProposeQualificationResponse { proposal: Some(proposal), questions }) = asked else { break };
            priority = want.priority.min(proposal.priority());
            if want.priority == Priority::P3 {
                priority = proposal.priority();
            }
            if want.priority != Priority::P3 || questions.is_empty() {
                break;
            }
            answers.extend(questions.into_iter().filter_map(|question| reassuring(question, want.motive)));
        }
        Ok((priority, answers))
    }
}

/// The answer that worries least.
fn reassuring(question: pb::ProtocolQuestion, motive: &str) -> Option<pb::ProtocolAnswer> {
    let value = match question.r#type? {
        Type::YesNo(_) => Value::Yes(false),
        Type::Choices(_) if question.code == "PLAINTE" => Value::Choice(complaint(motive)?.to_owned()),
        Type::Choices(choices) => Value::Choice(choices.choices.into_iter().next()?.code),
        Type::Number(number) => Value::Number(number.reassuring),
    };
    Some(pb::ProtocolAnswer { question: question.code, value: Some(value) })
}

/// What somebody who can wait complains of.
fn complaint(motive: &str) -> Option<&'static str> {
    match motive {
        "M03.14" => Some("GORGE"),
        "M03.22" => Some("DENT"),
        "M06.02" => Some("CONSEIL"),
        _ => None,
    }
}
