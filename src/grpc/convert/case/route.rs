//! Plans and offers on the wire, with their reasons in French.

use crate::{
    domain::{
        actor::Role,
        calendar::Period,
        case::{Case, Offer, OfferState, outgoing::ask_patient_first},
        ids::ResponderId,
        routing::{Availability, Category, Means, Plan, Row, Source, Verdict, WhyNot, explain_french},
    },
    engine::Place,
    grpc::pb,
};

use super::{
    super::{codes::Coded, directory::rings},
    ms, text,
};

/// A plan with every reason, in codes and in French.
pub fn plan(ground: &Place, known: &Plan) -> pb::Plan {
    let lines = explain_french(known, &ground.directory);
    let left_out = |category: Category, why: Option<WhyNot>, count| pb::LeftOut {
        category: category.wire(),
        why_not: why.map_or(0, Coded::wire),
        count,
    };
    pb::Plan {
        at_unix_ms: known.at.unix_ms(),
        rules: known.rules.clone(),
        period: known.period.parse::<Period>().map_or(0, Coded::wire),
        deadline_unix_ms: known.deadline.unix_ms(),
        sources: known.sources.iter().map(source).collect(),
        // The lines begin with one per row, in the order of the rows.
        rows: known.rows.iter().zip(lines).map(|(option, line)| row(ground, option, line)).collect(),
        left_out: known.left_out.iter().map(|(category, why, count)| left_out(*category, Some(*why), *count)).collect(),
        kept_left_out: known.kept_left_out.iter().map(|(category, count)| left_out(*category, None, *count)).collect(),
    }
}

fn name(ground: &Place, id: &ResponderId) -> String {
    ground.directory.get(id).map(|known| known.name.clone()).unwrap_or_default()
}

fn source(known: &Source) -> pb::Source {
    let (said, since) = match known.availability {
        Availability::Found => (pb::Availability::Found, None),
        Availability::None => (pb::Availability::None, None),
        Availability::NotConnected => (pb::Availability::NotConnected, None),
        Availability::NoAnswerSince(since) => (pb::Availability::NoAnswer, Some(since)),
    };
    pb::Source { category: known.category.wire(), availability: said as i32, no_answer_since_unix_ms: ms(since) }
}

fn row(ground: &Place, known: &Row, line: String) -> pb::Row {
    let (rank, why) = match known.verdict {
        Verdict::Kept { rank } => (rank, None),
        Verdict::Refused { why } => (0, Some(why)),
    };
    pb::Row {
        category: known.category.wire(),
        responder_id: text(known.responder.as_ref()),
        responder_name: known.responder.as_ref().map(|id| name(ground, id)).unwrap_or_default(),
        means: known.means.as_ref().map(means),
        earliest_unix_ms: ms(known.earliest),
        distance_m: known.distance_m,
        rank,
        why_not: why.map_or(0, Coded::wire),
        text: line,
        snp_cap_reached: known.snp_cap_reached,
    }
}

/// How an option is taken up.
pub fn means(known: &Means) -> pb::Means {
    use pb::means::Way;
    let way = match known {
        Means::Ring => Way::Ring(pb::RingMeans {}),
        Means::Slot { slot, start, end } => Way::Slot(pb::SlotMeans {
            slot_id: slot.to_string(),
            start_unix_ms: start.unix_ms(),
            end_unix_ms: end.unix_ms(),
        }),
        Means::Visit { sector } => Way::Visit(pb::VisitMeans { sector_id: sector.to_string() }),
    };
    pb::Means { way: Some(way) }
}

/// What an offer's responder is told of the signed constraints.
pub fn conditions(case: &Case, known: &Offer) -> Vec<String> {
    case.conditions(known).into_iter().map(|condition| condition.label().to_owned()).collect()
}

/// The same for a desk, and that the patient is asked before his GP's practice is: for those who ring it, and nobody on the road.
pub fn conditions_for(role: Role, ground: &Place, case: &Case, known: &Offer) -> Vec<String> {
    let why = ask_patient_first(case, &ground.directory, known).filter(|_| rings(role));
    let asked = |label| format!("demander l'accord du patient avant de joindre son médecin traitant : {label}");
    let ask = why.map(|why| asked(why.label()));
    ask.into_iter().chain(conditions(case, known)).collect()
}

/// An offer.
pub fn offer(ground: &Place, known: &Offer) -> pb::Offer {
    use pb::OfferStatus::{Accepted, Closed, Open, Withdrawn};
    let (status, ended, appointment, why) = match &known.state {
        OfferState::Open => (Open, None, None, None),
        OfferState::Accepted { at, appointment } => (Accepted, Some(*at), Some(*appointment), None),
        OfferState::Closed { at, why, .. } => (Closed, Some(*at), None, Some(*why)),
        OfferState::Withdrawn { at } => (Withdrawn, Some(*at), None, None),
    };
    pb::Offer {
        offer_id: known.id.to_string(),
        decision_id: known.decision.to_string(),
        category: known.category.wire(),
        responder_id: known.responder.to_string(),
        responder_name: name(ground, &known.responder),
        means: Some(means(&known.means)),
        at_unix_ms: known.at.unix_ms(),
        until_unix_ms: known.until.unix_ms(),
        status: status as i32,
        ended_unix_ms: ms(ended),
        appointment_unix_ms: ms(appointment),
        why_not: why.map_or(0, Coded::wire),
        refused_by: text(known.refused_by()),
        conditions: Vec::new(),
    }
}
