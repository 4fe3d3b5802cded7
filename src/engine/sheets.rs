//! Sheets of remarkable patients: those a case matches, and the list of a territory.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::try_join_all;

use crate::{
    domain::{
        actor::Actor,
        case::{Case, Fact},
        ids::{CaseId, SheetId, TerritoryId},
        remarkable::{RemarkableMatch, Sheet},
    },
    store::{Index, Key, MAX_PAGE, MAX_READ},
};

use super::{
    CaseView, Engine, Failure, Listing, PageRequest,
    codec::Entity,
    read::MAX_PAGE_SIZE,
    repeat::{sheet_questions, sheet_traces},
    tail::{Follower, Told},
    upkeep::upkeep,
};

/// Cases whose sheets are looked for at the same time.
const AT_ONCE: usize = 8;

/// The sheets of a territory by what each is found by.
type ByTrace = HashMap<String, Vec<Sheet>>;

/// The sheets of each territory in memory: who takes a case in, or up, is shown them without a call of the store. What the log
/// tells of a sheet puts the territory out of view; it is read again beside the acts, which meanwhile ask the store.
#[derive(Debug, Default)]
pub(super) struct SheetsInView(Mutex<BTreeMap<TerritoryId, View>>);

#[derive(Debug, Default)]
struct View {
    /// Rises with each change: what was being read meanwhile is not the newest.
    changes: u64,
    reading: bool,
    sheets: Option<Arc<ByTrace>>,
}

impl SheetsInView {
    fn views(&self) -> MutexGuard<'_, BTreeMap<TerritoryId, View>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, territory: &TerritoryId) -> Option<Arc<ByTrace>> {
        self.views().get(territory)?.sheets.clone()
    }

    /// Something of them has changed.
    pub(super) fn changed(&self, territory: &TerritoryId) {
        let mut views = self.views();
        let view = views.entry(territory.clone()).or_default();
        view.changes += 1;
        view.sheets = None;
    }

    /// Begins to read, unless somebody does: the number of changes known by then.
    fn begin(&self, territory: &TerritoryId) -> Option<u64> {
        let mut views = self.views();
        let view = views.entry(territory.clone()).or_default();
        let free = !std::mem::replace(&mut view.reading, true);
        free.then_some(view.changes)
    }

    /// Keeps what was read, unless it has changed since.
    fn end(&self, territory: &TerritoryId, changes: u64, read: Option<ByTrace>) {
        let mut views = self.views();
        let view = views.entry(territory.clone()).or_default();
        view.reading = false;
        if view.changes == changes {
            view.sheets = read.map(Arc::new);
        }
    }
}

impl Follower for SheetsInView {
    fn follow(&self, territory: &TerritoryId, told: &[Told]) {
        if told.iter().any(|told| told.event.facts.iter().any(of_a_sheet)) {
            self.changed(territory);
        }
    }

    fn reset(&self, territory: &TerritoryId) {
        self.changed(territory);
    }
}

fn of_a_sheet(fact: &Fact) -> bool {
    matches!(fact, Fact::SheetPut(_) | Fact::SheetEnded { .. } | Fact::SheetArchived { .. })
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
    /// When they are not in view and the store does not answer.
    pub async fn remarkable(&self, actor: &Actor, case: &Case) -> Result<Vec<FoundSheet>, Failure> {
        let questions = sheet_questions(case);
        let mut found = BTreeMap::new();
        let mut add = |sheet: &Sheet, by: RemarkableMatch, patient: u32| {
            let known = found.entry(sheet.id).or_insert_with(|| FoundSheet { sheet: sheet.clone(), by, patient });
            (known.by, known.patient) = (known.by, known.patient).min((by, patient));
        };
        if let Some(known) = self.0.sheets.of(&actor.territory) {
            for (patient, by, text) in &questions {
                known.get(text).into_iter().flatten().for_each(|sheet| add(sheet, *by, *patient));
            }
        } else {
            self.read_sheets_beside(&actor.territory);
            for ((patient, by, _), sheets) in questions.iter().zip(self.sheets_of(actor, &questions).await?) {
                sheets.iter().for_each(|sheet| add(sheet, *by, *patient));
            }
        }
        let (mut found, now): (Vec<_>, _) = (found.into_values().collect(), self.now());
        found.sort_by_key(|found| (!found.sheet.valid(now), found.by, found.patient, found.sheet.id));
        Ok(found)
    }

    /// What the store has for each of these questions.
    async fn sheets_of(
        &self,
        actor: &Actor,
        questions: &[(u32, RemarkableMatch, String)],
    ) -> Result<Vec<Vec<Sheet>>, Failure> {
        let asked = questions.iter().map(|(_, _, text)| {
            let index = Index::sheet_of(&self.0.lookup.hash(text));
            async move { self.0.store.range(&actor.territory, &index, None, MAX_PAGE).await }
        });
        let mut answers = Vec::with_capacity(questions.len());
        for page in try_join_all(asked).await? {
            let ids: Vec<SheetId> = page.entries.iter().filter_map(|(_, member)| member.0.parse().ok()).collect();
            answers.push(self.read_sheets(actor, &ids).await?);
        }
        Ok(answers)
    }

    /// Takes the sheets of a territory into view, beside the act that wanted them.
    fn read_sheets_beside(&self, territory: &TerritoryId) {
        let Some(changes) = self.0.sheets.begin(territory) else { return };
        let (engine, territory) = (self.clone(), territory.clone());
        self.0.tasks.spawn(async move {
            let read = engine.sheets_by_trace(&territory).await;
            if let Err(failure) = &read {
                tracing::warn!(%territory, %failure, "the sheets of remarkable patients cannot be read: each act asks the store");
            }
            engine.0.sheets.end(&territory, changes, read.ok());
        });
    }

    async fn sheets_by_trace(&self, territory: &TerritoryId) -> Result<ByTrace, Failure> {
        // It tells what changes from now on.
        self.tail(territory).await?;
        let actor = upkeep(territory);
        let mut page = PageRequest { size: MAX_PAGE_SIZE, ..PageRequest::default() };
        let mut by = ByTrace::new();
        loop {
            let listing = self.list_sheets(&actor, page.clone()).await?;
            for sheet in listing.items {
                for (_, text) in sheet_traces(&sheet) {
                    by.entry(text).or_default().push(sheet.clone());
                }
            }
            match listing.next {
                Some(token) => page.token = Some(token),
                None => return Ok(by),
            }
        }
    }

    /// The sheets about the patients of each of these cases, where there are any.
    ///
    /// # Errors
    /// As [`Engine::remarkable`].
    pub async fn remarkable_of(
        &self,
        territory: &TerritoryId,
        cases: &[CaseView],
    ) -> Result<HashMap<CaseId, Vec<FoundSheet>>, Failure> {
        let actor = upkeep(territory);
        let mut found = HashMap::new();
        for chunk in cases.chunks(AT_ONCE) {
            let asked = chunk.iter().map(|known| self.remarkable(&actor, &known.case));
            let sheets = chunk.iter().map(|known| known.case.id).zip(try_join_all(asked).await?);
            found.extend(sheets.filter(|(_, sheets)| !sheets.is_empty()));
        }
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
