//! What a server's error means for the call that met it: whether it ran, and what can be done next.

use ::redis::{ErrorKind, RedisError, ServerErrorKind};

/// Where a cluster sends a call; without a host it is the host that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Elsewhere {
    pub host: Option<String>,
    pub port: u16,
}

/// Why a call was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not run: the slot has moved for good.
    Moved(Elsewhere),
    /// Not run: ask there, this once.
    Asked(Elsewhere),
    /// Not run: the same server will soon (it loads, moves a slot, elects, or runs a long script).
    Again(String),
    /// Not run: this is not, or no longer, the server that writes.
    NotMaster(String),
    /// Not run, and repeating will not help until somebody mends it.
    Mend(String),
    /// Not run: the server does not know the script.
    NoScript,
    /// The connection broke: it may have run.
    Lost(String),
    /// Not run, or its answer makes no sense: the state or this binary is at fault.
    Corrupt(String),
}

impl Fault {
    pub fn of(error: &RedisError) -> Self {
        let text = error.to_string();
        if error.is_connection_dropped() || error.is_io_error() || error.is_timeout() {
            return Self::Lost(text);
        }
        let ErrorKind::Server(kind) = error.kind() else { return Self::by_code(error, text) };
        match kind {
            ServerErrorKind::Moved => elsewhere(error).map_or(Self::Corrupt(text), Self::Moved),
            ServerErrorKind::Ask => elsewhere(error).map_or(Self::Corrupt(text), Self::Asked),
            ServerErrorKind::TryAgain | ServerErrorKind::BusyLoading | ServerErrorKind::ClusterDown => {
                Self::Again(text)
            }
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => Self::NotMaster(text),
            ServerErrorKind::NoScript => Self::NoScript,
            ServerErrorKind::NoPerm => Self::Mend(format!("{text}: give its user these commands and keys")),
            // While a slot moves, a script that looks at a key it was not given may find it gone already.
            _ if text.contains("non local key") => Self::Again(text),
            _ => Self::by_code(error, text),
        }
    }

    fn by_code(error: &RedisError, text: String) -> Self {
        match error.code() {
            Some("BUSY") => Self::Again(text),
            Some("UNBLOCKED") => Self::NotMaster(text),
            Some("MISCONF") => Self::Mend(format!("{text}: free space on the disk of Redis, or mend it")),
            Some("OOM") => Self::Mend(format!("{text}: raise maxmemory")),
            Some("NOREPLICAS") => Self::Mend(format!("{text}: bring its replicas back")),
            Some("NOAUTH" | "WRONGPASS") => Self::Mend("Redis refuses the user or the password".to_owned()),
            Some("ERR" | "WRONGTYPE") | None => Self::Corrupt(text),
            Some(_) => Self::NotMaster(text),
        }
    }
}

fn elsewhere(error: &RedisError) -> Option<Elsewhere> {
    let (address, _) = error.redirect_node()?;
    let (host, port) = address.rsplit_once(':')?;
    let host = Some(host.to_owned()).filter(|host| !host.is_empty());
    Some(Elsewhere { host, port: port.parse().ok()? })
}
