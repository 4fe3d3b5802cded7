//! Patients from the wire: traits, INS, age, wishes. A wrong key is a fault of its field; a vital emergency keeps what was
//! heard and is told.

use std::{collections::BTreeSet, fmt::Display};

use chrono::NaiveDate;

use crate::{
    domain::{
        age::{Age, AgeUnit},
        calendar::local_date,
        case::{
            patient::{Consent, ConsentForm, INFANT_BELOW_YEARS, MINOR_BELOW_YEARS},
            sealed::{Identity, Representative},
            state::Patient,
        },
        ids::ResponderId,
        ins::{self, InsFault, InsStatus},
        person::Private,
    },
    grpc::pb,
};

use super::{
    fields::{Fields, Part},
    particulars::{Ground, LONGEST_NAME, line, short},
    phone::phone,
};

/// Most patients of one case.
const MOST_PATIENTS: usize = 20;
/// The oldest age that is believed, years.
const OLDEST_YEARS: u32 = 130;
/// Weights that are believed, grams.
const WEIGHTS_GRAMS: std::ops::RangeInclusive<u32> = 200..=500_000;

/// The patients of a request, each with what routing needs and who it is.
pub(super) fn patients(fields: &mut Fields, given: &[pb::Patient], ground: Ground<'_>) -> Vec<(Patient, Identity)> {
    if given.len() > MOST_PATIENTS {
        fields.fault::<()>("patients", format!("{} patients: at most {MOST_PATIENTS} in one case", given.len()));
    }
    let mut numbers = BTreeSet::new();
    let mut read = Vec::new();
    for (place, known) in given.iter().take(MOST_PATIENTS).enumerate() {
        let at = format!("patients[{place}]");
        let number = if known.number == 0 { u32::try_from(place + 1).unwrap_or(u32::MAX) } else { known.number };
        if !numbers.insert(number) {
            fields.fault::<()>(&format!("{at}.number"), "another patient of this request has this number");
            continue;
        }
        let mut reader = Reader { fields: &mut *fields, at: &at, ground };
        read.push(reader.patient(number, known));
    }
    read
}

/// Reads one patient; every field is named from `at` on.
struct Reader<'a, 'g> {
    fields: &'a mut Fields,
    at: &'a str,
    ground: Ground<'g>,
}

impl<'a> Reader<'a, '_> {
    fn name<'f>(&self, field: &'f str) -> Part<'a, 'f> {
        Part(self.at, field)
    }

    fn patient(&mut self, number: u32, given: &pb::Patient) -> (Patient, Identity) {
        let today = local_date(self.ground.place.territory.calendar.zone(), self.ground.now);
        let born = self.born(&given.birth_date, today);
        let (age_years, age) = self.age(given);
        let years = born.and_then(|born| today.years_since(born)).or(age_years);
        let patient = Patient {
            number,
            own_gp: self.own_gp(given),
            no_gp: given.no_gp,
            identity_unknown: given.identity_unknown,
            ald: given.ald,
            ehpad: given.ehpad,
            reduced_mobility: given.reduced_mobility,
            isolated: given.isolated,
            noted_in_error: given.noted_in_error,
            pregnant: given.pregnant,
            // An answer says "no" of whom no age was known, and comes back with one.
            infant: given.infant == Some(true) || years.is_some_and(|years| years < INFANT_BELOW_YEARS),
            minor: years.map_or(given.minor == Some(true), |years| years < MINOR_BELOW_YEARS),
            secrecy: given.secrecy,
            consents: self.consents(&given.consents),
        };
        let identity = self.identity(number, given, born, (age_years, age));
        (patient, identity)
    }

    fn identity(
        &mut self,
        number: u32,
        given: &pb::Patient,
        born: Option<NaiveDate>,
        (age_years, age): (Option<u32>, Option<Age>),
    ) -> Identity {
        let mut identity = Identity {
            number,
            name: self.line("name", &given.name),
            birth_date: Private::new(born.map(|born| born.to_string()).unwrap_or_default()),
            age_years: Private::new(age_years),
            age: Private::new(age),
            sex: Private::new(self.fields.optional_code(self.name("sex"), given.sex)),
            weight_grams: Private::new(self.weight(given.weight_grams)),
            nir: nir(self.fields, self.name("nir"), &given.nir),
            ins_status: Private::new(self.fields.optional_code(self.name("ins_status"), given.ins_status)),
            ins_authority: Private::new(self.fields.optional_code(self.name("ins_authority"), given.ins_authority)),
            birth_name: self.line("birth_name", &given.birth_name),
            birth_first_names: self.line("birth_first_names", &given.birth_first_names),
            birth_place: self.birth_place(&given.birth_place),
            gp_name: self.line("gp_name", &given.gp_name),
            representative: self.representative(given.representative.as_ref()),
        };
        self.established(&mut identity);
        identity
    }

    fn line(&mut self, field: &str, text: &str) -> Private<String> {
        line(self.fields, self.name(field), text)
    }

    /// An identity is no better established than what was given shows (RNIV 1).
    fn established(&mut self, identity: &mut Identity) {
        let Some(status) = *identity.ins_status.reveal() else { return };
        let traits = [&identity.birth_name, &identity.birth_first_names, &identity.birth_date, &identity.birth_place];
        let complete = traits.into_iter().all(|known| !known.reveal().is_empty()) && identity.sex.reveal().is_some();
        let (number, field) = (!identity.nir.reveal().is_empty(), self.name("ins_status"));
        let problem = match status {
            status if status.needs_number() && !number => "this status needs nir, fetched from INSi",
            status if status.needs_traits() && !complete => {
                "this status needs birth_name, birth_first_names, birth_date, sex and birth_place as the document shows them"
            }
            _ => return,
        };
        self.fields.fault::<()>(field, problem);
        identity.ins_status = Private::new(Some(InsStatus::Provisional));
    }

    fn born(&mut self, text: &str, today: NaiveDate) -> Option<NaiveDate> {
        born(self.fields, self.name("birth_date"), text, today)
    }

    /// The age in whole years, and the finer one when it was not given in years.
    fn age(&mut self, given: &pb::Patient) -> (Option<u32>, Option<Age>) {
        let field = self.name("age");
        let age: Option<Age> = self.fields.optional(field, &given.age);
        if let Some(age) = age {
            let years = age.years();
            if given.age_years.is_some_and(|other| other != years) {
                self.fields.fault::<()>(field, "age_years says another age: give one of them");
            }
            return (Some(years), Some(age).filter(|age| age.unit() != AgeUnit::Years));
        }
        let years = match given.age_years {
            Some(years) if years > OLDEST_YEARS => {
                self.fields.fault(self.name("age_years"), format!("expected whole years, 0 to {OLDEST_YEARS}"))
            }
            years => years,
        };
        (years, None)
    }

    fn weight(&mut self, grams: Option<u32>) -> Option<u32> {
        match grams? {
            grams if WEIGHTS_GRAMS.contains(&grams) => Some(grams),
            _ => {
                let (least, most) = (WEIGHTS_GRAMS.start(), WEIGHTS_GRAMS.end());
                self.fields.fault(self.name("weight_grams"), format!("expected grams, {least} to {most}"))
            }
        }
    }

    fn birth_place(&mut self, text: &str) -> Private<String> {
        let shaped = text.len() == 5 && text.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'A' | b'B'));
        if text.is_empty() || shaped {
            return Private::new(text.to_owned());
        }
        let given = text.chars().count();
        let problem =
            format!("expected the INSEE code of a commune or country, 5 characters, got {given} of another shape");
        self.fields.fault(self.name("birth_place"), problem).unwrap_or_default()
    }

    fn representative(&mut self, given: Option<&pb::Representative>) -> Representative {
        let Some(given) = given else { return Representative::default() };
        Representative {
            name: self.line("representative.name", &given.name),
            phone: phone(self.fields, self.name("representative.phone"), &given.phone).unwrap_or_default(),
            tie: short(self.fields, self.name("representative.tie"), &given.tie, LONGEST_NAME),
        }
    }

    fn own_gp(&mut self, given: &pb::Patient) -> Option<ResponderId> {
        let field = self.name("own_gp_id");
        let id: ResponderId = self.fields.optional(field, &given.own_gp_id)?;
        if given.no_gp {
            return self.fields.fault(field, "no_gp says that there is none: set one of them");
        }
        if self.ground.place.directory.get(&id).is_some() {
            return Some(id);
        }
        let problem = "the directory has no responder of this id: find it with DirectoryService.FindOwnGp, or leave this \
                       out and give gp_name";
        self.fields.fault(field, problem)
    }

    fn consents(&mut self, given: &[pb::Consent]) -> Vec<Consent> {
        let mut read: Vec<Consent> = Vec::new();
        for (place, wish) in given.iter().take(16).enumerate() {
            let at = format!("{}.consents[{place}]", self.at);
            let recipient = self.fields.code(format!("{at}.recipient"), wish.recipient);
            let wanted = self.fields.code(format!("{at}.wish"), wish.wish);
            let form = self.fields.optional_code(format!("{at}.form"), wish.form).unwrap_or(ConsentForm::Oral);
            let said = self.fields.optional_instant(format!("{at}.at_unix_ms"), wish.at_unix_ms);
            if said.is_some_and(|said| said > self.ground.now) {
                self.fields.fault::<()>(&format!("{at}.at_unix_ms"), "must not be in the future");
            }
            let Some((recipient, wish)) = recipient.zip(wanted) else { continue };
            if read.iter().any(|known| known.recipient == recipient) {
                self.fields.fault::<()>(&format!("{at}.recipient"), "stands twice: one wish for each recipient");
                continue;
            }
            let at = said.unwrap_or(self.ground.now).min(self.ground.now);
            let noted_by = Some(self.ground.actor.person.clone());
            read.push(Consent { recipient, wish, form: Some(form), at: Some(at), noted_by });
        }
        read
    }
}

/// A birth date that may be left out.
pub(super) fn born(fields: &mut Fields, field: impl Display, text: &str, today: NaiveDate) -> Option<NaiveDate> {
    if text.is_empty() {
        return None;
    }
    let date = (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()).flatten();
    match date {
        Some(date) if date <= today && today.years_since(date).is_some_and(|years| years <= OLDEST_YEARS) => Some(date),
        Some(_) => fields.fault(field, format!("expected a day of the last {OLDEST_YEARS} years, not in the future")),
        None if has_shape_of_a_date(text) => fields
            .fault(field, "there is no such day: the month or the day is beyond the calendar's (expected YYYY-MM-DD)"),
        None => fields.fault(field, format!("expected a date as YYYY-MM-DD, got {} characters", text.chars().count())),
    }
}

/// Four digits, two and two: what is wrong is not how it is written.
fn has_shape_of_a_date(text: &str) -> bool {
    let fits = |(n, byte): (usize, u8)| if matches!(n, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() == 10 && text.bytes().enumerate().all(fits)
}

/// An INS number that may be left out. In a vital emergency one of the right length is kept as it was heard.
pub(super) fn nir(fields: &mut Fields, field: impl Display, text: &str) -> Private<String> {
    if text.trim().is_empty() {
        return Private::default();
    }
    let problem = match ins::number(text) {
        Ok(number) => return Private::new(number),
        Err(InsFault::Length(given)) => format!("expected 15 characters (13 and the key of 2), got {given}"),
        Err(InsFault::Characters) => "expected digits, or 2A and 2B for Corsica".to_owned(),
        Err(InsFault::Key) if fields.lenient() => {
            fields.warn(field, "NIR_KEY", "the key does not fit the number; kept, to be checked with the patient");
            return Private::new(ins::compact(text));
        }
        Err(InsFault::Key) => "the key does not fit the number: read it again, or leave it out".to_owned(),
    };
    fields.fault(field, problem).unwrap_or_default()
}
