//! The program writes its sheet by itself; when it is killed, the room goes on from what stands on disk.

use std::{
    fs,
    io::{BufRead, BufReader},
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

/// Killed when it goes out of scope, also by a test that fails on its way.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_room_whose_service_was_killed_reads_on_from_the_sheet() -> Story {
    let config = Copy::of_shipped();
    config.replace("default.toml", "every_seconds = 15", "every_seconds = 1");
    let data = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sas-dispatch"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config.path()).arg("--data").arg(data.path());
    let mut service = Service(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut said = String::new();
    BufReader::new(service.0.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address =
        said.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).expect("it says where it listens");
    let link = connect(address.parse().unwrap()).await.unwrap();
    let clients = link.acting("arm-1", Role::Arm, "fr-67").unwrap();
    let arm = Person::new("arm-1", Role::Arm, clients, Clock::System, Calls::default());
    let case = arm.opens("67482", ill()).await?;

    let sheet = data.path().join("feuille-de-garde/fr-67.txt");
    let written = || fs::read_to_string(&sheet).is_ok_and(|text| text.contains(&case.case_number));
    // A round lasts a second; each look asks the service something, and a thousand last longer than several rounds.
    for _ in 0..100_000 {
        if written() {
            break;
        }
        ask!(arm, intake, list_cases, pb::ListCasesRequest::default())?;
    }
    drop(service);
    assert!(written(), "the sheet was not written");
    Ok(())
}
