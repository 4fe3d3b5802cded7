//! What a Redis server promises to keep, read from its own settings. What cannot be read counts as unknown, never as
//! safe.

use std::collections::HashMap;

use ::redis::{Cmd, Value, cmd, from_redis_value};

use crate::store::{Durability, DurabilityReport, StoreError};

/// The least major version: script flags and effect replication are relied upon.
const LEAST_VERSION: u32 = 7;

/// Settings and state of one server, as text.
#[derive(Debug, Default, Clone)]
pub(super) struct Facts(HashMap<String, String>);

impl Facts {
    /// The command that asks for the server's state.
    pub fn info() -> Cmd {
        let mut info = cmd("INFO");
        info.arg("everything");
        info
    }

    /// The command that asks for its settings.
    pub fn settings() -> Cmd {
        let mut get = cmd("CONFIG");
        get.arg("GET");
        ["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory", "maxmemory-policy"].iter().for_each(
            |setting| {
                get.arg(setting);
            },
        );
        get
    }

    /// From the answers to both; settings that were refused (a managed Redis, an ACL) stay unknown.
    pub fn of(info: Value, settings: Option<Value>) -> Self {
        let info: String = from_redis_value(info).unwrap_or_default();
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        let mut facts: HashMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        // INFO repeats some settings; only CONFIG's word counts, so that a refused CONFIG is unknown.
        ["maxmemory", "maxmemory_policy"].iter().for_each(|name| {
            facts.remove(*name);
        });
        let settings: HashMap<String, String> =
            settings.and_then(|settings| from_redis_value(settings).ok()).unwrap_or_default();
        facts.extend(settings);
        Self(facts)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("unknown", String::as_str)
    }

    /// Refuses a server that is too old or no master, and says what to do.
    pub fn check(&self) -> Result<(), StoreError> {
        let version = self.get("redis_version");
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        if major < LEAST_VERSION {
            let why = format!("Redis {version} is too old; {LEAST_VERSION}.0 or later is needed");
            return Err(StoreError::Unavailable(why));
        }
        match self.get("role") {
            "master" => Ok(()),
            role => Err(StoreError::Unavailable(format!("this Redis is a {role}; name the master"))),
        }
    }

    /// Which process holds which replication history: another value means that the data may be others.
    pub fn identity(&self) -> String {
        format!("{} {}", self.get("run_id"), self.get("master_replid"))
    }

    /// The level that an acknowledged commit has here.
    pub fn level(&self) -> Durability {
        let unlimited = self.get("maxmemory") == "0";
        match (self.get("maxmemory-policy"), self.get("appendonly"), self.get("appendfsync")) {
            ("unknown", ..) | (_, "unknown", _) | (_, _, "unknown") => Durability::Unknown,
            (policy, ..) if policy != "noeviction" && !unlimited => Durability::D0,
            (_, "no", _) => Durability::D0,
            (_, "yes", "always") if self.get("no-appendfsync-on-rewrite") == "no" => Durability::D1,
            (_, "yes", "always" | "everysec" | "no") => Durability::D0_5,
            _ => Durability::Unknown,
        }
    }

    pub fn report(&self) -> DurabilityReport {
        let names = [
            "redis_version",
            "role",
            "connected_slaves",
            "appendonly",
            "appendfsync",
            "no-appendfsync-on-rewrite",
            "aof_last_write_status",
            "maxmemory",
            "maxmemory-policy",
        ];
        let facts = names.iter().map(|name| format!("{name} {}", self.get(name))).collect();
        DurabilityReport { level: self.level(), facts, remarks: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(settings: &[(&str, &str)]) -> Durability {
        let safe = [
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("no-appendfsync-on-rewrite", "no"),
            ("maxmemory", "0"),
            ("maxmemory-policy", "noeviction"),
        ];
        let all = safe.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Facts(all.collect()).level()
    }

    #[test]
    fn each_setting_that_can_lose_a_write_lowers_the_level() {
        assert_eq!(level(&[]), Durability::D1);
        assert_eq!(level(&[("appendfsync", "everysec")]), Durability::D0_5);
        assert_eq!(level(&[("no-appendfsync-on-rewrite", "yes")]), Durability::D0_5);
        assert_eq!(level(&[("appendonly", "no")]), Durability::D0);
        assert_eq!(level(&[("maxmemory", "1000"), ("maxmemory-policy", "allkeys-lru")]), Durability::D0);
        assert_eq!(level(&[("maxmemory-policy", "allkeys-lru")]), Durability::D1, "without a limit nothing is evicted");
    }

    #[test]
    fn what_cannot_be_read_is_unknown_and_never_safe() {
        for name in ["appendonly", "appendfsync", "maxmemory-policy"] {
            assert_eq!(level(&[(name, "unknown")]), Durability::Unknown, "{name}");
        }
        assert_eq!(Facts::default().level(), Durability::Unknown);
    }

    #[test]
    fn an_old_server_and_a_replica_are_refused_in_words() {
        let facts = |version: &str, role: &str| {
            Facts([("redis_version", version), ("role", role)].map(|(n, v)| (n.to_owned(), v.to_owned())).into())
        };
        assert_eq!(facts("7.0.15", "master").check(), Ok(()));
        let error = facts("6.2.14", "master").check().unwrap_err().to_string();
        assert!(error.contains("Redis 6.2.14 is too old; 7.0 or later is needed"), "{error}");
        let error = facts("7.2.0", "slave").check().unwrap_err().to_string();
        assert!(error.contains("this Redis is a slave; name the master"), "{error}");
    }
}
