//! What the program writes about patients is its own account's alone, and what is played goes away with whoever played it.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use crate::{config::Copy, support::redis::Server};

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Killed when it goes out of scope, also by a test that fails on its way.
struct Running(Child);

impl Running {
    fn new(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
        command.args(args).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("SAS_DISPATCH_REDIS");
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The first line it prints.
    fn says(&mut self) -> String {
        let mut said = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
        said
    }

    /// Asks it to stop and waits until it has.
    fn stops(&mut self, signal: &str) -> Option<i32> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([format!("-{signal}"), id]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_state_and_what_was_acknowledged_are_for_the_service_account_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/data");
    let serve = || {
        let mut service = Running::new(&["serve", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
        assert!(service.says().contains("écoute sur"));
        service.stops("TERM");
    };
    serve();
    assert_eq!((mode(&data), mode(data.join("sas.redb")), mode(data.join("lookup.key"))), (0o700, 0o600, 0o600));
    // A backup that was put back with cp, by whoever's mask.
    for file in ["sas.redb", "lookup.key"] {
        fs::set_permissions(data.join(file), fs::Permissions::from_mode(0o664)).unwrap();
    }
    serve();
    assert_eq!((mode(data.join("sas.redb")), mode(data.join("lookup.key"))), (0o600, 0o600));
}

#[test]
fn a_played_store_is_nobody_elses_and_goes_away_with_a_signal() {
    for signal in ["TERM", "INT"] {
        let mut demo = Running::new(&["demo", "--json"]);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = parent.join(format!("sas-dispatch-{}-0", demo.0.id()));
        let store: PathBuf = folder.join("sas.redb");
        // The day takes minutes: its store is there long before the end.
        while !store.exists() {
            assert!(demo.0.try_wait().unwrap().is_none(), "it ended before it made a store");
            std::thread::yield_now();
        }
        assert_eq!((mode(&folder), mode(&store)), (0o700, 0o600));
        assert_eq!(demo.stops(signal), Some(1), "{signal}");
        assert!(!folder.exists(), "{signal}");
    }
}

#[test]
fn a_data_folder_that_is_named_leaves_the_configured_redis_alone() {
    let (server, config, dir) = (Server::start("always"), Copy::of_shipped(), tempfile::tempdir().unwrap());
    let line = format!("redis_url = \"{}\"", server.url());
    config.replace("default.toml", "# redis_url = \"redis://user:password@127.0.0.1:6379/0\"", &line);
    let folder = config.path().to_str().unwrap();
    let served = |data: &str, more: &[&str]| {
        let data = dir.path().join(data);
        let args = ["serve", "--listen", "127.0.0.1:0", "--config", folder, "--data", data.to_str().unwrap()];
        let mut service = Running::new(&[&args, more].concat());
        let said = service.says();
        service.stops("TERM");
        assert!(said.starts_with("sas-dispatch écoute sur 127.0.0.1:"), "{said}");
        (said.contains("état : Redis"), said.contains("état : embarqué"), data.join("sas.redb").exists())
    };
    assert_eq!(served("one", &[]), (true, false, false));
    assert!(dir.path().join("one/lookup.key").exists(), "what stays on this machine is in the folder");
    assert_eq!(served("two", &["--embedded"]), (false, true, true));
}
