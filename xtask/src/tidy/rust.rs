//! As much of Rust's grammar as the checks need: where strings and comments are, and where functions end.

/// A source text taken apart.
pub struct Source {
    /// The text with comments and the insides of literals blanked, so that positions and lines stay.
    pub code: String,
    /// The string literals in order.
    pub literals: Vec<Literal>,
}

/// A string literal.
pub struct Literal {
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// What stands between its quotes, escapes left as they are written.
    pub text: String,
}

/// A function: the line of its `fn`, its name, and how many lines it takes to its closing brace.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub line: usize,
    pub name: String,
    pub lines: usize,
}

impl Source {
    /// Takes a source text apart.
    pub fn of(text: &str) -> Self {
        let mut reader = Reader {
            bytes: text.as_bytes(),
            at: 0,
            line: 1,
            code: Vec::new(),
            literals: Vec::new(),
        };
        while reader.at < reader.bytes.len() {
            reader.step();
        }
        Self {
            code: String::from_utf8_lossy(&reader.code).into_owned(),
            literals: reader.literals,
        }
    }

    /// The functions that have a body.
    pub fn functions(&self) -> Vec<Function> {
        let mut found = Vec::new();
        for (start, _) in word_positions(&self.code, "fn") {
            let rest = &self.code[start + 2..];
            let name: String = rest
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if name.is_empty() {
                continue;
            }
            let Some(length) = body_end(rest) else { continue };
            let line = line_of(&self.code, start);
            let lines = rest[..length].matches('\n').count() + 1;
            found.push(Function { line, name, lines });
        }
        found
    }
}

/// Where `word` stands in `code` as a word of its own, with its line counted from 1.
pub fn word_positions(code: &str, word: &str) -> Vec<(usize, usize)> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .filter(|(at, _)| {
            let before = code[..*at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_part) && !after.is_some_and(is_part)
        })
        .map(|(at, _)| (at, line_of(code, at)))
        .collect()
}

/// The line of a position, counted from 1.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// Where the first `{…}` of `code` closes, unless a `;` outside brackets ends the item before.
fn body_end(code: &str) -> Option<usize> {
    let mut brackets = 0_usize;
    let mut braces = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            '{' => braces += 1,
            '}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 {
                    return Some(at);
                }
            }
            ';' if braces == 0 && brackets == 0 => return None,
            _ => {}
        }
    }
    None
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    code: Vec<u8>,
    literals: Vec<Literal>,
}

impl Reader<'_> {
    fn step(&mut self) {
        match (self.bytes[self.at], self.peek(1)) {
            (b'/', Some(b'/')) => self.line_comment(),
            (b'/', Some(b'*')) => self.block_comment(),
            (b'"', _) => self.string(),
            (b'r', Some(b'"' | b'#')) if !self.follows_word() => self.raw_string(),
            (b'\'', _) => self.quote(),
            _ => self.keep(),
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Whether the byte before belongs to a name, except that `b` and `c` may stand before a raw string.
    fn follows_word(&self) -> bool {
        let Some(before) = self.at.checked_sub(1) else {
            return false;
        };
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let prefix = matches!(self.bytes[before], b'b' | b'c')
            && !before.checked_sub(1).is_some_and(|at| is_part(self.bytes[at]));
        is_part(self.bytes[before]) && !prefix
    }

    fn keep(&mut self) {
        let byte = self.bytes[self.at];
        self.line += usize::from(byte == b'\n');
        self.code.push(byte);
        self.at += 1;
    }

    fn blank(&mut self) {
        let byte = self.bytes[self.at];
        self.line += usize::from(byte == b'\n');
        self.code.push(if byte == b'\n' { b'\n' } else { b' ' });
        self.at += 1;
    }

    fn line_comment(&mut self) {
        while self.at < self.bytes.len() && self.bytes[self.at] != b'\n' {
            self.blank();
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.bytes.len() {
            let pair = (self.bytes[self.at], self.peek(1));
            let closes = pair == (b'*', Some(b'/'));
            let opens = pair == (b'/', Some(b'*'));
            self.blank();
            if opens || closes {
                self.blank();
                depth = if opens { depth + 1 } else { depth.saturating_sub(1) };
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        let line = self.line;
        self.keep();
        let start = self.at;
        while self.at < self.bytes.len() && self.bytes[self.at] != b'"' {
            if self.bytes[self.at] == b'\\' && self.at + 1 < self.bytes.len() {
                self.blank();
            }
            self.blank();
        }
        self.close(line, start);
    }

    fn raw_string(&mut self) {
        let line = self.line;
        let hashes = self.bytes[self.at + 1..]
            .iter()
            .take_while(|byte| **byte == b'#')
            .count();
        if self.peek(1 + hashes) != Some(b'"') {
            // A raw identifier such as `r#type`.
            return self.keep();
        }
        for _ in 0..hashes + 2 {
            self.keep();
        }
        let start = self.at;
        let ends = |reader: &Self| {
            reader.bytes[reader.at] == b'"'
                && reader.bytes[reader.at + 1..]
                    .iter()
                    .take(hashes)
                    .filter(|byte| **byte == b'#')
                    .count()
                    == hashes
        };
        while self.at < self.bytes.len() && !ends(self) {
            self.blank();
        }
        self.close(line, start);
    }

    fn close(&mut self, line: usize, start: usize) {
        let text = String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned();
        self.literals.push(Literal { line, text });
        if self.at < self.bytes.len() {
            self.keep();
        }
    }

    /// A character literal or a lifetime.
    fn quote(&mut self) {
        let is_escape = self.peek(1) == Some(b'\\');
        let text =
            String::from_utf8_lossy(&self.bytes[self.at + 1..self.bytes.len().min(self.at + 6)]).into_owned();
        let mut characters = text.chars();
        let width = characters.next().map_or(0, char::len_utf8);
        let is_character = characters.next() == Some('\'');
        self.keep();
        if is_escape {
            self.blank();
            self.blank();
            while self.at < self.bytes.len() && self.bytes[self.at] != b'\'' {
                self.blank();
            }
        } else if is_character {
            for _ in 0..width {
                self.blank();
            }
        } else {
            return;
        }
        if self.at < self.bytes.len() {
            self.keep();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_lines_stay() {
        let source = Source::of("a(\"x { y\", '{', '\\'', r#\"q\"{\"#); // {\n/* { /* */ { */ b::<'c>()\n");
        assert!(!source.code.contains('{'), "{}", source.code);
        assert_eq!(source.code.lines().count(), 2);
        assert!(source.code.contains("b::<'c>()"));
        let texts: Vec<_> = source
            .literals
            .iter()
            .map(|literal| literal.text.as_str())
            .collect();
        assert_eq!(texts, ["x { y", "q\"{"]);
    }

    #[test]
    fn a_chinese_character_is_a_character() {
        let source = Source::of("let a = '期'; let b = \"分期\"; fn f<'a>() {}");
        assert_eq!(source.literals.len(), 1);
        assert_eq!(
            source.functions(),
            [Function {
                line: 1,
                name: "f".to_owned(),
                lines: 1
            }]
        );
    }

    #[test]
    fn a_function_counts_its_lines_and_a_declaration_is_none() {
        let source = Source::of("trait T { fn g(a: [u8; 2]); }\nfn f(\n) -> u8\n{\n  1\n}\n");
        assert_eq!(
            source.functions(),
            [Function {
                line: 2,
                name: "f".to_owned(),
                lines: 5
            }]
        );
    }

    #[test]
    fn a_line_comment_may_hold_an_apostrophe_and_a_quote() {
        let source = Source::of("// it's \"here\nlet x = \"y\";");
        assert_eq!(source.literals.len(), 1);
        assert_eq!(source.literals[0].line, 2);
    }
}
