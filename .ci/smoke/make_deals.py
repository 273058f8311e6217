"""Make a database of ten deals whose schema is not the example's."""

import sqlite3

with sqlite3.connect("transactions.db") as connection:
    connection.execute("CREATE TABLE transactions (number TEXT PRIMARY KEY, title TEXT, kind TEXT)")
    rows = [(f"T-{number}", f"Deal {number}", "acquisition") for number in range(10)]
    connection.executemany("INSERT INTO transactions VALUES (?, ?, ?)", rows)
