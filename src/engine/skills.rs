//! Skills that cases wait under and that the configuration names no longer: nobody is versed in one, so everybody draws from
//! their queues, and no case is out of sight until it is late.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::domain::ids::{Skill, TerritoryId};

use super::{Engine, Failure, Place};

/// The former skills of each territory, looked for once, when somebody first asks for a queue: no case comes to one later from an
/// instance of this configuration.
#[derive(Debug, Default)]
pub(super) struct FormerSkills(Mutex<BTreeMap<TerritoryId, Found>>);

type Found = Option<Arc<BTreeSet<Skill>>>;

impl FormerSkills {
    fn found(&self) -> MutexGuard<'_, BTreeMap<TerritoryId, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of a territory, as far as they are known.
    pub(super) fn of(&self, territory: &TerritoryId) -> Arc<BTreeSet<Skill>> {
        self.found().get(territory).cloned().flatten().unwrap_or_default()
    }

    /// Whether nobody has begun to look.
    fn begin(&self, territory: &TerritoryId) -> bool {
        let mut found = self.found();
        let unknown = !found.contains_key(territory);
        if unknown {
            found.insert(territory.clone(), None);
        }
        unknown
    }

    fn end(&self, territory: &TerritoryId, found: Result<BTreeSet<Skill>, Failure>) {
        match found {
            Ok(skills) => drop(self.found().insert(territory.clone(), Some(Arc::new(skills)))),
            // Whoever asks next has them looked for again.
            Err(_) => drop(self.found().remove(territory)),
        }
    }
}

impl Engine {
    /// The former skills of a territory, as far as they are known: whoever asks first has them looked for, beside his call.
    pub(super) fn former_skills(&self, place: &Arc<Place>) -> Arc<BTreeSet<Skill>> {
        let territory = &place.territory.id;
        if self.0.former_skills.begin(territory) {
            let (engine, place) = (self.clone(), place.clone());
            self.0.tasks.spawn(async move {
                let found = engine.find_former_skills(&place).await;
                engine.0.former_skills.end(&place.territory.id, found);
            });
        }
        self.0.former_skills.of(territory)
    }

    async fn find_former_skills(&self, place: &Place) -> Result<BTreeSet<Skill>, Failure> {
        let territory = &place.territory;
        let open = self.open_cases(&territory.id).await?;
        let asked = open.cases.into_iter().filter_map(|known| known.case.qualification.as_ref()?.skill.clone());
        let former: BTreeSet<Skill> = asked.filter(|skill| !territory.regulation.skills.contains(skill)).collect();
        if !former.is_empty() {
            let names: Vec<&str> = former.iter().map(Skill::as_str).collect();
            tracing::warn!(territory = %territory.id, skills = names.join(", "), "cases wait under skills that the configuration does not name: every regulator is given them");
        }
        Ok(former)
    }
}
