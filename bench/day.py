"""The day by hand on SQLite, one statement for all rows of a kind. Prints the seconds of the day itself.

    python3 bench/day.py STORE AGREEMENTS DUE
"""

import pathlib
import sqlite3
import sys
import time

FOLDER = pathlib.Path(__file__).parent


def statements(name, figures):
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    for key, value in figures.items():
        text = text.replace(":" + key, str(value))
    return [statement for statement in text.split(";") if statement.strip()]


def main():
    store, agreements, due = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pathlib.Path(store).unlink(missing_ok=True)
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    for statement in statements("day-fill.sql", {"agreements": agreements, "due": due}):
        connection.execute(statement)
    connection.execute("pragma wal_checkpoint(truncate)")
    since = time.perf_counter()
    connection.execute("begin immediate")
    for statement in statements("day-run.sql", {}):
        connection.execute(statement)
    connection.execute("commit")
    print(time.perf_counter() - since)
    connection.close()
    for ending in ("", "-wal", "-shm"):
        pathlib.Path(store + ending).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
