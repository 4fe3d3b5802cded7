//! Every open case of a territory at once, for what is written for the whole room.

use crate::domain::ids::TerritoryId;

use super::{CaseView, Engine, Failure, List, PageRequest, read::MAX_PAGE_SIZE, upkeep::upkeep};

impl Engine {
    /// Every open case by arrival, with everything about the persons, and the least seq that all of it shows.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_cases(&self, territory: &TerritoryId) -> Result<(Vec<CaseView>, u64), Failure> {
        let actor = upkeep(territory);
        let mut page = PageRequest { size: MAX_PAGE_SIZE, ..PageRequest::default() };
        let (mut cases, mut seq) = (Vec::new(), None);
        loop {
            let listing = self.list(&actor, List::Open, page.clone()).await?;
            let seq = *seq.get_or_insert(listing.seq);
            cases.extend(listing.items);
            match listing.next {
                Some(token) => page.token = Some(token),
                None => return Ok((cases, seq)),
            }
        }
    }
}
