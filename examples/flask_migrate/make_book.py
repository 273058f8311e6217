"""Make the database as it is before the migration: DATABASE_URL, or book.db here."""

from app import Deal, app, db
from flask_migrate import upgrade

KINDS = ("acquisition", "carveout", "divestiture", None, "merger")

if __name__ == "__main__":
    with app.app_context():
        upgrade(revision="0001")
        for number in range(1, 21):
            db.session.add(Deal(name=f"Deal {number}", fee=1000 * number, deal_type=KINDS[number % 5]))
        db.session.commit()
