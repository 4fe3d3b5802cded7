//! A message of another system as the command that opens its case, and what its sender proposes.

use crate::{
    domain::{
        case::{
            Command,
            command::{Open, Particulars},
            sealed::{Address, Caller, Identity, written, written_char},
            state::Patient,
        },
        person::Private,
        regulation::{
            need::{Constraints, Need},
            qualification::Priority,
        },
        territory::Territory,
        time::{Instant, Span},
    },
    engine::{Failure, Place, Target},
    grpc::pb,
    interop::{fault::Limits, incoming::IncomingCase, intake as incoming_intake, json::Fallback, messages},
    store::txn::MAX_EVENT,
};

use super::{
    case,
    codes::Coded,
    fields::{Act, Fields, LONGEST_LINE},
    intake::Scene,
};

/// How far a sender's clock may be ahead before it is told so.
const AHEAD: Span = Span::from_mins(1);
/// A message of longer ago is told to be one.
const OLD: Span = Span::from_hours(24);
/// Longest text taken over from a message's notes or ways in, characters.
const LONGEST_TEXT: usize = 12_000;
/// Most patients taken over.
const MOST_PATIENTS: usize = 20;
/// Bytes of all texts of a message in the one event that holds them: of its 64 KiB, twenty patients without a word about them
/// take 11, and what else is done in the act less than 5.
const MOST_WRITTEN: usize = MAX_EVENT - 16 * 1_024;
/// Bytes of one line there. Twenty patients of whom a message fills the three names, thirteen more lines and two numbers are
/// at most 30 KiB.
const LONGEST_LINE_BYTES: usize = 400;

/// Opens the case of a message. A vital emergency is read in spite of its faults, which are warnings then.
///
/// # Errors
/// Every fault of the message by its JSON path; a message of another territory or of an exercise.
pub fn open(request: &pb::OpenCaseFromHubRequest, scene: Scene<'_>) -> Result<(Act, pb::Proposal), Failure> {
    let (incoming, faults) = match messages::decode(&request.message, &Limits::DEFAULT) {
        Ok(incoming) => (Some(incoming), Vec::new()),
        Err(faults) => {
            let fallback = Fallback { territory: scene.ground.territory.id.clone(), now: scene.now };
            (messages::vital(&request.message, &Limits::DEFAULT, fallback), faults)
        }
    };
    let vital = incoming.as_ref().is_some_and(|incoming| incoming.priority == Some(Priority::P0));
    let mut fields = Fields::never_refusing(vital);
    let mutation = scene.opening(&mut fields, "OpenCaseFromHub", &request.command_id, request);
    for fault in faults {
        let field = if fault.path.is_empty() { "message".to_owned() } else { format!("message.{}", fault.path) };
        fields.fault::<()>(&field, format!("expected {}, found {}", fault.expected, fault.found));
    }
    let Some(mut incoming) = incoming else { return fields.done(None) };
    check(&mut fields, &incoming, &scene.ground.territory);
    incoming.patients.truncate(MOST_PATIENTS);
    let mut open = incoming_intake::open(&incoming, &scene.ground.territory, scene.now);
    told_when(&mut fields, open.opened.arrived, scene.now);
    open.opened.arrived = open.opened.arrived.min(scene.now);
    settle(&mut fields, &mut open, scene.ground);
    for warning in &incoming.warnings {
        fields.warn(format!("message.{}", warning.path), "MESSAGE", &warning.text);
    }
    let proposal = proposal(&incoming);
    let act = fields.act(mutation, Some(Target::default()), Some(Command::Open(Box::new(open))))?;
    Ok((act, proposal))
}

/// What stands in the way. A vital emergency is opened all the same, without what is told; an exercise never is: nobody is
/// ill.
fn check(fields: &mut Fields, incoming: &IncomingCase, territory: &Territory) {
    if incoming.territory != territory.id {
        let problem = format!("the place lies outside {}, for which you act: open it there", territory.id);
        fields.fault::<()>("message", problem);
    }
    if incoming_intake::exercise(incoming) {
        let problem =
            "its status or that of its distribution is Exercise: nobody is ill; send it to a service for exercises";
        fields.broken::<()>("message", problem);
    }
    if incoming.patients.len() > MOST_PATIENTS {
        let given = incoming.patients.len();
        fields.fault::<()>("message", format!("{given} patients: at most {MOST_PATIENTS} in one case"));
    }
}

/// A message is told of within the day: another hour is kept, or taken as now where it is still to come, and told.
fn told_when(fields: &mut Fields, created: Instant, now: Instant) {
    let hours = |span: Span| span.ms() / Span::from_hours(1).ms();
    if created > now + AHEAD {
        let text =
            format!("created {} h from now: set the sender's clock; it is taken as now", hours(created.since(now)));
        fields.warn("message", "CLOCK_AHEAD", text);
    } else if now.since(created) > OLD {
        let text =
            format!("created {} h ago: its case is counted on that day; is it sent again?", hours(now.since(created)));
        fields.warn("message", "MESSAGE_OLD", text);
    }
}

/// What a message may say and this place does not know is kept where it can be, and told.
fn settle(fields: &mut Fields, open: &mut Open, ground: &Place) {
    let territory = &ground.territory;
    let commune = open.particulars.place.as_ref().and_then(|place| place.commune);
    if territory.configured && commune.is_some_and(|code| !territory.communes.contains_key(&code)) {
        let text = "no commune of this territory has this INSEE code; kept, without sector or position of its own";
        fields.warn("message", "COMMUNE_UNKNOWN", text);
    }
    for (patient, _) in &mut open.particulars.patients {
        known_gp(fields, patient, ground);
    }
    shorten(fields, open);
}

/// Cuts what is longer than one event holds: first every line, then the note, then the way in.
fn shorten(fields: &mut Fields, open: &mut Open) {
    let mut left = MOST_WRITTEN;
    let mut cut = |text: &mut Private<String>, longest: usize, most_bytes: usize| {
        let known = text.reveal();
        let kept = fitting(known, longest, most_bytes);
        if kept.len() < known.len() {
            let warning = format!("a text was cut after {} characters", kept.chars().count());
            fields.warn("message", "TEXT_CUT", warning);
            *text = Private::new(kept.to_owned());
        }
        written(text.reveal())
    };
    for line in lines(&mut open.particulars) {
        left = left.saturating_sub(cut(line, LONGEST_LINE, LONGEST_LINE_BYTES.min(left)));
    }
    // A long note leaves as much to the way in.
    if let Some(note) = &mut open.note {
        left = left.saturating_sub(cut(note, LONGEST_TEXT, left / 2));
    }
    if let Some(address) = &mut open.particulars.address {
        cut(&mut address.access, LONGEST_TEXT, left);
    }
}

/// Every text of a message that is a name or a line, those of the patients last.
fn lines(known: &mut Particulars) -> Vec<&mut Private<String>> {
    let Particulars { caller, address, patients, .. } = known;
    let mut lines: Vec<&mut Private<String>> = Vec::new();
    if let Some(Caller { name, phone, call_back, partner, partner_reference, .. }) = caller {
        lines.extend([name, phone, call_back, partner, partner_reference]);
    }
    if let Some(Address { street, way_in, .. }) = address {
        lines.push(street);
        lines.extend(way_in.parts_mut());
    }
    for (_, identity) in patients {
        let Identity { name, birth_date, nir, birth_name, birth_first_names, birth_place, gp_name, .. } = identity;
        lines.extend([name, birth_date, nir, birth_name, birth_first_names, birth_place, gp_name]);
    }
    lines
}

/// The beginning of a text that is at most so many characters and so many bytes in an event.
fn fitting(text: &str, longest: usize, most_bytes: usize) -> &str {
    let mut bytes = 0;
    let beyond = text.char_indices().enumerate().find(|(nth, (_, c))| {
        bytes += written_char(*c);
        *nth == longest || bytes > most_bytes
    });
    beyond.map_or(text, |(_, (at, _))| &text[..at])
}

fn known_gp(fields: &mut Fields, patient: &mut Patient, ground: &Place) {
    if patient.own_gp.as_ref().is_some_and(|id| ground.directory.get(id).is_none()) {
        patient.own_gp = None;
        fields.warn("message", "OWN_GP_UNKNOWN", "the directory has no responder of this id; left out");
    }
}

fn proposal(incoming: &IncomingCase) -> pb::Proposal {
    let qualify = incoming_intake::qualify(incoming);
    let reasons = qualify.motive.iter().cloned().collect();
    let need = incoming.need.as_ref().map(|need| Need {
        patient: 1,
        care: need.care,
        level: need.level,
        longest_delay: need.longest_delay,
        constraints: Constraints::default(),
        reasons,
    });
    pb::Proposal {
        priority: qualify.priority.wire(),
        stream: qualify.stream.wire(),
        motive: qualify.motive.unwrap_or_default(),
        level: incoming.care_level.map_or(0, Coded::wire),
        flags: qualify.flags.iter().map(|flag| flag.wire()).collect(),
        symptoms: qualify.symptoms,
        need: need.as_ref().map(case::need),
    }
}
