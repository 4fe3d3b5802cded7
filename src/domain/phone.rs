//! Telephone numbers: E.164, or French national notation made E.164, so that one person's number is one text.

/// What a national number of ten digits begins with overseas, without its 0, and the country code it is called under.
///
/// Arcep's national numbering plan (decision 2018-0881, annex 1, as modified) spans the mainland and the overseas parts: all
/// dial `0` and nine digits, and each has a country code of its own in E.164 (Arcep, « La numérotation outre-mer »; for
/// Mayotte its release of 24 July 2006: `+262 269 61 12 34`, mobiles 0639). Blocks as the metadata of libphonenumber have
/// them for RE, YT, GP, GF, MQ and PM.
const OVERSEAS: [(&str, &str); 25] = [
    ("262", "262"),
    ("263", "262"),
    ("269", "262"),
    ("639", "262"),
    ("692", "262"),
    ("693", "262"),
    ("7092", "262"),
    ("590", "590"),
    ("690", "590"),
    ("691", "590"),
    ("7090", "590"),
    ("594", "594"),
    ("694", "594"),
    ("596", "596"),
    ("696", "596"),
    ("697", "596"),
    ("7091", "596"),
    ("70930", "594"),
    ("70931", "594"),
    ("70932", "594"),
    ("70933", "594"),
    ("70935", "262"),
    ("70936", "262"),
    ("70937", "262"),
    ("708", "508"),
];
/// Numbers of the mainland inside a block of Mayotte: 06 39 98, which Arcep keeps for fiction.
const MAINLAND: &str = "63998";
/// Saint-Pierre-et-Miquelon: its fixed numbers have six digits, and from elsewhere in France 0508 before them.
const MIQUELON: &str = "508";

/// `+33388112233` of `03 88 11 22 33`, `03.88.11.22.33`, `0033 3 88 11 22 33` or `+33 (0)3 88 11 22 33`, `+262262412345` of
/// `0262 41 23 45`; none when it is no number.
pub fn e164(text: &str) -> Option<String> {
    let bare: String = text.trim().replace("(0)", "").chars().filter(|c| !" .-()\u{a0}\u{202f}".contains(*c)).collect();
    let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    let international = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00"));
    if let Some(rest) = international {
        let legal = digits(rest) && (6..=15).contains(&rest.len()) && !rest.starts_with('0');
        return legal.then(|| of_international(rest));
    }
    let rest = bare.strip_prefix('0')?;
    (rest.len() == 9 && digits(rest) && !rest.starts_with('0')).then(|| of_national(rest))
}

/// An overseas number under the mainland's code is none that can be dialled: older systems write it so.
fn of_international(digits: &str) -> String {
    let national = [("33", ""), (MIQUELON, MIQUELON)]
        .into_iter()
        .find_map(|(code, block)| digits.strip_prefix(code).filter(|rest| rest.len() == 9 && rest.starts_with(block)));
    national.map_or_else(|| format!("+{digits}"), of_national)
}

fn of_national(nine: &str) -> String {
    if let Some(six) = nine.strip_prefix(MIQUELON) {
        return format!("+{MIQUELON}{six}");
    }
    let overseas = OVERSEAS.iter().find(|(block, _)| nine.starts_with(block) && !nine.starts_with(MAINLAND));
    format!("+{}{nine}", overseas.map_or("33", |(_, code)| code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_becomes_one_form() {
        for text in ["03 53 01 00 01", "03.53.01.00.01", "+33353010001", "0033 3 53 01 00 01", "+33 (0)3-53-01-00-01"] {
            assert_eq!(e164(text).as_deref(), Some("+33353010001"), "{text}");
        }
        assert_eq!(e164("+49 7851 12345").as_deref(), Some("+49785112345"));
    }

    #[test]
    fn an_overseas_number_has_the_code_of_its_department_however_it_is_written() {
        for (written, number) in [
            ("0262 41 23 45", "+262262412345"),
            ("+33 262 41 23 45", "+262262412345"),
            ("00 33 (0)262 41 23 45", "+262262412345"),
            ("+262 (0)262 41 23 45", "+262262412345"),
            ("0692 12 34 56", "+262692123456"),
            ("0269 61 12 34", "+262269611234"),
            ("0639 26 27 28", "+262639262728"),
            ("0590 27 12 34", "+590590271234"),
            ("0691 22 12 34", "+590691221234"),
            ("0594 10 12 34", "+594594101234"),
            ("0696 20 12 34", "+596696201234"),
            ("0508 41 23 45", "+508412345"),
            ("+508 508 41 23 45", "+508412345"),
            ("+508 41 23 45", "+508412345"),
            ("0708 45 12 34", "+508708451234"),
        ] {
            assert_eq!(e164(written).as_deref(), Some(number), "{written}");
        }
    }

    #[test]
    fn the_mainland_keeps_its_own_and_the_numbers_kept_for_fiction() {
        for (written, number) in [
            ("06 39 98 00 01", "+33639980001"),
            ("02 61 91 00 01", "+33261910001"),
            ("05 36 49 00 01", "+33536490001"),
            ("07 38 12 34 56", "+33738123456"),
            ("05 95 12 34 56", "+33595123456"),
        ] {
            assert_eq!(e164(written).as_deref(), Some(number), "{written}");
        }
    }

    #[test]
    fn anything_else_is_no_number() {
        for text in
            ["3353010001", "03 53 01", "035301000123", "zéro trois", "+", "+33 3 53 01 00 01 00 99 99 99", "0012"]
        {
            assert_eq!(e164(text), None, "{text}");
        }
    }
}
