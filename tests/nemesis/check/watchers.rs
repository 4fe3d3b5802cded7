//! A watcher sees nothing that is not in the log, never goes back, and at the end shows what a fresh list shows.

use std::collections::BTreeMap;

use super::Model;
use crate::history::Watched;

/// What is wrong, and how often it was shown what had gone and was then told to forget it: where no replica follows, what
/// is only here is all there is to be shown.
pub(super) fn missed(watched: &Watched, model: &Model<'_>, level: &str) -> (Vec<String>, usize) {
    let (mut broken, mut taken_back) = (Vec::new(), 0);
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut resets = watched.resets.iter().peekable();
    for (at, (case, version)) in watched.shown.iter().enumerate() {
        while resets.next_if(|reset| **reset <= at).is_some() {
            last.clear();
        }
        match model.version(case, version) {
            None if level == "D2" && resets.peek().is_some() => taken_back += 1,
            None => broken.push(format!(
                "watcher {} was shown version {version} of {case}: it is in no place of the log",
                watched.name
            )),
            Some(step) => {
                let before = last.insert(case, step.seq).unwrap_or(0);
                if step.seq < before {
                    let name = &watched.name;
                    broken.push(format!("watcher {name} was shown case {case} at {before}, then at {}", step.seq));
                }
            }
        }
    }
    let Some(listed) = &watched.listed else {
        broken.push(format!("watcher {} could not be compared: no list was answered at the end", watched.name));
        return (broken, taken_back);
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
    (broken, taken_back)
}
