//! The key of look-up hashes: where the configuration names none it is made once, kept beside the data, readable by its
//! owner. The store keeps a digest of it for each territory, by which an instance with another key is told at its start:
//! a call that rings there would not be found by the others.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use futures_util::future::join_all;
use tracing::{error, warn};

use super::StartError;
use crate::{
    domain::{calendar::law_territories, case::state::SCHEMA, ids::TerritoryId},
    engine::LookupKey,
    store::{LookupKept, Store},
};

const LENGTH: usize = 32;

/// The key kept in `data`; made from the system's randomness when there is none yet.
pub(super) fn kept_in(data: &Path) -> Result<LookupKey, StartError> {
    let path = data.join("lookup.key");
    let failed = |error| StartError::Io { what: format!("the look-up key {}", path.display()), error };
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
    match fs::read(&path) {
        Ok(key) if key.len() == LENGTH => {
            close(&path).map_err(failed)?;
            Ok(LookupKey::new(key))
        }
        Ok(_) => {
            Err(failed(io::Error::other("expected 32 bytes: restore it, or remove it to lose the links of old calls")))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// Compares this instance with what the store keeps of each territory, of which those `configured` are some. Answers the
/// territories whose key was lost. A territory that cannot be reached is not compared: the others are served meanwhile.
///
/// # Errors
/// When a territory is written by a newer version, or others serve it with another key.
pub(super) async fn begun(
    store: &dyn Store,
    configured: Vec<TerritoryId>,
    key: &LookupKey,
) -> Result<Vec<TerritoryId>, StartError> {
    let territories = territories(store, configured).await;
    // Whoever is refused for one territory leaves nothing behind in another.
    compared(store, &territories, key, false).await?;
    let replaced = compared(store, &territories, key, true).await?;
    for territory in &replaced {
        error!(%territory, "the look-up key is another than before: earlier calls of a number are not found");
    }
    Ok(replaced)
}

async fn compared(
    store: &dyn Store,
    territories: &BTreeSet<TerritoryId>,
    key: &LookupKey,
    keep: bool,
) -> Result<Vec<TerritoryId>, StartError> {
    let fingerprint = key.fingerprint();
    let asked = territories.iter().map(async |territory| {
        let standing = store.begin(territory, &fingerprint, keep).await;
        (territory.clone(), standing)
    });
    let (mut others, mut forget, mut replaced) = (Vec::new(), Vec::new(), Vec::new());
    for (territory, standing) in join_all(asked).await {
        let standing = match standing {
            Ok(standing) => standing,
            Err(error) if !keep => {
                warn!(%territory, %error, "the look-up key and the schema were not compared with those of the others");
                continue;
            }
            Err(_) => continue,
        };
        if standing.schema > SCHEMA {
            return Err(StartError::Newer { territory, found: standing.schema });
        }
        match standing.lookup {
            LookupKept::Same => {}
            LookupKept::Other { forget: command } => {
                others.push(territory.to_string());
                forget.push(command);
            }
            LookupKept::Replaced => replaced.push(territory),
        }
    }
    if others.is_empty() { Ok(replaced) } else { Err(StartError::OtherKey { territories: others, forget }) }
}

/// Those that are configured and those that have state; where no folder names any, all that the law knows.
async fn territories(store: &dyn Store, configured: Vec<TerritoryId>) -> BTreeSet<TerritoryId> {
    if configured.is_empty() {
        return law_territories().map(|law| law.id).collect();
    }
    let known = store.territories().await.unwrap_or_else(|error| {
        warn!(%error, "which territories have state is not known; those configured are compared");
        Vec::new()
    });
    configured.into_iter().chain(known).collect()
}

/// A copy that was put back often has the rights of whoever made it: others lose theirs.
fn close(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0
        && let Err(error) = fs::set_permissions(path, Permissions::from_mode(0o600))
    {
        error!(path = %path.display(), %error, "other accounts may read the look-up key, and this one may not change that");
    }
    Ok(())
}

fn make(path: &Path) -> io::Result<LookupKey> {
    let mut key = [0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(LookupKey::new(key))
}
