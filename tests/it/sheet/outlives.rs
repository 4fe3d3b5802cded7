//! The program writes its sheet by itself; when it is killed, the room goes on from what stands on disk, also when an old
//! backup is put in the place of its data.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sas_dispatch::{
    clock::Clock,
    domain::actor::Role,
    grpc::{client::connect, pb},
};
use tempfile::TempDir;

use crate::{
    config::Copy,
    support::room::{Calls, Person, Story, ask, ill},
};

/// The program over a data folder, and somebody who takes calls there. Killed when it goes out of scope, also by a test that
/// fails on its way.
struct Service {
    child: Child,
    arm: Person,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Service {
    async fn serves(config: &Copy, data: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config.path()).arg("--data").arg(data);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address =
            said.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).expect("it says where it listens");
        let link = connect(address.parse().unwrap()).await.unwrap();
        let clients = link.acting("arm-1", Role::Arm, "fr-67").unwrap();
        Self { child, arm: Person::new("arm-1", Role::Arm, clients, Clock::System, Calls::default()) }
    }

    /// A round lasts a second; each look asks the service something, and a thousand last longer than several rounds.
    async fn until(&self, what: &str, holds: impl Fn() -> bool) -> Story {
        for _ in 0..100_000 {
            if holds() {
                return Ok(());
            }
            ask!(self.arm, intake, list_cases, pb::ListCasesRequest::default())?;
        }
        panic!("{what}")
    }
}

fn written_each_second() -> (Copy, TempDir) {
    let config = Copy::of_shipped();
    config.replace("default.toml", "every_seconds = 15", "every_seconds = 1");
    (config, TempDir::new().unwrap())
}

fn says(sheet: &Path, words: &str) -> bool {
    fs::read_to_string(sheet).is_ok_and(|text| text.contains(words))
}

#[tokio::test]
async fn a_room_whose_service_was_killed_reads_on_from_the_sheet() -> Story {
    let (config, data) = written_each_second();
    let service = Service::serves(&config, data.path()).await;
    let case = service.arm.opens("67482", ill()).await?;
    let sheet = data.path().join("feuille-de-garde/fr-67.txt");
    service.until("the sheet was not written", || says(&sheet, &case.case_number)).await?;
    drop(service);
    assert!(says(&sheet, &case.case_number));
    Ok(())
}

/// The sheet of the old data was written over the one that alone told of what was lost.
#[tokio::test]
async fn the_sheet_of_before_an_old_backup_is_kept() -> Story {
    let (config, data) = written_each_second();
    let (folder, store) = (data.path().join("feuille-de-garde"), data.path().join("sas.redb"));
    let sheet = folder.join("fr-67.txt");
    let service = Service::serves(&config, data.path()).await;
    let old = service.arm.opens("67482", ill()).await?;
    drop(service);
    let backup = fs::read(&store).unwrap();
    let service = Service::serves(&config, data.path()).await;
    let lost = service.arm.opens("67482", ill()).await?;
    service.until("the sheet was not written", || says(&sheet, &lost.case_number)).await?;
    // What was acknowledged is known by the time that the sheet is older than it.
    let acknowledged = data.path().join("acknowledged-embedded-0.json");
    service.until("it keeps what it acknowledged", || says(&acknowledged, "\"seq\": 2")).await?;
    drop(service);
    fs::write(&store, backup).unwrap();

    let service = Service::serves(&config, data.path()).await;
    service.until("the sheet does not say what is missing", || says(&sheet, "revenu en arrière")).await?;
    assert!(says(&sheet, &old.case_number) && !says(&sheet, &lost.case_number));
    assert!(says(&folder.join("fr-67.html"), "revenu en arrière"));
    let kept = || -> Vec<PathBuf> {
        let all = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.to_str().unwrap().contains("fr-67.avant-retour-")).collect()
    };
    let before = kept();
    assert_eq!(before.len(), 2, "both forms: {before:?}");
    for path in &before {
        assert!(says(path, &lost.case_number) && !says(path, "revenu en arrière"), "{}", path.display());
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // The next rounds, and the next start, keep nothing more.
    let another = service.arm.opens("67482", ill()).await?;
    service.until("calls go on being written", || says(&sheet, &another.case_number)).await?;
    assert_ne!(another.case_number, lost.case_number, "whoever is lost is not confused with anybody");
    drop(service);
    let service = Service::serves(&config, data.path()).await;
    let last = service.arm.opens("67482", ill()).await?;
    service.until("calls go on being written", || says(&sheet, &last.case_number)).await?;
    assert_eq!(kept(), before);
    Ok(())
}
