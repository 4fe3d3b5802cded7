//! A queue holds exactly who waits, in the order of their turn.

use sas_dispatch::domain::regulation::queue;

use super::Model;
use crate::history::Queued;

/// What is wrong with a queue as it was served.
pub(super) fn served(queued: &Queued, model: &Model<'_>) -> Vec<String> {
    let Queued { stream, instance, .. } = queued;
    let name = format!("the queue {stream} on instance {instance}");
    let Some(seq) = queued.seq else { return vec![format!("{name} was not answered at the end")] };
    let mut waiting: Vec<queue::Waiting> = Vec::new();
    for case in model.cases.keys() {
        let waits = model.at(case, seq).and_then(|step| step.waits.as_ref());
        waiting.extend(waits.filter(|(known, _)| known.code() == stream).map(|(_, waiting)| *waiting));
    }
    waiting.sort_by(queue::order);
    let expected: Vec<String> = waiting.iter().map(|waiting| waiting.case.to_string()).collect();
    let missing = expected.iter().filter(|case| !queued.cases.contains(case));
    let mut broken: Vec<String> =
        missing.map(|case| format!("{name} lacks case {case}, which waits at seq {seq}")).collect();
    let stray = queued.cases.iter().filter(|case| !expected.contains(case));
    broken.extend(stray.map(|case| format!("{name} shows case {case}, which does not wait at seq {seq}")));
    if broken.is_empty() && expected != queued.cases {
        broken.push(format!("{name} is not in the order of turns at seq {seq}"));
    }
    broken
}
