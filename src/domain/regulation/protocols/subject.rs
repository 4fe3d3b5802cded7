//! Of whom a question is asked: age, sex, pregnancy, each possibly unknown.

use crate::{coded_enum, domain::age::Age};

coded_enum! {
    /// Sex as far as protocols tell patients apart.
    Sex {
        /// Female.
        Female = "F", "Féminin";
        /// Male.
        Male = "M", "Masculin";
    }
}

/// The patient, as far as a protocol looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subject {
    /// Age; none while unknown.
    pub age: Option<Age>,
    /// Sex; none while unknown.
    pub sex: Option<Sex>,
    /// Pregnant; none while unknown.
    pub pregnant: Option<bool>,
}

impl Subject {
    /// Whether the patient is pregnant. Men, children below ten and women from sixty on are not asked.
    pub(super) fn pregnant(&self) -> Option<bool> {
        let asked = |age: Age| (years(10)..years(60)).contains(&age.days());
        if self.sex == Some(Sex::Male) || self.age.is_some_and(|age| !asked(age)) {
            return self.pregnant.filter(|pregnant| *pregnant && self.sex != Some(Sex::Male)).or(Some(false));
        }
        self.pregnant
    }
}

/// Days of so many years, as [`Age`] counts them: the same women are asked `TERRAIN.GROSSESSE`.
const fn years(count: u32) -> u32 {
    count * 1_461 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_man_is_not_asked_about_pregnancy() {
        let man = Subject { sex: Some(Sex::Male), ..Subject::default() };
        assert_eq!(man.pregnant(), Some(false));
        assert_eq!(Subject::default().pregnant(), None);
    }

    #[test]
    fn pregnancy_is_asked_at_just_the_ages_at_which_it_matters() {
        let pregnant = |age: &str| Subject { age: age.parse().ok(), ..Subject::default() }.pregnant();
        assert_eq!(["P9Y", "P10Y", "P59Y", "P60Y"].map(pregnant), [Some(false), None, None, Some(false)]);
    }
}
