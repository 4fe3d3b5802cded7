//! The national health identity (INS): its number with the key, who gave it, and how well the identity is established.
//!
//! Key: 97 less the number modulo 97, with 2A and 2B of Corsica counted as 19 and 18 (INSEE; the same for a NIA). Statuses:
//! RNIV 1, Principes d'identification des usagers. OIDs: référentiel Identifiant national de santé (ANS). Status codes:
//! `PROV` and `VALI` as in the French profile of HL7 v2 (PID-32); `RECUP` and `QUAL` are ours for the two it lacks.

use crate::coded_enum;

coded_enum! {
    /// How well an identity is established.
    InsStatus {
        /// Entered from what somebody said.
        Provisional = "PROV", "Identité provisoire";
        /// Fetched from the national service INSi.
        Recovered = "RECUP", "Identité récupérée";
        /// Shown by an identity document.
        Validated = "VALI", "Identité validée";
        /// Fetched and shown.
        Qualified = "QUAL", "Identité qualifiée";
    }
}

impl InsStatus {
    /// True when it rests on the national service, so that a number belongs to it.
    pub const fn needs_number(self) -> bool {
        matches!(self, Self::Recovered | Self::Qualified)
    }

    /// True when a document was seen, so that the strict traits belong to it.
    pub const fn needs_traits(self) -> bool {
        matches!(self, Self::Validated | Self::Qualified)
    }
}

coded_enum! {
    /// Who gives the number, by its OID.
    InsAuthority {
        /// Register of persons.
        Nir = "1.2.250.1.213.1.4.8", "INS-NIR";
        /// Waiting number of the social security.
        Nia = "1.2.250.1.213.1.4.9", "INS-NIA";
        /// Fictitious patients of tests.
        Test = "1.2.250.1.213.1.4.10", "INS-NIR de test";
        /// Fictitious patients of demonstrations.
        Demo = "1.2.250.1.213.1.4.11", "INS-NIR de démonstration";
    }
}

/// Characters of a number with its key.
pub const LENGTH: usize = 15;

/// Why a text is no INS number. Never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsFault {
    /// Not 13 characters and a key of two; this many were given.
    Length(usize),
    /// Something else than digits, or than 2A and 2B at the département.
    Characters,
    /// The key does not fit the number.
    Key,
}

/// A number with its key, without blanks and in capitals, if its key holds.
///
/// # Errors
/// What is wrong with its shape or key.
pub fn number(text: &str) -> Result<String, InsFault> {
    let compact = compact(text);
    let given = compact.chars().count();
    if given != LENGTH {
        return Err(InsFault::Length(given));
    }
    let (body, key) = compact.split_at_checked(LENGTH - 2).ok_or(InsFault::Characters)?;
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    let (body, key) = digits(&counted(body)).zip(digits(key)).ok_or(InsFault::Characters)?;
    if key == 97 - body % 97 { Ok(compact) } else { Err(InsFault::Key) }
}

/// A text without blanks and in capitals.
pub fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect()
}

/// The number as the key counts it.
fn counted(body: &str) -> String {
    let corsica = body.get(5..7).zip(body.get(7..));
    match corsica {
        Some(("2A", rest)) => format!("{}19{rest}", &body[..5]),
        Some(("2B", rest)) => format!("{}18{rest}", &body[..5]),
        _ => body.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key by long division, digit by digit: the remainder of 97 never needs the whole number.
    fn key_by_hand(body: &str) -> u32 {
        let digits = body.replace("2A", "19").replace("2B", "18");
        97 - digits.bytes().fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97)
    }

    /// Made up: months 13 to 19 are in no birth register.
    fn body() -> impl Strategy<Value = String> {
        let departement =
            prop_oneof![(1..96_u32).prop_map(|n| format!("{n:02}")), Just("2A".into()), Just("2B".into())];
        (1..=2_u32, 0..100_u32, 13..20_u32, departement, 0..1_000_000_u32)
            .prop_map(|(sex, year, month, place, rest)| format!("{sex}{year:02}{month}{place}{rest:06}"))
    }

    proptest! {
        #[test]
        fn a_number_with_its_key_is_known_however_it_is_written(body in body()) {
            let whole = format!("{body}{:02}", key_by_hand(&body));
            prop_assert_eq!(number(&whole), Ok(whole.clone()));
            let spaced = format!("{} {} {}", &body[..1].to_lowercase(), &body[1..].to_lowercase(), &whole[13..]);
            prop_assert_eq!(number(&spaced), Ok(whole));
        }

        #[test]
        fn any_other_key_is_told(body in body(), off in 1..97_u32) {
            let wrong = (key_by_hand(&body) + off - 1) % 97 + 1;
            prop_assume!(wrong != key_by_hand(&body));
            prop_assert_eq!(number(&format!("{body}{wrong:02}")), Err(InsFault::Key));
        }

        #[test]
        fn one_digit_misheard_is_always_told(body in body(), at in 7..13_usize, off in 1..10_u8) {
            let whole = format!("{body}{:02}", key_by_hand(&body));
            let mut bytes = whole.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + off) % 10;
            prop_assert_eq!(number(&String::from_utf8(bytes).expect("digits")), Err(InsFault::Key));
        }

        #[test]
        fn any_text_is_judged_and_none_panics(text in "\\PC{0,20}") {
            let _ = number(&text);
        }
    }

    #[test]
    fn another_shape_is_told_by_its_length_or_its_characters() {
        assert_eq!(number(""), Err(InsFault::Length(0)));
        assert_eq!(number("2551399999999"), Err(InsFault::Length(13)));
        assert_eq!(number("25513999999994é"), Err(InsFault::Characters));
        assert_eq!(number("2551399999999XX"), Err(InsFault::Characters));
        assert_eq!(number("éé513999999é9É9"), Err(InsFault::Characters));
        assert_eq!(number("2 55 13 99 999 999 49"), Ok("255139999999949".to_owned()));
    }
}
