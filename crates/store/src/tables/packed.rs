//! Schedules as text: the hottest text that is written, and so without the formatting machinery.

use jiff::civil::Date;

/// A packed schedule that is being written.
pub(crate) struct Packed(String);

/// Room for one row; a longer one makes the text grow.
const ROW: usize = 64;

impl Packed {
    /// Begins a schedule of so many rows.
    pub(crate) fn of(rows: usize) -> Packed {
        let mut text = String::with_capacity(rows.saturating_mul(ROW).saturating_add(2));
        text.push('[');
        Packed(text)
    }

    /// Adds a row: what is charged (principal, interest, fee, penalty), and what of it was paid, waived and cancelled.
    pub(crate) fn row(&mut self, number: u16, due_on: Date, charged: [i64; 4], gone: [i64; 3]) {
        let total = |figures: &[i64]| {
            figures
                .iter()
                .fold(0i64, |sum, figure| sum.saturating_add(*figure))
        };
        let left = total(&charged).saturating_sub(total(&gone));
        self.0.push_str(if self.0.len() > 1 { ",[" } else { "[" });
        push_number(&mut self.0, i64::from(number), 1);
        self.0.push_str(",\"");
        push_number(&mut self.0, i64::from(due_on.year()), 4);
        self.0.push('-');
        push_number(&mut self.0, i64::from(due_on.month()), 2);
        self.0.push('-');
        push_number(&mut self.0, i64::from(due_on.day()), 2);
        self.0.push('"');
        for figure in charged.into_iter().chain(gone).chain([left]) {
            self.0.push(',');
            push_number(&mut self.0, figure, 1);
        }
        self.0.push(']');
    }

    /// Ends the schedule.
    pub(crate) fn end(mut self) -> String {
        self.0.push(']');
        self.0
    }
}

/// Writes a number with at least so many digits.
fn push_number(text: &mut String, number: i64, digits: usize) {
    if number < 0 {
        text.push('-');
    }
    let mut rest = number.unsigned_abs();
    // From the last digit to the first; 20 hold every number of 64 bits.
    let mut written = [b'0'; 20];
    let mut count = 0usize;
    for place in written.iter_mut().rev() {
        if rest == 0 && count >= digits {
            break;
        }
        *place = b'0'.saturating_add(u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
        count = count.saturating_add(1);
    }
    let from = written.len().saturating_sub(count);
    let digits = written.get(from..).unwrap_or_default();
    // Digits are ASCII, so that this never fails.
    text.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_row_reads_as_the_formatting_machinery_writes_it() {
        for (number, minor) in [
            (1, 0),
            (12, 9),
            (60, 10),
            (7, -45),
            (300, i64::MAX),
            (9, i64::MIN),
        ] {
            let mut packed = Packed::of(2);
            let due_on = date(2026, 2, 8);
            packed.row(number, due_on, [minor, 0, 0, 0], [0, 0, 0]);
            packed.row(number, due_on, [10, 20, 30, 40], [1, 2, 3]);
            assert_eq!(
                packed.end(),
                format!(
                    "[[{number},\"{due_on}\",{minor},0,0,0,0,0,0,{minor}],[{number},\"{due_on}\",10,20,30,40,1,2,3,94]]"
                )
            );
        }
    }
}
