//! Sheets of remarkable patients: those a case matches, and the list of a territory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use futures_util::future::try_join_all;

use crate::{
    domain::{
        actor::Actor,
        case::Case,
        ids::{SheetId, TerritoryId},
        remarkable::{RemarkableMatch, Sheet},
        time::{Instant, Span},
    },
    store::{Index, Key, MAX_PAGE, MAX_READ},
};

use super::{Engine, Failure, Listing, PageRequest, codec::Entity, repeat::sheet_questions};

/// How long an instance believes that a territory has no sheet at all before it asks again: most have none, and then opening
/// a case asks nothing.
const NONE_BELIEVED: Span = Span::from_secs(30);

/// When each territory was last found without any sheet.
#[derive(Debug, Default)]
pub(super) struct AnySheets(Mutex<BTreeMap<TerritoryId, Instant>>);

impl AnySheets {
    fn none(&self, territory: &TerritoryId, now: Instant) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(territory).is_some_and(|at| now < *at + NONE_BELIEVED)
    }

    fn found_none(&self, territory: &TerritoryId, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(territory.clone(), now);
    }

    /// This instance has just entered one.
    pub(super) fn entered(&self, territory: &TerritoryId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(territory);
    }
}

/// A sheet that a case matches.
#[derive(Debug, Clone)]
pub struct FoundSheet {
    /// The sheet.
    pub sheet: Sheet,
    /// By what it was found; the surest way where there are several.
    pub by: RemarkableMatch,
    /// The patient of the case; 0 when found by number only.
    pub patient: u32,
}

impl Engine {
    /// The sheets about the patients of a case, those that hold first. An expired one is among them until it leaves the store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn remarkable(&self, actor: &Actor, case: &Case) -> Result<Vec<FoundSheet>, Failure> {
        let (territory, now) = (&actor.territory, self.now());
        let questions = sheet_questions(case);
        if questions.is_empty() || self.0.sheets.none(territory, now) {
            return Ok(Vec::new());
        }
        let any = self.0.store.range(territory, &Index::sheets(), None, 1).await?;
        if any.entries.is_empty() {
            self.0.sheets.found_none(territory, now);
            return Ok(Vec::new());
        }
        let asked = questions.iter().map(|(_, _, text)| {
            let index = Index::sheet_of(&self.0.lookup.hash(text));
            async move { self.0.store.range(territory, &index, None, MAX_PAGE).await }
        });
        let mut by: HashMap<SheetId, (RemarkableMatch, u32)> = HashMap::new();
        for ((patient, how, _), page) in questions.iter().zip(try_join_all(asked).await?) {
            for id in page.entries.iter().filter_map(|(_, member)| member.0.parse::<SheetId>().ok()) {
                let known = by.entry(id).or_insert((*how, *patient));
                *known = (*known).min((*how, *patient));
            }
        }
        let mut ids: Vec<SheetId> = by.keys().copied().collect();
        ids.sort_unstable();
        let sheets = self.read_sheets(actor, &ids).await?;
        let mut found: Vec<FoundSheet> = sheets
            .into_iter()
            .filter_map(|sheet| by.get(&sheet.id).map(|(by, patient)| FoundSheet { sheet, by: *by, patient: *patient }))
            .collect();
        found.sort_by_key(|found| (!found.sheet.valid(now), found.by, found.patient, found.sheet.id));
        Ok(found)
    }

    async fn read_sheets(&self, actor: &Actor, ids: &[SheetId]) -> Result<Vec<Sheet>, Failure> {
        let mut sheets = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_READ) {
            let keys: Vec<Key> = chunk.iter().map(|id| Key::sheet(*id)).collect();
            let snapshot = self.read_store(&actor.territory, &keys, None).await?;
            for known in self.remember_readable(actor, &snapshot).0.values().flatten() {
                if let Entity::Sheet(sheet) = known.entity.as_ref() {
                    sheets.push((**sheet).clone());
                }
            }
        }
        Ok(sheets)
    }

    /// Sheets by the end of their life, those of the past first, until they leave the store.
    ///
    /// # Errors
    /// As [`Engine::list`].
    pub async fn list_sheets(&self, actor: &Actor, page: PageRequest) -> Result<Listing<Sheet>, Failure> {
        let listing = self.page(actor, &Index::sheets(), &page, "sheet/").await?;
        let sheets = listing.items.iter().filter_map(|known| match known.entity.as_ref() {
            Entity::Sheet(sheet) => Some((**sheet).clone()),
            _ => None,
        });
        Ok(Listing { items: sheets.collect(), next: listing.next, unreadable: listing.unreadable, seq: listing.seq })
    }
}
