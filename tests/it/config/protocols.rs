//! Triage protocols as files: every fault with its line, and a signature that a change takes away.

use std::fs;

use rstest::rstest;
use sas_dispatch::domain::regulation::protocols::{Book, Seal};

use super::Copy;

const THROAT: &str = "protocols/gorge.toml";
const COMMON: &str = "protocols/commun.toml";

#[rstest]
#[case("\"GOR.ERUPTION\", \"GOR.DUREE\", {", "\"GOR.INCONNUE\", {", "rules.if: 'GOR.INCONNUE' is no question")]
#[case(
    "at_least = [\"TEMP\", 38.0]",
    "at_least = [\"TEMP\", 99]",
    "rules.if: 99 is out of reach for 'TEMP', which goes"
)]
#[case(
    "at_least = [\"TEMP\", 38.0]",
    "is = [\"VIT.CONSCIENCE\", \"DORT\"]",
    "rules.if: no answer to 'VIT.CONSCIENCE' is that"
)]
#[case("at_least = [\"TEMP\", 38.0]", "soupçon = 3", "rules.if: 'soupçon' is no condition; known: all, any")]
#[case(
    "at_least = [\"TEMP\", 38.0]",
    "age_below = \"P1Y\"",
    "rules.if: never holds: the protocol is for patients from P2Y"
)]
#[case(
    "at_least = [\"TEMP\", 38.0]",
    "all = [{ age_from = \"P20Y\" }, { age_below = \"P10Y\" }]",
    "rules.if: never holds: its ages"
)]
#[case(
    "at_least = [\"TEMP\", 38.0]",
    "all = [\"GOR.DUREE\", { no = \"GOR.DUREE\" }]",
    "rules.if: never holds: its answers to"
)]
#[case("motives = [\"M03.14\"", "motives = [\"M93.14\"", "motives: item 1: expected a motive code")]
#[case("default = \"P2\"", "default = \"P3\"", "default: expected P0, P1 or P2")]
#[case("window_hours = 24", "fenetre = 24", "rules.window_hours: a P3 states the window")]
#[case("age_from = \"P2Y\"", "age_from = \"deux ans\"", "age_from: age: expected a duration such as P70Y")]
#[case("code = \"GOR.SALIVE\"", "code = \"GOR.RESPIRE\"", "questions.code: 'GOR.RESPIRE' stands in")]
fn a_fault_of_a_protocol_has_its_line(#[case] old: &str, #[case] new: &str, #[case] told: &str) {
    let copy = Copy::of_shipped();
    let line = copy.replace(THROAT, old, new);
    let faults = copy.faults();
    let start = format!("{THROAT}:{line}: {told}");
    assert!(faults.iter().any(|fault| fault.starts_with(&start)), "{start}\nin {faults:#?}");
}

#[test]
fn all_faults_of_all_protocols_come_at_once() {
    let copy = Copy::of_shipped();
    copy.replace(THROAT, "default = \"P2\"", "default = \"P9\"");
    copy.replace("protocols/avc.toml", "version = \"2026.4\"", "version = 3");
    copy.replace(COMMON, "\"Réveillé, répond normalement\"]", "\"Réveillé, répond normalement\", \"P1\"]");
    let faults = copy.faults();
    for file in [THROAT, "protocols/avc.toml", COMMON] {
        assert!(faults.iter().any(|fault| fault.starts_with(file)), "{file} in {faults:#?}");
    }
}

fn seal(book: &Book, code: &str) -> Seal {
    book.protocols().iter().find(|known| known.code == code).unwrap().seal.clone()
}

#[test]
fn a_signature_counts_until_anything_that_was_signed_changes() {
    let copy = Copy::of_shipped();
    let digest =
        copy.load().unwrap().book.protocols().iter().find(|known| known.code == "GORGE").unwrap().digest.clone();
    let path = copy.path().join(THROAT);
    let text = fs::read_to_string(&path).unwrap();
    let signature = format!("\n[committee]\nname = \"Comité d'essai\"\ndate = 2026-01-10\ndigest = \"{digest}\"\n");
    fs::write(&path, format!("{text}{signature}")).unwrap();
    let book = copy.load().unwrap().book;
    assert!(matches!(seal(&book, "GORGE"), Seal::Signed(by) if by.name == "Comité d'essai"));
    assert!(!book.silent(), "one is in force");

    copy.replace(THROAT, "window_hours = 24", "window_hours = 48");
    assert!(matches!(seal(&copy.load().unwrap().book, "GORGE"), Seal::Changed(_)), "another window was never signed");
    copy.replace(THROAT, "window_hours = 48", "window_hours = 24");
    copy.replace(COMMON, "\"Normale\"]", "\"Tout à fait normale\"]");
    assert!(matches!(seal(&copy.load().unwrap().book, "GORGE"), Seal::Changed(_)), "nor were other common questions");
}

/// Found by reading: what stood below the signature counted and was signed by nobody.
#[rstest]
#[case("\n[vital_signs_if]\nyes = \"GOR.RESPIRE\"\n", 2, "vital_signs_if")]
#[case(
    "\n[[rules]]\ncode = \"GOR.RIEN\"\npriority = \"P2\"\nreason = \"x\"\nif = { yes = \"GOR.DUREE\" }\n",
    2,
    "rules"
)]
#[case("[[red_flags]]\ncode = \"GOR.RIEN\"\n", 1, "red_flags")]
#[case("[[\"sources\"]]\ntitle = \"x\"\nyear = 2020\n", 1, "sources")]
fn nothing_counts_that_stands_below_the_signature(#[case] more: &str, #[case] below: usize, #[case] key: &str) {
    let copy = Copy::of_shipped();
    let digest =
        copy.load().unwrap().book.protocols().iter().find(|known| known.code == "GORGE").unwrap().digest.clone();
    let line = copy
        .append(THROAT, &format!("\n[ committee ] # signé\nname = \"x\"\ndate = 2026-01-10\ndigest = \"{digest}\""));
    assert!(matches!(seal(&copy.load().unwrap().book, "GORGE"), Seal::Signed(_)), "however the table is written");
    copy.append(THROAT, more);
    let start = format!(
        "{THROAT}:{}: {key}: stands below [committee], where no signature covers it: put it above",
        line + 4 + below
    );
    let faults = copy.faults();
    assert!(faults.iter().any(|fault| fault.starts_with(&start)), "{start}\nin {faults:#?}");
}

#[test]
fn a_text_that_looks_like_a_signature_takes_nothing_out_of_the_digest() {
    let copy = Copy::of_shipped();
    let path = copy.path().join(THROAT);
    let text = fs::read_to_string(&path).unwrap();
    let title = text.lines().find(|line| line.starts_with("title")).unwrap();
    let with = |below: &str| {
        let title = format!("title = \"\"\"Mal de gorge\n[committee]\n{below}\"\"\"");
        fs::write(&path, text.replace(text.lines().find(|line| line.starts_with("title")).unwrap(), &title)).unwrap();
        copy.load().unwrap().book.protocols().iter().find(|known| known.code == "GORGE").unwrap().digest.clone()
    };
    assert!(title.contains("gorge"));
    assert_ne!(with("a"), with("b"));
}

#[test]
fn a_territory_has_its_own_protocols_and_chooses_among_the_national_ones() {
    let copy = Copy::of_shipped();
    let own = copy.path().join("territories/fr-67/protocols");
    fs::create_dir(&own).unwrap();
    let text = fs::read_to_string(copy.path().join(THROAT)).unwrap();
    fs::write(own.join("gorge.toml"), text.replace("version = \"2026.5\"", "version = \"67.1\"")).unwrap();
    let config = copy.load().unwrap();
    let version = |territory: &str| {
        let ground = config.territory(&territory.parse().unwrap()).unwrap();
        ground.0.book.protocols().iter().find(|known| known.code == "GORGE").unwrap().version.clone()
    };
    assert_eq!((version("fr-67"), version("fr-89")), ("67.1".to_owned(), "2026.5".to_owned()));

    let territory = "territories/fr-67/territory.toml";
    copy.replace(territory, "# triage_protocols = [\"THORAX\", \"FIEVRE_ADULTE\"]", "triage_protocols = [\"THORAX\"]");
    let ground = copy.load().unwrap().territory(&"fr-67".parse().unwrap()).unwrap();
    assert_eq!(ground.0.book.protocols().len(), 1);
    copy.replace(territory, "triage_protocols = [\"THORAX\"]", "triage_protocols = [\"THORAXE\"]");
    assert!(copy.faults()[0].contains("'THORAXE' is no triage protocol here"));
}

#[test]
fn a_psychiatric_motive_is_never_among_those_that_may_wait() {
    let copy = Copy::of_shipped();
    let territory = "territories/fr-67/territory.toml";
    let line = copy.replace(territory, "    \"M02.05\",\n", "    \"M03.16\",\n");
    let faults = copy.faults();
    assert!(faults[0].starts_with(&format!("{territory}:{}: regulation.p3.motives", line - 1)), "{faults:#?}");
}

#[test]
fn how_many_have_to_wait_before_a_request_is_deferred_is_the_territorys() {
    let copy = Copy::of_shipped();
    let territory = "territories/fr-67/territory.toml";
    let asked =
        |copy: &Copy| copy.load().unwrap().territory(&"fr-67".parse().unwrap()).unwrap().0.regulation.p3.waiting_from;
    assert_eq!(asked(&copy), 2);
    copy.replace(territory, "waiting_from = 2\n", "");
    assert_eq!(asked(&copy), 2, "several calls wait where nothing is said");
    copy.replace(territory, "[regulation.p3]\n", "[regulation.p3]\nwaiting_from = 0\n");
    assert_eq!(asked(&copy), 0);
    copy.replace(territory, "waiting_from = 0", "waiting_from = -1");
    assert!(copy.faults()[0].contains("regulation.p3.waiting_from"), "{:#?}", copy.faults());
}
