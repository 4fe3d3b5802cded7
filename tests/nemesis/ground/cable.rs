//! The network between the servers, where the machine lets us have one: each server lives in a name space of its own, and
//! one cable (a veth pair) leads from there to a bridge of the harness. A cable that is pulled is a partition that no process
//! plays: nothing arrives, either way, and what was sent is sent again by TCP.

use std::{
    collections::BTreeSet,
    fs, io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    process::Command,
};

use super::spaces::{NETWORK, run};
use crate::{pace::pass, process::Process};

/// Makes the bridge. Its address is stated, or it would take that of a cable and change it with the cables.
pub(super) const SETUP: &str = "ip link set lo up && ip link add sas address 02:00:00:00:00:01 type bridge && \
    ip addr add 10.77.0.1/16 dev sas && ip link set sas up";
/// Whether a cable can be laid.
pub(super) const TRIAL: &str =
    "ip link add trial type veth peer name wire && ip link set trial master sas up && unshare --net nsenter --version";
/// Why none can be laid.
pub const NEEDED: &str = "a network of its own for each server needs root, `ip` and a bridge";
/// The bridge.
const BRIDGE: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
/// How long the holder of a name space may take to be in it, in steps of 10 ms.
const STEPS: usize = 1_000;

/// Whether servers hang on cables.
pub fn are_laid() -> bool {
    NETWORK.entered()
}

/// Where the harness's own sockets listen, so that servers and clients alike reach them by the same address.
pub fn here() -> IpAddr {
    if are_laid() { BRIDGE.into() } else { Ipv4Addr::LOCALHOST.into() }
}

/// The links there are, the bridge among them; none where the network is everybody's.
pub fn links() -> BTreeSet<String> {
    let told = fs::read_to_string("/proc/net/dev").unwrap_or_default();
    let names = told.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim().to_owned());
    if are_laid() { names.collect() } else { BTreeSet::new() }
}

/// The program and its first arguments that start a server at the end of its cable, or in everybody's network.
pub fn server(cable: Option<&Cable>) -> (String, Vec<String>) {
    let server = "redis-server".to_owned();
    match cable {
        Some(cable) => ("nsenter".to_owned(), vec![cable.entry(), "--".to_owned(), server]),
        None => (server, Vec::new()),
    }
}

/// A server's cable, and the name space that it leads to.
#[derive(Debug)]
pub struct Cable {
    /// Lives in the name space, so that there is one while the server is down.
    holder: Process,
    link: String,
    pub ip: IpAddr,
    pulled: bool,
}

impl Cable {
    /// The cable of the server `number`; none where servers have no network of their own.
    pub async fn lay(number: u8, name: &str, folder: &Path) -> io::Result<Option<Self>> {
        if !are_laid() {
            return Ok(None);
        }
        let arguments = ["--net", "sleep", "infinity"].map(str::to_owned).to_vec();
        let holder = Process::new(format!("cable-{name}"), "unshare", arguments, folder);
        let ip = Ipv4Addr::new(10, 77, 1, number);
        let mut cable = Self { holder, link: format!("sas-{number}"), ip: ip.into(), pulled: false };
        cable.holder.start()?;
        let space = cable.space().await?;
        let pid = cable.holder.pid().unwrap_or_default().to_string();
        ip_link(&["add", &cable.link, "type", "veth", "peer", "name", "wire", "netns", &pid])?;
        ip_link(&["set", &cable.link, "master", "sas", "up"])?;
        let inside = format!("ip link set lo up && ip addr add {ip}/16 dev wire && ip link set wire up");
        run(Command::new("nsenter").args([&space, "--", "sh", "-c", &inside]))?;
        Ok(Some(cable))
    }

    /// Nothing passes any more.
    pub fn pull(&mut self) -> io::Result<()> {
        self.pulled = true;
        ip_link(&["set", &self.link, "down"])
    }

    /// Everything passes again.
    pub fn plug(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.pulled) { ip_link(&["set", &self.link, "up"]) } else { Ok(()) }
    }

    fn entry(&self) -> String {
        format!("--net=/proc/{}/ns/net", self.holder.pid().unwrap_or_default())
    }

    /// How to enter the name space, once the holder is in it.
    async fn space(&self) -> io::Result<String> {
        let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).ok();
        let pid = self.holder.pid().unwrap_or_default().to_string();
        for _ in 0..STEPS {
            if of(&pid).is_some_and(|space| Some(space) != of("self")) {
                return Ok(self.entry());
            }
            pass(10).await;
        }
        Err(io::Error::other(format!("{} has no network of its own:\n{}", self.holder.name, self.holder.last_words())))
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        // With the name space it goes by itself, a moment later than a next run may want its name.
        let _ = ip_link(&["delete", &self.link]);
    }
}

fn ip_link(words: &[&str]) -> io::Result<()> {
    run(Command::new("ip").arg("link").args(words))
}
