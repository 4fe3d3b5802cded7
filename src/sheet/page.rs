//! One A4 of headings and lines, as text and as HTML: what is handed over between two shifts.

use std::{fmt::Write, io, path::Path};

use super::{
    html::{STYLE, escaped},
    text::{WIDTH, wrapped},
};

/// Where the lines of a section begin.
const INDENT: usize = 3;
/// In print the lines stand closer than on the sheet of cases, so that all of them are on one page.
const ON_ONE_PAGE: &str = "section p{margin:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}\
section.whole p{white-space:normal}\
@media print{body{font-size:10px;line-height:1.3}section{margin:3px 0;padding:2px 6px}h2{font-size:11px}}";

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it is, of where and when.
    pub title: String,
    /// A line below the title.
    pub under: String,
    /// In the order they are read.
    pub sections: Vec<Section>,
}

/// A heading and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Somebody has to act here first.
    pub urgent: bool,
    /// Its lines are shown whole, in as many rows as they need.
    pub whole: bool,
    lines: Vec<String>,
}

impl Section {
    /// At most `most` lines, the last of which says how many more there are; « Néant » for none.
    pub fn of(heading: &str, urgent: bool, lines: Vec<String>, most: usize) -> Self {
        let all = lines.len();
        Self::first(heading, urgent, (lines, all), most)
    }

    /// The same where there are more lines than are at hand: so many in all.
    pub fn first(heading: &str, urgent: bool, (mut lines, all): (Vec<String>, usize), most: usize) -> Self {
        let all = all.max(lines.len());
        if all == 0 {
            lines.push("Néant".to_owned());
        }
        if all > most {
            lines.truncate(most.saturating_sub(1));
            lines.push(format!("… et {} autres", all - lines.len()));
        }
        Self { heading: heading.to_owned(), urgent, whole: false, lines }
    }

    /// The same with nothing of a line left out.
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// The lines as they stand in so many columns: cut, or in several rows of which the later ones stand further in.
    fn rows(&self, width: usize) -> Vec<String> {
        let rows = |line: &String| match self.whole {
            false => vec![cut(line, width)],
            true => {
                let rows = wrapped(line, width - INDENT).into_iter().enumerate();
                rows.map(|(at, row)| if at == 0 { row } else { format!("{:INDENT$}{row}", "") }).collect()
            }
        };
        self.lines.iter().flat_map(rows).collect()
    }
}

impl Page {
    /// For a terminal or a line printer: 100 columns.
    pub fn text(&self) -> String {
        let mut page = format!("{}\n{}\n", cut(&self.title, WIDTH), cut(&self.under, WIDTH));
        for section in &self.sections {
            let mark = if section.urgent { "!! " } else { "" };
            // Writing to a String cannot fail.
            let _ = writeln!(page, "{}", cut(&format!("{mark}{}", section.heading.to_uppercase()), WIDTH));
            for row in section.rows(WIDTH - INDENT) {
                let _ = writeln!(page, "{:INDENT$}{row}", "");
            }
        }
        page
    }

    /// One page without anything to load, that prints on one A4.
    pub fn html(&self) -> String {
        let (title, under) = (escaped(&self.title), escaped(&self.under));
        let mut page = format!(
            "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <style>{STYLE}{ON_ONE_PAGE}</style></head><body>\n<header><h1>{title}</h1><p>{under}</p></header>\n"
        );
        for section in &self.sections {
            let classes = [(section.urgent, "urgent"), (section.whole, "whole")];
            let classes: Vec<&str> = classes.into_iter().filter_map(|(is, class)| is.then_some(class)).collect();
            // Writing to a String cannot fail.
            let _ = write!(page, "<section class=\"{}\"><h2>{}</h2>", classes.join(" "), escaped(&section.heading));
            for line in &section.lines {
                let _ = write!(page, "<p>{}</p>", escaped(line));
            }
            page.push_str("</section>\n");
        }
        page.push_str("</body></html>\n");
        page
    }

    /// Writes the HTML where only the caller's own account reads it; what stood there is replaced in one step.
    ///
    /// # Errors
    /// What the system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        super::replace(path, &self.html())
    }
}

/// A line of at most `width` characters.
fn cut(line: &str, width: usize) -> String {
    if line.chars().count() <= width {
        return line.to_owned();
    }
    line.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Page, Section, cut};

    #[test]
    fn what_does_not_fit_is_counted() {
        let lines = |many: usize| (1..=many).map(|number| number.to_string()).collect::<Vec<_>>();
        let shown = |many: usize| Section::of("", false, lines(many), 3).lines;
        assert_eq!(shown(0), ["Néant"]);
        assert_eq!(shown(3), ["1", "2", "3"]);
        assert_eq!(shown(5), ["1", "2", "… et 3 autres"]);
        let first = |at_hand: usize, all: usize| Section::first("", true, (lines(at_hand), all), 3).lines;
        assert_eq!(first(5, 500), ["1", "2", "… et 498 autres"], "those that were not asked for count too");
        assert_eq!(first(3, 3), ["1", "2", "3"]);
        assert_eq!(cut("àéîõü", 4), "àéî…");
    }

    #[test]
    fn what_is_to_be_read_whole_is_never_cut() {
        let line = format!("SNP : {} → mrl-9 ; 12 en attente ; répond : AMU", "dr-de-garde, ".repeat(12));
        let page = |whole: bool| {
            let section = Section::of("", false, vec![line.clone()], 3);
            let sections = vec![if whole { section.whole() } else { section }];
            Page { title: String::new(), under: String::new(), sections }
        };
        let text = page(true).text();
        assert!(text.ends_with("répond : AMU\n") && text.lines().all(|row| row.chars().count() <= 100), "{text}");
        assert!(page(true).html().contains("<section class=\"whole\">"));
        assert!(page(false).text().ends_with("…\n"));
    }

    #[test]
    fn what_stands_on_the_page_is_never_markup() {
        let sections = vec![Section::of("<b>", true, vec!["a & b".to_owned()], 3)];
        let page = Page { title: "<i>".to_owned(), under: String::new(), sections }.html();
        assert!(page.contains("&lt;b&gt;") && page.contains("a &amp; b") && !page.contains("<i>"));
    }
}
