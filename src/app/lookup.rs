//! The key of look-up hashes where the configuration names none: made once, kept beside the data, readable by its owner.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use super::StartError;
use crate::engine::LookupKey;

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

/// A copy that was put back often has the rights of whoever made it: others lose theirs.
fn close(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0
        && let Err(error) = fs::set_permissions(path, Permissions::from_mode(0o600))
    {
        tracing::error!(path = %path.display(), %error, "other accounts may read the look-up key, and this one may not change that");
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
