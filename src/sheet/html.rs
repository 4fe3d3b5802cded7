//! The sheet as one HTML page without anything to load: it reloads itself while shown and prints on A4.

use std::fmt::Write;

use super::{BLANK_FORMS, Sheet, before::MISSING, entry::Entry};

pub(super) const STYLE: &str = "body{font:15px/1.35 sans-serif;margin:1rem;color:#111;background:#fff}\
h1{font-size:1.25rem;margin:0}h2{font-size:1rem;margin:0}\
section{border:1px solid #555;border-left-width:8px;padding:.4rem .7rem;margin:.6rem 0;break-inside:avoid}\
section.urgent{border-color:#a00}section.urgent h2::before{content:'\u{26a0} '}\
dl{display:grid;grid-template-columns:7rem 1fr;margin:.3rem 0 0;gap:.1rem .6rem}\
dt{font-weight:600}dd{margin:0;white-space:pre-line}\
form p{margin:.9rem 0}u{display:inline-block;border-bottom:1px solid #555;text-decoration:none}\
@page{size:A4;margin:12mm}@media print{body{font-size:12px;margin:0}}";

/// The whole page.
pub(super) fn page(sheet: &Sheet<'_>) -> String {
    let (territory, written, until) = (sheet.territory, &sheet.written, &sheet.fresh_until);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"{}\">\
         <title>Feuille de garde {territory}</title><style>{STYLE}</style></head><body>\n<header><h1>Feuille de garde \
         {territory} — état au {written}</h1><p>{} dossiers ouverts, journal {}. À jour jusqu'à {until} ; au-delà, le \
         service n'écrit plus.</p></header>\n",
        sheet.every.secs().max(1),
        sheet.entries.len(),
        sheet.seq,
    );
    if sheet.behind {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "<section class=\"urgent\"><h2>{MISSING}</h2></section>");
    }
    sheet.entries.iter().for_each(|entry| block(&mut page, entry));
    page.extend((0..BLANK_FORMS).map(|_| form()));
    page.push_str("</body></html>\n");
    page
}

fn block(page: &mut String, entry: &Entry) {
    let urgent = if entry.urgent { " class=\"urgent\"" } else { "" };
    // Writing to a String cannot fail.
    let _ = write!(page, "<section{urgent}><h2>{} — {}</h2><dl>", escaped(&entry.number), escaped(&entry.heading));
    for (label, text) in &entry.fields {
        let _ = write!(page, "<dt>{}</dt><dd>{}</dd>", escaped(label), escaped(text));
    }
    page.push_str("</dl></section>\n");
}

/// What BackfillCase asks for, to be filled in by hand.
fn form() -> String {
    let rows: [&[(&str, u32)]; 8] = [
        &[("Date", 8), ("Heure d'appel", 5), ("Ligne", 6)],
        &[("Appelant", 18), ("Tél.", 12)],
        &[("Langue", 6), ("Ne pas rappeler", 2), ("Ne rien dire à l'entourage", 2)],
        &[("Patient", 18), ("Âge", 3), ("Sexe", 3)],
        &[("Adresse, accès", 34)],
        &[("Motif", 16), ("Priorité", 4), ("Qualifié à", 5), ("par", 8)],
        &[("Régulateur", 12), ("Décision", 14), ("à", 5)],
        &[("Effecteur", 18), ("Heure", 5)],
    ];
    let row = |row: &&[(&str, u32)]| {
        let blank = |(label, em): &(&str, u32)| format!("{label} <u style=\"width:{em}em\">&nbsp;</u> ");
        format!("<p>{}</p>", row.iter().map(blank).collect::<String>())
    };
    format!("<section><h2>Appel sur papier</h2><form>{}</form></section>\n", rows.iter().map(row).collect::<String>())
}

/// Text as HTML shows it: nothing a caller said becomes markup.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c if c.is_control() && c != '\n' => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_a_caller_said_is_never_markup() {
        assert_eq!(escaped("<script>\"a\" & 'b'\u{7}"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;");
    }
}
