//! Where the state is, as it is written in the configuration: taken apart and checked as far as a text says it. Nothing here
//! connects. It may hold a password, so that no message repeats any part of it.

/// The forms, for messages.
pub const FORMS: &str = "redis://host:port/db, unix:///path, redis-sentinel://host:port,host:port/MASTER or \
                         redis-cluster://host:port,host:port; user:password@ before the first host";

/// What is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// One server, by host or by socket.
    One,
    /// A master that sentinels name.
    Sentinel {
        /// What they call it.
        master: &'a str,
        /// The number of the database on it.
        database: &'a str,
    },
    /// A cluster.
    Cluster,
}

/// An address, taken apart: `scheme://user:password@host,host/path?query`.
#[derive(Clone, Copy)]
pub struct StoreAddress<'a> {
    /// What is reached.
    pub form: Form<'a>,
    /// User and password as they are written, percent-encoded; empty: none.
    pub user: &'a str,
    hosts: &'a str,
    query: &'a str,
}

impl<'a> StoreAddress<'a> {
    /// Reads an address.
    ///
    /// # Errors
    /// What was expected, without a word of what was given.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(expected)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        match scheme {
            "redis" => one(rest, query),
            "unix" | "redis+unix" if rest.starts_with('/') => Ok(Self { form: Form::One, user: "", hosts: "", query }),
            "redis-sentinel" => sentinel(rest, query),
            "redis-cluster" => cluster(rest, query),
            "rediss" | "rediss-sentinel" | "rediss-cluster" => {
                Err("TLS to Redis (rediss) is not built in: put a TLS tunnel on this machine before it".to_owned())
            }
            _ => Err(expected()),
        }
    }

    /// Each host, with its port where one is written.
    pub fn hosts(&self) -> impl Iterator<Item = &'a str> {
        self.hosts.split(',')
    }

    /// The value of a part of the query.
    pub fn query(&self, name: &str) -> Option<&'a str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }

    /// The address and its path.
    fn of(rest: &'a str, query: &'a str) -> Result<(Self, &'a str), String> {
        // A password may hold `@` only percent-encoded, but a mistyped one must not become part of a host's name.
        let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if hosts.split(',').any(str::is_empty) {
            return Err("expected host:port,host:port after the scheme".to_owned());
        }
        if user.contains(['/', '#']) || !hosts.split(',').all(is_host) {
            return Err(expected());
        }
        Ok((Self { form: Form::One, user, hosts, query }, path.trim_end_matches('/')))
    }
}

/// A host, or an address of version 6 in brackets, and perhaps a port.
fn is_host(text: &str) -> bool {
    let after_bracket = text.find(']').map_or(0, |end| end + 1);
    let (name, port) = match text[after_bracket..].find(':') {
        Some(colon) => (&text[..after_bracket + colon], Some(&text[after_bracket + colon + 1..])),
        None => (text, None),
    };
    let whole = match name.strip_prefix('[') {
        Some(inner) => inner.find(']').is_some_and(|end| end + 1 == inner.len() && end > 0),
        None => !name.is_empty() && !name.contains(['[', ']', '\\', '#']),
    };
    let everywhere = matches!(name, "0.0.0.0" | "[::]");
    whole && !everywhere && !name.contains(char::is_whitespace) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn one<'a>(rest: &'a str, query: &'a str) -> Result<StoreAddress<'a>, String> {
    let (address, path) = StoreAddress::of(rest, query)?;
    let alone = !address.hosts.contains(',');
    if alone && is_database(path.trim_matches('/')) { Ok(address) } else { Err(expected()) }
}

fn sentinel<'a>(rest: &'a str, query: &'a str) -> Result<StoreAddress<'a>, String> {
    let (address, path) = StoreAddress::of(rest, query)?;
    let (master, database) = path.split_once('/').unwrap_or((path, "0"));
    if master.is_empty() {
        return Err(
            "expected the master's name after the sentinels: redis-sentinel://host:port,host:port/MASTER".to_owned()
        );
    }
    let form = Form::Sentinel { master, database };
    if is_database(database) { Ok(StoreAddress { form, ..address }) } else { Err(expected()) }
}

fn cluster<'a>(rest: &'a str, query: &'a str) -> Result<StoreAddress<'a>, String> {
    let (address, path) = StoreAddress::of(rest, query)?;
    if !matches!(path, "" | "0") {
        return Err("a cluster has only database 0: expected redis-cluster://host:port,host:port".to_owned());
    }
    Ok(StoreAddress { form: Form::Cluster, ..address })
}

fn is_database(text: &str) -> bool {
    text.is_empty() || text.parse::<i64>().is_ok()
}

fn expected() -> String {
    format!("expected {FORMS}")
}
