//! A real redis-server of a test's own, on a Unix socket in a temporary directory, stopped when dropped.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// One server; its data live as long as this.
pub struct Server {
    pub dir: TempDir,
    appendfsync: &'static str,
    child: Child,
}

impl Server {
    /// Starts a server that writes its append-only file with this `appendfsync` (`always`, `everysec`, `no`).
    pub fn start(appendfsync: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let child = spawn(&dir, appendfsync);
        Self { dir, appendfsync, child }
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.dir.path().join("redis.sock").display())
    }

    /// Kills the server as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data.
    pub fn restart(&mut self) {
        self.child = spawn(&self.dir, self.appendfsync);
    }

    /// Sends it a signal by name (`STOP`, `CONT`).
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }

    /// Runs one command as an operator would, beside the service.
    pub async fn command(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(word);
        });
        command.query_async(&mut connection).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns once the server says that it is ready, which is after it has loaded its data.
fn spawn(dir: &TempDir, appendfsync: &str) -> Child {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "yes"]);
    command.args(["--appendfsync", appendfsync, "--maxmemory-policy", "noeviction", "--enable-debug-command", "yes"]);
    command.current_dir(dir.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("redis-server is needed: apt-get install redis-server");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let ready = lines.any(|line| {
        said.push(line);
        said.last().is_some_and(|line| line.contains("ready to accept connections"))
    });
    if ready {
        return child;
    }
    let _ = child.wait();
    panic!("redis-server did not start:\n{}", said.join("\n"));
}
