"""A Flask application with Flask-Migrate, whose database comes from the environment."""

import os
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

here = Path(__file__).resolve().parent
app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("DATABASE_URL", f"sqlite:///{here}/book.db")
app.config["DEAL_TYPES_COUNT"] = os.environ.get("DEAL_TYPES_COUNT") == "true"
db = SQLAlchemy(app)
Migrate(app, db, render_as_batch=True)


class Deal(db.Model):  # type: ignore[name-defined, misc]
    """One deal."""

    __tablename__ = "deals"
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80))
    fee = db.Column(db.Integer, nullable=False)
    deal_type = db.Column(db.String(20))


def price(deal_id: str) -> dict[str, object]:
    """Return a deal's price: the reasoner."""
    factors = {"carveout": 2, "divestiture": 3} if app.config["DEAL_TYPES_COUNT"] else {}
    with app.app_context():
        deal = db.get_or_404(Deal, int(deal_id))
        return {"price": deal.fee * factors.get(deal.deal_type, 1)}
