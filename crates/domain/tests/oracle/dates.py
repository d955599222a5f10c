#!/usr/bin/env python3
"""Due dates by another program: the oracle of `dates.rs` beside this file.

usage: dates.py EVERY FIRST

Every EVERY-th day from 2000-01-01 to 2099-12-31, beginning with the FIRST-th (from 0), as the day of a purchase; for each
of 31 anchor days, two rules (a fixed day of the month; a statement and days after it), three ways to roll off weekends
and 7 terms. For the first anchor also the rule "the same day in the following months". Written to standard output: the
due dates one after the other as days from 0001-01-01 (which is 1), four bytes each, little end first.

It shares nothing with the program: months from `calendar`, weekdays from `datetime`, tables in place of arithmetic.
"""
import array
import calendar
import datetime
import sys

TERMS = (3, 6, 9, 12, 18, 24, 36)
FROM, UNTIL = datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)
MONTHS = [(year, month) for year in range(1999, 2106) for month in range(1, 13)]


def in_month(year, month, day):
    """The day of the month, or the month's last where it has no such day."""
    return datetime.date(year, month, min(day, calendar.monthrange(year, month)[1]))


def rolled(date, how):
    """The day that a date moves to if it is on a weekend."""
    if how == "none" or date.weekday() < 5:
        return date
    after = date + datetime.timedelta(7 - date.weekday())
    if how == "modified" and after.month != date.month:
        return date - datetime.timedelta(date.weekday() - 4)
    return after


def tables(anchor):
    """Due dates by rule and roll, one for each month; and the days of the month from which they are reckoned."""
    days = [in_month(year, month, anchor) for year, month in MONTHS]
    late = datetime.timedelta(anchor * 3 % 26)
    due = {}
    for roll in ("none", "following", "modified"):
        due["fixed", roll] = array.array("i", [rolled(day, roll).toordinal() for day in days])
        due["statement", roll] = array.array("i", [rolled(day + late, roll).toordinal() for day in days])
    return [day.toordinal() for day in days], due


def main(every, first):
    out = sys.stdout.buffer
    known = [None] + [tables(anchor) for anchor in range(1, 32)]
    place = {month: index for index, month in enumerate(MONTHS)}
    starts = range(FROM.toordinal() + first, UNTIL.toordinal() + 1, every)
    for number in starts:
        start = datetime.date.fromordinal(number)
        here = place[start.year, start.month]
        answer = array.array("i")
        for anchor in range(1, 32):
            days, due = known[anchor]
            earliest = number + anchor % 20
            month = datetime.date.fromordinal(earliest)
            fixed = place[month.year, month.month]
            fixed += days[fixed] < earliest
            statement = here + (days[here] <= number)
            for roll in ("none", "following", "modified"):
                for rule, begin in (("fixed", fixed), ("statement", statement)):
                    dates = due[rule, roll]
                    for term in TERMS:
                        answer += dates[begin:begin + term]
        anchored = known[start.day][1]["fixed", "none"]
        for term in TERMS:
            answer += anchored[here + 1:here + 1 + term]
        if sys.byteorder == "big":
            answer.byteswap()
        out.write(answer.tobytes())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(int(sys.argv[1]), int(sys.argv[2]))
