//! A played day, counted by the command line from its exported log, and by the oracle.

use sas_dispatch::domain::indicators::RELATIVE_ERROR;
use serde_json::Value;

use super::{Played, events, ok, oracle, run, text, values};
use crate::config::Copy;

const DAY: &str = "2024-12-26";

#[test]
fn a_played_day_is_counted_as_an_independent_count_of_its_log_has_it() {
    let (room, log) = (&Played::day().room, Played::day().log());
    let told = events(&log);
    let (oracle, printed) = (oracle::count(&told), ok(&["indicators", "--log", text(&log), "--json"]));
    let got = values(&printed, DAY);
    let value = |indicator: &str, detail: &str| got.get(&(indicator.to_owned(), detail.to_owned())).copied();
    for ((indicator, detail), count) in &oracle.counts {
        assert_eq!(value(indicator, detail), Some(*count as f64), "{indicator} {detail}");
    }
    let decided = got.keys().filter(|(indicator, _)| indicator == "decisions").count();
    assert_eq!(decided, oracle.counts.keys().filter(|(indicator, _)| indicator == "decisions").count());
    the_waits_are_those(&oracle, value);
    let (met, hospital) = oracle::Oracle::met(&told);
    let avoided = |detail: &str| value("avoided_per_100", detail).unwrap();
    assert!((avoided("face_to_face") - met).abs() < 1e-9 && (avoided("avoided") - (92.5 - met)).abs() < 1e-9);
    assert!((avoided("avoided_low") - (92.5 - hospital)).abs() < 1e-9);
    assert!(printed.contains("n'en prouve aucun"), "the caveat stands beside the number");
    as_the_room_counted(room, value);
}

/// What the people of the room noted themselves, each at his own end of the wire.
fn as_the_room_counted(room: &Value, value: impl Fn(&str, &str) -> Option<f64>) {
    for (path, indicator) in [
        ("/figures/calls/offered", "offered"),
        ("/figures/calls/answered", "answered"),
        ("/figures/calls/abandoned", "abandoned"),
        ("/figures/cases", "cases"),
        ("/figures/decisions/regulated", "regulated"),
    ] {
        let counted = room.pointer(path).and_then(Value::as_f64);
        assert!(counted.is_some_and(|count| count > 0.0), "{path}");
        assert_eq!(value(indicator, ""), counted, "{indicator}");
    }
}

fn the_waits_are_those(oracle: &oracle::Oracle, value: impl Fn(&str, &str) -> Option<f64>) {
    assert!(oracle.waits.len() > 12, "{:?}", oracle.waits.keys());
    for ((stage, priority), waits) in &oracle.waits {
        let mut waits = waits.clone();
        waits.sort_by(f64::total_cmp);
        let name = format!("{stage} {priority}");
        assert_eq!(value("wait_measured", &name), Some(waits.len() as f64), "{name}");
        assert_eq!(value("wait_longest_s", &name), waits.last().copied(), "{name}");
        for (percent, indicator) in [(50, "wait_p50_s"), (90, "wait_p90_s"), (95, "wait_p95_s")] {
            let exact = waits[(waits.len() * percent).div_ceil(100).max(1) - 1];
            let got = value(indicator, &name).unwrap();
            assert!((got - exact).abs() <= exact * RELATIVE_ERROR + 0.001, "{indicator} {name}: {got}, not {exact}");
        }
    }
}

#[test]
fn streams_and_priorities_add_up_and_csv_says_the_same() {
    let log = Played::day().log();
    let with = |more: &[&str]| ok(&[&["indicators", "--log", text(&log)][..], more].concat());
    let cases =
        |more: &[&str]| values(&with(&[&["--json"][..], more].concat()), DAY)[&("cases".to_owned(), String::new())];
    let all = cases(&[]);
    let streams: f64 = ["AMU", "SNP", "PSY", "NEONAT"].iter().map(|stream| cases(&["--stream", stream])).sum();
    let priorities: f64 = ["P0", "P1", "P2", "P3", "NR"].iter().map(|class| cases(&["--priority", class])).sum();
    assert_eq!(streams, priorities, "a case has both or none");
    // Callers who gave up before the qualification have neither.
    assert!(0.0 < streams && streams <= all, "{streams} of {all}");
    let csv = with(&["--csv"]);
    assert!(csv.lines().next().is_some_and(|head| head == "date,complete,final,indicator,detail,value"), "{csv}");
    assert!(csv.lines().any(|line| line == format!("{DAY},true,false,cases,,{all}")), "{csv}");
    let none = with(&["--csv", "--from", "2024-12-27"]);
    assert!(none.lines().skip(1).all(|line| line.starts_with("TOTAL,") || line.starts_with("note,")), "{none}");
    let wrong = run(&["indicators", "--log", text(&log), "--report", "regulators", "--stream", "SNP"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn the_caveat_and_what_is_missing_travel_in_the_csv() {
    let log = Played::day().log();
    let with = |more: &[&str]| ok(&[&["indicators", "--log", text(&log), "--csv"][..], more].concat());
    let figures = with(&[]);
    let notes: Vec<&str> = figures.lines().filter(|line| line.starts_with("note,,,,,\"")).collect();
    assert!(notes.iter().any(|note| note.contains("n'en prouve aucun") && note.ends_with('"')), "{figures}");
    assert!(notes.iter().any(|note| note.contains("92,5 actes pour 100 dossiers")), "{figures}");
    for report in ["unmet", "regulators", "exceptions"] {
        let csv = with(&["--report", report]);
        let mut lines = csv.lines().filter(|line| !line.starts_with("note,"));
        assert!(lines.next().is_some_and(|head| head.ends_with(",complete")), "{csv}");
        assert!(lines.all(|line| line.ends_with(",true")), "{csv}");
    }
    let compared = with(&["--report", "regulators"]);
    assert!(compared.lines().any(|line| line.starts_with("2024-12,")), "{compared}");
    assert!(compared.lines().any(|line| line.contains("n'en dit pas la cause")), "{compared}");
}

#[test]
fn the_extract_of_a_played_day_shows_no_small_cell_and_every_case() {
    let (room, log) = (&Played::day().room, Played::day().log());
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("extracts");
    ok(&["extract", "--log", text(&log), "--out", text(&out)]);
    let written = std::fs::read_to_string(out.join("fr-67").join(format!("{DAY}.csv"))).unwrap();
    assert!(ok(&["extract", "--help"]).contains("a release of its own"), "two of one day are one too many");
    let mut lines = written.lines();
    assert_eq!(lines.next(), Some("territory,day,motive,age_band,sex,decision,cases"));
    let total = lines.next().unwrap();
    assert_eq!(total, format!("fr-67,{DAY},*,*,*,*,{}", room["figures"]["cases"]));
    let count = |line: &str| line.rsplit(',').next().and_then(|count| count.parse::<u64>().ok()).unwrap();
    assert!(written.lines().skip(1).all(|line| count(line) >= 5), "{written}");
    // So few cases told apart by four columns tell hardly more than their number; by one, they tell it.
    let coarse = Copy::of_shipped();
    let columns = "columns = [\"MOTIVE\", \"AGE_BAND\", \"SEX\", \"DECISION\"]";
    coarse.replace("default.toml", columns, "columns = [\"DECISION\"]");
    let by_decision = ok(&["--config", text(coarse.path()), "extract", "--log", text(&log)]);
    let advice = by_decision.lines().find(|line| line.contains(",ADVICE,")).map(count);
    let all = room["figures"]["cases"].as_u64().unwrap();
    assert!(advice.is_some_and(|advice| (5..=all).contains(&advice)), "{by_decision}");
    assert_eq!(ok(&["extract", "--log", text(&log)]).trim_end(), written.trim_end());
}
