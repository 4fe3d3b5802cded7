//! Real time: what was acknowledged before another call began stands before it in the log.

use super::Model;
use crate::history::Op;

/// Pairs that stand the other way round.
pub(super) fn real_time(ops: &[&Op], model: &Model<'_>) -> Vec<String> {
    let mut logged: Vec<(&Op, u64)> = ops
        .iter()
        .filter(|op| op.told().is_some())
        .filter_map(|op| Some((*op, model.by_command.get(op.command_id.as_str())?.seq)))
        .collect();
    let mut done = logged.clone();
    done.sort_by_key(|(op, _)| op.completed_us);
    logged.sort_by_key(|(op, _)| op.invoked_us);
    let (mut next, mut latest, mut broken) = (0, None::<(&Op, u64)>, Vec::new());
    for (op, seq) in logged {
        while let Some((earlier, place)) = done.get(next).filter(|(earlier, _)| earlier.completed_us < op.invoked_us) {
            if latest.is_none_or(|(_, most)| most < *place) {
                latest = Some((earlier, *place));
            }
            next += 1;
        }
        if let Some((earlier, place)) = latest.filter(|(_, place)| *place > seq) {
            broken.push(format!(
                "{} {} stands at {seq} although {} {} was acknowledged at {place} before it began",
                op.kind, op.command_id, earlier.kind, earlier.command_id
            ));
        }
    }
    broken
}

/// The longest time of the load in which no changing call of the territory was acknowledged, microseconds.
pub(super) fn longest_silence_us(ops: &[&Op], load_us: u64) -> u64 {
    let mut done: Vec<u64> = ops.iter().filter(|op| op.told().is_some()).map(|op| op.completed_us).collect();
    done.retain(|at| *at <= load_us);
    done.extend([0, load_us]);
    done.sort_unstable();
    done.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
}
