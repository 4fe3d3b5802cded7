//! Real redis-servers of a test's own, in temporary directories on a Unix socket or a free loopback port, stopped when
//! dropped.

use std::{
    fmt,
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;

/// One server; its data live as long as this.
pub struct Server {
    pub dir: TempDir,
    /// The loopback port; `None` on a Unix socket alone.
    pub port: Option<u16>,
    launch: Launch,
    child: Child,
}

/// How it is started, and started again.
struct Launch {
    /// Runs the server: itself, or something around it.
    program: Vec<String>,
    args: Vec<String>,
    /// What it prints when it takes calls, in lower case.
    ready: &'static str,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("pid", &self.child.id()).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Server {
    /// A server on a Unix socket that writes its append-only file with this `appendfsync` (`always`, `everysec`, `no`).
    pub fn start(appendfsync: &str) -> Self {
        Self::around(&["redis-server"], None, &["--appendfsync", appendfsync])
    }

    /// A server on a free loopback port with `appendfsync always` and these options.
    pub fn listening(options: &[&str]) -> Self {
        let all = [&["--appendfsync", "always"], options].concat();
        Self::around(&["redis-server"], Some(free_port()), &all)
    }

    /// A server on this port, or on a Unix socket alone, run by `program`, which ends by becoming redis-server.
    pub fn around(program: &[&str], port: Option<u16>, options: &[&str]) -> Self {
        let mut args = texts(&["--port", &port.unwrap_or(0).to_string(), "--unixsocket", "redis.sock", "--save", ""]);
        args.extend(texts(&["--bind", "127.0.0.1", "--appendonly", "yes", "--maxmemory-policy", "noeviction"]));
        args.extend(texts(&["--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0"]));
        args.extend(texts(options));
        Self::launched(port, Launch { program: texts(program), args, ready: "ready to accept connections" })
    }

    /// A sentinel of the master `main` at this port, which `quorum` sentinels must find missing, and that for longer than a
    /// flush may take on a busy machine: nobody is to take over unasked.
    pub fn sentinel(master: u16, quorum: u8) -> Self {
        let port = free_port();
        let dir = tempfile::tempdir().unwrap();
        let conf = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds main 5000\nsentinel failover-timeout main 2000\n"
        );
        std::fs::write(dir.path().join("sentinel.conf"), conf).unwrap();
        let (program, args) = (texts(&["redis-server"]), texts(&["sentinel.conf", "--sentinel"]));
        Self::in_dir(dir, Some(port), Launch { program, args, ready: "sentinel id is" })
    }

    fn launched(port: Option<u16>, launch: Launch) -> Self {
        Self::in_dir(tempfile::tempdir().unwrap(), port, launch)
    }

    fn in_dir(dir: TempDir, port: Option<u16>, launch: Launch) -> Self {
        let child = launch.spawn(&dir);
        Self { dir, port, launch, child }
    }

    /// The address for the service: the port, or the socket where there is none.
    pub fn url(&self) -> String {
        match self.port {
            Some(port) => format!("redis://127.0.0.1:{port}"),
            None => format!("unix://{}", self.dir.path().join("redis.sock").display()),
        }
    }

    /// `127.0.0.1:<port>`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port.expect("a server on a port"))
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns once the server has ended by itself.
    pub fn ended(&mut self) {
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data and port.
    pub fn restart(&mut self) {
        self.child = self.launch.spawn(&self.dir);
    }

    /// Starts it again, and once more when it ends by itself, as a supervisor of processes does.
    pub fn restart_supervised(&mut self) {
        self.child = self.launch.try_spawn(&self.dir).unwrap_or_else(|_| self.launch.spawn(&self.dir));
    }

    /// Starts it again as plain redis-server, whatever was around it.
    pub fn restart_plainly(&mut self) {
        self.launch.program = texts(&["redis-server"]);
        self.restart();
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name (`STOP`, `CONT`).
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Runs one command as an operator would, beside the service.
    pub async fn command(&self, words: &[&str]) -> redis::Value {
        self.ask(words).await.unwrap()
    }

    /// The same; what the server refuses is an answer as well.
    pub async fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut connection).await
    }

    /// True when the answer to a command contains `part`.
    pub async fn says(&self, words: &[&str], part: &str) -> bool {
        self.ask::<String>(words).await.is_ok_and(|text| text.contains(part))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Launch {
    fn spawn(&self, dir: &TempDir) -> Child {
        self.try_spawn(dir).unwrap_or_else(|said| panic!("redis-server did not start:\n{said}"))
    }

    /// Returns once the server says that it is ready, which is after it has loaded its data; what it said when it ends.
    fn try_spawn(&self, dir: &TempDir) -> Result<Child, String> {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).args(&self.args);
        command.current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("redis-server is needed: apt-get install redis-server");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut said = Vec::new();
        let ready = lines.any(|line| {
            said.push(line);
            // Versions differ in its capitals.
            said.last().is_some_and(|line| line.to_lowercase().contains(self.ready))
        });
        if ready {
            return Ok(child);
        }
        let _ = child.wait();
        Err(said.join("\n"))
    }
}

fn texts(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A loopback port that is free now; no other test of this process is given it. Below the range that the system gives to
/// outgoing connections, and apart from those of other processes of the same tests.
pub fn free_port() -> u16 {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let first = || AtomicU16::new(10_000 + u16::try_from(std::process::id() % 200).unwrap() * 100);
    let next = NEXT.get_or_init(first);
    loop {
        let port = 10_000 + (next.fetch_add(1, Ordering::Relaxed) - 10_000) % 20_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Returns once `holds`; fails, and says what was waited for, after half a minute.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut again = tokio::time::interval(Duration::from_millis(20));
    let waited = async {
        while !holds().await {
            again.tick().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), waited).await.is_ok(), "never came: {what}");
}
