//! What is brought to a copy while its hand-over stands open: what was added or changed at the sender since.
//!
//! People on both sides may hear something of the same patient. What they have said here stays, and what the sender says
//! otherwise of it becomes a note; of what protects the patient, the stricter of both holds.

use crate::domain::{
    case::{
        command::Particulars,
        fact::Fact,
        outgoing::stricter,
        patient::Patient,
        refusal::Refusal,
        sealed::{Address, Caller, Identity, NoteKind},
        state::{Case, Whereabouts},
        transfer::{Packet, Received},
    },
    person::Private,
    regulation::qualification::due,
};

use super::{
    draft::Draft,
    intake, qualify,
    transfer::{hear, particulars, pointless},
};

pub(super) fn bring(draft: &mut Draft<'_>, packet: &Packet) -> Result<(), Refusal> {
    let case = draft.case()?;
    let received = case.received.as_deref().filter(|received| received.open()).ok_or_else(pointless)?.clone();
    if !packet.tells(&received) {
        return Err(pointless());
    }
    let known: Vec<_> = case.sealed.notes.iter().map(|note| note.id).collect();
    if packet.received.as_of > received.as_of {
        renew(draft, packet, &received)?;
    }
    let lacking = packet.notes.iter().filter(|note| !known.contains(&note.id));
    lacking.for_each(|note| hear(draft, note));
    let Received { as_of, priority, responders, .. } = packet.received.clone();
    draft.push(Fact::TransferBrought { as_of, priority, responders });
    Ok(())
}

/// What the sender says now, beside notes.
fn renew(draft: &mut Draft<'_>, packet: &Packet, received: &Received) -> Result<(), Refusal> {
    let said = particulars(draft, packet);
    let (taken, aside) = weighed(draft.case()?, received, said);
    intake::set(draft, &taken);
    let flags = &packet.qualification.flags;
    flags.iter().for_each(|flag| qualify::flag(draft, *flag));
    // More urgent there than it was: what people here have made of it meanwhile is theirs otherwise.
    let priority = packet.qualification.priority;
    if received.priority.is_none_or(|before| priority < before) {
        let due = due(priority, draft.now, draft.due_spans()).min(packet.qualification.due);
        qualify::raise(draft, priority, due);
    }
    tell(draft, received, &aside)
}

/// What is taken over of what the sender says, and in words what is not, since people here have said otherwise.
fn weighed(case: &Case, received: &Received, mut said: Particulars) -> (Particulars, Vec<String>) {
    let (here, mut aside) = (&received.here, Vec::new());
    if here.safety {
        said.safety = said.safety.map(|there| stricter(case.safety, there));
    }
    if here.caller {
        let other = said.caller.take().filter(|there| *there != case.sealed.caller);
        aside.extend(other.map(|there| caller(&there)));
    }
    if here.address {
        let other = said.address.take().filter(|there| *there != case.sealed.address);
        aside.extend(other.map(|there| address(&there)));
    }
    if here.place {
        let other = said.place.take().filter(|there| there.commune != case.place.commune);
        aside.extend(other.map(|there| place(&there)));
    }
    for (patient, identity) in &mut said.patients {
        let number = patient.number;
        let (Some(own), true) = (case.patient(number), here.patients.contains(&number)) else { continue };
        let known = case.sealed.identities.iter().find(|who| who.number == number);
        let known = known.cloned().unwrap_or(Identity { number, ..Identity::default() });
        let protected = own.protected_as(patient);
        if protected != *patient || known != *identity {
            aside.push(who(patient, identity));
        }
        (*patient, *identity) = (protected, known);
    }
    (said, aside)
}

/// Tells whoever has the copy what the sender says otherwise, once.
fn tell(draft: &mut Draft<'_>, received: &Received, aside: &[String]) -> Result<(), Refusal> {
    if aside.is_empty() {
        return Ok(());
    }
    let words =
        format!("{} dit autre chose que ce qui est noté ici, à vérifier : {}.", received.from, aside.join(" ; "));
    let words = Private::new(words);
    if !draft.case()?.sealed.notes.iter().any(|note| note.text == words) {
        draft.note(NoteKind::Note, &words);
    }
    Ok(())
}

fn caller(there: &Caller) -> String {
    let call_back = there.call_back.reveal();
    let call_back = if call_back.is_empty() { String::new() } else { format!("rappel {call_back}") };
    listed("appelant", &[there.name.reveal(), there.phone.reveal(), &call_back])
}

fn address(there: &Address) -> String {
    listed("adresse", &[there.street.reveal(), &there.way_in_words()])
}

fn place(there: &Whereabouts) -> String {
    let commune = there.commune.map(|code| code.to_string());
    listed("commune", &[commune.as_deref().unwrap_or_default()])
}

fn who(patient: &Patient, identity: &Identity) -> String {
    let about = format!("patient {}", patient.number);
    listed(&about, &[identity.name.reveal(), identity.birth_date.reveal(), identity.gp_name.reveal()])
}

/// What is said of something; where that is not in words, that it is to be asked.
fn listed(what: &str, parts: &[&str]) -> String {
    let said: Vec<&str> = parts.iter().copied().filter(|text| !text.is_empty()).collect();
    if said.is_empty() { format!("{what} (les appeler)") } else { format!("{what} {}", said.join(", ")) }
}
