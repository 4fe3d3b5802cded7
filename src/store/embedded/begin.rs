//! What an instance learns at its start. One process has the file, so that a key that is not the one of before is a key
//! that was lost: the room goes on with the new one.

use redb::{Database, Durability, ReadableTable as _, TableDefinition, WriteTransaction};

use crate::{
    domain::ids::TerritoryId,
    store::{LookupKept, Standing},
};

use super::tables;

/// The digest of the look-up key, by territory; apart from the heads, which a dump holds.
const LOOKUPS: TableDefinition<&str, &str> = TableDefinition::new("lookups");

/// See [`crate::store::Store::begin`].
pub(super) fn begin(
    database: &Database,
    territory: &TerritoryId,
    lookup: &str,
    keep: bool,
) -> Result<Standing, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    let head = tables::writing(&transaction)?.head(territory)?;
    let kept = transaction.open_table(LOOKUPS)?.get(territory.as_str())?.map(|kept| kept.value().to_owned());
    if keep && kept.as_deref() != Some(lookup) {
        transaction.open_table(LOOKUPS)?.insert(territory.as_str(), lookup)?;
        transaction.commit()?;
    } else {
        transaction.abort()?;
    }
    let lost = head.seq > 0 && kept.is_some_and(|kept| kept != lookup);
    Ok(Standing { schema: head.schema, lookup: if lost { LookupKept::Replaced } else { LookupKept::Same } })
}

/// A territory that is loaded comes from elsewhere, and its key with it.
pub(super) fn forget(transaction: &WriteTransaction, territory: &TerritoryId) -> Result<(), redb::Error> {
    transaction.open_table(LOOKUPS)?.remove(territory.as_str())?;
    Ok(())
}
