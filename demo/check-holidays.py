"""Compares the holiday files with two packages of PyPI, chinesecalendar and holidays.

    python3 -m venv target/holidays
    target/holidays/bin/pip install chinesecalendar holidays
    target/holidays/bin/python demo/check-holidays.py

Prints each day on which a file and a package disagree, and ends with 1 if there is one.
The package `holidays` does not list weekend days inside a holiday, so those are compared with the weekend.
"""

import csv
import datetime
import pathlib
import sys

import chinese_calendar
import holidays

FOLDER = pathlib.Path(__file__).parent


def days(year):
    day = datetime.date(year, 1, 1)
    while day.year == year:
        yield day
        day += datetime.timedelta(days=1)


def differences(year):
    lines = (FOLDER / f"holidays-cn-{year}.csv").read_text("utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    kinds = {datetime.date.fromisoformat(row["date"]): row["kind"] for row in rows}
    other = holidays.country_holidays("CN", years=year)
    for day in days(year):
        weekend = day.weekday() >= 5
        ours = kinds.get(day, "off" if weekend else "work") == "off"
        worked_weekend = day in other.weekend_workdays
        theirs = {
            "chinesecalendar": chinese_calendar.is_holiday(day),
            "holidays": (weekend or day in other) and not worked_weekend,
        }
        for package, off in theirs.items():
            if off != ours:
                yield f"{day}: the file says {'off' if ours else 'work'}, {package} says {'off' if off else 'work'}"


def main():
    found = [line for year in (2025, 2026) for line in differences(year)]
    print("\n".join(found) or "the files and both packages agree on every day of 2025 and 2026")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
