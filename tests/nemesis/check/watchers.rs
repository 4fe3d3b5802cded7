//! A watcher sees nothing that is not in the log, never goes back, and at the end shows what a fresh list shows.

use std::collections::BTreeMap;

use super::Model;
use crate::history::Watched;

pub(super) fn missed(watched: &Watched, model: &Model<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for (case, version) in &watched.shown {
        match model.version(case, version) {
            None => broken.push(format!(
                "watcher {} was shown version {version} of {case}: it is in no place of the log",
                watched.name
            )),
            Some(step) => {
                let before = last.insert(case, step.seq).unwrap_or(0);
                if step.seq < before && watched.resets == 0 {
                    broken.push(format!(
                        "watcher {} was shown case {case} at {before}, then at {}",
                        watched.name, step.seq
                    ));
                }
            }
        }
    }
    let Some(listed) = &watched.listed else {
        broken.push(format!("watcher {} could not be compared: no list was answered at the end", watched.name));
        return broken;
    };
    for (case, version) in listed {
        match watched.now.get(case) {
            None => broken.push(format!("watcher {} missed case {case}", watched.name)),
            Some(shown) if shown != version => {
                broken.push(format!("watcher {} missed a change of case {case}", watched.name))
            }
            Some(_) => {}
        }
    }
    let gone = watched.now.keys().filter(|case| !listed.contains_key(*case));
    broken
        .extend(gone.map(|case| format!("watcher {} still shows case {case}, which has left the list", watched.name)));
    broken
}
