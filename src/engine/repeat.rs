//! Look-ups by call, telephone number, patient and address: index names hold keyed hashes, never what they stand for.

use std::{collections::BTreeSet, fmt};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{
    domain::{
        case::{Case, sealed::Identity},
        ins,
        remarkable::{RemarkableMatch, Sheet},
    },
    store::txn::digits,
};

/// The key of the look-up hashes. Without it a stored hash says nothing about a number.
#[derive(Clone)]
pub struct LookupKey(Hmac<Sha256>);

impl LookupKey {
    /// From secret bytes (at least 16 are wise).
    pub fn new(secret: impl Into<Vec<u8>>) -> Self {
        Self(Hmac::new_from_slice(&secret.into()).expect("HMAC takes a key of any length"))
    }

    /// Tells this key from another one, and nothing about it.
    pub fn fingerprint(&self) -> String {
        self.hash("the look-up key itself")
    }

    /// The keyed hash of a text, 32 hexadecimal digits.
    pub fn hash(&self, text: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(text.as_bytes());
        digits(&mac.finalize().into_bytes()[..16])
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

/// What a case may be found by again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace<'a> {
    /// A number of the caller.
    Number(&'a str),
    /// A patient: name and birth date, or else the INS number.
    Patient(String),
    /// Commune and street.
    Place(String),
}

impl Trace<'_> {
    /// The text whose keyed hash names the index. A number stands as it is, since older entries do.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => (*number).to_owned(),
            Self::Patient(text) | Self::Place(text) => text.clone(),
        }
    }
}

/// Everything a case may be found by again. One trace for each patient, so that a case of many patients stays within one
/// transaction.
pub(super) fn traces(case: &Case) -> BTreeSet<Trace<'_>> {
    let caller = &case.sealed.caller;
    let numbers = [caller.phone.reveal().as_str(), caller.call_back.reveal().as_str()];
    let mut traces: BTreeSet<Trace<'_>> =
        numbers.into_iter().filter(|number| !number.is_empty()).map(Trace::Number).collect();
    traces.extend(case.sealed.identities.iter().filter_map(patient).map(Trace::Patient));
    let street = plain(case.sealed.address.street.reveal());
    if let Some(commune) = case.place.commune.filter(|_| !street.is_empty()) {
        traces.insert(Trace::Place(format!("place/{commune}/{street}")));
    }
    traces
}

/// The same person in words of other people: name and birth date, or else the INS number.
fn patient(who: &Identity) -> Option<String> {
    by_traits(who.name.reveal(), who.birth_date.reveal()).or_else(|| by_ins(who.nir.reveal()))
}

fn by_traits(name: &str, birth_date: &str) -> Option<String> {
    // The order of first and family name differs from one call to the next.
    let name = plain(name);
    let mut words: Vec<&str> = name.split(' ').collect();
    words.sort_unstable();
    (!name.is_empty() && !birth_date.is_empty()).then(|| format!("who/{birth_date}/{}", words.join(" ")))
}

/// A number whose key does not hold finds nobody: it may be somebody else's.
fn by_ins(nir: &str) -> Option<String> {
    ins::number(nir).ok().map(|nir| format!("ins/{nir}"))
}

/// What a sheet is found by.
pub(super) fn sheet_traces(sheet: &Sheet) -> Vec<(RemarkableMatch, String)> {
    let words = &sheet.words;
    let phone = Some(words.phone.reveal()).filter(|phone| !phone.is_empty()).map(|phone| format!("tel/{phone}"));
    of_person((words.name.reveal(), words.birth_date.reveal(), words.nir.reveal()), phone)
}

/// What a sheet about a patient of a case would be found by: the patient's number in the case, 0 for the caller's numbers.
pub(super) fn sheet_questions(case: &Case) -> Vec<(u32, RemarkableMatch, String)> {
    let caller = &case.sealed.caller;
    let numbers = [caller.phone.reveal(), caller.call_back.reveal()].into_iter().filter(|number| !number.is_empty());
    let mut questions = Vec::new();
    let in_error = |number| case.patient(number).is_some_and(|patient| patient.noted_in_error);
    for who in case.sealed.identities.iter().filter(|who| !in_error(who.number)) {
        let known = of_person((who.name.reveal(), who.birth_date.reveal(), who.nir.reveal()), None);
        questions.extend(known.into_iter().map(|(by, text)| (who.number, by, text)));
    }
    questions.extend(numbers.map(|number| (0, RemarkableMatch::Phone, format!("tel/{number}"))));
    questions
}

fn of_person((name, birth_date, nir): (&str, &str, &str), phone: Option<String>) -> Vec<(RemarkableMatch, String)> {
    let ins = by_ins(nir).map(|text| (RemarkableMatch::Ins, text));
    let traits = by_traits(name, birth_date).map(|text| (RemarkableMatch::Traits, text));
    let phone = phone.map(|text| (RemarkableMatch::Phone, text));
    [ins, traits, phone].into_iter().flatten().collect()
}

/// A text without case, accents and anything but letters and digits, to compare what people say.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'à' | 'â' | 'ä' | 'á' | 'ã' => plain.push('a'),
            'é' | 'è' | 'ê' | 'ë' => plain.push('e'),
            'î' | 'ï' | 'í' => plain.push('i'),
            'ô' | 'ö' | 'ó' => plain.push('o'),
            'ù' | 'û' | 'ü' | 'ú' => plain.push('u'),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            'œ' => plain.push_str("oe"),
            'æ' => plain.push_str("ae"),
            other if other.is_alphanumeric() => plain.push(other),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_the_same_however_the_name_is_said() {
        let said = by_traits("Élise BŒUF-L’Hôte", "1984-03-02");
        assert_eq!(said, by_traits("l'hote  boeuf, elise", "1984-03-02"));
        assert_ne!(said, by_traits("Élise BŒUF-L’Hôte", "1984-03-03"));
        assert_eq!((by_traits("", "1984-03-02"), by_traits("Élise", "")), (None, None));
    }

    #[test]
    fn a_number_whose_key_does_not_hold_finds_nobody() {
        assert_eq!(by_ins("2 55 13 99 999 999 50"), None);
        assert_eq!(by_ins("2 55 13 99 999 999 49").as_deref(), Some("ins/255139999999949"));
    }
}
