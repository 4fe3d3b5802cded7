//! A store that lies, on purpose: the checker must catch it from end to end.

use std::io;

use redis::Value;
use sas_dispatch::{
    domain::actor::Role,
    grpc::{client::Clients, pb},
};

use crate::{
    ground::{Node, Servers, Standing},
    history::Recorder,
    load::{Caller, Draft},
    stand::Stand,
};

/// Which lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// One acknowledged write is undone behind the service's back: event, receipt, records, indexes.
    Drop,
    /// One acknowledged write was not flushed, whatever the audited settings say, and the power goes.
    Unflushed,
    /// One acknowledged write is applied a second time: its receipt is forgotten and the command comes again.
    Twice,
}

impl Plant {
    pub const ALL: [(&str, Self); 3] = [("drop", Self::Drop), ("unflushed", Self::Unflushed), ("twice", Self::Twice)];
}

/// Plants the lie on the quiet site.
pub async fn plant(stand: &mut Stand, lie: Plant, mut caller: Caller) -> io::Result<()> {
    let case = recent_case(&stand.recorder).ok_or_else(|| io::Error::other("no case was opened: play longer"))?;
    let command = caller.dice.command();
    let home = home(&stand.servers, &caller.territory).await?;
    match lie {
        Plant::Drop => {
            let before = territory(home, &caller.territory).await?;
            note(&mut caller, &case, command).await?;
            put_back(home, &caller.territory, &before).await
        }
        Plant::Unflushed => {
            home.ask(&["CONFIG", "SET", "appendfsync", "no"]).await.map_err(io::Error::other)?;
            note(&mut caller, &case, command).await?;
            let port = home.port;
            let mut cut = stand.servers.nodes.iter_mut().filter(|node| node.port == port);
            cut.try_for_each(Node::cut_power)?;
            stand.heal()?;
            stand.settle(30_000).await.map(|_| ())
        }
        Plant::Twice => {
            note(&mut caller, &case, command.clone()).await?;
            let ending = format!(":receipt:{command}");
            let mut receipts = keys(home, &caller.territory).await?;
            receipts.retain(|key| key.ends_with(ending.as_bytes()));
            let mut forget = redis::cmd("DEL");
            forget.arg(&receipts);
            let forgotten = home.command(&forget).await.map_err(io::Error::other)?;
            if forgotten != Value::Int(1) {
                return Err(io::Error::other("the receipt was not where it is kept: mend the harness"));
            }
            caller.at = (caller.at + 1) % caller.doors.count();
            note(&mut caller, &case, command).await
        }
    }
}

/// The server that takes the writes of a territory: a master that has something of it.
async fn home<'a>(servers: &'a Servers, territory: &str) -> io::Result<&'a Node> {
    for node in &servers.nodes {
        let master = matches!(node.standing().await, Standing::Master { .. });
        if master && !keys(node, territory).await?.is_empty() {
            return Ok(node);
        }
    }
    Err(io::Error::other(format!("no master has anything of {territory}")))
}

fn recent_case(recorder: &Recorder) -> Option<String> {
    let history = recorder.history(Vec::new(), Vec::new());
    let mut opened = history.ops.iter().rev().filter(|op| op.kind == "OpenCase" && op.territory == "fr-67");
    opened.find_map(|op| op.told()?.case.clone())
}

async fn note(caller: &mut Caller, case: &str, command_id: String) -> io::Result<()> {
    let draft = Draft { kind: "AddNote", person: "arm-1", role: Role::Arm, case: Some(case), under_claim: None };
    let text = "Rappelée par la voisine.".to_owned();
    let request = pb::AddNoteRequest { command_id: command_id.clone(), case_id: case.to_owned(), text };
    let call = |mut clients: Clients| {
        let request = request.clone();
        async move { clients.intake.add_note(request).await }
    };
    let done = caller.change(draft, command_id, call).await;
    done.map(|_| ()).ok_or_else(|| io::Error::other("the planted note was not acknowledged"))
}

/// Every key of a territory with its dump.
async fn territory(node: &Node, territory: &str) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut kept = Vec::new();
    for key in keys(node, territory).await? {
        if let Value::BulkString(dump) = node.command(redis::cmd("DUMP").arg(&key)).await.map_err(io::Error::other)? {
            kept.push((key, dump));
        }
    }
    Ok(kept)
}

async fn put_back(node: &Node, territory: &str, before: &[(Vec<u8>, Vec<u8>)]) -> io::Result<()> {
    for key in keys(node, territory).await? {
        node.command(redis::cmd("DEL").arg(&key)).await.map_err(io::Error::other)?;
    }
    for (key, dump) in before {
        let mut restore = redis::cmd("RESTORE");
        restore.arg(key).arg(0).arg(dump).arg("REPLACE");
        node.command(&restore).await.map_err(io::Error::other)?;
    }
    Ok(())
}

async fn keys(node: &Node, territory: &str) -> io::Result<Vec<Vec<u8>>> {
    let found = node.command(redis::cmd("KEYS").arg(format!("sas:*:{{{territory}}}:*"))).await;
    redis::from_redis_value(found.map_err(io::Error::other)?).map_err(io::Error::other)
}
