//! A slot moves from one master to another under load, as an operator reshards; a move that stopped half-way, perhaps because
//! a master was lost in the middle, is ended.

use redis::RedisResult;

use super::{Node, Standing, node::text};
use crate::pace::pass;

/// The keys of a slot go in this many parts.
const PARTS: u64 = 10;
/// How long the replica of the new owner may take to have what has come, in steps of 50 ms.
const STEPS: usize = 100;

/// What a master says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Own {
    id: String,
    /// Ranges, ends included.
    slots: Vec<(u16, u16)>,
    /// On their way to it or from it.
    open: Vec<u16>,
}

/// The slot of a territory's keys.
pub(super) async fn slot_of(node: &Node, territory: &str) -> RedisResult<u16> {
    redis::from_redis_value(node.ask(&["CLUSTER", "KEYSLOT", territory]).await?).map_err(Into::into)
}

/// A slot on its way: from which node, to which one, and the id of that.
struct Way {
    from: usize,
    to: usize,
    to_id: String,
}

/// Opens a slot for its way to `to`, or to another master when `to` has it; none when there is no way.
async fn open(nodes: &[Node], masters: &[Option<Own>], slot: u16, to: usize) -> RedisResult<Option<Way>> {
    let Some(from) = masters.iter().position(|own| own.as_ref().is_some_and(|own| own.has(slot))) else {
        return Ok(None);
    };
    let others = (to..nodes.len()).chain(0..to).filter(|other| *other != from);
    let Some(to) = others.into_iter().find(|other| masters[*other].is_some()) else { return Ok(None) };
    let id = |n: usize| masters[n].as_ref().map_or_else(String::new, |own| own.id.clone());
    let (from_id, to_id, name) = (id(from), id(to), slot.to_string());
    nodes[to].ask(&["CLUSTER", "SETSLOT", &name, "IMPORTING", &from_id]).await?;
    nodes[from].ask(&["CLUSTER", "SETSLOT", &name, "MIGRATING", &to_id]).await?;
    Ok(Some(Way { from, to, to_id }))
}

/// Moves a slot to `to`, or to another master when `to` has it: for a quarter of the time it is open and nothing has gone,
/// then its keys go, and for a quarter all have gone and the slot has not.
pub(super) async fn carry(nodes: &[Node], slot: u16, to: usize, ms: u64) -> RedisResult<()> {
    let masters = masters(nodes).await;
    let Some(Way { from, to, to_id }) = open(nodes, &masters, slot, to).await? else { return Ok(()) };
    let name = slot.to_string();
    pass(ms / 4).await;
    let part = 1 + keys_in(&nodes[from], slot).await? / PARTS;
    while take(&nodes[from], &nodes[to], slot, part).await? {
        pass(ms / 2 / PARTS).await;
    }
    pass(ms / 4).await;
    // What came is to be on its replica before the new owner answers for it.
    followed(&nodes[to]).await;
    nodes[to].ask(&["CLUSTER", "SETSLOT", &name, "NODE", &to_id]).await?;
    for other in (0..nodes.len()).filter(|other| *other != to && masters[*other].is_some()) {
        nodes[other].ask(&["CLUSTER", "SETSLOT", &name, "NODE", &to_id]).await?;
    }
    Ok(())
}

/// Begins to move a slot and stops where half of its keys have gone and the replicas of both sides have followed. Answers
/// which node gives and which takes.
pub(super) async fn half(nodes: &[Node], slot: u16, to: usize) -> RedisResult<Option<(usize, usize)>> {
    let masters = masters(nodes).await;
    let Some(Way { from, to, .. }) = open(nodes, &masters, slot, to).await? else { return Ok(None) };
    let part = 1 + keys_in(&nodes[from], slot).await? / PARTS;
    for _ in 0..PARTS / 2 {
        take(&nodes[from], &nodes[to], slot, part).await?;
    }
    followed(&nodes[to]).await;
    followed(&nodes[from]).await;
    Ok(Some((from, to)))
}

/// The nodes that follow a master.
pub(super) async fn replicas_of(nodes: &[Node], master: usize) -> Vec<usize> {
    let ids = identities(nodes).await;
    let Some((id, _)) = ids.get(master).cloned().flatten() else { return Vec::new() };
    let follows = |other: &usize| matches!(&ids[*other], Some((_, of)) if *of == id);
    (0..nodes.len()).filter(follows).collect()
}

/// Whether the replicas of the nodes may take over by themselves. The one of a master that gives a slot away must not: it
/// knows nothing of the move, and would answer for what has gone as if it had never been.
pub(super) async fn may_take_over(nodes: &[&Node], may: bool) {
    let barred = if may { "no" } else { "yes" };
    for node in nodes {
        // One that does not answer is asked again when the move is ended.
        let _ = node.ask(&["CONFIG", "SET", "cluster-replica-no-failover", barred]).await;
    }
}

/// Ends every move that stopped half-way: at the master where keys have gone to, else where they are.
pub(super) async fn end(nodes: &[Node]) -> RedisResult<()> {
    let masters = masters(nodes).await;
    let mut open: Vec<u16> = masters.iter().flatten().flat_map(|own| own.open.clone()).collect();
    open.sort_unstable();
    open.dedup();
    for slot in open {
        let mut to = None;
        for (n, own) in masters.iter().enumerate() {
            let elsewhere = own.as_ref().is_some_and(|own| !own.has(slot));
            if elsewhere && keys_in(&nodes[n], slot).await? > 0 {
                to = Some(n);
            }
        }
        match to {
            Some(to) => carry(nodes, slot, to, 0).await?,
            None => {
                for (node, _) in nodes.iter().zip(&masters).filter(|(_, own)| own.is_some()) {
                    node.ask(&["CLUSTER", "SETSLOT", &slot.to_string(), "STABLE"]).await?;
                }
            }
        }
    }
    if at_rest(nodes).await {
        may_take_over(&nodes.iter().collect::<Vec<_>>(), true).await;
    }
    Ok(())
}

/// No slot is on its way.
pub(super) async fn at_rest(nodes: &[Node]) -> bool {
    masters(nodes).await.iter().flatten().all(|own| own.open.is_empty())
}

/// Moves up to so many keys; false when there are none.
async fn take(from: &Node, to: &Node, slot: u16, most: u64) -> RedisResult<bool> {
    let found = from.ask(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), &most.to_string()]).await?;
    let keys: Vec<Vec<u8>> = redis::from_redis_value(found)?;
    if keys.is_empty() {
        return Ok(false);
    }
    let mut migrate = redis::cmd("MIGRATE");
    // A part that was cut off half-way is on both sides: what is here counts.
    migrate
        .arg(to.at.ip().to_string())
        .arg(to.at.port())
        .arg("")
        .arg(0)
        .arg(1_000)
        .arg("REPLACE")
        .arg("KEYS")
        .arg(keys);
    from.command(&migrate).await?;
    Ok(true)
}

async fn keys_in(node: &Node, slot: u16) -> RedisResult<u64> {
    redis::from_redis_value(node.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]).await?).map_err(Into::into)
}

/// Waits until the replicas of a master have all that it has now, or long enough.
async fn followed(master: &Node) {
    let Standing::Master { written, .. } = master.standing().await else { return };
    for _ in 0..STEPS {
        match master.standing().await {
            Standing::Master { followed: Some(followed), .. } if followed >= written => return,
            _ => pass(50).await,
        }
    }
}

/// The id of each node, and of whom it follows (`-`: nobody).
async fn identities(nodes: &[Node]) -> Vec<Option<(String, String)>> {
    let mut all = Vec::new();
    for node in nodes {
        let said = node.ask(&["CLUSTER", "NODES"]).await.ok().as_ref().and_then(text);
        all.push(said.as_deref().and_then(identity));
    }
    all
}

fn identity(said: &str) -> Option<(String, String)> {
    let own = said.lines().find(|line| line.contains("myself"))?;
    let mut fields = own.split(' ');
    Some((fields.next()?.to_owned(), fields.nth(2)?.to_owned()))
}

/// What each node says of itself; none of those that are no masters, or do not answer.
async fn masters(nodes: &[Node]) -> Vec<Option<Own>> {
    let mut all = Vec::new();
    for node in nodes {
        let said = node.ask(&["CLUSTER", "NODES"]).await.ok().as_ref().and_then(text);
        all.push(said.as_deref().and_then(Own::of));
    }
    all
}

impl Own {
    /// From what a node says of all: `<id> <address> <flags> <master> <ping> <pong> <epoch> <link> <slot> …`.
    fn of(said: &str) -> Option<Self> {
        let fields = |line: &'_ str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let own = said.lines().map(fields).find(|own| own.get(2).is_some_and(|flags| flags.contains("myself")))?;
        if !own[2].contains("master") {
            return None;
        }
        let mut known = Self { id: own[0].clone(), ..Self::default() };
        for slot in own.iter().skip(8) {
            let number = |text: &str| text.parse::<u16>().ok();
            if let Some(open) = slot.strip_prefix('[') {
                known.open.extend(open.split('-').next().and_then(number));
            } else {
                let (first, last) = slot.split_once('-').unwrap_or((slot, slot));
                known.slots.extend(number(first).zip(number(last)));
            }
        }
        Some(known)
    }

    fn has(&self, slot: u16) -> bool {
        self.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
    }
}

/// Run by the harness's own `main`, which tests itself.
pub(super) fn selftest() {
    let said = "b 127.0.0.1:2@12 master - 0 1 2 connected 6-16383\n\
                a 127.0.0.1:1@11 myself,master - 0 1 1 connected 0-3 5 [4->-b] [9-<-b]\n";
    let own = Own { id: "a".to_owned(), slots: vec![(0, 3), (5, 5)], open: vec![4, 9] };
    assert_eq!(Own::of(said).as_ref(), Some(&own));
    assert!(own.has(5) && !own.has(4) && !own.has(9));
    assert_eq!(identity(said), Some(("a".to_owned(), "-".to_owned())));
    assert_eq!(Own::of(&said.replace("myself,master", "myself,slave")), None);
}
