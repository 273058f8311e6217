"""How results are shown: one writer a format, one wording for all."""
