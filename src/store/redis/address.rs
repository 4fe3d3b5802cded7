//! Where Redis is: one server, the sentinels of one, or the first nodes of a cluster. Never printed: it may hold a
//! password, so that no message repeats any part of it.

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::domain::store_address::{FORMS, Form, StoreAddress};

/// A parsed address of Redis.
#[derive(Debug, Clone)]
pub enum Address {
    /// One server.
    Static(ConnectionInfo),
    /// A master that sentinels name.
    Sentinel {
        /// Where the sentinels are; asked without a user unless `?sentinel_user=…&sentinel_password=…` names one.
        sentinels: Vec<ConnectionInfo>,
        /// What the sentinels call the master.
        master: String,
        /// How its servers are entered: user, password, database; the host is what the sentinels say.
        servers: ConnectionInfo,
    },
    /// A cluster.
    Cluster {
        /// Nodes that are asked where the slots are.
        seeds: Vec<ConnectionInfo>,
    },
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// What was expected, without a word of what was given.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = StoreAddress::parse(text)?;
        match parts.form {
            Form::One => one(text).map(Self::Static),
            Form::Sentinel { master, database } => sentinel(&parts, master, database),
            Form::Cluster => Ok(Self::Cluster { seeds: each(&parts, parts.user, "", 6_379)? }),
        }
    }

    /// The same servers under another host and port, entered with the same user, password and database.
    pub(super) fn at(like: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
        let addr = match like.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host.to_owned(), port),
        };
        like.clone().set_addr(addr)
    }
}

/// The connection to each host as `user`, default port `port`.
fn each(parts: &StoreAddress<'_>, user: &str, database: &str, port: u16) -> Result<Vec<ConnectionInfo>, String> {
    let at = if user.is_empty() { "" } else { "@" };
    parts
        .hosts()
        .map(|host| {
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            let host = if has_port { host.to_owned() } else { format!("{host}:{port}") };
            one(&format!("redis://{user}{at}{host}/{database}"))
        })
        .collect()
}

fn one(url: &str) -> Result<ConnectionInfo, String> {
    // The crate's own words could repeat the address, and with it a password: only the kind of the fault is told.
    url.into_connection_info().map_err(|error| format!("expected {FORMS} ({})", error.category()))
}

fn sentinel(parts: &StoreAddress<'_>, master: &str, database: &str) -> Result<Address, String> {
    let watchers = match (parts.query("sentinel_user"), parts.query("sentinel_password")) {
        (None, None) => String::new(),
        (user, password) => format!("{}:{}", user.unwrap_or_default(), password.unwrap_or_default()),
    };
    let sentinels = each(parts, &watchers, "", 26_379)?;
    let servers = each(parts, parts.user, database, 6_379)?;
    let servers = servers.into_iter().next().ok_or("expected a host")?;
    Ok(Address::Sentinel { sentinels, master: master.to_owned(), servers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(info: &ConnectionInfo) -> String {
        let settings = info.redis_settings();
        let user = settings.username().unwrap_or("-");
        format!("{user}:{}@{}/{}", settings.password().unwrap_or("-"), info.addr(), settings.db())
    }

    #[test]
    fn each_form_is_read() {
        let Ok(Address::Static(one)) = Address::parse("redis://u:p%40@h:7/3") else { panic!() };
        assert_eq!(shown(&one), "u:p@@h:7/3");
        assert!(matches!(Address::parse("unix:///run/redis.sock"), Ok(Address::Static(_))));
        let Ok(Address::Sentinel { sentinels, master, servers }) =
            Address::parse("redis-sentinel://u:p@a:1,b,[::1]:3/main/2?sentinel_password=x")
        else {
            panic!()
        };
        let sentinels: Vec<_> = sentinels.iter().map(shown).collect();
        assert_eq!((sentinels.join(" "), &*master), ("-:x@a:1/0 -:x@b:26379/0 -:x@::1:3/0".to_owned(), "main"));
        assert_eq!(shown(&Address::at(&servers, "elsewhere", 9)), "u:p@elsewhere:9/2");
        let Ok(Address::Cluster { seeds }) = Address::parse("redis-cluster://:p@a:1,b:2") else { panic!() };
        assert_eq!(seeds.iter().map(shown).collect::<Vec<_>>(), ["-:p@a:1/0", "-:p@b:2/0"]);
    }

    #[test]
    fn a_fault_says_what_is_expected_and_nothing_of_what_was_given() {
        for (text, says) in [
            ("hunter2", "expected redis://"),
            ("http://u:hunter2@h", "expected redis://"),
            ("redis://u:hunter2@[bad", "expected redis://"),
            ("redis-sentinel://u:hunter2@a:1,b:2", "the master's name"),
            ("redis-sentinel://u:hunter2@a:1,,b:2/m", "host:port,host:port"),
            ("redis-sentinel://u:hunter2@a:1/m/hunter2", "expected redis://"),
            ("redis-cluster://u:hunter2@a:1/4", "only database 0"),
            ("rediss://u:hunter2@a:1/0", "TLS"),
        ] {
            let fault = Address::parse(text).expect_err(says);
            assert!(fault.contains(says) && !fault.contains("hunter2"), "{fault}");
        }
    }
}
