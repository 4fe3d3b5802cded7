//! What goes with a signature, from the wire: dialogue, refusal, prescription, and a responder's counter-regulation.

use uuid::Uuid;

use crate::{
    domain::{
        case::command::{Beside, Counter},
        ids::DecisionId,
        person::Private,
        regulation::{
            advice::AdviceList,
            dialogue::{Dialogue, PatientRefusal, SafetyNet},
            national::Stated,
            prescription::{Asked, AskedState, DrugLine, MOST_LINES, Prescription, is_atc},
        },
    },
    grpc::pb,
};

use super::{
    advice::texts,
    codes::Coded,
    fields::{Fields, LONGEST_LINE, LONGEST_WORDS},
    regulation::codes_only,
};

/// Most reasons read of a counter-regulation.
const MOST_REASONS: usize = 16;

/// Reads what stands beside a signature.
pub(super) fn beside(
    fields: &mut Fields,
    told: Option<&pb::Dialogue>,
    refusal: Option<&pb::PatientRefusal>,
    written: Option<&pb::Prescription>,
) -> Beside {
    let words = told.and_then(|told| told.safety_net.as_ref()).map_or("", |net| net.words.as_str());
    Beside {
        watch_for: fields.optional_words("dialogue.safety_net.words", words, LONGEST_WORDS),
        dialogue: told.map(|told| dialogue(fields, told)),
        refusal: refusal.and_then(|given| {
            let capacity = fields.code("refusal.capacity", given.capacity)?;
            Some(PatientRefusal { capacity, risks_explained: given.risks_explained })
        }),
        prescription: written.and_then(|given| prescription(fields, given)).map(Box::new),
        stated: Stated::default(),
    }
}

/// Reads what a doctor states where the care leaves a choice.
pub(super) fn stated(fields: &mut Fields, resource_type: i32, destination: i32) -> Stated {
    Stated {
        resource: fields.optional_code("resource_type", resource_type),
        destination: fields.optional_code("destination", destination),
    }
}

fn dialogue(fields: &mut Fields, given: &pb::Dialogue) -> Dialogue {
    Dialogue {
        advice: codes_only(fields, "dialogue.advice", &given.advice),
        safety_net: given.safety_net.as_ref().and_then(|net| safety_net(fields, net)),
        understood: fields.optional_code("dialogue.understood_and_agreed", given.understood_and_agreed),
        said: Vec::new(),
    }
}

fn safety_net(fields: &mut Fields, given: &pb::SafetyNet) -> Option<SafetyNet> {
    let field = "dialogue.safety_net.watch_for";
    let watch_for = codes_only(fields, field, &given.watch_for);
    if watch_for.is_empty() && given.words.trim().is_empty() {
        fields.fault::<()>(field, "say what to watch for: codes here, or words in `words`");
    }
    let call_again = fields.code("dialogue.safety_net.call_again", given.call_again)?;
    Some(SafetyNet { watch_for, call_again })
}

fn prescription(fields: &mut Fields, given: &pb::Prescription) -> Option<Prescription> {
    let mut asked = |name: &str, given: Option<&pb::Asked>| question(fields, &format!("prescription.{name}"), given);
    let allergies = asked("allergies", given.allergies.as_ref());
    let pregnancy = asked("pregnancy", given.pregnancy.as_ref());
    let weight = asked("weight", given.weight.as_ref());
    let treatments = asked("treatments", given.treatments.as_ref());
    let prior_examination = asked("prior_examination", given.prior_examination.as_ref());
    let earlier_prescriber = asked("earlier_prescriber", given.earlier_prescriber.as_ref());
    let lines = given.lines.iter().take(MOST_LINES + 1).enumerate();
    let lines = lines.map(|(place, given)| line(fields, &format!("prescription.lines[{place}]"), given)).collect();
    let pharmacy = fields.optional_words("prescription.pharmacy", &given.pharmacy, LONGEST_LINE);
    Some(Prescription {
        decision: DecisionId(Uuid::nil()),
        situation: fields.code("prescription.situation", given.situation)?,
        lines,
        allergies,
        pregnancy,
        weight,
        treatments,
        prior_examination,
        earlier_prescriber,
        pharmacy: pharmacy.unwrap_or_default(),
    })
}

fn question(fields: &mut Fields, field: &str, given: Option<&pb::Asked>) -> Option<Asked> {
    let given = given?;
    let state: AskedState = fields.code(format!("{field}.state"), given.state)?;
    let answer = fields.optional_words(format!("{field}.answer"), &given.answer, LONGEST_LINE);
    Some(Asked { state, answer: answer.unwrap_or_default() })
}

fn line(fields: &mut Fields, field: &str, given: &pb::DrugLine) -> DrugLine {
    let mut words = |name: &str, text: &str| {
        fields
            .optional_words(format!("{field}.{name}"), text, LONGEST_LINE)
            .unwrap_or_else(|| Private::new(String::new()))
    };
    let (drug, dose) = (words("drug", &given.drug), words("dose", &given.dose));
    if !given.atc.is_empty() && !is_atc(&given.atc) {
        let shape = format!("expected an ATC code such as N02BE01, got {} characters", given.atc.chars().count());
        fields.fault::<()>(&format!("{field}.atc"), shape);
    }
    DrugLine { drug, dose, days: given.days, atc: given.atc.clone() }
}

/// Reads what a responder did instead.
pub(super) fn counter(fields: &mut Fields, given: Option<&pb::CounterRegulation>) -> Option<Box<Counter>> {
    let given = given?;
    let field = |name: &str| format!("counter_regulation.{name}");
    let known = given.reasons.iter().take(MOST_REASONS).enumerate();
    let reasons = known
        .filter_map(|(place, number)| fields.code(format!("{}[{place}]", field("reasons")), *number))
        .collect::<Vec<_>>();
    let note = fields.optional_words(field("words"), &given.words, LONGEST_WORDS);
    let care = fields.code(field("care"), given.care)?;
    Some(Box::new(Counter { care, reasons, note }))
}

/// A dialogue on the wire, with the sentences of its codes as they were signed; its words are among the notes.
pub(super) fn dialogue_told(list: &AdviceList, known: &Dialogue) -> pb::Dialogue {
    let net = |net: &SafetyNet| pb::SafetyNet {
        watch_for: net.watch_for.clone(),
        words: String::new(),
        call_again: net.call_again.wire(),
        texts: texts(list, known, &net.watch_for),
    };
    pb::Dialogue {
        advice: known.advice.clone(),
        safety_net: known.safety_net.as_ref().map(net),
        understood_and_agreed: known.understood.map_or(0, Coded::wire),
        texts: texts(list, known, &known.advice),
    }
}

/// A prescription on the wire, for an entitled reader.
pub(super) fn prescription_told(known: &Prescription) -> pb::Prescription {
    let asked = |asked: &Option<Asked>| {
        asked.as_ref().map(|asked| pb::Asked { state: asked.state.wire(), answer: asked.answer.reveal().clone() })
    };
    let line = |line: &DrugLine| pb::DrugLine {
        drug: line.drug.reveal().clone(),
        dose: line.dose.reveal().clone(),
        days: line.days,
        atc: line.atc.clone(),
    };
    pb::Prescription {
        situation: known.situation.wire(),
        lines: known.lines.iter().map(line).collect(),
        allergies: asked(&known.allergies),
        pregnancy: asked(&known.pregnancy),
        weight: asked(&known.weight),
        treatments: asked(&known.treatments),
        prior_examination: asked(&known.prior_examination),
        earlier_prescriber: asked(&known.earlier_prescriber),
        pharmacy: known.pharmacy.reveal().clone(),
        decision_id: known.decision.to_string(),
    }
}
