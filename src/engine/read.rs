//! Reading: one case, and pages of what an index lists. Every reply says at which seq it was true.

use std::sync::Arc;

use crate::{
    domain::{
        actor::{Actor, Role},
        case::{Case, Offer, OfferState, Refusal},
        ids::{CaseId, CommandId, OfferId, PersonId, ResponderId, SectorId, TerritoryId},
        regulation::qualification::Stream,
        slots::Slot,
        time::Span,
        visits::{Shift, Visit},
    },
    store::{Index, Key, Member, Page, Score, Snapshot, StoreError, txn::MAX_CLOCK_GAP},
};

use super::{CaseView, Engine, Failure, Place, codec::Entity, draws, memory::Known};

/// Most items of one page anywhere.
pub const MAX_PAGE_SIZE: usize = 200;

/// What may be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Cases that wait for a regulator, in the order in which they are regulated.
    Queue(Stream),
    /// P0 cases that wait for the AMU.
    HandOvers,
    /// Cases of hand-overs between territories that are not over on both sides, the oldest first.
    Transfers,
    /// Open cases by arrival.
    Open,
    /// Cases nobody was left for.
    Unanswered,
    /// Cases with an alarm, the oldest first.
    Alarms,
    /// Cases with a visit that waits for a doctor, by due.
    Visits(SectorId),
    /// What a responder has to answer or to do.
    Missions(ResponderId),
}

impl List {
    fn index(&self) -> Index {
        match self {
            Self::Queue(stream) => Index::queue(stream.code()),
            Self::HandOvers => Index::handovers(),
            Self::Transfers => Index::transfers(),
            Self::Open => Index::open(),
            Self::Unanswered => Index::unanswered(),
            Self::Alarms => Index::alarms(),
            Self::Visits(sector) => Index::visits(sector),
            Self::Missions(responder) => Index::missions(responder),
        }
    }
}

/// Which page.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Items wanted, 1 to 200; where pages are shorter, the rest comes with the next.
    pub size: usize,
    /// Where the last page ended.
    pub token: Option<String>,
    /// The state must be at least this new.
    pub at_least_seq: u64,
}

/// One page.
#[derive(Debug, Clone)]
pub struct Listing<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; none when this was the last.
    pub next: Option<String>,
    /// Ids of the page whose records cannot be read: they hold up no other.
    pub unreadable: Vec<String>,
    /// The seq at which it was read.
    pub seq: u64,
}

impl Engine {
    /// Reads, and hears the store's time: whoever refuses something on what was read does so at the right instant, however
    /// wrong the clock of this machine is.
    pub(super) async fn read_store(
        &self,
        territory: &TerritoryId,
        keys: &[Key],
        receipt: Option<CommandId>,
    ) -> Result<Snapshot, StoreError> {
        let begun = self.0.clock.uptime();
        let snapshot = self.0.store.read(territory, keys, receipt).await?;
        let took = self.0.clock.uptime().saturating_sub(begun);
        let latest = snapshot.at + Span::from_ms(i64::try_from(took.as_millis()).unwrap_or_default());
        match self.now() {
            now if now + MAX_CLOCK_GAP < snapshot.at => self.set_store_time(snapshot.at),
            now if now > latest + MAX_CLOCK_GAP => self.set_store_time(latest),
            _ => {}
        }
        Ok(snapshot)
    }

    /// One case.
    ///
    /// # Errors
    /// `NotFound` when the actor's territory has no such case, or it is not the responder's to see.
    pub async fn read_case(&self, actor: &Actor, id: CaseId, at_least_seq: u64) -> Result<(CaseView, u64), Failure> {
        let place = self.territory(&actor.territory)?;
        let key = Key::case(id);
        let snapshot = self.read_store(&actor.territory, std::slice::from_ref(&key), None).await?;
        new_enough(snapshot.seq, at_least_seq)?;
        let loaded = self.remember(actor, &snapshot)?;
        let known = loaded.get(&key).cloned().flatten();
        let view = known.and_then(|known| CaseView::new(&place, &known, self.now()));
        let view = view.and_then(|view| shown_to(actor, &place, view)).ok_or_else(|| self.no_case(id))?;
        Ok((view, snapshot.seq))
    }

    /// A page of cases.
    ///
    /// # Errors
    /// A wrong page token or size, or a state that is not new enough yet.
    pub async fn list(&self, actor: &Actor, list: List, page: PageRequest) -> Result<Listing<CaseView>, Failure> {
        let place = self.territory(&actor.territory)?;
        let now = self.now();
        let listing = match &list {
            List::Queue(stream) => {
                let former = self.former_skills(&place);
                self.queue_page(actor, &draws::of_stream((&place.territory, &former), *stream), &page).await?
            }
            list => self.page(actor, &list.index(), &page, "case/").await?,
        };
        let view = |known| CaseView::new(&place, known, now).and_then(|view| shown_to(actor, &place, view));
        let items = listing.items.iter().filter_map(view).collect();
        Ok(Listing { items, next: listing.next, unreadable: listing.unreadable, seq: listing.seq })
    }

    /// Open offers by deadline, each with its case.
    ///
    /// # Errors
    /// As [`Engine::list`].
    pub async fn list_offers(&self, actor: &Actor, page: PageRequest) -> Result<Listing<(CaseView, OfferId)>, Failure> {
        let place = self.territory(&actor.territory)?;
        let now = self.now();
        let size = self.page_rows(page.size);
        let after = page.token.as_deref().map(parse_token).transpose()?;
        let range = self.0.store.range(&actor.territory, &Index::offers(), after, size).await?;
        let listing = self.entries(actor, range, &page, "case/").await?;
        let items = listing.items.iter().filter_map(|(member, known)| {
            let offer: OfferId = member.0.split_once('/')?.1.parse().ok()?;
            let view = CaseView::new(&place, known, now).and_then(|view| shown_to(actor, &place, view))?;
            Some((view, offer))
        });
        let items = items.collect();
        Ok(Listing { items, next: listing.next, unreadable: listing.unreadable, seq: listing.seq })
    }

    /// Slots of a responder by start, all that are not withdrawn or only those a hold may take now.
    ///
    /// # Errors
    /// As [`Engine::list`].
    pub async fn list_slots(
        &self,
        actor: &Actor,
        responder: &ResponderId,
        free_only: bool,
        page: PageRequest,
    ) -> Result<Listing<Slot>, Failure> {
        let index = if free_only { Index::free(responder) } else { Index::slots(responder) };
        let listing = self.page(actor, &index, &page, "slot/").await?;
        let now = self.now();
        let slots = listing.items.iter().filter_map(|known| match known.entity.as_ref() {
            Entity::Slot(slot) if !free_only || slot.open_to_hold(now).is_ok() => Some(slot.clone()),
            _ => None,
        });
        Ok(Listing { items: slots.collect(), next: listing.next, unreadable: listing.unreadable, seq: listing.seq })
    }

    /// Shifts that have not ended, by end.
    ///
    /// # Errors
    /// As [`Engine::list`].
    pub async fn list_shifts(&self, actor: &Actor, page: PageRequest) -> Result<Listing<Shift>, Failure> {
        let listing = self.page(actor, &Index::shifts(), &page, "shift/").await?;
        let shifts = listing.items.iter().filter_map(|known| match known.entity.as_ref() {
            Entity::Shift(shift) => Some(shift.clone()),
            _ => None,
        });
        Ok(Listing { items: shifts.collect(), next: listing.next, unreadable: listing.unreadable, seq: listing.seq })
    }

    /// How many items a page has here when so many are wanted.
    pub fn page_rows(&self, wanted: usize) -> usize {
        wanted.clamp(1, self.0.options.page_rows.clamp(1, MAX_PAGE_SIZE))
    }

    pub(super) async fn page(
        &self,
        actor: &Actor,
        index: &Index,
        page: &PageRequest,
        prefix: &str,
    ) -> Result<Listing<Known>, Failure> {
        let (size, after) = (self.page_rows(page.size), page.token.as_deref().map(parse_token).transpose()?);
        let range = self.0.store.range(&actor.territory, index, after, size).await?;
        self.items(actor, range, page, prefix).await
    }

    /// A page of several queues in the one order in which they are regulated.
    async fn queue_page(
        &self,
        actor: &Actor,
        indexes: &[Index],
        page: &PageRequest,
    ) -> Result<Listing<Known>, Failure> {
        let (size, after) = (self.page_rows(page.size), page.token.as_deref().map(parse_token).transpose()?);
        let mut all = Page { seq: u64::MAX, last: None, entries: Vec::new() };
        for index in indexes {
            let range = self.0.store.range(&actor.territory, index, after.clone(), size).await?;
            all.seq = all.seq.min(range.seq);
            all.entries.extend(range.entries);
        }
        all.entries.sort_unstable();
        all.entries.truncate(size);
        self.items(actor, all, page, "case/").await
    }

    async fn items(
        &self,
        actor: &Actor,
        range: Page,
        page: &PageRequest,
        prefix: &str,
    ) -> Result<Listing<Known>, Failure> {
        let Listing { items, next, unreadable, seq } = self.entries(actor, range, page, prefix).await?;
        Ok(Listing { items: items.into_iter().map(|(_, known)| known).collect(), next, unreadable, seq })
    }

    /// The entries of a range with their records.
    async fn entries(
        &self,
        actor: &Actor,
        range: Page,
        page: &PageRequest,
        prefix: &str,
    ) -> Result<Listing<(Member, Known)>, Failure> {
        let size = self.page_rows(page.size);
        new_enough(range.seq, page.at_least_seq)?;
        let next = (range.entries.len() == size).then(|| range.entries.last().map(write_token)).flatten();
        let key = |member: &Member| {
            let id = member.0.split('/').next().unwrap_or_default();
            Key::from_stored(format!("{prefix}{id}"))
        };
        let keys: Vec<(&Member, Key)> = range.entries.iter().map(|(_, member)| (member, key(member))).collect();
        let (mut items, mut unreadable) = (Vec::with_capacity(keys.len()), Vec::new());
        for chunk in keys.chunks(crate::store::MAX_READ) {
            let mut wanted: Vec<Key> = chunk.iter().map(|(_, key)| key.clone()).collect();
            wanted.sort_unstable();
            wanted.dedup();
            let snapshot = self.read_store(&actor.territory, &wanted, None).await?;
            let (loaded, left_out) = self.remember_readable(actor, &snapshot);
            unreadable.extend(left_out.iter().map(|key| key.as_str().trim_start_matches(prefix).to_owned()));
            let record =
                |(member, key): &(&Member, Key)| Some(((*member).clone(), loaded.get(key).cloned().flatten()?));
            items.extend(chunk.iter().filter_map(record));
        }
        Ok(Listing { items, next, unreadable, seq: range.seq })
    }
}

/// How much of a case an actor may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Not even that it exists.
    Nothing,
    /// Its number, its call and how far it has come: nothing of why somebody called or what was decided.
    Envelope,
    /// Nothing about a person.
    WithoutPersons,
    /// Nothing about a person either, though what is worked out for him rests on where the patient is and whether the caller is
    /// on the line.
    Overview,
    /// Everything.
    Whole,
}

/// What an actor may see of a case: the desks that handle every case everything, the dispatch desk while a visit is asked for
/// or made; a telephony integration and the back office its envelope; a supervisor nothing about a person; a responder the
/// cases offered to the structures he gives care for, with the persons once the care is his. Who has no part in it any longer
/// sees it no more: he declined or let the time pass, called the visit off, or the patient would not have him know.
pub fn sight(actor: &Actor, place: &Place, case: &Case) -> Sight {
    match actor.role {
        Role::Arm | Role::Regulator | Role::Coordinator | Role::Upkeep => Sight::Whole,
        Role::Dispatcher if case.visits.iter().any(Visit::stands) => Sight::Whole,
        Role::Dispatcher | Role::Supervisor => Sight::Overview,
        Role::Telephony | Role::BackOffice => Sight::Envelope,
        Role::Responder => sight_of_responder(&actor.person, place, case),
    }
}

fn sight_of_responder(person: &PersonId, place: &Place, case: &Case) -> Sight {
    let of_his = |offer: &&Offer| place.directory.get(&offer.responder).is_some_and(|his| his.doctors.contains(person));
    let accepted = |offer: &&Offer| matches!(offer.state, OfferState::Accepted { .. });
    // A structure's visit is for whoever of its doctors took it.
    let at_his = |offer: &Offer| !offer.is_visit();
    let drives = |visit: &Visit| visit.stands() && visit.doctor.as_ref().is_some_and(|(doctor, _)| doctor == person);
    if case.visits.iter().any(drives) || case.offers.iter().filter(of_his).filter(accepted).any(at_his) {
        return Sight::Whole;
    }
    let asked = |offer: &Offer| matches!(offer.state, OfferState::Open | OfferState::Accepted { .. });
    if case.offers.iter().filter(of_his).any(asked) { Sight::WithoutPersons } else { Sight::Nothing }
}

/// A case as an actor may see it; none when he may not see that it exists.
pub(super) fn shown_to(actor: &Actor, place: &Place, view: CaseView) -> Option<CaseView> {
    (sight(actor, place, &view.case) != Sight::Nothing).then(|| answered_to(actor, place, view))
}

/// A case as it is answered to whoever has just acted on it, though that was the end of his part: then without persons.
pub(super) fn answered_to(actor: &Actor, place: &Place, mut view: CaseView) -> CaseView {
    match sight(actor, place, &view.case) {
        Sight::Nothing | Sight::WithoutPersons | Sight::Envelope => view.case = Arc::new(view.case.without_persons()),
        Sight::Overview | Sight::Whole => {}
    }
    view
}

fn new_enough(seq: u64, at_least: u64) -> Result<(), Failure> {
    if seq >= at_least {
        return Ok(());
    }
    Err(Failure::Unavailable(format!("the store is at seq {seq}, {at_least} was asked for: try again")))
}

fn write_token((score, member): &(Score, Member)) -> String {
    format!("{score}:{}", member.0)
}

fn parse_token(token: &str) -> Result<(Score, Member), Failure> {
    let parsed =
        token.split_once(':').and_then(|(score, member)| Some((score.parse().ok()?, Member(member.to_owned()))));
    parsed.ok_or_else(|| Refusal::field("page_token", "give back the token of the last page as it was").into())
}
