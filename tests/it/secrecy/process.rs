//! The real program, started as an operator does, with everything it writes kept.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use sas_dispatch::{
    clock::Clock,
    domain::actor::Role,
    grpc::client::{Link, connect},
};
use tempfile::TempDir;

use crate::{
    config::Copy,
    support::{
        redis::Server,
        room::{Calls, Person},
    },
};

/// A running `sas-dispatch serve` that logs at debug.
pub(super) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: String,
    pub(super) address: String,
    link: Link,
    data: TempDir,
    // Read once at the start, but a folder that went away would be told at a restart.
    _config: Copy,
}

/// What a stopped program leaves.
pub(super) struct Left {
    /// Its log.
    pub(super) lines: String,
    /// Its standard output.
    pub(super) said: String,
    /// The folder of its store.
    pub(super) data: TempDir,
}

impl Process {
    pub(super) async fn start(log_format: &str, otlp: &str, redis: Option<&Server>) -> Self {
        let config = Copy::of_shipped();
        config.replace("default.toml", "log_format = \"text\"", &format!("log_format = \"{log_format}\""));
        config.replace("default.toml", "log_filter = \"info\"", "log_filter = \"debug\"");
        config.replace(
            "default.toml",
            "# otlp_endpoint = \"http://127.0.0.1:4317\"",
            &format!("otlp_endpoint = \"{otlp}\""),
        );
        let data = TempDir::new().unwrap();
        let place = data.path().display().to_string();
        config.replace("default.toml", "data_dir = \"./data\"", &format!("data_dir = \"{place}\""));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config.path());
        if let Some(server) = redis {
            command.args(["--redis", &server.url()]);
        }
        let log = File::create(data.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let (mut stdout, mut said) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        stdout.read_line(&mut said).unwrap();
        let Some(address) = said.split_whitespace().find(|word| word.starts_with("127.0.0.1:")) else {
            child.wait().unwrap();
            panic!("it did not start: {said}{}", fs::read_to_string(data.path().join("log")).unwrap());
        };
        let address = address.to_owned();
        let link = connect(address.parse().unwrap()).await.unwrap();
        Self { child, stdout, said, address, link, data, _config: config }
    }

    pub(super) fn somebody(&self, name: &str, role: Role) -> Person {
        self.elsewhere(name, role, "fr-67")
    }

    pub(super) fn elsewhere(&self, name: &str, role: Role, territory: &str) -> Person {
        Person::new(name, role, self.link.acting(name, role, territory).unwrap(), Clock::System, Calls::default())
    }

    /// Asks it to stop, as a system does, and waits until it has.
    pub(super) fn stop(mut self) -> Left {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let status = self.child.wait().unwrap();
        self.stdout.read_to_string(&mut self.said).unwrap();
        let lines = fs::read_to_string(self.data.path().join("log")).unwrap();
        assert!(status.success(), "it stopped with {status}: {lines}");
        let data = std::mem::replace(&mut self.data, TempDir::new().unwrap());
        Left { lines, said: std::mem::take(&mut self.said), data }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed on its way leaves no program behind; one that stopped has none any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
