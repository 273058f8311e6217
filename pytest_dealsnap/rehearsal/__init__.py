"""The whole rollout on a scratch copy of the database, before anyone is at risk."""
