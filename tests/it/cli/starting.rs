//! What a start is refused for, or goes on in spite of: another look-up key than the others', data of a newer version, a
//! promise that the store cannot keep.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use sas_dispatch::{
    clock::Clock,
    domain::{actor::Role, ids::TerritoryId},
    grpc::client::connect,
    store::{
        LookupKept, Store,
        dump::Portable as _,
        embedded::Embedded,
        redis::{Redis, RedisOptions},
    },
};

use super::{err, out, run};
use crate::{
    config::Copy,
    support::{
        redis::Server,
        room::{Calls, Person, ill},
    },
};

const HEAD: &str = "sas:1:{fr-67}:head";

/// One instance that runs; killed when it goes out of scope.
struct Instance {
    child: Child,
    address: String,
    stdout: BufReader<ChildStdout>,
}

/// The service on this Redis, or on the embedded store of the folder.
fn command(redis: Option<&Server>, data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("SAS_DISPATCH_REDIS");
    if let Some(server) = redis {
        command.args(["--redis", &server.url()]);
    }
    command
}

impl Instance {
    /// Returns once it says that it listens.
    fn starts(redis: Option<&Server>, data: &Path) -> Self {
        let mut child = command(redis, data).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (mut stdout, mut said) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        stdout.read_line(&mut said).unwrap();
        let address = said.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
        Self { child, address: address.expect("it says where it listens").to_owned(), stdout }
    }

    /// Somebody calls.
    async fn takes_a_call(&self) {
        let link = connect(self.address.parse().unwrap()).await.unwrap();
        let link = link.acting("arm-1", Role::Arm, "fr-67").unwrap();
        Person::new("arm-1", Role::Arm, link, Clock::System, Calls::default()).opens("67482", ill()).await.unwrap();
    }

    /// Asks it to stop; what it had said beside.
    fn stops(mut self) -> String {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success() && self.child.wait().unwrap().success());
        let mut said = String::new();
        self.stdout.read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a start that is refused says, as an operator reads it.
fn refused(redis: Option<&Server>, data: &Path) -> String {
    let output = command(redis, data).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", out(&output));
    assert!(!out(&output).contains("écoute sur"), "{}", out(&output));
    err(&output)
}

/// An embedded store in this folder with one case of Bas-Rhin.
async fn with_a_case(data: &Path) {
    let instance = Instance::starts(None, data);
    instance.takes_a_call().await;
    assert!(!instance.stops().contains("ATTENTION"), "the first key of all is no other one");
}

/// Found by starting two: each made a key of its own, and a caller whose call one of them took was nobody to the other.
#[tokio::test]
async fn a_second_instance_with_another_key_does_not_start_and_with_the_same_it_does() {
    let (server, dir) = (Server::start("always"), tempfile::tempdir().unwrap());
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let first = Instance::starts(Some(&server), &one);
    let said = refused(Some(&server), &two);
    for words in [
        "la clé de recherche de cette instance n'est pas celle des autres (fr-67, fr-89)",
        "Copiez ici le fichier lookup.key",
        "store.lookup_key",
        "redis-cli -c HDEL 'sas:1:{fr-67}:head' lookup",
        "redis-cli -c HDEL 'sas:1:{fr-89}:head' lookup",
    ] {
        assert!(said.contains(words), "{words} is missing from: {said}");
    }
    fs::copy(one.join("lookup.key"), two.join("lookup.key")).unwrap();
    let second = Instance::starts(Some(&server), &two);
    assert!(second.stops().contains("arrêt demandé") && first.stops().contains("arrêt demandé"));

    // A territory that nobody served yet is left to those whose key is right.
    server.command(&["HDEL", "sas:1:{fr-89}:head", "lookup"]).await;
    fs::remove_file(two.join("lookup.key")).unwrap();
    assert!(refused(Some(&server), &two).contains("celle des autres (fr-67) :"));
    Instance::starts(Some(&server), &one).stops();

    // Lost for good: what the message says lets a new one begin.
    fs::remove_file(two.join("lookup.key")).unwrap();
    refused(Some(&server), &two);
    for territory in ["fr-67", "fr-89"] {
        server.command(&["HDEL", &format!("sas:1:{{{territory}}}:head"), "lookup"]).await;
    }
    Instance::starts(Some(&server), &two).stops();
    assert!(refused(Some(&server), &one).contains("lookup.key"), "the old one is the other one now");
}

/// At three in the morning a room goes on without what a lost file would have found.
#[tokio::test]
async fn an_embedded_store_whose_key_was_lost_goes_on_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    with_a_case(dir.path()).await;
    assert!(!Instance::starts(None, dir.path()).stops().contains("ATTENTION"), "it is the key of before");
    fs::remove_file(dir.path().join("lookup.key")).unwrap();
    let said = Instance::starts(None, dir.path()).stops();
    assert!(said.contains("ATTENTION : la clé de recherche (lookup.key) n'est plus celle d'avant (fr-67)"), "{said}");
    assert!(!Instance::starts(None, dir.path()).stops().contains("ATTENTION"), "it is said once");
}

#[tokio::test]
async fn what_is_kept_of_a_key_is_no_state_and_is_not_moved_with_it() {
    let (server, dir) = (Server::start("no"), tempfile::tempdir().unwrap());
    let (from, file) = (dir.path().join("from"), dir.path().join("export.jsonl"));
    with_a_case(&from).await;
    let territory: TerritoryId = "fr-67".parse().unwrap();
    let begin = async |store: &dyn Store, digest: &str| store.begin(&territory, digest, true).await.unwrap().lookup;
    let (old, new) = ("0123456789abcdef".repeat(2), "fedcba9876543210".repeat(2));
    {
        let store = Embedded::open(&from, Clock::System).unwrap();
        assert_eq!(begin(&store, &old).await, LookupKept::Replaced);
        assert_eq!(begin(&store, &old).await, LookupKept::Same);
    }
    let export = run(&["export", "--data", from.to_str().unwrap(), "--out", file.to_str().unwrap()]);
    assert!(export.status.success(), "{}", err(&export));
    assert!(!fs::read_to_string(&file).unwrap().contains(&old), "no file tells of it");

    // An instance that was started too early set a digest in the empty place; it is still empty.
    server.command(&["HSET", HEAD, "lookup", &new]).await;
    let redis = Redis::connect(RedisOptions::new(server.url())).await.unwrap();
    assert_eq!((redis.stands(&territory).await.unwrap(), redis.territories().await.unwrap()), (None, Vec::new()));
    let import = run(&["import", file.to_str().unwrap(), "--redis", &server.url()]);
    assert!(import.status.success(), "{}", err(&import));
    assert_eq!(begin(&redis, &old).await, LookupKept::Same, "the first start after an import sets it");
    let forget = format!("redis-cli -c HDEL '{HEAD}' lookup");
    assert_eq!(begin(&redis, &new).await, LookupKept::Other { forget });
    assert_eq!(begin(&redis, &old).await, LookupKept::Same);
}

/// Found by raising the schema: the service listened, showed its cases and refused each write, a vital one too.
#[tokio::test]
async fn data_of_a_newer_version_are_refused_at_the_start_and_at_an_import() {
    let (server, dir) = (Server::start("always"), tempfile::tempdir().unwrap());
    let (from, file) = (dir.path().join("from"), dir.path().join("export.jsonl"));
    with_a_case(&from).await;
    let (path, text) = (file.to_str().unwrap(), || fs::read_to_string(&file).unwrap());
    let export = run(&["export", "--data", from.to_str().unwrap(), "--out", path]);
    assert!(export.status.success(), "{}", err(&export));
    assert!(run(&["import", path, "--redis", &server.url()]).status.success());
    server.command(&["HSET", HEAD, "schema", "99"]).await;
    let said = refused(Some(&server), &dir.path().join("data"));
    let expected = "fr-67 : données d'une version plus récente (schéma 99, celle-ci connaît 1 au plus)";
    assert!(said.contains(expected) && said.contains("Lancez la version qui les a écrites"), "{said}");

    fs::remove_file(&file).unwrap();
    let export = run(&["export", "--redis", &server.url(), "--all", "--out", path]);
    assert!(export.status.success() && text().contains("\"schema\":99"), "{}", err(&export));
    let target = dir.path().join("target");
    let import = run(&["import", path, "--data", target.to_str().unwrap()]);
    assert_eq!(import.status.code(), Some(2));
    let words = "fr-67: written in schema 99 by a newer version, and this one knows 1 at most";
    assert!(err(&import).contains(words) && !target.exists(), "{}", err(&import));
}

/// Found by testing: the message had nothing to change between its semicolon and its full stop.
#[test]
fn what_an_embedded_store_cannot_promise_is_said_with_what_to_change() {
    let (config, dir) = (Copy::of_shipped(), tempfile::tempdir().unwrap());
    config.replace("default.toml", "durability = \"D1\"", "durability = \"D2\"");
    config.replace("default.toml", "replicas = 0", "replicas = 1");
    let output = command(None, dir.path()).arg("--config").arg(config.path()).output().unwrap();
    let said =
        "durabilité D1, alors que D2 est promise ; l'enregistrement embarqué n'a pas de réplique et tient D1 au plus";
    assert!(output.status.code() == Some(2) && err(&output).contains(said), "{}", err(&output));
}
