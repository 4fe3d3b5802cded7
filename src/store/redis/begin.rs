//! What an instance learns at its start: two fields of the territory's head, read and set outside of every request.

use ::redis::{Value, cmd, from_redis_value};

use crate::{
    domain::ids::TerritoryId,
    store::{LookupKept, Standing, StoreError},
};

use super::Redis;

/// The field of the digest of the look-up key. The scripts know nothing of it: a head that holds nothing else is none.
pub(super) const LOOKUP: &str = "lookup";

impl Redis {
    /// See [`crate::store::Store::begin`]. Of two instances that are the first, one sets it.
    pub(super) async fn begin_in(
        &self,
        territory: &TerritoryId,
        lookup: &str,
        keep: bool,
    ) -> Result<Standing, StoreError> {
        let (mut schema, mut kept) = self.standing(territory).await?;
        if keep && kept.is_none() {
            let mut set = cmd("HSETNX");
            set.arg(self.names.head(territory)).arg(LOOKUP).arg(lookup);
            self.command_of(territory, &set).await?;
            (schema, kept) = self.standing(territory).await?;
        }
        let same = kept.as_deref().is_none_or(|kept| kept == lookup);
        let forget = format!("redis-cli -c HDEL '{}' {LOOKUP}", self.names.head(territory));
        Ok(Standing { schema, lookup: if same { LookupKept::Same } else { LookupKept::Other { forget } } })
    }

    /// Its schema, and the digest that is kept.
    async fn standing(&self, territory: &TerritoryId) -> Result<(u32, Option<String>), StoreError> {
        let mut get = cmd("HMGET");
        get.arg(self.names.head(territory)).arg("schema").arg(LOOKUP);
        let answer: Value = self.command_of(territory, &get).await?;
        let (schema, kept): (Option<u32>, Option<String>) = from_redis_value(answer)
            .map_err(|_| StoreError::Corrupt(format!("{}: schema and {LOOKUP}", self.names.head(territory))))?;
        Ok((schema.unwrap_or_default(), kept))
    }
}
