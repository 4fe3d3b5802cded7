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

/// Every key that fits the pattern, each followed by its dump: in one step, while instances commit.
const DUMP: &str = "local kept = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  kept[#kept + 1] = key
  kept[#kept + 1] = redis.call('DUMP', key)
end
return kept";
/// Puts keys and their dumps in the place of every key that fits the pattern.
const PUT_BACK: &str = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end
for at = 2, #ARGV, 2 do redis.call('RESTORE', ARGV[at], 0, ARGV[at + 1]) end
return (#ARGV - 1) / 2";

/// How often a note is tried that is acknowledged and not flushed: an audit of the settings has it refused.
const TRIES: usize = 5;

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
            let before = script(home, DUMP, &caller.territory, &[]).await?;
            note(&mut caller, &case, command).await?;
            let before: Vec<Vec<u8>> = redis::from_redis_value(before).map_err(io::Error::other)?;
            script(home, PUT_BACK, &caller.territory, &before).await.map(|_| ())
        }
        Plant::Unflushed => {
            note_unflushed(home, &mut caller, &case).await?;
            let at = home.at;
            let mut cut = stand.servers.nodes.iter_mut().filter(|node| node.at == at);
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

/// A note that the server acknowledges without flushing it. One that an audit of the server's settings has refused may not be
/// the lie: the settings are as promised again, the instances are seen to know it, and another note is tried.
async fn note_unflushed(home: &Node, caller: &mut Caller, case: &str) -> io::Result<()> {
    let set = async |value| home.ask(&["CONFIG", "SET", "appendfsync", value]).await.map_err(io::Error::other);
    let mut refused = None;
    for _ in 0..TRIES {
        set("no").await?;
        let command = caller.dice.command();
        match note(caller, case, command).await {
            Ok(()) => return Ok(()),
            Err(error) => refused = Some(error),
        }
        set("always").await?;
        let command = caller.dice.command();
        // Refused as well while they still go by what they read last.
        let _ = note(caller, case, command).await;
    }
    Err(refused.unwrap_or_else(|| io::Error::other("no note was tried")))
}

/// Runs a script on the keys of a territory.
async fn script(node: &Node, script: &str, territory: &str, more: &[Vec<u8>]) -> io::Result<Value> {
    let mut eval = redis::cmd("EVAL");
    eval.arg(script).arg(0).arg(pattern(territory)).arg(more);
    node.work(&eval).await.map_err(io::Error::other)
}

async fn keys(node: &Node, territory: &str) -> io::Result<Vec<Vec<u8>>> {
    let found = node.command(redis::cmd("KEYS").arg(pattern(territory))).await;
    redis::from_redis_value(found.map_err(io::Error::other)?).map_err(io::Error::other)
}

fn pattern(territory: &str) -> String {
    format!("sas:*:{{{territory}}}:*")
}
