//! What a Redis server promises to keep, read from its own settings and state. What cannot be read counts as unknown,
//! never as safe.

use std::collections::HashMap;

use ::redis::{Cmd, RedisResult, Value, cmd, from_redis_value};

use crate::{
    domain::time::{Instant, Span},
    store::{Durability, Promise},
};

/// The least major version: script flags and effect replication are relied upon.
const LEAST_VERSION: u32 = 7;
/// What is read of its settings.
const SETTINGS: [&str; 6] =
    ["appendonly", "appendfsync", "no-appendfsync-on-rewrite", "aof-load-truncated", "maxmemory", "maxmemory-policy"];
/// Used memory from which an alarm is raised, percent of `maxmemory`.
const MEMORY_ALARM: u64 = 70;

/// A replica as its master sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replica {
    pub host: String,
    pub port: u16,
    pub online: bool,
    /// Since its last word.
    pub lag: Span,
    /// Whether it flushes every write before it acknowledges; `None` when that could not be read.
    pub flushes: Option<bool>,
}

/// Settings and state of one server.
#[derive(Debug, Default, Clone)]
pub(super) struct Facts {
    texts: HashMap<String, String>,
    pub replicas: Vec<Replica>,
    /// How far its clock is from this machine's; `None` when it was not asked.
    pub clock_gap: Option<Span>,
    /// Why its append-only file may still end in half a transaction.
    pub torn: Option<String>,
}

impl Facts {
    /// The commands whose answers [`Facts::of`] reads, in their order.
    pub fn questions() -> [Cmd; 3] {
        let mut settings = cmd("CONFIG");
        settings.arg("GET");
        for name in SETTINGS {
            settings.arg(name);
        }
        [cmd("INFO"), settings, cmd("TIME")]
    }

    /// From the answers; `here` is this machine's time, or `None` when the server's does not count.
    ///
    /// # Errors
    /// When not even `INFO` is answered. Settings that are refused (a managed Redis, an ACL) stay unknown.
    pub fn of(mut answers: Vec<RedisResult<Value>>, here: Option<Instant>) -> RedisResult<Self> {
        let mut take = || if answers.is_empty() { Ok(Value::Nil) } else { answers.remove(0) };
        let (info, settings, time) = (take()?, take(), take());
        let info: String = from_redis_value(info).unwrap_or_default();
        let lines = info.lines().filter_map(|line| line.split_once(':'));
        let mut texts: HashMap<_, _> = lines.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        // INFO repeats some settings; only CONFIG's word counts, so that a refused CONFIG is unknown.
        for name in ["maxmemory", "maxmemory_policy"] {
            texts.remove(name);
        }
        let settings: HashMap<String, String> =
            settings.ok().and_then(|settings| from_redis_value(settings).ok()).unwrap_or_default();
        texts.extend(settings);
        let time: Option<(i64, i64)> = time.ok().and_then(|time| from_redis_value(time).ok());
        let clock_gap = here.zip(time).map(|(here, (seconds, micros))| {
            let there = Instant::from_unix_ms(seconds * 1_000 + micros / 1_000);
            there.since(here).max(here.since(there))
        });
        let replicas = (0..).map_while(|n| texts.get(&format!("slave{n}"))).filter_map(|row| replica(row)).collect();
        Ok(Self { texts, replicas, clock_gap, torn: None })
    }

    /// True when it loaded its append-only file as it was found, cut-off end included, and goes on writing behind that end.
    pub fn goes_on_behind_its_file(&self) -> bool {
        let (kept, cut) = (self.get("aof_enabled") == "1", self.get("aof-load-truncated") != "no");
        kept && cut && self.number("aof_rewrites") == Some(0) && self.get("aof_rewrite_in_progress") == "0"
    }

    fn get(&self, name: &str) -> &str {
        self.texts.get(name).map_or("unknown", String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).parse().ok()
    }

    /// The process and its history: another one may hold other data.
    pub fn identity(&self) -> String {
        format!("{}/{}", self.get("run_id"), self.get("master_replid"))
    }

    /// True when it takes writes.
    pub fn is_master(&self) -> bool {
        self.get("role") == "master"
    }

    /// What makes this server unfit, whatever it keeps.
    pub fn unfit(&self, clustered: bool, most_gap: Span) -> Option<String> {
        let version = self.get("redis_version");
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default();
        if major < LEAST_VERSION {
            return Some(format!("Redis {version} is too old; {LEAST_VERSION}.0 or later is needed"));
        }
        if !clustered && self.get("cluster_enabled") == "1" {
            return Some("this Redis is a node of a cluster; name the cluster as redis-cluster://".to_owned());
        }
        match self.clock_gap {
            Some(gap) if gap > most_gap => {
                Some(format!("its clock is {} s from this machine's; set both by NTP", gap.secs()))
            }
            _ => None,
        }
    }

    /// The level that an acknowledged commit has on this server alone.
    pub fn level(&self) -> Durability {
        if self.torn.is_some() { Durability::Unknown } else { self.settings_level() }
    }

    fn settings_level(&self) -> Durability {
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

    /// Whether a replica with these settings has flushed a write when it acknowledges it; `None` when they are unknown.
    pub fn flushes(&self) -> Option<bool> {
        match (self.get("appendonly"), self.get("appendfsync")) {
            ("unknown", _) | (_, "unknown") => None,
            (only, fsync) => Some(only == "yes" && fsync == "always"),
        }
    }

    /// Its state in one line a fact.
    pub fn lines(&self) -> Vec<String> {
        let names = [
            "redis_version",
            "role",
            "connected_slaves",
            "appendonly",
            "appendfsync",
            "no-appendfsync-on-rewrite",
            "aof_last_write_status",
            "aof_last_bgrewrite_status",
            "rdb_last_bgsave_status",
            "maxmemory",
            "maxmemory-policy",
        ];
        let mut lines: Vec<String> = names.iter().map(|name| format!("{name} {}", self.get(name))).collect();
        lines.extend(self.replicas.iter().map(|replica| {
            let (at, state) = (replica.name(), if replica.online { "online" } else { "not online" });
            format!("replica {at} {state}, silent for {} s, appendfsync always {}", replica.lag.secs(), replica.says())
        }));
        lines
    }

    /// In French: what lowers the level below `promise` or is about to stop the store, and what to change.
    pub fn remarks(&self, promise: &Promise, most_lag: Span) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut say = |wrong: bool, text: String| {
            if wrong {
                remarks.push(text);
            }
        };
        let (only, fsync) = (self.get("appendonly"), self.get("appendfsync"));
        let unread = self.settings_level() == Durability::Unknown;
        say(
            unread,
            "réglages illisibles (CONFIG GET refusé) : donnez « +config|get » à l'utilisateur du service".into(),
        );
        let kept = promise.level >= Durability::D0_5 && !unread;
        say(kept && only != "yes", format!("appendonly vaut {only} : mettez « appendonly yes »"));
        let flushed = promise.level >= Durability::D1 && !unread;
        say(flushed && fsync != "always", format!("appendfsync vaut {fsync} : mettez « appendfsync always »"));
        say(
            flushed && self.get("no-appendfsync-on-rewrite") != "no",
            "no-appendfsync-on-rewrite vaut yes : mettez « no-appendfsync-on-rewrite no »".into(),
        );
        let (policy, most) = (self.get("maxmemory-policy"), self.number("maxmemory").unwrap_or_default());
        say(
            kept && policy != "noeviction" && most > 0,
            format!("maxmemory-policy vaut {policy} : mettez « maxmemory-policy noeviction »"),
        );
        let used = self.number("used_memory").unwrap_or_default();
        say(
            most > 0 && used.saturating_mul(100) >= most.saturating_mul(MEMORY_ALARM),
            format!("mémoire : {used} octets sur {most} : augmentez maxmemory avant le refus des écritures"),
        );
        for name in ["aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"] {
            say(!matches!(self.get(name), "ok" | "unknown"), format!("{name} : vérifiez le disque de Redis"));
        }
        if let Some(why) = &self.torn {
            remarks.push(format!("fichier AOF pas encore réécrit depuis le démarrage de Redis : {why}"));
        }
        if promise.level == Durability::D2 {
            remarks.extend(self.replica_remarks(promise, most_lag));
        }
        remarks
    }

    fn replica_remarks(&self, promise: &Promise, most_lag: Span) -> Vec<String> {
        let current = self.replicas.iter().filter(|replica| replica.current(most_lag)).count();
        let mut remarks: Vec<String> = (self.replicas.iter().filter(|replica| replica.flushes != Some(true)))
            .map(|replica| {
                let (at, says) = (replica.name(), replica.says());
                format!("réplique {at} : « appendfsync always » {says} : mettez appendonly yes et appendfsync always")
            })
            .collect();
        if current < usize::try_from(promise.replicas).unwrap_or(usize::MAX) {
            let needed = promise.replicas;
            remarks.push(format!("{current} réplique(s) à jour, {needed} attendue(s) : reliez-les (replicaof)"));
        }
        remarks
    }
}

impl Replica {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn says(&self) -> &'static str {
        match self.flushes {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        }
    }

    /// True when it follows its master closely enough to be counted on.
    pub fn current(&self, most_lag: Span) -> bool {
        self.online && self.lag <= most_lag
    }
}

/// `ip=127.0.0.1,port=7001,state=online,offset=98,lag=0`.
fn replica(row: &str) -> Option<Replica> {
    let fields: HashMap<&str, &str> = row.split(',').filter_map(|field| field.split_once('=')).collect();
    Some(Replica {
        host: (*fields.get("ip")?).to_owned(),
        port: fields.get("port")?.parse().ok()?,
        online: fields.get("state") == Some(&"online"),
        lag: fields.get("lag").and_then(|lag| lag.parse().ok()).map_or(Span::from_hours(1), Span::from_secs),
        flushes: None,
    })
}

/// How one server stands towards the promise, as it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The level of this server alone.
    pub level: Durability,
    /// Replicas that follow closely.
    pub current: u32,
    /// All of them flush before they acknowledge.
    pub flushing: bool,
    /// As the server says; not only a write that too few replicas answered in time.
    pub confirmed: bool,
}

impl Default for Standing {
    fn default() -> Self {
        Self { level: Durability::Unknown, current: 0, flushing: false, confirmed: false }
    }
}

impl Standing {
    pub fn of(facts: &Facts, most_lag: Span) -> Self {
        let mut current = facts.replicas.iter().filter(|replica| replica.current(most_lag));
        let flushing = current.clone().all(|replica| replica.flushes == Some(true));
        let count = u32::try_from(current.by_ref().count()).unwrap_or(u32::MAX);
        Self { level: facts.level(), current: count, flushing, confirmed: true }
    }

    /// The level that can be had now.
    pub fn reach(&self, promise: &Promise) -> Durability {
        let replicated = promise.level == Durability::D2 && self.flushing && self.current >= promise.replicas.max(1);
        if replicated && self.level == Durability::D1 { Durability::D2 } else { self.level }
    }

    /// How many replicas a write must wait for: none when the level cannot be had. All that follow count, since a
    /// failover may choose any of them.
    pub fn awaited(&self, promise: &Promise) -> u32 {
        if self.reach(promise) == Durability::D2 { promise.replicas.max(self.current) } else { 0 }
    }

    /// How many replicas must have what is shown to readers of the log. As long as nothing confirms that the replicas are
    /// gone, this may be a master that has lost its place: what it alone has is not shown. Once that is confirmed, what is
    /// durable here is all there is to work with.
    pub fn awaited_by_readers(&self, promise: &Promise) -> u32 {
        match self.confirmed {
            true => self.awaited(promise),
            false => promise.replicas.max(self.current),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const D2: Promise = Promise { level: Durability::D2, replicas: 1, wait: Duration::ZERO };

    fn facts(texts: &[(&str, &str)]) -> Facts {
        let safe = [
            ("redis_version", "7.0.15"),
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("no-appendfsync-on-rewrite", "no"),
            ("maxmemory", "0"),
            ("maxmemory-policy", "noeviction"),
        ];
        let all = safe.iter().chain(texts).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Facts { texts: all.collect(), ..Facts::default() }
    }

    #[test]
    fn each_setting_that_can_lose_a_write_lowers_the_level() {
        let level = |texts: &[(&str, &str)]| facts(texts).level();
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
            assert_eq!(facts(&[(name, "unknown")]).level(), Durability::Unknown, "{name}");
        }
        assert_eq!(Facts::default().level(), Durability::Unknown);
        assert_eq!(facts(&[("appendfsync", "unknown")]).flushes(), None);
    }

    #[test]
    fn an_old_server_a_node_of_a_cluster_and_a_wrong_clock_are_refused_in_words() {
        let most = Span::from_secs(5);
        let unfit = |facts: Facts| facts.unfit(false, most).unwrap_or_default();
        assert_eq!(unfit(facts(&[])), "");
        assert!(unfit(facts(&[("redis_version", "6.2.14")])).contains("Redis 6.2.14 is too old; 7.0 or later"));
        assert!(unfit(facts(&[("cluster_enabled", "1")])).contains("redis-cluster://"));
        assert!(unfit(Facts { clock_gap: Some(most), ..facts(&[]) }).is_empty());
        let off = Facts { clock_gap: Some(Span::from_secs(6)), ..facts(&[]) };
        assert_eq!(unfit(off), "its clock is 6 s from this machine's; set both by NTP");
    }

    #[test]
    fn the_clock_is_read_from_the_answer_to_time() {
        let answers = |seconds: i64| {
            let time = [seconds, 250_000].map(|n| Value::BulkString(n.to_string().into_bytes()));
            vec![Ok(Value::BulkString(b"role:master".to_vec())), Ok(Value::Nil), Ok(Value::Array(time.to_vec()))]
        };
        let here = Instant::from_unix_ms(1_000_250);
        let gap = |seconds| Facts::of(answers(seconds), Some(here)).map(|facts| facts.clock_gap);
        assert_eq!(gap(1_000), Ok(Some(Span::from_ms(0))));
        assert_eq!(gap(1_009), Ok(Some(Span::from_secs(9))));
        assert_eq!(gap(991), Ok(Some(Span::from_secs(9))));
    }

    #[test]
    fn only_replicas_that_follow_and_flush_make_d2() {
        let replica = |lag: i64, flushes| Replica {
            host: "h".to_owned(),
            port: 1,
            online: true,
            lag: Span::from_secs(lag),
            flushes,
        };
        let standing = |replicas: Vec<Replica>| Standing::of(&Facts { replicas, ..facts(&[]) }, Span::from_secs(2));
        let reach = |replicas| standing(replicas).reach(&D2);
        assert_eq!(reach(vec![]), Durability::D1);
        assert_eq!(reach(vec![replica(0, Some(true))]), Durability::D2);
        assert_eq!(reach(vec![replica(3, Some(true))]), Durability::D1, "a silent one does not count");
        assert_eq!(reach(vec![replica(0, None)]), Durability::D1, "its settings could not be read");
        assert_eq!(reach(vec![replica(0, Some(true)), replica(0, Some(false))]), Durability::D1, "either may answer");
        assert_eq!(standing(vec![replica(0, Some(true)), replica(1, Some(true))]).awaited(&D2), 2);
        assert_eq!(standing(vec![replica(0, Some(true))]).reach(&Promise::NONE), Durability::D1);
    }

    #[test]
    fn a_replica_is_read_from_its_row() {
        let read = replica("ip=127.0.0.1,port=7001,state=online,offset=98,lag=1").map(|r| (r.name(), r.online, r.lag));
        assert_eq!(read, Some(("127.0.0.1:7001".to_owned(), true, Span::from_secs(1))));
        let behind = replica("ip=::1,port=7,state=wait_bgsave,offset=0,lag=0");
        assert!(behind.is_some_and(|replica| !replica.current(Span::from_secs(2))));
    }

    #[test]
    fn each_remark_names_what_was_read_and_what_to_change() {
        let says = |texts: &[(&str, &str)]| facts(texts).remarks(&D2, Span::from_secs(2)).join("\n");
        assert_eq!(says(&[]), "0 réplique(s) à jour, 1 attendue(s) : reliez-les (replicaof)");
        for (texts, part) in [
            (&[("appendfsync", "everysec")][..], "appendfsync vaut everysec : mettez « appendfsync always »"),
            (&[("appendonly", "no")], "appendonly vaut no : mettez « appendonly yes »"),
            (&[("maxmemory", "9"), ("maxmemory-policy", "volatile-lru")], "mettez « maxmemory-policy noeviction »"),
            (&[("maxmemory", "1000"), ("used_memory", "700")], "mémoire : 700 octets sur 1000"),
            (&[("aof_last_write_status", "err")], "aof_last_write_status : vérifiez le disque"),
            (&[("appendfsync", "unknown")], "donnez « +config|get »"),
        ] {
            assert!(says(texts).contains(part), "{part} not in {}", says(texts));
        }
        assert!(!says(&[("maxmemory", "1000"), ("used_memory", "699")]).contains("mémoire"));
    }
}
