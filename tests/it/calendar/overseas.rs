//! Each overseas territory: its own holiday and its own wall clock; and the list of territories.

use rstest::rstest;
use sas_dispatch::domain::calendar::{law_territories, law_territory};

use super::{legal, period, rules};

#[rstest]
#[case("fr-971", "2025-05-27", "-04:00")]
#[case("fr-972", "2025-05-22", "-04:00")]
#[case("fr-973", "2025-06-10", "-03:00")]
#[case("fr-974", "2024-12-20", "+04:00")]
#[case("fr-976", "2026-04-27", "+03:00")]
#[case("fr-977", "2025-10-09", "-04:00")]
#[case("fr-978", "2025-05-28", "-04:00")]
fn the_abolition_of_slavery_is_kept_on_each_territorys_own_date(
    #[case] territory: &str,
    #[case] day: &str,
    #[case] offset: &str,
) {
    let rules = rules(territory);
    let ten = legal(&rules, &format!("{day}T10:00"));
    assert_eq!(ten.period.code(), "PDSA_SUNDAY_HOLIDAY");
    assert_eq!(ten.holiday.as_deref(), Some("Abolition de l'esclavage"));
    let twenty = chrono::DateTime::parse_from_rfc3339(&format!("{day}T20:00:00{offset}")).unwrap();
    assert_eq!(ten.next_change, twenty.to_utc().into(), "20:00 on the local wall");
    assert_eq!(period("fr-89", &format!("{day}T10:00")), "OFFICE_HOURS", "an ordinary day in metropolitan France");
}

#[test]
fn saint_pierre_et_miquelon_has_the_national_days_only() {
    assert_eq!(period("fr-975", "2025-05-27T10:00"), "OFFICE_HOURS");
    assert_eq!(period("fr-975", "2025-07-14T10:00"), "PDSA_SUNDAY_HOLIDAY");
    assert_eq!(period("fr-975", "2025-04-18T10:00"), "OFFICE_HOURS", "Good Friday");
}

#[rstest]
#[case("fr-57", "PDSA_SUNDAY_HOLIDAY")]
#[case("fr-67", "PDSA_SUNDAY_HOLIDAY")]
#[case("fr-68", "PDSA_SUNDAY_HOLIDAY")]
#[case("fr-88", "OFFICE_HOURS")]
#[case("fr-971", "OFFICE_HOURS")]
fn good_friday_is_a_holiday_of_alsace_and_moselle(#[case] territory: &str, #[case] expected: &str) {
    assert_eq!(period(territory, "2025-04-18T10:00"), expected);
}

#[test]
fn there_are_104_territories_and_the_pacific_is_not_among_them() {
    assert_eq!(law_territories().count(), 104);
    for known in ["fr-01", "fr-2a", "fr-2b", "fr-95", "fr-971", "fr-978"] {
        assert!(law_territory(&known.parse().unwrap()).is_ok(), "{known}");
    }
    for unknown in ["fr-00", "fr-1", "fr-20", "fr-96", "fr-979", "fr-986", "fr-987", "fr-988", "de-67"] {
        let error = law_territory(&unknown.parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains(unknown) && error.contains("fr-01 to fr-95") && error.contains("fr-978"), "{error}");
    }
}
