//! The sheet as plain text, for a terminal or a line printer: 100 columns.

use std::fmt::Write;

use super::{BLANK_FORMS, Sheet, before::MISSING, entry::Entry};

pub(super) const WIDTH: usize = 100;
/// Where a field's text begins.
const INDENT: usize = 14;

/// The whole page.
pub(super) fn page(sheet: &Sheet<'_>) -> String {
    let mut page = format!(
        "FEUILLE DE GARDE {}   état au {}   {} dossiers ouverts   journal {}\nÀ jour jusqu'à {} ; au-delà, le service \
         n'écrit plus.\n",
        sheet.territory,
        sheet.written,
        sheet.entries.len(),
        sheet.seq,
        sheet.fresh_until,
    );
    if sheet.behind {
        page.push_str(MISSING);
        page.push('\n');
    }
    for entry in &sheet.entries {
        block(&mut page, entry);
    }
    for _ in 0..BLANK_FORMS {
        page.push_str(&form());
    }
    page
}

fn block(page: &mut String, entry: &Entry) {
    let mark = if entry.urgent { "!!" } else { "  " };
    // Writing to a String cannot fail.
    let heading = printable(&entry.heading);
    let _ = write!(page, "\n{}\n{mark} {}   {heading}\n", "=".repeat(WIDTH), printable(&entry.number));
    for (label, text) in &entry.fields {
        let mut label = *label;
        for line in text.lines().flat_map(|line| wrapped(&printable(line), WIDTH - INDENT)) {
            let _ = writeln!(page, "   {label:<width$}{line}", width = INDENT - 3);
            label = "";
        }
    }
}

/// A line without what a terminal or a printer would obey.
fn printable(line: &str) -> String {
    line.chars().filter(|c| !c.is_control() || *c == '\t').collect()
}

/// A line cut at blanks into pieces of at most `width` characters; a longer word stands alone.
pub(super) fn wrapped(line: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for word in line.split_whitespace() {
        let last = pieces.last_mut().expect("it begins with one piece and only grows");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + 1 + word.chars().count() <= width {
            last.push(' ');
            last.push_str(word);
        } else {
            pieces.push(word.to_owned());
        }
    }
    pieces
}

/// What BackfillCase asks for, to be filled in by hand.
fn form() -> String {
    let blank = |label: &str, width: usize| format!("{label} {}", "_".repeat(width));
    let lines = [
        format!("   APPEL   {}   {}   {}", blank("date", 10), blank("heure", 7), blank("ligne", 8)),
        format!("   {}   {}", blank("Appelant", 34), blank("tél.", 24)),
        format!(
            "   {}   {}   {}",
            blank("Langue", 18),
            blank("ne pas rappeler", 3),
            blank("ne rien dire à l'entourage", 3)
        ),
        format!("   {}   {}   {}", blank("Patient", 34), blank("âge", 4), blank("sexe", 3)),
        format!("   {}", blank("Adresse, accès", 68)),
        format!("   {}   {}   {}", blank("Motif", 34), blank("P", 3), blank("qualifié à", 7)),
        format!("   {}   {}   {}", blank("Régulateur", 24), blank("décision", 26), blank("à", 7)),
        format!("   {}   {}", blank("Effecteur", 34), blank("heure", 7)),
    ];
    format!("\n{}\n{}\n", "-".repeat(WIDTH), lines.join("\n\n"))
}

#[cfg(test)]
mod tests {
    use super::{printable, wrapped};

    #[test]
    fn a_line_is_cut_at_blanks_and_loses_no_word() {
        assert_eq!(wrapped("un deux trois", 8), ["un deux", "trois"]);
        assert_eq!(wrapped("anticonstitutionnellement vu", 8), ["anticonstitutionnellement", "vu"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn what_a_caller_said_moves_no_cursor_and_clears_no_screen() {
        assert_eq!(printable("au 3e\u{1b}[2J\u{9b}0m\u{7} étage\r"), "au 3e[2J0m étage");
    }
}
