//! Telephone numbers: E.164, or French national notation made E.164.

use std::fmt::Display;

use crate::domain::person::Private;

use super::fields::Fields;

const SHAPE: &str = "expected + and 6 to 15 digits (E.164), or a French number of ten digits beginning with 0";

/// A number that may be left out; answered as E.164.
pub fn phone(fields: &mut Fields, field: impl Display, text: &str) -> Option<Private<String>> {
    if text.trim().is_empty() {
        return None;
    }
    match normalised(text) {
        Some(number) => Some(Private::new(number)),
        None => fields.fault(field, format!("{SHAPE}, got {} characters of another shape", text.chars().count())),
    }
}

/// `+33388112233` of `03 88 11 22 33`, `03.88.11.22.33`, `0033 3 88 11 22 33` or `+33 (0)3 88 11 22 33`.
fn normalised(text: &str) -> Option<String> {
    let bare: String = text.trim().replace("(0)", "").chars().filter(|c| !" .-()\u{a0}\u{202f}".contains(*c)).collect();
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let international = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    if let Some(rest) = international {
        let legal = digits(rest) && (6..=15).contains(&rest.len()) && !rest.starts_with('0');
        return legal.then(|| format!("+{rest}"));
    }
    let rest = bare.strip_prefix('0')?;
    (rest.len() == 9 && digits(rest) && !rest.starts_with('0')).then(|| format!("+33{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_becomes_one_form() {
        for text in ["03 53 01 00 01", "03.53.01.00.01", "+33353010001", "0033 3 53 01 00 01", "+33 (0)3-53-01-00-01"] {
            assert_eq!(normalised(text).as_deref(), Some("+33353010001"), "{text}");
        }
        assert_eq!(normalised("+49 7851 12345").as_deref(), Some("+49785112345"));
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in
            ["3353010001", "03 53 01", "035301000123", "zéro trois", "+", "+33 3 53 01 00 01 00 99 99 99", "0012"]
        {
            assert_eq!(normalised(text), None, "{text}");
        }
    }
}
