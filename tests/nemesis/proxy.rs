//! A network that can fail: a TCP proxy between those who call and one server.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

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
}

/// Listens on a port of its own and passes everything to and from the server's.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    weather: watch::Sender<Weather>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// In front of the server on `target`.
    pub async fn before(target: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let (weather, seen) = watch::channel(Weather::Fair);
        let task = tokio::spawn(serve(listener, target, seen));
        Ok(Self { port, weather, task })
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

async fn serve(listener: TcpListener, target: u16, weather: watch::Receiver<Weather>) {
    loop {
        let Ok((caller, _)) = listener.accept().await else { continue };
        if *weather.borrow() != Weather::Cut {
            tokio::spawn(join(caller, target, weather.clone()));
        }
    }
}

async fn join(caller: TcpStream, target: u16, mut weather: watch::Receiver<Weather>) {
    if weather.wait_for(|weather| *weather != Weather::Held).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let _ = (caller.set_nodelay(true), server.set_nodelay(true));
    let ((from_caller, to_caller), (from_server, to_server)) = (caller.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_caller, to_server, weather.clone(), false) => {}
        () = pump(from_server, to_caller, weather, true) => {}
    }
}

/// Passes bytes on as the weather lets them, until one side closes or the connection dies.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut weather: watch::Receiver<Weather>, answers: bool) {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = weather.wait_for(|weather| *weather == Weather::Cut) => return,
        };
        let Ok(length @ 1..) = read else { return };
        let lost = answers && *weather.borrow() == Weather::Mute;
        let passes = |weather: &Weather| match weather {
            Weather::Fair | Weather::Cut => true,
            Weather::Held => false,
            Weather::Mute => !answers,
        };
        let cut = match weather.wait_for(passes).await {
            Ok(now) => *now == Weather::Cut,
            Err(_) => true,
        };
        if cut || lost || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
