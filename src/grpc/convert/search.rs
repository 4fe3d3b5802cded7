//! A search for free slots over responders, page by page, with what each agenda said: silence is never "none".

use crate::{
    domain::{
        case::Refusal,
        directory::{Connection, Directory, Responder, ResponderKind},
        ids::ResponderId,
        slots::{Slot, SlotKind},
        time::Instant,
    },
    engine::{Failure, Listing},
    grpc::pb,
};

use super::{fields::Fields, slot::slot};

/// What a search looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Only this kind.
    pub kind: Option<SlotKind>,
    /// Starting then or later.
    pub from: Instant,
    /// Starting before then.
    pub to: Option<Instant>,
}

impl Wanted {
    /// Whether a slot is looked for.
    pub fn takes(&self, slot: &Slot) -> bool {
        self.kind.is_none_or(|kind| kind == slot.kind)
            && slot.start >= self.from
            && self.to.is_none_or(|to| slot.start < to)
    }
}

/// What a responder's agenda said to a whole search: silence of one that is not connected is never "none".
fn availability(known: &Responder, found: bool) -> pb::SlotAvailability {
    let said = match (found, known.connection) {
        (true, _) => pb::Availability::Found,
        (false, Connection::Connected) => pb::Availability::None,
        (false, Connection::NotConnected) => pb::Availability::NotConnected,
    };
    pb::SlotAvailability { responder_id: known.id.to_string(), availability: said as i32, no_answer_since_unix_ms: 0 }
}

/// A search over responders, one page of it.
///
/// Where it stands is its token: `responder/found/token`, the responder being asked, whether its earlier pages had
/// something, and its own token.
#[derive(Debug, Clone)]
pub struct Search {
    only: Option<ResponderId>,
    wanted: Wanted,
    size: usize,
    at: At,
    slots: Vec<pb::Slot>,
    said: Vec<pb::SlotAvailability>,
    seq: u64,
}

/// Where a search stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// Before the first responder.
    Start,
    /// In the slots of one, with what was found and its token.
    In(ResponderId, bool, Option<String>),
    /// Past the last one.
    End,
}

impl At {
    fn parse(token: &str) -> Option<Self> {
        if token.is_empty() {
            return Some(Self::Start);
        }
        let mut parts = token.splitn(3, '/');
        let (responder, found, inner) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
        let found = match found {
            "1" => true,
            "0" => false,
            _ => return None,
        };
        Some(Self::In(responder, found, (!inner.is_empty()).then(|| inner.to_owned())))
    }

    fn token(&self) -> String {
        match self {
            Self::Start | Self::End => String::new(),
            Self::In(responder, found, inner) => {
                format!("{responder}/{}/{}", u8::from(*found), inner.as_deref().unwrap_or_default())
            }
        }
    }
}

impl Search {
    /// The same search with a page of at most so many slots as `rows` has it.
    #[must_use]
    pub fn in_pages(self, rows: impl Fn(usize) -> usize) -> Self {
        Self { size: rows(self.size), ..self }
    }

    /// Whom to ask next, for how many slots and from where; none when the page is full or everybody was asked.
    pub fn next(&mut self, directory: &Directory) -> Option<(ResponderId, usize, Option<String>)> {
        if self.at == At::Start {
            self.at = self.first(directory);
        }
        let left = self.size - self.slots.len();
        match &self.at {
            At::In(responder, _, token) if left > 0 => Some((responder.clone(), left, token.clone())),
            At::Start | At::In(..) | At::End => None,
        }
    }

    /// Notes what `responder` answered, and moves on to the next one when its slots are through.
    pub fn found(&mut self, directory: &Directory, responder: &ResponderId, listing: Listing<Slot>, now: Instant) {
        let earlier = matches!(&self.at, At::In(_, true, _));
        let before = self.slots.len();
        self.slots.extend(listing.items.iter().filter(|known| self.wanted.takes(known)).map(|known| slot(known, now)));
        let found = earlier || self.slots.len() > before;
        self.seq = listing.seq;
        if listing.next.is_some() {
            self.at = At::In(responder.clone(), found, listing.next);
            return;
        }
        self.said.extend(directory.get(responder).map(|known| availability(known, found)));
        self.at = if self.only.is_some() { At::End } else { self.after(directory, responder) };
    }

    /// The page as it is now, with the token that goes on from here.
    pub fn answer(self) -> pb::SearchSlotsResponse {
        pb::SearchSlotsResponse {
            next_page_token: self.at.token(),
            slots: self.slots,
            availability: self.said,
            seq: self.seq,
        }
    }

    fn first(&self, directory: &Directory) -> At {
        let first = self.only.clone().or_else(|| by_slots(directory).next().map(|known| known.id.clone()));
        first.map_or(At::End, |id| At::In(id, false, None))
    }

    fn after(&self, directory: &Directory, responder: &ResponderId) -> At {
        let next = by_slots(directory).find(|known| known.id > *responder);
        next.map_or(At::End, |known| At::In(known.id.clone(), false, None))
    }
}

/// Responders that give care by slots, by id. A CPTS has none of its own, and SOS Médecins drives.
fn by_slots(directory: &Directory) -> impl Iterator<Item = &Responder> {
    let gives = |kind| !matches!(kind, ResponderKind::Cpts | ResponderKind::SosMedecins);
    directory.iter().filter(move |known| gives(known.kind))
}

/// A search that begins, or goes on, at `now`.
///
/// # Errors
/// Every wrong field at once.
pub fn search(request: &pb::SearchSlotsRequest, directory: &Directory, now: Instant) -> Result<Search, Failure> {
    let mut fields = Fields::default();
    let only: Option<ResponderId> = fields.optional("responder_id", &request.responder_id);
    if only.as_ref().is_some_and(|id| directory.get(id).is_none()) {
        return Err(Refusal::NotFound("responder".to_owned()).into());
    }
    let kind = fields.optional_code("kind", request.kind);
    let from = fields.optional_instant("from_unix_ms", request.from_unix_ms).unwrap_or(now);
    let to = fields.optional_instant("to_unix_ms", request.to_unix_ms);
    if to.is_some_and(|to| to <= from) {
        fields.fault::<()>("to_unix_ms", "must be after the beginning of the search");
    }
    let page = fields.page(request.page_size, "", request.at_least_seq);
    let at = At::parse(&request.page_token)
        .or_else(|| fields.fault("page_token", "give back the token of the last page as it was"));
    let wanted = Wanted { kind, from, to };
    fields.done(page.zip(at).map(|(page, at)| Search {
        only,
        wanted,
        size: page.size,
        at,
        slots: Vec::new(),
        said: Vec::new(),
        seq: 0,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        calendar::{CareHours, PublicHolidays},
        directory::ConventionFlags,
        ids::{CaseId, OfferId},
        person::Private,
        place::Position,
        slots::SlotState,
        territory::Territory,
        time::Span,
    };

    const NOW: Instant = Instant::from_unix_ms(1_735_200_000_000);

    fn responder(id: &str, kind: ResponderKind, connection: Connection) -> Responder {
        let territory = Territory::from_law(&"fr-67".parse().expect("an id")).expect("the law knows it");
        let holidays = PublicHolidays::of(&territory.calendar);
        Responder {
            id: id.parse().expect("an id"),
            name: id.to_owned(),
            kind,
            doctors: Vec::new(),
            commune: "67482".parse().expect("a code"),
            position: Position { lat: 48.6, lon: 7.7 },
            hours: CareHours::parse("24/7", &holidays).expect("hours"),
            absences: Vec::new(),
            practice: None,
            cpts: None,
            visit_sectors: Vec::new(),
            conventions: ConventionFlags::default(),
            phone: Private::default(),
            supernumerary: false,
            connection,
            fixed_point: None,
            association: None,
            programme: None,
        }
    }

    fn free(responder: &str, minutes: i64) -> Slot {
        let start = Instant::from_unix_ms(NOW.unix_ms() + minutes * 60_000);
        Slot {
            id: OfferId(uuid::Uuid::from_u128(minutes.unsigned_abs().into())).to_string().parse().expect("an id"),
            responder: responder.parse().expect("an id"),
            kind: SlotKind::Snp,
            start,
            end: start + Span::from_mins(15),
            state: SlotState::Free,
            turn: None,
            unknown: Default::default(),
        }
    }

    fn listing(items: Vec<Slot>, next: Option<&str>) -> Listing<Slot> {
        Listing { items, next: next.map(str::to_owned), unreadable: Vec::new(), seq: 7 }
    }

    fn directory() -> Directory {
        use Connection::{Connected, NotConnected};
        Directory::new([
            responder("a-busy", ResponderKind::SasProfessional, Connected),
            responder("b-free", ResponderKind::FixedPoint, Connected),
            responder("c-silent", ResponderKind::SasProfessional, NotConnected),
            responder("d-drives", ResponderKind::SosMedecins, Connected),
        ])
    }

    fn begin(request: &pb::SearchSlotsRequest) -> Search {
        search(request, &directory(), NOW).expect("a whole request")
    }

    #[test]
    fn silence_of_an_agenda_that_is_not_connected_is_never_none() {
        let directory = directory();
        let mut search = begin(&pb::SearchSlotsRequest::default());
        let mut asked = Vec::new();
        while let Some((id, _, _)) = search.next(&directory) {
            let slots = if id.as_str() == "b-free" { vec![free("b-free", 30)] } else { Vec::new() };
            search.found(&directory, &id, listing(slots, None), NOW);
            asked.push(id.to_string());
        }
        assert_eq!(asked, ["a-busy", "b-free", "c-silent"]);
        let answer = search.answer();
        let said: Vec<_> = answer.availability.iter().map(|said| said.availability()).collect();
        assert_eq!(said, [pb::Availability::None, pb::Availability::Found, pb::Availability::NotConnected]);
        assert_eq!((answer.slots.len(), answer.next_page_token.as_str()), (1, ""));
    }

    #[test]
    fn a_full_page_goes_on_where_it_stopped_and_forgets_nothing() {
        let directory = directory();
        let first = pb::SearchSlotsRequest { page_size: 1, responder_id: "b-free".into(), ..Default::default() };
        let mut page = begin(&first);
        let (id, size, token) = page.next(&directory).expect("one responder to ask");
        assert_eq!((size, token), (1, None));
        page.found(&directory, &id, listing(vec![free("b-free", 30)], Some("12:x/y")), NOW);
        assert!(page.next(&directory).is_none(), "the page is full");
        let answer = page.answer();
        assert!(answer.availability.is_empty(), "the agenda's answer is not complete yet");

        let mut page = begin(&pb::SearchSlotsRequest { page_token: answer.next_page_token, ..first });
        let (id, _, token) = page.next(&directory).expect("the same responder");
        assert_eq!((id.as_str(), token.as_deref()), ("b-free", Some("12:x/y")));
        page.found(&directory, &id, listing(Vec::new(), None), NOW);
        let answer = page.answer();
        assert_eq!(answer.availability[0].availability(), pb::Availability::Found, "the page before had one");
        assert_eq!(answer.next_page_token, "");
    }

    #[test]
    fn only_what_is_looked_for_is_found() {
        let until = NOW.unix_ms() + 3_600_000;
        let directory = directory();
        let mut search = begin(&pb::SearchSlotsRequest {
            kind: pb::SlotKind::Snp as i32,
            to_unix_ms: until,
            responder_id: "b-free".into(),
            ..Default::default()
        });
        let (id, _, _) = search.next(&directory).expect("one responder to ask");
        let public = Slot { kind: SlotKind::Public, ..free("b-free", 10) };
        let slots = vec![public, free("b-free", 20), free("b-free", 60)];
        search.found(&directory, &id, listing(slots, None), NOW);
        let starts: Vec<i64> = search.answer().slots.iter().map(|slot| slot.start_unix_ms).collect();
        assert_eq!(starts, [NOW.unix_ms() + 20 * 60_000]);
    }

    #[test]
    fn a_hold_that_ran_out_is_shown_free() {
        let (case, offer) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let held = |until| Slot {
            state: SlotState::Held { case: CaseId(case), offer: OfferId(offer), until },
            ..free("b-free", 30)
        };
        let later = Instant::from_unix_ms(NOW.unix_ms() + 1);
        assert_eq!(slot(&held(later), NOW).status(), pb::SlotStatus::Held);
        let over = slot(&held(NOW), NOW);
        assert_eq!((over.status(), over.case_id.as_str()), (pb::SlotStatus::Free, ""));
    }

    #[test]
    fn a_search_for_an_unknown_responder_or_backwards_is_refused() {
        let unknown = pb::SearchSlotsRequest { responder_id: "nobody".into(), ..Default::default() };
        assert!(search(&unknown, &directory(), NOW).is_err());
        let backwards = pb::SearchSlotsRequest {
            from_unix_ms: NOW.unix_ms(),
            to_unix_ms: NOW.unix_ms() - 1,
            page_token: "x".into(),
            page_size: 900,
            ..Default::default()
        };
        let told = search(&backwards, &directory(), NOW).expect_err("wrong").to_string();
        for field in ["to_unix_ms: must be after", "page_size: 900", "page_token: give back"] {
            assert!(told.contains(field), "{told}");
        }
    }
}
