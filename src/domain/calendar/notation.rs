//! What of the `opening_hours` notation is not read, told by the text of hours that are in that notation.
//!
//! The crate that evaluates hours takes each of these for something else, so that a practice would be shown as open or as
//! closed when it has said neither. What is parsed no longer tells a space from a comma, hence the text.

/// Stands for a quoted comment, whose words are no hours.
const COMMENT: char = '"';

const WEEKDAYS: [&str; 7] = ["mo", "tu", "we", "th", "fr", "sa", "su"];
const SUN: [&str; 4] = ["sunrise", "sunset", "dawn", "dusk"];

/// Each construct in `text` that is not read, with what to write instead.
pub(super) fn unread(text: &str) -> Vec<String> {
    let stated = without_comments(text);
    let lower = stated.to_ascii_lowercase();
    let mut unread = Vec::new();
    let mut when = |found: bool, says: &str| unread.extend(found.then(|| says.to_owned()));
    when(
        lower.contains("unknown"),
        "'unknown' is not read, since it would be shown as closed: write the hours at which it can be rung",
    );
    when(
        stated.contains("SH"),
        "'SH' is not read, since school holidays are not known here: write the dates, such as 'Dec 21-Jan 05 off'",
    );
    when(
        holiday_and_weekday(&lower),
        "'PH Mo-Fr' with a space, days that are both, is not read: write 'PH,Mo-Fr' for days that are either, or \
         'Mo-Fr 08:00-12:00; PH off' for weekdays that are no holidays",
    );
    when(
        stated.split(';').flat_map(|rules| rules.split("||")).flat_map(|rules| rules.split(", ")).any(only_comment),
        "a comment without hours beside it is not read: write them, such as 'Mo-Fr 08:00-12:00 \"sur rendez-vous\"'",
    );
    when(after_a_time(&stated, '+'), "an open end such as '14:00+' is not read: write when it closes, '14:00-18:00'");
    when(
        after_a_time(&stated, '/'),
        "a time that repeats, such as '08:00-12:00/00:30', is not read: write the hours alone, '08:00-12:00'",
    );
    for event in SUN {
        when(lower.contains(event), &format!("'{event}' is not read: write a time of the clock, such as '18:00'"));
    }
    unread
}

/// The text with each quoted comment as one mark. Quotes come in pairs, since the text is in the notation.
fn without_comments(text: &str) -> String {
    let parts = text.split(COMMENT).enumerate();
    parts.map(|(at, part)| if at % 2 == 0 { part.to_owned() } else { COMMENT.to_string() }).collect()
}

/// Whether holidays and weekdays stand beside each other with a space, whatever days holidays are shifted by.
fn holiday_and_weekday(lower: &str) -> bool {
    let shift = |word: &&str| word.starts_with(['+', '-']) || matches!(*word, "day" | "days");
    let words: Vec<_> = lower.split_whitespace().filter(|word| !shift(word)).collect();
    let first = |word: &str| word.chars().take_while(char::is_ascii_alphabetic).collect::<String>();
    let last = |word: &str| {
        let word = word.split('[').next().filter(|_| word.ends_with(']')).unwrap_or(word);
        word.rsplit(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default().to_owned()
    };
    let weekday = |letters: &str| WEEKDAYS.contains(&letters);
    words.windows(2).any(|pair| {
        let (before, after) = (last(pair[0]), first(pair[1]));
        (before == "ph" && weekday(&after)) || (weekday(&before) && after == "ph")
    })
}

/// Whether a rule has a comment and says neither times nor a state.
fn only_comment(rule: &str) -> bool {
    let lower = rule.to_ascii_lowercase();
    let states = ["open", "off", "closed", "unknown", "24/7"];
    rule.contains(COMMENT) && !states.iter().any(|state| lower.contains(state)) && times(rule).next().is_none()
}

/// Whether `sign` follows a time, spaces between them or not.
fn after_a_time(text: &str, sign: char) -> bool {
    times(text).any(|rest| rest.trim_start().starts_with(sign))
}

/// What follows each time of the clock, such as `08:00`.
fn times(text: &str) -> impl Iterator<Item = &str> {
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(':').filter_map(move |(at, _)| {
        let minutes = text.get(at + 1..at + 3)?;
        digits(minutes).then(|| &text[at + 3..])
    })
}
