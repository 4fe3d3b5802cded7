//! Responders as the wire shows them. Telephone numbers go to the roles that ring them, and to no other.

use crate::{
    domain::{
        actor::Role,
        case::Refusal,
        directory::{CollectiveProgramme, Responder, ResponderKind},
        ids::ResponderId,
        place::InseeCode,
        time::{Instant, Span},
    },
    engine::{Failure, PageRequest},
    grpc::pb,
};

use super::{codes::Coded, fields::Fields, routing::Reader};

/// How far `next_open_unix_ms` looks ahead.
const LOOK_AHEAD: Span = Span::from_hours(14 * 24);

/// Whether `role` rings practices, and so is shown their numbers.
pub fn rings(role: Role) -> bool {
    matches!(role, Role::Coordinator | Role::Regulator | Role::Arm | Role::Supervisor)
}

/// The number to ring a responder under; empty for a role that does not ring, and for an unknown responder.
pub fn phone(reader: &Reader<'_>, id: &ResponderId) -> String {
    let known = reader.place.directory.get(id).filter(|_| rings(reader.role));
    known.map(|known| known.phone.reveal().clone()).unwrap_or_default()
}

/// A responder, judged at `at`.
pub fn responder(reader: &Reader<'_>, known: &Responder, at: Instant) -> pb::Responder {
    let text = |id: &Option<ResponderId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
    let commune = reader.place.territory.communes.get(&known.commune);
    pb::Responder {
        responder_id: known.id.to_string(),
        name: known.name.clone(),
        kind: known.kind.wire(),
        kind_label: known.kind.label().to_owned(),
        doctor_ids: known.doctors.iter().map(ToString::to_string).collect(),
        commune_insee: known.commune.to_string(),
        commune_name: commune.map(|commune| commune.name.clone()).unwrap_or_default(),
        position: Some(pb::Position { lat: known.position.lat, lon: known.position.lon }),
        opening_hours: known.hours.text().to_owned(),
        open: known.open_at(at),
        next_open_unix_ms: known.next_open(at, LOOK_AHEAD).map_or(0, |open| open.unix_ms()),
        absences: known
            .absences
            .iter()
            .map(|away| pb::Absence { from_date: away.from.to_string(), to_date: away.to.to_string() })
            .collect(),
        practice_id: text(&known.practice),
        cpts_id: text(&known.cpts),
        visit_sector_ids: known.visit_sectors.iter().map(ToString::to_string).collect(),
        sas: known.conventions.sas,
        pdsa: known.conventions.pdsa,
        own_regulation: known.conventions.own_regulation,
        supernumerary: known.supernumerary,
        connection: known.connection.wire(),
        fixed_point: known.fixed_point.map_or(0, Coded::wire),
        association_id: text(&known.association),
        has_programme: known.programme.is_some(),
        phone: phone(reader, &known.id),
    }
}

/// The programme of a collective practice.
fn programme(
    reader: &Reader<'_>,
    known: &Responder,
    programme: &CollectiveProgramme,
    at: Instant,
) -> pb::GetProgrammeResponse {
    let served_by = reader.place.directory.get(&programme.served_by);
    pb::GetProgrammeResponse {
        responder: Some(responder(reader, known, at)),
        capacity_patients: programme.capacity_patients,
        list_owner: programme.list_owner.clone(),
        own_gp_fee: programme.mt_fee,
        served_by: served_by.map(|served_by| responder(reader, served_by, at)),
        seq: 0,
    }
}

/// Whether a responder can be somebody's own GP.
fn can_be_own_gp(known: &Responder) -> bool {
    matches!(known.kind, ResponderKind::Gp | ResponderKind::CollectivePractice)
}

/// A text without case and French accents, to compare names as people say them.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'â' | 'ä' | 'á' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'î' | 'ï' | 'í' => plain.push('i'),
            'ô' | 'ö' | 'ó' => plain.push('o'),
            'ù' | 'û' | 'ü' | 'ú' => plain.push('u'),
            'ç' => plain.push('c'),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            '-' | '\'' | '’' => plain.push(' '),
            other => plain.push(other),
        }
    }
    plain
}

/// The responder a `GetResponder` asks for.
///
/// # Errors
/// Every wrong field at once, or `NotFound`.
pub fn get(reader: &Reader<'_>, request: &pb::GetResponderRequest, now: Instant) -> Result<pb::Responder, Failure> {
    let mut fields = Fields::default();
    let id: Option<ResponderId> = fields.id("responder_id", &request.responder_id);
    let at = fields.optional_instant("at_unix_ms", request.at_unix_ms).unwrap_or(now);
    let id = fields.done(id)?;
    Ok(responder(reader, known(reader, &id)?, at))
}

/// A page of responders, and the token of the next one.
///
/// # Errors
/// Every wrong field at once.
pub fn list(
    reader: &Reader<'_>,
    request: &pb::ListRespondersRequest,
    now: Instant,
    rows: impl Fn(usize) -> usize,
) -> Result<(Vec<pb::Responder>, String), Failure> {
    let mut fields = Fields::default();
    let kind: Option<ResponderKind> = fields.optional_code("kind", request.kind);
    let commune: Option<InseeCode> = fields.optional("commune_insee", &request.commune_insee);
    let at = fields.optional_instant("at_unix_ms", request.at_unix_ms).unwrap_or(now);
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    let page = fields.done(page.map(|page| PageRequest { size: rows(page.size), ..page }))?;
    let wanted = |known: &Responder| {
        kind.is_none_or(|kind| known.kind == kind)
            && commune.is_none_or(|commune| known.commune == commune)
            && (!request.open_only || known.open_at(at))
    };
    paged(reader, &page, at, wanted)
}

/// A page of those a caller may mean as own GP, and the token of the next one.
///
/// # Errors
/// Every wrong field at once.
pub fn find_own_gp(
    reader: &Reader<'_>,
    request: &pb::FindOwnGpRequest,
    now: Instant,
    rows: impl Fn(usize) -> usize,
) -> Result<(Vec<pb::Responder>, String), Failure> {
    let mut fields = Fields::default();
    let commune: Option<InseeCode> = fields.optional("commune_insee", &request.commune_insee);
    let part = plain(request.name_part.trim());
    if part.is_empty() && request.commune_insee.is_empty() {
        fields.fault::<()>("name_part", "must be set, or else commune_insee");
    } else if part.chars().count() == 1 {
        fields.fault::<()>("name_part", "1 character: give at least 2");
    }
    let page = fields.page(request.page_size, &request.page_token, request.at_least_seq);
    let page = fields.done(page.map(|page| PageRequest { size: rows(page.size), ..page }))?;
    let wanted = |known: &Responder| {
        can_be_own_gp(known)
            && plain(&known.name).contains(&part)
            && commune.is_none_or(|commune| known.commune == commune)
    };
    paged(reader, &page, now, wanted)
}

/// The programme a `GetProgramme` asks for.
///
/// # Errors
/// Every wrong field at once, or `NotFound`.
pub fn get_programme(
    reader: &Reader<'_>,
    request: &pb::GetProgrammeRequest,
    now: Instant,
) -> Result<pb::GetProgrammeResponse, Failure> {
    let mut fields = Fields::default();
    let id: Option<ResponderId> = fields.id("responder_id", &request.responder_id);
    let id = fields.done(id)?;
    let known = known(reader, &id)?;
    let found = known.programme.as_ref().ok_or_else(|| Refusal::NotFound("programme".to_owned()))?;
    Ok(programme(reader, known, found, now))
}

fn known<'a>(reader: &Reader<'a>, id: &ResponderId) -> Result<&'a Responder, Failure> {
    Ok(reader.place.directory.get(id).ok_or_else(|| Refusal::NotFound("responder".to_owned()))?)
}

/// A page by id; its token is the last id of the page before.
fn paged(
    reader: &Reader<'_>,
    page: &PageRequest,
    at: Instant,
    wanted: impl Fn(&Responder) -> bool,
) -> Result<(Vec<pb::Responder>, String), Failure> {
    let after: Option<ResponderId> = page
        .token
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Refusal::field("page_token", "give back the token of the last page as it was"))?;
    let later = |known: &&Responder| after.as_ref().is_none_or(|after| known.id > *after);
    let mut found = reader.place.directory.iter().filter(later).filter(|known| wanted(known));
    let responders: Vec<_> = found.by_ref().take(page.size).map(|known| responder(reader, known, at)).collect();
    let last = responders.last().map(|known| known.responder_id.clone()).unwrap_or_default();
    Ok((responders, if found.next().is_some() { last } else { String::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_people_say_them() {
        assert_eq!(plain("Dr Élise BŒUF-L’Hôte"), "dr elise boeuf l hote");
    }

    #[test]
    fn only_those_who_ring_a_practice_see_its_number() {
        let shown: Vec<Role> = [
            Role::Arm,
            Role::Regulator,
            Role::Coordinator,
            Role::Responder,
            Role::Dispatcher,
            Role::Telephony,
            Role::Supervisor,
            Role::BackOffice,
            Role::Upkeep,
        ]
        .into_iter()
        .filter(|role| rings(*role))
        .collect();
        assert_eq!(shown, [Role::Arm, Role::Regulator, Role::Coordinator, Role::Supervisor]);
    }
}
