//! Rust source as a flat list of tokens with lines, matched brackets and a mark on what only tests compile.
//!
//! Tokens, not a syntax tree: a path inside a macro call must count like any other.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// One token; `::` is one, and each bracket is one.
#[derive(Debug)]
pub struct Token {
    /// The text as written.
    pub text: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// True inside `#[cfg(test)]` items and test functions.
    pub test: bool,
    /// For an opening bracket, the index of the closing one.
    pub close: usize,
}

impl Token {
    fn new(text: impl Into<String>, line: usize) -> Self {
        Self { text: text.into(), line, test: false, close: 0 }
    }

    /// True for an identifier or a keyword.
    pub fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of a file, or why it is not Rust.
pub fn lex(text: &str) -> Result<Vec<Token>, String> {
    let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| error.to_string())?;
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    mark_tests(&mut tokens);
    Ok(tokens)
}

fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    let mut colon = false;
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == ':' && colon => {
                out.last_mut().expect("a joint colon came before").text.push(':');
                colon = false;
                continue;
            }
            TokenTree::Punct(punct) => {
                out.push(Token::new(punct.as_char().to_string(), line));
                colon = punct.as_char() == ':' && punct.spacing() == Spacing::Joint;
                continue;
            }
            TokenTree::Ident(word) => out.push(Token::new(word.to_string(), line)),
            TokenTree::Literal(literal) => out.push(Token::new(literal.to_string(), line)),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                let at = out.len();
                out.push(Token::new(open, line));
                flatten(group.stream(), out);
                out[at].close = out.len();
                out.push(Token::new(close, group.span_close().start().line));
            }
        }
        colon = false;
    }
}

/// The texts of `tokens`, to compare a run of them with a pattern.
pub fn texts(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

/// True when the tokens from `at` on read `pattern`.
pub fn reads(tokens: &[Token], at: usize, pattern: &[&str]) -> bool {
    tokens.get(at..at + pattern.len()).is_some_and(|run| texts(run) == pattern)
}

/// The index of the last token of the item that starts at `at`: its first `;` or the end of its first block.
pub fn item_end(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" | "}" => return at,
            "{" => return tokens[at].close,
            "(" | "[" => at = tokens[at].close,
            _ => {}
        }
        at += 1;
    }
    tokens.len() - 1
}

/// The index of the `;` that ends the `use` at `at`; a use tree's braces are no block.
pub fn use_end(tokens: &[Token], at: usize) -> usize {
    (at..tokens.len()).find(|at| tokens[*at].text == ";").unwrap_or(tokens.len() - 1)
}

fn mark_tests(tokens: &mut [Token]) {
    for at in 0..tokens.len() {
        if !reads(tokens, at, &["#", "["]) {
            continue;
        }
        let close = tokens[at + 1].close;
        let attribute = texts(&tokens[at + 2..close]);
        let name = attribute.iter().take_while(|text| **text != "(").last();
        let is_test = attribute == ["cfg", "(", "test", ")"] || matches!(name, Some(&"test") | Some(&"rstest"));
        if is_test {
            let end = item_end(tokens, close + 1);
            tokens[at..=end].iter_mut().for_each(|token| token.test = true);
        }
    }
}
