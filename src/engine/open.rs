//! Every open case of a territory at once, for what is written for the whole room.

use crate::domain::ids::TerritoryId;

use super::{CaseView, Engine, Failure, List, PageRequest, read::MAX_PAGE_SIZE, upkeep::upkeep};

/// Every open case of a territory.
#[derive(Debug, Clone)]
pub struct OpenCases {
    /// By arrival, with everything about the persons.
    pub cases: Vec<CaseView>,
    /// The ids of those whose record cannot be read.
    pub unreadable: Vec<String>,
    /// The least seq that all of it shows.
    pub seq: u64,
}

impl Engine {
    /// Every open case.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn open_cases(&self, territory: &TerritoryId) -> Result<OpenCases, Failure> {
        let actor = upkeep(territory);
        let mut page = PageRequest { size: MAX_PAGE_SIZE, ..PageRequest::default() };
        let (mut cases, mut unreadable, mut seq) = (Vec::new(), Vec::new(), None);
        loop {
            let listing = self.list(&actor, List::Open, page.clone()).await?;
            let seq = *seq.get_or_insert(listing.seq);
            cases.extend(listing.items);
            unreadable.extend(listing.unreadable);
            match listing.next {
                Some(token) => page.token = Some(token),
                None => return Ok(OpenCases { cases, unreadable, seq }),
            }
        }
    }
}
