//! How a table is read and what is wrong with one.

use super::*;

const COLUMNS: &[&str] = &["code", "price", "on"];

fn rows(text: &[u8]) -> Result<Vec<(String, i64, Date)>, Vec<Problem>> {
    read("goods.csv", text, COLUMNS, |row| {
        let (code, price, on) = (row.unique_code("code"), row.amount("price"), row.date("on"));
        Some((code?, price?.minor(), on?))
    })
}

fn problem(row: &str) -> Problem {
    let text = format!("# about\ncode,price,on\na,1.00,2026-01-01\n# between\n\n{row}\n");
    let mut problems = rows(text.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[test]
fn a_good_table_is_read_whole() {
    let rows = rows(b"# a\n# b\ncode,price,on\na,\"1,234.50\",2026-02-28\nb, 3 ,2026-01-01\n").unwrap();
    assert_eq!(rows[0].1, 123_450);
    assert_eq!(rows[1].1, 300);
}

/// What is found wrong in a table, and what is allowed.
fn told(text: &[u8]) -> String {
    let problems = rows(text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn a_header_that_is_not_ours_says_which_column_differs() {
    for (header, found) in [
        ("code;price;on", "semicolons between the columns"),
        ("code\tprice\ton", "tabs between the columns"),
        ("code，price，on", "full-width commas between the columns"),
        ("code,prize,on", "the column “prize” and no column “price”"),
        ("code,on", "no column “price”"),
        ("code,price,on,at", "the unknown column “at”"),
        ("price,code,on", "“price” as column 1, where “code” belongs"),
        ("code,price,on,on", "4 columns"),
        ("code", "no column “price”"),
        ("code,price,on,", "a column without a name"),
    ] {
        let told = told(format!("{header}\n").as_bytes());
        assert!(
            told.starts_with(&format!("goods.csv:1: found {found};"))
                && told.ends_with("the header code,price,on"),
            "{told}"
        );
    }
    let wide: Vec<u8> = "code,price,on\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for bytes in [[&[0xff, 0xfe][..], &wide].concat(), wide] {
        let told = told(&bytes);
        assert!(told.contains("found a text in UTF-16; allowed: UTF-8"), "{told}");
    }
}

#[test]
fn what_was_found_is_repeated_short_and_a_terminal_obeys_none_of_it() {
    let long = problem(&format!("{},1,2026-01-01", "x".repeat(100_000))).to_string();
    assert!(
        long.len() < 300 && long.contains("…” (100000 characters)"),
        "{long}"
    );
    let red = problem("\u{1b}[31m,1,2026-01-01").to_string();
    assert!(!red.contains('\u{1b}') && red.contains("\\u{1b}[31m"), "{red}");
    let named = |row: &mut Fields<'_>| row.text("code");
    let problems = read("a.csv", b"code\n\"a\x1b[31m\"\n", &["code"], named).unwrap_err();
    assert!(
        problems[0]
            .allowed
            .ends_with("no line breaks or control characters"),
        "{problems:?}"
    );
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_named_in_the_last_row_too() {
    let told = problem("\"a,1.00,2026-01-01").to_string();
    assert!(told.contains("a quotation mark that is never closed"), "{told}");
    assert_eq!(problem("a").found, "1 column");
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    assert_eq!(
        rows(b"\xEF\xBB\xBF# a\ncode,price,on\na,1.00,2026-02-28\n")
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        rows(b"\xEF\xBB\xBFcode,price,on\r\na,1.00,2026-02-28\r\n")
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn each_wrong_field_names_file_line_column_what_was_found_and_what_is_allowed() {
    for (row, column, found, allowed) in [
        ("b,-3.00,2026-01-01", "price", "“-3.00”", "of zero or more"),
        ("b,0,2026-01-01", "price", "“0”", "more than zero"),
        ("b,0.00,2026-01-01", "price", "“0.00”", "more than zero"),
        ("b,3.005,2026-01-01", "price", "“3.005”", "no more than 2 digits"),
        (
            "b,99999999999999999999999.00,2026-01-01",
            "price",
            "“99999999999999999999999.00”",
            "no larger than",
        ),
        ("b,1e3,2026-01-01", "price", "“1e3”", "an amount such as 3999.00"),
        ("b,,2026-01-01", "price", "nothing", "an amount such as 3999.00"),
        (
            "b,1.00,2026-02-30",
            "on",
            "“2026-02-30”",
            "a date of the calendar",
        ),
        ("b,1.00,2026-2-3", "on", "“2026-2-3”", "a date of the calendar"),
        ("a,1.00,2026-01-01", "code", "“a”", "it stands on line 3 already"),
        ("b c,1.00,2026-01-01", "code", "“b c”", "letters, digits"),
    ] {
        let problem = problem(row);
        assert_eq!((problem.file.as_str(), problem.line), ("goods.csv", 6), "{row}");
        assert_eq!(
            (problem.column.as_str(), problem.found.as_str()),
            (column, found),
            "{row}"
        );
        assert!(problem.allowed.contains(allowed), "{row}: {problem}");
    }
}

#[test]
fn a_row_with_too_few_or_too_many_columns_is_refused() {
    for (row, found) in [("b,1.00", "2 columns"), ("b,1,234.00,2026-01-01", "4 columns")] {
        let problem = problem(row);
        assert_eq!((problem.line, problem.found.as_str()), (6, found));
        assert_eq!(problem.allowed, "3 columns: code,price,on");
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_is_named() {
    let problem = problem("\"b,1.00,2026-01-01\nc,1.00,2026-01-01");
    assert_eq!(problem.line, 6);
    assert!(problem.found.contains("never closed"), "{problem}");
}

#[test]
fn bytes_that_are_not_utf8_are_refused_with_their_line() {
    let problems = rows(b"code,price,on\na,1.00,2026-01-01\n\xB7\xD6,1.00,2026-01-01\n").unwrap_err();
    assert_eq!((problems[0].line, problems[0].column.as_str()), (3, "code"));
    assert_eq!(problems[0].found, r"bytes that are not UTF-8 (“\xb7\xd6”)");
}

#[test]
fn all_mistakes_of_a_file_are_reported_and_none_of_it_is_loaded() {
    let problems = rows(b"code,price,on\na,1.00,2026-01-01\nb,-1,2026-02-30\nc,2.00\n").unwrap_err();
    let places: Vec<_> = problems.iter().map(|p| (p.line, p.column.as_str())).collect();
    assert_eq!(places, [(3, "price"), (3, "on"), (4, "")]);
}

#[test]
fn a_wrong_header_and_an_empty_file_are_refused() {
    let problems = rows(b"# a\ncode,cost,on\na,1.00,2026-01-01\n").unwrap_err();
    assert_eq!(problems[0].line, 2);
    assert_eq!(problems[0].allowed, "the header code,price,on");
    assert_eq!(rows(b"# only words\n").unwrap_err()[0].found, "nothing");
}

#[test]
fn a_problem_reads_as_one_line() {
    let text = problem("b,-3.00,2026-01-01").to_string();
    assert!(
        text.starts_with("goods.csv:6, column price: found “-3.00”; allowed: an amount"),
        "{text}"
    );
}
