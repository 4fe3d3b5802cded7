//! The settings of one running service: `default.toml`.

use std::{net::SocketAddr, path::PathBuf};

use secrecy::SecretString;
use toml::de::DeValue;

use super::{
    sheet::Table,
    statistics::{self, ExtractSettings, IndicatorSettings},
    telemetry::{self, TelemetrySettings},
    values::{boolean, list, parsed, seconds, text, whole, words},
};
use crate::{
    coded_enum,
    domain::{store_address::StoreAddress, time::Span},
};

/// Everything of `default.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The gRPC and gRPC-web port and its limits.
    pub server: ServerSettings,
    /// Where the state is.
    pub store: StoreSettings,
    /// What leaves the working set.
    pub archive: ArchiveSettings,
    /// The shift sheet.
    pub sheet: SheetSettings,
    /// Indicators.
    pub indicators: IndicatorSettings,
    /// The anonymised extract.
    pub extract: ExtractSettings,
    /// Logs, traces and metrics.
    pub telemetry: TelemetrySettings,
}

/// The shift sheet, which a room goes on from when everything else is down.
#[derive(Debug, Clone)]
pub struct SheetSettings {
    /// Its folder; none: `feuille-de-garde` in the data folder.
    pub dir: Option<PathBuf>,
    /// How often it is written again.
    pub every: Span,
}

/// What leaves the working set, and when.
#[derive(Debug, Clone)]
pub struct ArchiveSettings {
    /// Whether this instance archives at all.
    pub enabled: bool,
    /// The folder; none: `archive` in the data folder.
    pub dir: Option<PathBuf>,
    /// How long a closed case, a slot or a shift that is over stays in the working set.
    pub keep_closed: Span,
    /// How long a log entry that is archived stays in the store.
    pub keep_log: Span,
    /// How often a round is made.
    pub every: Span,
}

/// The port and its limits.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Web pages that may call beside those of this machine: `https://console.example`.
    pub browser_origins: Vec<String>,
    /// Threads that answer calls; 1 is one thread for everything, without the cost of handing work from one to another.
    pub runtime_threads: usize,
    /// Longest message accepted, in bytes.
    pub max_message_bytes: usize,
    /// Calls and watches open at one time on one connection.
    pub max_streams_per_connection: u32,
    /// Calls worked on at one time by all connections.
    pub max_requests_in_hand: usize,
    /// Of them for what a room cannot wait for: calls that come in, qualification, claims, hand-over, decisions.
    pub reserved_requests: usize,
    /// Longest time for any call, whatever its caller states; longer than the store may take.
    pub request_deadline: Span,
    /// Longest page of a list, in rows: at most the 200 of the interface.
    pub max_page_rows: usize,
    /// Changed cases kept for slow watchers of a territory; one further behind must resume from its token.
    pub watch_buffer_changes: usize,
    /// A watcher that reads nothing for this long must resume from its token.
    pub watch_stall: Span,
    /// A watch ends when the store has not answered for this long.
    pub watch_silence: Span,
    /// How far what an instance keeps in memory may be behind the log while nobody watches or waits for it.
    pub unwatched_pace: Span,
    /// A call that arrived longer ago is back-filled, not opened.
    pub late_call: Span,
    /// A case from paper that arrived longer ago is refused.
    pub oldest_paper: Span,
    /// How long open requests may go on after a stop was asked for.
    pub shutdown_grace: Span,
}

/// Where the state is.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Folder of the embedded store, used when no Redis is named.
    pub data_dir: PathBuf,
    /// URL of Redis, with its password: never printed.
    pub redis_url: Option<SecretString>,
    /// Key of the look-up hashes of telephone numbers, shared by all instances; absent: one is made and kept in `data_dir`.
    pub lookup_key: Option<SecretString>,
    /// The level that an acknowledgement promises.
    pub durability: Promised,
    /// What a start does when the store is below it.
    pub below: Below,
    /// Whether intake waits for the promised level or goes on at D1; P0 and hand-over always go on.
    pub intake_policy: Intake,
    /// Replicas that must have flushed a write before it is called D2.
    pub replicas: u32,
    /// Longest wait for them.
    pub wait: Span,
    /// A replica that was silent for longer does not count.
    pub replica_lag: Span,
    /// How often the settings and state of Redis are read again.
    pub audit: Span,
    /// A Redis whose clock is further from this machine's is refused.
    pub max_server_gap: Span,
    /// Longest wait for an answer of Redis.
    pub redis_response: Span,
    /// How often a command is decided anew when others changed what it read.
    pub commit_attempts: u32,
    /// How often a call is repeated when the store does not answer.
    pub unavailable_retries: u32,
    /// Longest pause between two such repeats.
    pub retry_pause: Span,
    /// Where the last acknowledged commands are kept across restarts; absent: `data_dir`.
    pub acknowledged_dir: Option<PathBuf>,
    /// How often they are written when they changed.
    pub acknowledged_pace: Span,
}

coded_enum! {
    /// A level of durability that can be promised: what is only in memory or unknown is no promise.
    Promised {
        /// Survives a killed process.
        D0_5 = "D0.5", "D0,5 : survit à l'arrêt du processus";
        /// Flushed to disk here.
        D1 = "D1", "D1 : sur disque";
        /// Flushed here and on the replicas.
        D2 = "D2", "D2 : sur disque ici et sur les répliques";
    }
}

coded_enum! {
    /// What intake does when the promised level cannot be had.
    Intake {
        /// It is refused until the level is reached.
        Strict = "strict", "stricte";
        /// It goes on at D1 with an alarm.
        Degraded = "degraded", "dégradée";
    }
}

coded_enum! {
    /// What a start does when the store does not keep what is promised.
    Below {
        /// It ends with what was read and what to change.
        Refuse = "refuse", "refuser";
        /// It goes on and says so; strict commands are refused until the level is reached.
        Degraded = "degraded", "dégradé";
    }
}

/// Reads the root table; `None` when something required is missing, which is then among the faults.
pub(super) fn read(root: &Table<'_>) -> Option<Settings> {
    let server = root.required_table("server", server);
    let longest = server.iter().flatten().map(|known| known.request_deadline).next();
    let store = root.required_table("store", |table| store(table, longest));
    let archive = root.required_table("archive", archive);
    let sheet = root.required_table("sheet", sheet);
    let indicators = root.required_table("indicators", statistics::indicators);
    let final_after = indicators.iter().flatten().map(|known| known.settle).next();
    let extract = root.required_table("extract", |table| statistics::extract(table, final_after));
    let telemetry = root.required_table("telemetry", telemetry::read);
    Some(Settings {
        server: server??,
        store: store??,
        archive: archive??,
        sheet: sheet??,
        indicators: indicators??,
        extract: extract??,
        telemetry: telemetry??,
    })
}

fn archive(table: &Table<'_>) -> Option<ArchiveSettings> {
    let enabled = table.required("enabled", boolean);
    let dir = table.optional("dir", words).map(PathBuf::from);
    let keep_closed = table.required("keep_closed_hours", whole(1..=24 * 366));
    let keep_log = table.required("keep_log_hours", whole(1..=24 * 366));
    let every = table.required("every_seconds", seconds);
    let (keep_closed, keep_log) = (Span::from_hours(keep_closed?), Span::from_hours(keep_log?));
    Some(ArchiveSettings { enabled: enabled?, dir, keep_closed, keep_log, every: every? })
}

fn server(table: &Table<'_>) -> Option<ServerSettings> {
    let listen = table.required("listen", listen);
    let browser_origins = table.required("browser_origins", list(origin));
    let runtime_threads = table.required("runtime_threads", whole(1..=1_024));
    let max_message_bytes = table.required("max_message_bytes", whole(1_024..=64 * 1_048_576));
    let max_streams_per_connection = table.required("max_streams_per_connection", whole(1..=65_536));
    let max_requests_in_hand = table.required("max_requests_in_hand", whole(2..=65_536));
    let reserved_requests = table.required("reserved_requests", whole(1..=65_535));
    if let (Some(all), Some(reserved)) = (max_requests_in_hand, reserved_requests)
        && reserved >= all
    {
        table.fault("reserved_requests", "is a part of max_requests_in_hand: expected less than it");
    }
    let request_deadline = table.required("request_deadline_seconds", seconds);
    let max_page_rows = table.required("max_page_rows", whole(1..=200));
    let watch_buffer_changes = table.required("watch_buffer_changes", whole(1..=1_000_000));
    let watch_stall = table.required("watch_stall_seconds", seconds);
    let watch_silence = table.required("watch_silence_seconds", seconds);
    let unwatched_pace = table.required("unwatched_pace_milliseconds", whole(1..=60_000));
    let late_call = table.required("late_call_seconds", seconds);
    let oldest_paper = table.required("oldest_paper_hours", whole(1..=24 * 366));
    let shutdown_grace = table.required("shutdown_grace_seconds", seconds);
    Some(ServerSettings {
        listen: listen?,
        browser_origins: browser_origins?,
        runtime_threads: size(runtime_threads?),
        max_message_bytes: size(max_message_bytes?),
        max_streams_per_connection: count(max_streams_per_connection?),
        max_requests_in_hand: size(max_requests_in_hand?),
        reserved_requests: size(reserved_requests?),
        request_deadline: request_deadline?,
        max_page_rows: size(max_page_rows?),
        watch_buffer_changes: size(watch_buffer_changes?),
        watch_stall: watch_stall?,
        watch_silence: watch_silence?,
        unwatched_pace: Span::from_ms(unwatched_pace?),
        late_call: late_call?,
        oldest_paper: Span::from_hours(oldest_paper?),
        shutdown_grace: shutdown_grace?,
    })
}

/// The actor of a call is taken from its metadata, which only this machine may be trusted with.
fn listen(value: &DeValue<'_>) -> Result<SocketAddr, String> {
    let expected = |_| "expected an address and a port such as \"127.0.0.1:50051\"".to_owned();
    let address = parsed::<SocketAddr>(value).map_err(expected)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("expected a loopback address such as \"127.0.0.1:50051\": only this machine may say who calls".into())
    }
}

/// Scheme, host and port of a web page, as a browser names it.
fn origin(value: &DeValue<'_>) -> Result<String, String> {
    let written = text(value)?;
    let rest = written.strip_prefix("https://").or_else(|| written.strip_prefix("http://")).unwrap_or_default();
    let bare = !rest.is_empty() && !rest.contains(|c: char| "/@*?#,".contains(c) || c.is_whitespace());
    // A browser leaves the usual port out.
    let usual = written.starts_with("https://") && rest.ends_with(":443") || rest.ends_with(":80");
    if bare && !usual {
        Ok(written)
    } else {
        Err("expected one page's origin such as \"https://console.example\", without * and without a path".to_owned())
    }
}

/// A call ends so long after the store's answer would be late, or sooner: until then a caller is told what became of it.
const MARGIN: Span = Span::from_secs(1);

fn store(table: &Table<'_>, longest: Option<Span>) -> Option<StoreSettings> {
    let data_dir = table.required("data_dir", words);
    let redis_url = table.optional("redis_url", redis_url);
    let lookup_key = table.optional("lookup_key", |value| {
        let key = text(value)?;
        if key.len() >= 16 { Ok(SecretString::from(key)) } else { Err("expected at least 16 characters".into()) }
    });
    let durability = table.required("durability", parsed::<Promised>);
    let below = table.required("below", parsed::<Below>);
    let intake_policy = table.required("intake_policy", parsed::<Intake>);
    let replicas = table.required("replicas", whole(0..=100));
    if durability == Some(Promised::D2) && replicas == Some(0) {
        table.fault("replicas", "D2 is what replicas have flushed too: expected 1 or more");
    }
    let wait = table.required("wait_milliseconds", whole(1..=60_000));
    let replica_lag = table.required("replica_lag_seconds", seconds);
    let audit = table.required("audit_seconds", seconds);
    let max_server_gap = table.required("max_server_clock_gap_seconds", seconds);
    let redis_response = table.required("redis_response_milliseconds", whole(10..=60_000));
    if redis_response.zip(longest).is_some_and(|(answer, longest)| Span::from_ms(answer) + MARGIN > longest) {
        let problem =
            "must be a second less than server.request_deadline_seconds at least: the store's own answer comes first";
        table.fault("redis_response_milliseconds", problem);
    }
    let commit_attempts = table.required("commit_attempts", whole(1..=100));
    let unavailable_retries = table.required("unavailable_retries", whole(0..=100));
    let retry_pause = table.required("retry_pause_milliseconds", whole(1..=60_000));
    let acknowledged_dir = table.optional("acknowledged_dir", words).map(PathBuf::from);
    let acknowledged_pace = table.required("acknowledged_pace_milliseconds", whole(50..=60_000));
    Some(StoreSettings {
        data_dir: PathBuf::from(data_dir?),
        redis_url,
        lookup_key,
        durability: durability?,
        below: below?,
        intake_policy: intake_policy?,
        replicas: count(replicas?),
        wait: Span::from_ms(wait?),
        replica_lag: replica_lag?,
        audit: audit?,
        max_server_gap: max_server_gap?,
        redis_response: Span::from_ms(redis_response?),
        commit_attempts: count(commit_attempts?),
        unavailable_retries: count(unavailable_retries?),
        retry_pause: Span::from_ms(retry_pause?),
        acknowledged_dir,
        acknowledged_pace: Span::from_ms(acknowledged_pace?),
    })
}

/// The value is a secret, so no message shows anything of it.
fn redis_url(value: &DeValue<'_>) -> Result<SecretString, String> {
    let url = text(value)?;
    let known = ["redis://", "unix://", "redis+unix://", "redis-sentinel://", "redis-cluster://"];
    if !known.iter().any(|scheme| url.starts_with(scheme)) {
        return Err("expected redis://, unix://, redis-sentinel:// or redis-cluster://".into());
    }
    StoreAddress::parse(&url)?;
    Ok(SecretString::from(url))
}

fn sheet(table: &Table<'_>) -> Option<SheetSettings> {
    let dir = table.optional("dir", words).map(PathBuf::from);
    let every = table.required("every_seconds", whole(1..=3_600));
    Some(SheetSettings { dir, every: Span::from_secs(every?) })
}

fn size(number: i64) -> usize {
    usize::try_from(number).expect("read as a positive number of limited size")
}

fn count(number: i64) -> u32 {
    u32::try_from(number).expect("read as a positive number of limited size")
}
