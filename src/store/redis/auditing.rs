//! Settings, replicas and elections change while the service runs: they are looked at at the start, again and again, and
//! at once when something was not as it was last seen.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use crate::store::{Durability, DurabilityReport, StoreError};

use super::{link::Link, node::NoWay};

/// While the promised level is out of reach, its return is looked for this often.
const BELOW: Duration = Duration::from_secs(1);
/// A doubt that does not go away is looked into no more often.
const BREATH: Duration = Duration::from_millis(200);

/// Looks up who owns what, reads every owner's settings and state, and says what they promise together: the least. A
/// server that does not answer promises nothing.
///
/// # Errors
/// When no server answers, or none is fit.
pub(super) async fn audit(link: &Link) -> Result<DurabilityReport, StoreError> {
    let unavailable = |no: NoWay| StoreError::Unavailable(no.words());
    let owners = link.router.owners().await.map_err(unavailable)?;
    let audited = join_all(owners.iter().map(|node| async move { (node, node.audit().await) })).await;
    let mut report = DurabilityReport { level: Durability::D2, facts: Vec::new(), remarks: Vec::new() };
    let (mut answered, mut silent) = (false, None);
    for (node, facts) in audited {
        let named = |line: String| if owners.len() > 1 { format!("{} {line}", node.name) } else { line };
        let (level, facts, remarks) = match facts {
            Ok(facts) => {
                answered = true;
                (node.standing().reach(&link.promise), facts.lines(), node.remarks(&facts))
            }
            Err(no) => {
                link.router.suspect(node);
                let why = no.words();
                let lines = (vec![why.clone()], vec![format!("pas de réponse utile ({why})")]);
                silent = Some(why);
                (Durability::Unknown, lines.0, lines.1)
            }
        };
        report.level = report.level.min(level);
        report.facts.extend(facts.into_iter().map(named));
        report.remarks.extend(remarks.into_iter().map(named));
    }
    match silent {
        Some(why) if !answered => Err(StoreError::Unavailable(why)),
        _ => Ok(report),
    }
}

/// Audits as long as the store is in use.
pub(super) async fn keep_auditing(link: Weak<Link>, doubt: Arc<Notify>, every: Duration) {
    let (mut pause, mut last) = (every, None);
    loop {
        // Either its time has come or somebody doubts: both lead to the same.
        timeout(pause, doubt.notified()).await.ok();
        let Some(link) = link.upgrade() else { return };
        let (level, why) = match audit(&link).await {
            Ok(report) => (report.level, report.remarks.join("; ")),
            Err(error) => (Durability::Unknown, error.to_string()),
        };
        let promised = link.promise.level;
        pause = if level < promised { BELOW.min(every) } else { every };
        if last.replace(level).unwrap_or(promised.max(Durability::D1)) != level {
            if level < promised {
                warn!(%level, %promised, why, "Redis does not keep what is promised");
            } else {
                info!(%level, %promised, "the durability of Redis");
            }
        }
        drop(link);
        sleep(BREATH).await;
    }
}
