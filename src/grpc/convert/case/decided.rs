//! What was established and decided, on the wire.

use crate::{
    domain::{
        case::{
            Case, Claim,
            national::{National, national},
            state::Connected,
        },
        ids::Canonical,
        regulation::{
            advice::AdviceList,
            decision::{Answer, CounterRegulation, Decision, MayWait, Signature},
            motives::Motive,
            need::Need,
            protocols::Book,
            qualification::Qualification,
            split::Split,
        },
    },
    engine::Place,
    grpc::pb,
};

use super::{
    super::{beside::dialogue_told, codes::Coded, protocols::proposed},
    ms, text,
};

/// A qualification with the French label of its motive, and what the protocols of `book` proposed.
pub fn qualification(book: &Book, known: &Qualification) -> pb::Qualification {
    let motive: Option<Motive> = known.motive.as_deref().and_then(|code| code.parse().ok());
    pb::Qualification {
        priority: known.priority.wire(),
        stream: known.stream.wire(),
        motive: known.motive.clone().unwrap_or_default(),
        motive_label: motive.and_then(|motive| motive.label()).unwrap_or_default().to_owned(),
        flags: known.flags.iter().map(|flag| flag.wire()).collect(),
        symptoms: known.symptoms,
        due_unix_ms: known.due.unix_ms(),
        at_unix_ms: known.at.unix_ms(),
        by: known.by.text(),
        proposal: proposed(book, known),
        lowered: known.proposal.as_ref().is_some_and(|proposal| proposal.lowered),
        skill: text(known.skill.as_ref()),
        split_rule: known.split.as_ref().map(|split| split.rule().to_owned()).unwrap_or_default(),
        split_suspended: matches!(known.split, Some(Split::Suspended(_))),
        waiting: known.load.map(|load| load.waiting),
        quiet: known.load.is_some_and(|load| load.quiet),
    }
}

/// A claim, and whether the call of its case is up.
pub fn claim(known: &Claim, connected: Connected) -> pb::Claim {
    pb::Claim {
        claim_no: known.no,
        by: known.by.text(),
        connection_id: text(known.connection.as_ref()),
        at_unix_ms: known.at.unix_ms(),
        suspect_since_unix_ms: ms(known.suspect),
        fallback: known.fallback.map_or(0, Coded::wire),
        call_connected: connected.wire(),
    }
}

/// A need.
pub fn need(known: &Need) -> pb::Need {
    let constraints = known.constraints;
    pb::Need {
        patient: known.patient,
        care: known.care.wire(),
        level: known.level.wire(),
        longest_delay: known.longest_delay.wire(),
        constraints: Some(pb::Constraints {
            must_examine: constraints.must_examine,
            home_only: constraints.home_only,
            transport: constraints.transport,
            isolation: constraints.isolation,
        }),
        reasons: known.reasons.clone(),
    }
}

/// A decision of a case: need, answer and who signed each.
pub fn decision(ground: &Place, case: &Case, known: &Decision) -> pb::Decision {
    let advice = &ground.territory.advice;
    pb::Decision {
        decision_id: known.id.text(),
        need: Some(need(&known.need)),
        signed: Some(signature(&known.signed)),
        protocol: known.protocol.clone().unwrap_or_default(),
        answer: known.answer.as_ref().map(|known| answer(advice, known)),
        deadline_unix_ms: known.deadline().unix_ms(),
        dialogue: known.dialogue.as_ref().map(|told| dialogue_told(advice, told)),
        prescription: None,
        counter_regulation: known.counter.as_ref().map(counter),
        national: Some(official(&national(case, known, &ground.directory), known.answer.as_ref())),
    }
}

fn official(known: &National, answer: Option<&Answer>) -> pb::NationalDecision {
    pb::NationalDecision {
        r#type: known.kind.wire(),
        resource_type: known.resource.map_or(0, Coded::wire),
        destination: known.destination.map_or(0, Coded::wire),
        resource_stated: answer.is_some_and(|answer| answer.resource.is_some()),
        destination_stated: answer.is_some_and(|answer| answer.destination.is_some()),
    }
}

fn answer(advice: &AdviceList, known: &Answer) -> pb::Answer {
    pb::Answer {
        care: known.care.wire(),
        supply_reason: known.supply.map_or(0, Coded::wire),
        signed: Some(signature(&known.signed)),
        dialogue: known.dialogue.as_ref().map(|told| dialogue_told(advice, told)),
        refusal: known.refusal.map(|refusal| pb::PatientRefusal {
            capacity: refusal.capacity.wire(),
            risks_explained: refusal.risks_explained,
        }),
    }
}

/// What the responder did instead; the words are among the notes.
fn counter(known: &CounterRegulation) -> pb::CounterRegulation {
    pb::CounterRegulation {
        care: known.care.wire(),
        reasons: known.reasons.iter().map(|reason| reason.wire()).collect(),
        words: String::new(),
        by: known.by.text(),
        at_unix_ms: known.at.unix_ms(),
    }
}

/// A regulator's word that a case may wait.
pub fn may_wait(known: &MayWait) -> pb::MayWait {
    pb::MayWait { until_unix_ms: known.until.unix_ms(), signed: Some(signature(&known.signed)) }
}

fn signature(known: &Signature) -> pb::Signature {
    let (by, at_unix_ms, rules) = (known.by.text(), known.at.unix_ms(), known.rules.clone());
    let (fallback, source) = (known.fallback.map_or(0, Coded::wire), known.source.map_or(0, Coded::wire));
    pb::Signature { by, at_unix_ms, rules, fallback, source }
}
