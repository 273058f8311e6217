"""Make the database as it is before the migration: DATABASE_URL, or book.db here."""

import os

import django
from django.core.management import call_command

KINDS = ("acquisition", "carveout", "divestiture", None, "merger")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup()
    call_command("migrate", "book", "0001", verbosity=0, interactive=False)
    from django.db import connection

    with connection.cursor() as cursor:
        for number in range(1, 21):
            values = [f"Deal {number}", 1000 * number, KINDS[number % 5]]
            cursor.execute("INSERT INTO deals (name, fee, deal_type) VALUES (%s, %s, %s)", values)
