//! What a Redis is asked by its clients, read off its own MONITOR and its own counts.

use std::path::Path;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
};

/// The end of one stretch of commands, as MONITOR shows it.
const MARK: &str = r#""INFO" "commandstats""#;

/// A read that names no record and no command: the tail looks whether another epoch has begun.
pub const EPOCH: &str = "epoch";

/// What clients asked between two marks.
#[derive(Debug, Default)]
pub struct Asked {
    /// Who asked and the command's name in lower case, in order; those inside scripts are not among them.
    pub commands: Vec<(String, String)>,
    /// How many scripts were run since the server began, as it counts itself.
    pub scripts: u64,
}

/// A second pair of eyes on a Redis.
pub struct Wire {
    monitor: BufReader<UnixStream>,
    asking: BufReader<UnixStream>,
}

impl Wire {
    pub async fn tap(socket: &Path) -> Self {
        let open = async || BufReader::new(UnixStream::connect(socket).await.unwrap());
        let (mut monitor, asking) = (open().await, open().await);
        monitor.write_all(b"MONITOR\r\n").await.unwrap();
        assert_eq!(line(&mut monitor).await, "+OK");
        Self { monitor, asking }
    }

    /// Everything asked since the last mark, and a mark.
    pub async fn mark(&mut self) -> Asked {
        self.asking.write_all(b"INFO commandstats\r\n").await.unwrap();
        let length: usize = line(&mut self.asking).await.trim_start_matches('$').parse().unwrap();
        let mut stats = vec![0; length + 2];
        self.asking.read_exact(&mut stats).await.unwrap();
        let mut asked = Asked { scripts: scripts(&String::from_utf8(stats).unwrap()), ..Asked::default() };
        loop {
            let told = line(&mut self.monitor).await;
            if told.contains(MARK) {
                return asked;
            }
            let (origin, command) = told.split_once("] \"").unwrap();
            let (_, client) = origin.split_once('[').unwrap();
            if !client.ends_with(" lua") {
                let name = command.split('"').next().unwrap().to_lowercase();
                let epoch = name == "evalsha" && names_head_alone(command);
                asked.commands.push((client.to_owned(), if epoch { EPOCH.to_owned() } else { name }));
            }
        }
    }
}

/// `evalsha" "HASH" "3" "HEAD" "LOG" "HEAD" …`: the head twice is what `read.lua` is given where nothing else is asked.
fn names_head_alone(command: &str) -> bool {
    let parts: Vec<&str> = command.split("\" \"").collect();
    matches!(parts[..], [_, _, "3", head, _, asked, ..] if head == asked)
}

async fn line(from: &mut BufReader<UnixStream>) -> String {
    let mut line = String::new();
    from.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

/// `cmdstat_evalsha:calls=12,usec=…`
fn scripts(stats: &str) -> u64 {
    let counted = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
    counted.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
}
