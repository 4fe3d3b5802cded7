//! Every fault at once, each with its file and its line, and never a secret.

use std::fs;

use rstest::rstest;

use sas_dispatch::{
    store::redis::Address,
    telemetry::{self, TelemetrySettings},
};

use super::Copy;

const BAS_RHIN: &str = "territories/fr-67/territory.toml";
const RESPONDERS: &str = "territories/fr-67/responders.toml";
const PROTOCOLS: &str = "territories/fr-67/protocols.toml";
const COMMUNES: &str = "territories/fr-67/communes.csv";
const SECTORS: &str = "territories/fr-67/sectors.csv";
const DEFAULT: &str = "default.toml";

#[test]
fn five_faults_in_five_files_are_reported_together() {
    let copy = Copy::of_shipped();
    let limit = copy.replace(DEFAULT, "max_requests_in_hand = 512", "max_request_in_hand = 512");
    let start = copy.replace(BAS_RHIN, "saturday_start = \"12:00\"", "saturday_start = \"21:00\"");
    let commune = copy.append(COMMUNES, "89387,Sens,48.1975,3.2833");
    let sector = copy.append(SECTORS, "67482,nulle-part,SECOND_HALF,1999-01-01,1999-12-31");
    let motive = copy.replace(PROTOCOLS, "motives = [\"M06.02\"]", "motives = [\"fièvre\"]");
    let faults = copy.faults();
    for (file, line, part) in [
        (
            DEFAULT,
            limit,
            "server.max_request_in_hand: unknown key; known here: browser_origins, late_call_seconds, listen, max",
        ),
        (BAS_RHIN, start, "calendar.saturday_start: expected a time from 12:00 (R6315-1 3°"),
        (COMMUNES, commune, "insee: 89387 lies in fr-89, not in fr-67"),
        (SECTORS, sector, "sector: 'nulle-part' has no name under [sectors] of territory.toml"),
        (
            PROTOCOLS,
            motive,
            "protocol.motives: item 1: expected a motive code of the national list, such as \"M06.02\"",
        ),
    ] {
        let start = format!("{file}:{line}: {part}");
        assert!(faults.iter().any(|fault| fault.starts_with(&start)), "{start}\nin {faults:#?}");
    }
    assert_eq!(faults.len(), 6, "the sixth is the key that is now missing: {faults:#?}");
}

#[rstest]
#[case(DEFAULT, "reserved_requests = 128", "reserved_requests = 512", "server.reserved_requests: is a part of")]
#[case(BAS_RHIN, "lease_seconds = 30", "lease = 30", "regulation.lease: unknown key")]
#[case(
    DEFAULT,
    "listen = \"127.0.0.1:50051\"",
    "listen = \"0.0.0.0:50051\"",
    "server.listen: expected a loopback address"
)]
#[case(
    DEFAULT,
    "log_filter = \"info\"",
    "log_filter = \"sas_dispatch=loud\"",
    "telemetry.log_filter: expected a level"
)]
#[case(DEFAULT, "max_page_rows = 200", "max_page_rows = 201", "server.max_page_rows: expected 1 to 200, got 201")]
#[case(
    DEFAULT,
    "# otlp_endpoint = \"http:",
    "otlp_endpoint = \"https:",
    "telemetry.otlp_endpoint: TLS to the collector is not built in"
)]
#[case(DEFAULT, "delay_hours = 24", "delay_hours = 97", "extract.delay_hours: must not be longer than indicators.")]
#[case(BAS_RHIN, "{JJJ}{00000}", "{00000}", "intake.case_number: ")]
#[case(
    BAS_RHIN,
    "repeat_window_hours = 72",
    "repeat_window_hours = 73",
    "intake.repeat_window_hours: expected 1 to 72, got 73"
)]
#[case(BAS_RHIN, "ccas_from_age = \"P60Y\"", "ccas_from_age = 60", "referral.ccas_from_age: ")]
#[case(
    BAS_RHIN,
    "ccas_from_age = \"P60Y\"",
    "national_record = { owner = \"REGULATOR\", deadline_seconds = 60 }",
    "referral.national_record.owner: expected COORDINATOR or ARM"
)]
#[case(
    BAS_RHIN,
    "lease_seconds = 30",
    "lease_seconds = \"30 s\"",
    "regulation.lease_seconds: expected a whole number, got a text"
)]
#[case(
    BAS_RHIN,
    "lease_seconds = 30",
    "lease_seconds = 5",
    "regulation.lease_seconds: must be longer than renew_seconds"
)]
#[case(
    BAS_RHIN,
    "p1_due_seconds = 60",
    "p1_due_seconds = 0",
    "regulation.p1_due_seconds: expected 1 to 2592000, got 0"
)]
#[case(
    BAS_RHIN,
    "skills = []",
    "skills = [\"Pédiatrie\"]",
    "regulation.skills: item 1: skill: expected 1 to 64 lower-case"
)]
#[case(
    BAS_RHIN,
    "skills = []",
    "skills = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\"]",
    "regulation.skills: names 7, at most 6"
)]
#[case(BAS_RHIN, "unrostered = \"allow\"", "unrostered = \"maybe\"", "regulation.unrostered: Unrostered: got 5")]
#[case(
    BAS_RHIN,
    "hospital_places = []",
    "hospital_places = [\"road\"]",
    "regulation.split.hospital_places: item 1: expected a code of HubSante.lieu"
)]
#[case(
    BAS_RHIN,
    "hospital_motives = []",
    "hospital_motives = [\"M99\"]",
    "regulation.split.hospital_motives: item 1: expected a code of HubSante.motif"
)]
#[case(
    BAS_RHIN,
    "suspect_on_call_seconds = 1_800",
    "suspect_on_call_seconds = 60",
    "regulation.suspect_on_call_seconds: must not be shorter than suspect_seconds"
)]
#[case(
    BAS_RHIN,
    "unrostered = \"allow\"",
    "stops = [{ stream = \"AMU\", from = \"00:00\", to = \"08:00\", first_date = 2025-01-01 }]",
    "regulation.stops.stream: the AMU regulates at every hour"
)]
#[case(BAS_RHIN, "bridge_friday = true", "bridge_friday = 1", "calendar.bridge_friday: expected true or false")]
#[case(
    BAS_RHIN,
    "early_from = \"06:00\"",
    "early_from = \"6h\"",
    "calendar.early_from: expected a time such as \"12:00\""
)]
#[case(
    BAS_RHIN,
    "removed_holidays = []",
    "removed_holidays = [\"Mi-Carême\"]",
    "calendar.removed_holidays: 'Mi-Carême' is no holiday here; known: 1er janvier"
)]
#[case(
    BAS_RHIN,
    "pdsa = [\"FIXED_POINT\",",
    "pdsa = [\"TAXI\",",
    "routing.pdsa: item 1: RouteCategory: got 4 characters"
)]
#[case(BAS_RHIN, "pdsa = [\"FIXED_POINT\",", "pdsa = [\"HOME_VISIT\",", "routing.pdsa: names one category twice")]
#[case(BAS_RHIN, "[deadlines]", "[deadline]", "deadline: unknown key; known here: calendar, deadlines")]
#[case(BAS_RHIN, "name = \"Bas-Rhin\"", "name = \"Bas-Rhin", "not TOML")]
#[case(RESPONDERS, "hours = \"24/7\"", "hours = \"toujours\"", "responder.hours: not in opening_hours notation")]
#[case(
    RESPONDERS,
    "hours = \"24/7\"",
    "hours = \"Mo-Fr 08:00-12:00 unknown\"",
    "responder.hours: 'unknown' is not read, since it would be shown as closed: write the hours"
)]
#[case(RESPONDERS, "hours = \"24/7\"", "hours = \"08:00-20:00; SH off\"", "responder.hours: 'SH' is not read")]
#[case(
    RESPONDERS,
    "association = \"sos-medecins-strasbourg\"",
    "association = \"sos-nancy\"",
    "responder.association: 'sos-nancy' is no responder of this file"
)]
#[case(
    RESPONDERS,
    "association = \"sos-medecins-strasbourg\"",
    "association = \"mmg-saverne\"",
    "responder.association: 'mmg-saverne' is of kind FIXED_POINT, expected SOS_MEDECINS"
)]
#[case(
    RESPONDERS,
    "fixed_point = \"SOS\"",
    "fixed_point = \"TAXI\"",
    "responder.fixed_point: FixedPointKind: got 4 characters"
)]
#[case(RESPONDERS, "id = \"mmg-saverne\"", "id = \"mmg-selestat\"", "responder.id: 'mmg-selestat' stands twice")]
#[case(RESPONDERS, "phone = \"03 53 01 00 02\"", "phone = \"3624\"", "responder.phone: expected a French number")]
#[case(
    PROTOCOLS,
    "care = \"CONSULTATION\"",
    "care = \"ADVICE\"",
    "protocol.care: a protocol only sends to a coordinator"
)]
#[case(
    RESPONDERS,
    "commune = \"67300\"\nhours = \"Mo-Fr 20:00-24:00",
    "commune = \"67300\"\nlat = 48.5\nhours = \"Mo-Fr 20:00-24:00",
    "responder.commune: lat and lon come together"
)]
#[case(PROTOCOLS, "from = 2024-06-15", "from = 2024-06-31", "")]
#[case(COMMUNES, "67482,Strasbourg,", "67482,Strasbourg;", "expected 4 columns (insee,name,lat,lon), got 3")]
#[case(COMMUNES, "insee,name,lat,lon\n67001", "insee,nom,lat,lon\n67001", "expected the head 'insee,name,lat,lon'")]
#[case(
    SECTORS,
    "67482,strasbourg-centre,SECOND_HALF,2015-01-01,",
    "67482,strasbourg-centre,FIRST_HALF,2020-01-01,",
    "67482 has a sector for this band on these dates already"
)]
fn a_fault_names_its_line_the_key_and_what_to_do(
    #[case] file: &str,
    #[case] old: &str,
    #[case] new: &str,
    #[case] message: &str,
) {
    let copy = Copy::of_shipped();
    let line = copy.replace(file, old, new);
    let faults = copy.faults();
    let expected = format!("{file}:{line}: {message}");
    assert!(faults.iter().any(|fault| fault.starts_with(&expected)), "{expected}\nin {faults:#?}");
}

/// Found by a reader: a Saturday from 08:00 was taken, and explained with an article that begins at noon.
#[test]
fn saturday_duty_begins_at_noon_at_the_earliest() {
    for (start, right) in [("08:00", false), ("11:59", false), ("12:00", true), ("14:00", true), ("off", true)] {
        let copy = Copy::of_shipped();
        let line = copy.replace(BAS_RHIN, "saturday_start = \"12:00\"", &format!("saturday_start = \"{start}\""));
        assert_eq!(copy.load().is_ok(), right, "{start}");
        if !right {
            let expected =
                "calendar.saturday_start: expected a time from 12:00 (R6315-1 3° CSP: on Saturdays from noon)";
            let faults = copy.faults();
            assert!(faults[0].starts_with(&format!("{BAS_RHIN}:{line}: {expected}")), "{faults:?}");
        }
    }
}

#[test]
fn a_file_that_is_missing_and_one_that_nobody_reads_are_faults() {
    let copy = Copy::of_shipped();
    fs::remove_file(copy.path().join(COMMUNES)).unwrap();
    fs::write(copy.path().join("territories/fr-67/sectors.cvs"), "").unwrap();
    fs::create_dir(copy.path().join("territories/fr-20")).unwrap();
    let faults = copy.faults();
    let has = |start: &str| assert!(faults.iter().any(|fault| fault.starts_with(start)), "{start}\nin {faults:#?}");
    has("territories/fr-67/communes.csv:1: no such file; it is required");
    has("territories/fr-67/sectors.cvs:1: unexpected file; known here: territory.toml, communes.csv, sectors.csv");
    has("territories/fr-20:1: territory: 'fr-20' is not a territory of this service");
}

#[test]
fn a_secret_appears_neither_in_a_fault_nor_in_debug() {
    let commented = "# redis_url = \"redis://user:password@127.0.0.1:6379/0\"";
    let copy = Copy::of_shipped();
    let line = copy.replace(DEFAULT, commented, "redis_url = \"http://user:s3cret@host\"");
    assert_eq!(
        copy.faults(),
        [format!(
            "default.toml:{line}: store.redis_url: expected redis://, unix://, redis-sentinel:// or redis-cluster://"
        )]
    );
    let copy = Copy::of_shipped();
    copy.replace(DEFAULT, commented, "redis_url = \"redis://user:s3cret@host\"");
    let settings = copy.load().unwrap().settings;
    assert!(settings.store.redis_url.is_some());
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn a_telephone_number_appears_neither_in_a_fault_nor_in_debug() {
    let copy = Copy::of_shipped();
    copy.replace(RESPONDERS, "phone = \"03 53 01 00 02\"", "phone = \"03 53 01 00 02 99\"");
    assert!(copy.faults().iter().all(|fault| !fault.contains("02 99")));
    let config = Copy::of_shipped().load().unwrap();
    let debug = format!("{:?}", config.territories);
    assert!(!debug.contains("353010002") && !debug.contains("03 53 01"), "a number is printed");
}

#[test]
fn one_mistake_is_one_fault_and_not_one_for_each_line_that_leans_on_it() {
    for (file, old, new) in [
        (COMMUNES, "67482,Strasbourg,", "67482,Strasbourg;"),
        (COMMUNES, "insee,name,lat,lon\n67001", "insee,nom,lat,lon\n67001"),
        (BAS_RHIN, "strasbourg-ouest = \"Strasbourg ouest\"\n", ""),
        (RESPONDERS, "fixed_point = \"SOS\"", "fixed_point = \"TAXI\""),
        (RESPONDERS, "kind = \"SOS_MEDECINS\"", "kind = \"SOS\""),
    ] {
        let copy = Copy::of_shipped();
        copy.replace(file, old, new);
        let faults = copy.faults();
        // A sector without a name is told twice: for the communes in it and for the association that drives there.
        let most = if file == BAS_RHIN { 2 } else { 1 };
        assert!(faults.len() <= most, "{faults:#?}");
    }
}

/// Found by reading: what was checked was refused by the service at its start.
#[test]
fn an_address_of_redis_is_refused_as_the_service_refuses_it() {
    let commented = "# redis_url = \"redis://user:password@127.0.0.1:6379/0\"";
    for (url, right) in [
        ("redis://u:p%40@h:7/3", true),
        ("redis://[::1]/", true),
        ("unix:///run/redis.sock?db=2", true),
        ("redis-sentinel://u:s3cret@10.0.0.1:26379,b/main/2?sentinel_password=x", true),
        ("redis-cluster://:s3cret@a:1,b:2", true),
        ("redis-sentinel://u:s3cret@10.0.0.1:26379", false),
        ("redis-sentinel://a:1,,b:2/m", false),
        ("redis-sentinel://a:1/m/s3cret", false),
        ("redis-cluster://u:s3cret@a:1/4", false),
        ("redis://u:s3cret/w@h:1", false),
        ("redis://h:s3cret", false),
        ("redis://h:99999", false),
        ("redis://h/s3cret", false),
        ("redis://0.0.0.0:6379", false),
        ("redis://[::1:6379", false),
        ("redis://", false),
        ("unix://run/redis.sock", false),
    ] {
        let copy = Copy::of_shipped();
        let line = copy.replace(DEFAULT, commented, &format!("redis_url = \"{url}\""));
        assert_eq!((copy.load().is_ok(), Address::parse(url).is_ok()), (right, right), "{url}");
        if !right {
            let faults = copy.faults();
            assert!(faults[0].starts_with(&format!("default.toml:{line}: store.redis_url: ")), "{faults:?}");
            assert!(faults.len() == 1 && !faults[0].contains("s3cret"), "{faults:?}");
        }
    }
}

#[test]
fn a_log_filter_is_refused_as_the_service_refuses_it() {
    for (filter, right) in [
        ("info", true),
        ("WARN,sas_dispatch::store=debug,", true),
        ("sas_dispatch=,off", true),
        ("3,sas_dispatch=5", true),
        ("sas_dispatch[act]=trace", true),
        ("[{seq}]=trace", true),
        ("sas_dispatch=loud", false),
        ("a=b=info", false),
        ("info, sas_dispatch=debug", false),
        ("=info", false),
        ("info;debug=1;", false),
        ("sas_dispatch[act=trace", false),
        ("sas_dispatch[act]trace", false),
        ("sas_dispatch=6", false),
    ] {
        let copy = Copy::of_shipped();
        copy.replace(DEFAULT, "log_filter = \"info\"", &format!("log_filter = \"{filter}\""));
        let settings = TelemetrySettings { filter: filter.to_owned(), ..TelemetrySettings::default() };
        let served = telemetry::build(&settings, std::io::sink).is_ok();
        assert_eq!((copy.load().is_ok(), served), (right, right), "{filter}");
    }
}

/// Found by testing: the store's own answer would have come after the call had been cut.
#[rstest]
#[case(2, 1_001, false)]
#[case(2, 1_000, true)]
#[case(10, 60_000, false)]
fn a_call_may_take_longer_than_the_answer_of_the_store(#[case] call: u32, #[case] answer: u32, #[case] right: bool) {
    let copy = Copy::of_shipped();
    let longest = format!("request_deadline_seconds = {call}");
    copy.replace(DEFAULT, "request_deadline_seconds = 10", &longest);
    let answer = format!("redis_response_milliseconds = {answer}");
    let line = copy.replace(DEFAULT, "redis_response_milliseconds = 2000", &answer);
    assert_eq!(copy.load().is_ok(), right);
    if !right {
        let told =
            format!("default.toml:{line}: store.redis_response_milliseconds: must be a second less than server.");
        assert!(copy.faults()[0].starts_with(&told), "{:?}", copy.faults());
    }
}

/// Found by an operator who had written `warning`: taken for the name of a module, it silenced everything else.
#[test]
fn a_word_by_itself_in_a_log_filter_is_a_level() {
    for (filter, word) in [("warning", "warning"), ("info,sas_dispatch", "sas_dispatch"), ("debug,6", "6")] {
        let copy = Copy::of_shipped();
        let line = copy.replace(DEFAULT, "log_filter = \"info\"", &format!("log_filter = \"{filter}\""));
        let told = format!(
            "default.toml:{line}: telemetry.log_filter: '{word}' is no level: expected trace, debug, info, warn, error or \
             off, or {word}=level"
        );
        assert_eq!(copy.faults(), [told], "{filter}");
    }
}

/// Found by testing: each was called faultless, and the exporter refused it or never reached anybody.
#[test]
fn an_address_of_the_collector_is_one_that_can_be_connected_to() {
    let commented = "# otlp_endpoint = \"http://127.0.0.1:4317\"";
    for (url, right) in [
        ("http://127.0.0.1:4317", true),
        ("http://collector.example", true),
        ("http://[::1]:4317", true),
        ("http://ho st:1", false),
        ("http://host:99999", false),
        ("http://host:0", false),
        ("http://host:", false),
        ("http://:4317", false),
    ] {
        let copy = Copy::of_shipped();
        let line = copy.replace(DEFAULT, commented, &format!("otlp_endpoint = \"{url}\""));
        assert_eq!(copy.load().is_ok(), right, "{url}");
        if !right {
            let told = format!("default.toml:{line}: telemetry.otlp_endpoint: expected http://host:port");
            assert_eq!(copy.faults(), [told], "{url}");
        }
    }
}

#[rstest]
#[case("https://*")]
#[case("https://*.example")]
#[case("https://console.example/?a")]
fn a_page_of_anybody_is_no_origin(#[case] origin: &str) {
    let copy = Copy::of_shipped();
    let line = copy.replace(DEFAULT, "browser_origins = []", &format!("browser_origins = [\"{origin}\"]"));
    let told = format!("default.toml:{line}: server.browser_origins: item 1: expected one page's origin");
    assert!(copy.faults()[0].starts_with(&told), "{:?}", copy.faults());
}

#[test]
fn an_association_that_drives_to_no_sector_at_all_is_a_fault() {
    let copy = Copy::of_shipped();
    let sectors =
        "visit_sectors = [\"strasbourg-centre\", \"strasbourg-nord\", \"strasbourg-sud\", \"strasbourg-ouest\"]";
    let line = copy.replace(RESPONDERS, sectors, "visit_sectors = []");
    let told =
        format!("{RESPONDERS}:{line}: responder.visit_sectors: an association that makes visits names the sectors");
    assert!(copy.faults()[0].starts_with(&told), "{:?}", copy.faults());
}
