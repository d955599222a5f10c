//! Reading one table: comment lines, a header that must be known, and rows whose every mistake is reported.

use std::collections::HashMap;
use std::fmt;

use fenqi_domain::money::{AMOUNT_MAX, Amount, Currency, Money, NumberError, Rate, point};
use jiff::Timestamp;
use jiff::civil::Date;

/// The longest text that a field may hold, in characters.
const TEXT_CHARACTERS_MAX: usize = 200;
/// How many characters of what was found are repeated.
const SHOWN_CHARACTERS_MAX: usize = 60;
/// The longest code that a field may hold, in characters.
const CODE_CHARACTERS_MAX: usize = 40;

/// Something in a file that cannot be taken (错误行): where it is, what was found, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named.
    pub file: String,
    /// The line, counted from 1; 0 when it is about the whole file.
    pub line: u64,
    /// The column's name; empty when it is about the whole line.
    pub column: String,
    /// What was found there.
    pub found: String,
    /// What is allowed there.
    pub allowed: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.column.is_empty() {
            write!(f, ", column {}", self.column)?;
        }
        write!(f, ": found {}; allowed: {}", self.found, self.allowed)
    }
}

/// One row while it is read. Each getter answers `None` after it has noted what is wrong, so that a row's reader
/// asks for all its columns first and all their mistakes are reported at once.
pub struct Fields<'a> {
    file: &'a str,
    line: u64,
    columns: &'a [&'static str],
    values: Vec<String>,
    problems: Vec<Problem>,
    seen: &'a mut HashMap<String, u64>,
}

/// A text as a problem repeats it: short, and with nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    let plain = text.chars().flat_map(|c| match c.is_control() {
        true => c.escape_default().collect::<Vec<_>>(),
        false => vec![c],
    });
    let characters = text.chars().count();
    if characters <= SHOWN_CHARACTERS_MAX {
        return format!("“{}”", plain.collect::<String>());
    }
    let begin: String = plain.take(SHOWN_CHARACTERS_MAX).collect();
    format!("“{begin}…” ({characters} characters)")
}

/// Reads a table of exactly these columns. Nothing is returned of a table that has a problem.
pub fn read<T>(
    file: &str,
    bytes: &[u8],
    columns: &[&'static str],
    mut row: impl FnMut(&mut Fields<'_>) -> Option<T>,
) -> Result<Vec<T>, Vec<Problem>> {
    // With its mark, or without: then every other byte of our headers is nought.
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] = bytes {
        let found = whole(file, "a text in UTF-16", "UTF-8; save it as “CSV UTF-8”");
        return Err(vec![found]);
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(bytes);
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    let mut seen = HashMap::new();
    let mut header_is_read = false;
    for (at, record) in reader.byte_records().enumerate() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                return Err(vec![whole(
                    file,
                    &format!("an unreadable table ({error})"),
                    "lines of CSV",
                )]);
            }
        };
        // The reader counts comment lines into the line it says, whether they stand above or between.
        let line =
            record.position().map_or(at as u64 + 1, csv::Position::line) + comments_above(bytes, &record);
        if !header_is_read {
            check_header(file, line, columns, &record).map_err(|problem| vec![problem])?;
            header_is_read = true;
            continue;
        }
        match texts(file, line, columns, (bytes, &record)) {
            Err(problem) => problems.push(problem),
            Ok(values) => {
                let mut fields = Fields {
                    file,
                    line,
                    columns,
                    values,
                    problems: Vec::new(),
                    seen: &mut seen,
                };
                rows.extend(row(&mut fields));
                problems.append(&mut fields.problems);
            }
        }
    }
    if !header_is_read {
        return Err(vec![whole(
            file,
            "nothing",
            &format!("a header line {}", columns.join(",")),
        )]);
    }
    if problems.is_empty() {
        Ok(rows)
    } else {
        Err(problems)
    }
}

/// How many comment and empty lines stand between where the reader says a record begins and where it does.
fn comments_above(bytes: &[u8], record: &csv::ByteRecord) -> u64 {
    let start = record.position().map_or(0, csv::Position::byte);
    let rest = usize::try_from(start)
        .ok()
        .and_then(|start| bytes.get(start..))
        .unwrap_or_default();
    let lines = rest.split(|byte| *byte == b'\n');
    lines
        .take_while(|line| line.first() == Some(&b'#') || line.is_empty() || *line == b"\r")
        .count() as u64
}

/// The fields of a record as texts, if there are as many as columns.
fn texts(
    file: &str,
    line: u64,
    columns: &[&'static str],
    (bytes, record): (&[u8], &csv::ByteRecord),
) -> Result<Vec<String>, Problem> {
    let problem = |column: &str, found: String, allowed: String| Problem {
        file: file.to_owned(),
        line,
        column: column.to_owned(),
        found,
        allowed,
    };
    if record.len() != columns.len() && is_unclosed(bytes, record) {
        let found = "a field over several lines, as after a quotation mark that is never closed".to_owned();
        return Err(problem(
            "",
            found,
            "a closing quotation mark in the same line".to_owned(),
        ));
    }
    if record.len() != columns.len() {
        let allowed = format!("{} columns: {}", columns.len(), columns.join(","));
        return Err(problem("", counted(record.len(), "column"), allowed));
    }
    let text = |(value, column): (&[u8], &&'static str)| {
        let allowed = "UTF-8".to_owned();
        std::str::from_utf8(value).map(str::to_owned).map_err(|_| {
            problem(
                column,
                format!(
                    "bytes that are not UTF-8 ({})",
                    shown(&value.escape_ascii().to_string())
                ),
                allowed,
            )
        })
    };
    record.iter().zip(columns).map(text).collect()
}

/// Whether a quotation mark is opened in the record's first line and not closed there.
fn is_unclosed(bytes: &[u8], record: &csv::ByteRecord) -> bool {
    let start = record.position().map_or(0, csv::Position::byte);
    let start = usize::try_from(start).unwrap_or(usize::MAX);
    let lines = bytes
        .get(start..)
        .unwrap_or_default()
        .split(|byte| *byte == b'\n');
    // Between where the reader says that a record begins and where it does, comments and empty lines may stand.
    let mut own = lines.skip_while(|line| line.first() == Some(&b'#') || line.trim_ascii().is_empty());
    let marks = own
        .next()
        .map_or(0, |line| line.iter().filter(|byte| **byte == b'"').count());
    marks % 2 == 1
}

/// So many of something, in words: "1 column", "2 columns".
pub fn counted(count: usize, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// Whether the first row names the columns; of one that does not, what is the first that differs.
fn check_header(
    file: &str,
    line: u64,
    columns: &[&'static str],
    record: &csv::ByteRecord,
) -> Result<(), Problem> {
    let values: Vec<String> = record
        .iter()
        .map(|value| String::from_utf8_lossy(value).into_owned())
        .collect();
    if values == columns {
        return Ok(());
    }
    let (found, allowed) = header_mistake(columns, &values);
    Err(Problem {
        file: file.to_owned(),
        line,
        column: String::new(),
        found,
        allowed,
    })
}

/// What is wrong with a header, and what would be right.
fn header_mistake(columns: &[&'static str], values: &[String]) -> (String, String) {
    let all = format!("the header {}", columns.join(","));
    for (mark, name) in [(';', "semicolons"), ('\t', "tabs"), ('，', "full-width commas")] {
        if values.len() == 1 && values.iter().any(|value| value.contains(mark)) {
            let found = format!("{name} between the columns");
            return (found, format!("commas between them: {all}"));
        }
    }
    let missing = columns.iter().find(|column| !values.iter().any(|v| v == *column));
    let unknown = values.iter().find(|value| !columns.contains(&value.as_str()));
    let moved = columns.iter().zip(values).zip(1..).find(|((c, v), _)| c != v);
    match (missing, unknown, moved) {
        (Some(missing), Some(unknown), _) => (
            format!("the column {} and no column “{missing}”", shown(unknown)),
            all,
        ),
        (Some(missing), None, _) => (format!("no column “{missing}”"), all),
        (None, Some(unknown), _) if unknown.is_empty() => ("a column without a name".to_owned(), all),
        (None, Some(unknown), _) => (format!("the unknown column {}", shown(unknown)), all),
        (None, None, Some(((column, value), place))) => (
            format!("{} as column {place}, where “{column}” belongs", shown(value)),
            all,
        ),
        (None, None, None) => (counted(values.len(), "column"), all),
    }
}

/// What is allowed where a text is no such number.
fn number_allowed(example: &str, error: NumberError) -> String {
    match error {
        NumberError::Empty | NumberError::NotANumber | NumberError::UnknownCurrency => {
            format!("{example}: digits, and a point before the last of them if there is a part")
        }
        NumberError::Negative => format!("{example}, of zero or more"),
        NumberError::TooManyDigits { allowed } => {
            format!("{example}, with no more than {allowed} digits after the point")
        }
        NumberError::TooLarge => format!("{example}, no larger than {}", point(AMOUNT_MAX, 2)),
    }
}

/// A problem of a whole table.
pub(super) fn whole(file: &str, found: &str, allowed: &str) -> Problem {
    Problem {
        file: file.to_owned(),
        line: 0,
        column: String::new(),
        found: found.to_owned(),
        allowed: allowed.to_owned(),
    }
}

impl Fields<'_> {
    /// The field as it stands, which may be empty.
    pub fn raw(&self, column: &str) -> String {
        let at = self.columns.iter().position(|name| *name == column);
        at.and_then(|at| self.values.get(at)).cloned().unwrap_or_default()
    }

    /// Notes that a field cannot be taken.
    pub fn refuse<T>(&mut self, column: &str, allowed: impl Into<String>) -> Option<T> {
        let value = self.raw(column);
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: self.line,
            column: column.to_owned(),
            found: if value.is_empty() {
                "nothing".to_owned()
            } else {
                shown(&value)
            },
            allowed: allowed.into(),
        });
        None
    }

    /// A text for people: 1 to 200 characters, none of them a control character.
    pub fn text(&mut self, column: &str) -> Option<String> {
        let value = self.raw(column);
        let length = value.chars().count();
        if length == 0 || length > TEXT_CHARACTERS_MAX || value.chars().any(char::is_control) {
            let allowed =
                format!("1 to {TEXT_CHARACTERS_MAX} characters, no line breaks or control characters");
            return self.refuse(column, allowed);
        }
        Some(value)
    }

    /// A code: 1 to 40 letters, digits, `-`, `_` and `.` of ASCII.
    pub fn code(&mut self, column: &str) -> Option<String> {
        let value = self.raw(column);
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if value.is_empty() || value.len() > CODE_CHARACTERS_MAX || !value.chars().all(is_allowed) {
            return self.refuse(
                column,
                format!("1 to {CODE_CHARACTERS_MAX} letters, digits, `-`, `_` or `.`"),
            );
        }
        Some(value)
    }

    /// A code that no other row of the table has in its first such column.
    pub fn unique_code(&mut self, column: &str) -> Option<String> {
        let value = self.code(column)?;
        if let Some(line) = self.seen.get(&value) {
            let allowed = format!("each once; it stands on line {line} already");
            return self.refuse(column, allowed);
        }
        self.seen.insert(value.clone(), self.line);
        Some(value)
    }

    /// An amount of yuan, more than zero.
    pub fn amount(&mut self, column: &str) -> Option<Amount> {
        let amount = self.amount_or_zero(column)?;
        if amount.is_zero() {
            return self.refuse(column, "more than zero");
        }
        Some(amount)
    }

    /// An amount of yuan, zero or more.
    pub fn amount_or_zero(&mut self, column: &str) -> Option<Amount> {
        match Money::parse(&self.raw(column), Currency::Cny) {
            Ok(money) => Some(money.amount),
            Err(error) => self.refuse(column, number_allowed("an amount such as 3999.00", error)),
        }
    }

    /// A percentage, 0 to 100.
    pub fn percent(&mut self, column: &str) -> Option<Rate> {
        match Rate::from_percent(&self.raw(column)) {
            Ok(rate) if rate <= Rate::ONE => Some(rate),
            Ok(_) => self.refuse(column, "a percentage from 0 to 100"),
            Err(error) => self.refuse(column, number_allowed("a percentage such as 7.2", error)),
        }
    }

    /// A whole number within bounds.
    pub fn number(&mut self, column: &str, least: u16, most: u16) -> Option<u16> {
        let value = self.raw(column);
        let is_plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse::<u16>() {
            Ok(number) if is_plain && (least..=most).contains(&number) => Some(number),
            _ => self.refuse(column, format!("a whole number from {least} to {most}")),
        }
    }

    /// `yes` or `no`.
    pub fn yes_no(&mut self, column: &str) -> Option<bool> {
        self.choice(column, &[("yes", true), ("no", false)])
    }

    /// One of some words, each with what it means.
    pub fn choice<T: Copy>(&mut self, column: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.raw(column);
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, meaning)) => Some(*meaning),
            None => {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                self.refuse(column, words.join(", "))
            }
        }
    }

    /// A code that another table knows.
    pub fn known<'k>(&mut self, column: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
        let value = self.raw(column);
        let known: Vec<&str> = known.collect();
        if known.contains(&value.as_str()) {
            return Some(value);
        }
        self.refuse(column, format!("one of {}", known.join(", ")))
    }

    /// Codes that another table knows, with `;` between them; none where the field is empty.
    pub fn known_list<'k>(
        &mut self,
        column: &str,
        known: impl Iterator<Item = &'k str>,
    ) -> Option<Vec<String>> {
        let value = self.raw(column);
        let known: Vec<&str> = known.collect();
        let codes: Vec<&str> = value.split(';').filter(|code| !code.is_empty()).collect();
        if codes.iter().all(|code| known.contains(code)) {
            return Some(codes.into_iter().map(str::to_owned).collect());
        }
        self.refuse(
            column,
            format!("any of {}, with ; between them", known.join(", ")),
        )
    }

    /// A date of the calendar, such as 2026-02-28.
    pub fn date(&mut self, column: &str) -> Option<Date> {
        let value = self.raw(column);
        match value.parse::<Date>() {
            Ok(date) if value.len() == 10 => Some(date),
            _ => self.refuse(column, "a date of the calendar such as 2026-02-28"),
        }
    }

    /// An instant with its offset from UTC, such as 2026-01-01T00:00:00+08:00.
    pub fn instant(&mut self, column: &str) -> Option<Timestamp> {
        match self.raw(column).parse::<Timestamp>() {
            Ok(instant) => Some(instant),
            Err(_) => self.refuse(column, "an instant such as 2026-01-01T00:00:00+08:00"),
        }
    }

    /// A column that means nothing in this row and must be empty.
    pub fn nothing(&mut self, column: &str, because: &str) -> Option<()> {
        if self.raw(column).is_empty() {
            Some(())
        } else {
            self.refuse(column, format!("nothing, because {because}"))
        }
    }
}

#[cfg(test)]
mod tests;
