//! A network that can fail: a TCP proxy between those who call and one server.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use crate::ground::cable::here;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// Everything passes.
    Fair,
    /// Nothing passes; what was sent arrives when it clears, as TCP delivers after a partition.
    Held,
    /// What is asked arrives, what is answered is lost; the connection dies when it clears.
    Mute,
    /// Connections break, new ones are refused.
    Cut,
    /// Clients pass, other servers do not: replicas and sentinels lose sight of a server that goes on answering.
    Split,
    /// On the bus of a cluster: what this member says does not arrive.
    Without(Member),
}

/// Who speaks on the bus of a cluster: its id, 40 hexadecimal digits.
pub type Member = [u8; 40];

/// Who opened a connection, as the first words say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Client,
    /// A replica or a sentinel.
    Server,
    Member(Member),
}

/// Listens on a port of its own, where clients and servers reach it, and passes everything to and from the server's.
#[derive(Debug)]
pub struct Proxy {
    pub at: SocketAddr,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of the server on `target`.
    pub async fn before(target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind((here(), 0)).await?;
        let at = listener.local_addr()?;
        let (weather, seen) = watch::channel(Weather::Fair);
        let task = tokio::spawn(serve(listener, target, seen));
        Ok(Self { at, weather, task })
    }

    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, target: SocketAddr, weather: watch::Receiver<Weather>) {
    loop {
        let Ok((caller, _)) = listener.accept().await else { continue };
        if *weather.borrow() != Weather::Cut {
            tokio::spawn(join(caller, target, weather.clone()));
        }
    }
}

async fn join(caller: TcpStream, target: SocketAddr, mut weather: watch::Receiver<Weather>) {
    if weather.wait_for(|weather| !matches!(weather, Weather::Held)).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let _ = (caller.set_nodelay(true), server.set_nodelay(true));
    let ((from_caller, to_caller), (from_server, to_server)) = (caller.into_split(), server.into_split());
    let peer: Arc<OnceLock<Peer>> = Arc::default();
    let asks = Pump { weather: weather.clone(), peer: peer.clone(), answers: false };
    let answers = Pump { weather, peer, answers: true };
    tokio::select! {
        () = asks.run(from_caller, to_server) => {}
        () = answers.run(from_server, to_caller) => {}
    }
}

/// One direction of a connection.
struct Pump {
    weather: watch::Receiver<Weather>,
    /// Known once it has said who it is.
    peer: Arc<OnceLock<Peer>>,
    answers: bool,
}

impl Pump {
    /// Passes bytes on as the weather lets them, until one side closes or the connection dies.
    async fn run(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            let read = tokio::select! {
                read = from.read(&mut buffer) => read,
                _ = self.weather.wait_for(|weather| *weather == Weather::Cut) => return,
            };
            let Ok(length @ 1..) = read else { return };
            if !self.answers
                && let Some(peer) = introduced(&buffer[..length])
            {
                // Who has said once who it is stays that.
                let _ = self.peer.set(peer);
            }
            let lost = self.answers && *self.weather.borrow() == Weather::Mute;
            let (answers, peer) = (self.answers, self.peer.get().copied().unwrap_or(Peer::Client));
            let passes = |weather: &Weather| match weather {
                Weather::Fair | Weather::Cut => true,
                Weather::Held => false,
                Weather::Mute => !answers,
                Weather::Split => peer != Peer::Server,
                Weather::Without(member) => peer != Peer::Member(*member),
            };
            let cut = match self.weather.wait_for(passes).await {
                Ok(now) => *now == Weather::Cut,
                Err(_) => true,
            };
            if cut || lost || to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
        }
    }
}

/// Where a message of the bus names who sends it.
const SENDER: std::ops::Range<usize> = 40..80;

/// Who opens a connection with these words; none when they do not say.
fn introduced(bytes: &[u8]) -> Option<Peer> {
    if bytes.starts_with(b"RCmb") {
        return Some(Peer::Member(bytes.get(SENDER)?.try_into().ok()?));
    }
    let says = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    let of_server = bytes.len() < 512 && (says(b"REPLCONF") || says(b"PSYNC") || says(b"sentinel-"));
    of_server.then_some(Peer::Server)
}

/// Run by the harness's own `main`, which tests itself.
pub fn selftest() {
    let id = [b'a'; 40];
    let message = [b"RCmb".as_slice(), &[0; 36], &id, b"and what it says"].concat();
    assert_eq!(introduced(&message), Some(Peer::Member(id)));
    assert_eq!(introduced(b"*3\r\n$8\r\nREPLCONF\r\n"), Some(Peer::Server));
    assert_eq!(introduced(b"*1\r\n$4\r\nPING\r\n"), None);
}
