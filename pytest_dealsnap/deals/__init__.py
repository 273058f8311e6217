"""Where deals come from: the source protocol, the SQLAlchemy source, deal types."""
