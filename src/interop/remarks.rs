//! What a message says and a case has no field for, in French, so that no doctor has to ask for it again.

use crate::domain::{
    calendar::wall_time,
    regulation::national::{DecisionType, Destination, ResourceType},
    territory::Territory,
};

use super::incoming::{Coded, IncomingCaller, IncomingCase, IncomingDecision, IncomingPatient};

/// One line for each.
pub(super) fn remarks(incoming: &IncomingCase, territory: &Territory) -> Vec<String> {
    let mut lines: Vec<String> = elsewhere(incoming, territory).into_iter().collect();
    lines.extend(incoming.what_happened.iter().map(|known| line("Fait", coded(known))));
    lines.extend(incoming.risks.iter().map(|known| line("Risque", coded(known))));
    let place = &incoming.location;
    lines.extend(place.name.iter().map(|name| line("Nom du lieu", name.reveal())));
    lines.extend(place.phone.iter().map(|number| line("Téléphone du lieu", number.reveal())));
    lines.extend(incoming.caller.as_ref().and_then(undialled).map(|contact| line("Contact de l'appelant", contact)));
    let words = incoming.caller.as_ref().and_then(|caller| caller.note.as_ref());
    lines.extend(words.map(|words| line("Sur l'appelant", words.reveal())));
    lines.extend(incoming.patients.iter().zip(1..).flat_map(|(known, number)| patient(known, number)));
    lines.extend(incoming.decisions.iter().map(|known| decision(incoming, known, territory)));
    lines
}

fn line(label: &str, text: impl AsRef<str>) -> String {
    format!("{label} : {}", text.as_ref())
}

fn coded(known: &Coded) -> String {
    format!("{} ({})", known.label.reveal(), known.code)
}

/// A place of another territory, or one whose code cannot be read, is no place here, and must not be lost all the same.
fn elsewhere(incoming: &IncomingCase, territory: &Territory) -> Option<String> {
    let name = incoming.location.commune_name.as_ref().map(|name| name.reveal().as_str()).unwrap_or_default();
    let Some(code) = incoming.location.commune else { return (!name.is_empty()).then(|| line("Commune", name)) };
    (incoming.territory != territory.id)
        .then(|| line(&format!("Lieu hors de {}", territory.id), format!("{name} ({code})").trim()))
}

/// How to reach the caller when no number of the message can be dialled.
fn undialled(caller: &IncomingCaller) -> Option<&String> {
    let given = [Some(&caller.contact), caller.callback.as_ref()];
    let dialled = given.into_iter().flatten().any(|contact| contact.phone().is_some());
    let contact = given.into_iter().flatten().map(|contact| contact.detail.reveal()).find(|text| !text.is_empty());
    contact.filter(|_| !dialled)
}

fn patient(known: &IncomingPatient, number: u32) -> Vec<String> {
    let diagnoses: Vec<&str> = known.diagnoses.iter().map(|code| code.reveal().as_str()).collect();
    let said = [
        ("antécédents", known.history.as_ref().map(|text| text.reveal().clone())),
        ("traitement", known.treatment.as_ref().map(|text| text.reveal().clone())),
        ("diagnostics évoqués", (!diagnoses.is_empty()).then(|| diagnoses.join(", "))),
    ];
    let told = |(label, text): (&str, Option<String>)| Some(line(&format!("Patient {number}, {label}"), text?));
    said.into_iter().filter_map(told).collect()
}

/// A decision that the sender has taken: what, by whom, when, for whom.
fn decision(incoming: &IncomingCase, known: &IncomingDecision, territory: &Territory) -> String {
    let label = |found: Option<&'static str>, code: &str| found.map_or_else(|| code.to_owned(), str::to_owned);
    let kind = label(known.kind.parse::<DecisionType>().ok().map(DecisionType::label), known.kind);
    let means = known.resource.map(|code| label(code.parse::<ResourceType>().ok().map(ResourceType::label), code));
    let to = known.orientation.map(|code| label(code.parse::<Destination>().ok().map(Destination::label), code));
    let where_to = known.destination.as_ref().map(|words| words.reveal().clone());
    let medical =
        known.medical_transport.map(|yes| if yes { "transport médicalisé" } else { "transport non médicalisé" });
    let number = known.patient.as_ref().and_then(|id| {
        let place = incoming.patients.iter().position(|patient| patient.id.as_ref() == Some(id))?;
        Some(format!("patient {}", place + 1))
    });
    let at = wall_time(territory.calendar.zone(), known.at, "%d/%m/%Y %H:%M");
    let parts = [Some(kind), means, medical.map(str::to_owned), to, where_to, number];
    let parts: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    line(&format!("Décision de l'émetteur ({}, {at})", known.role), parts.join(", "))
}
