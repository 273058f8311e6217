"""What a run, its deals and its files are: one set of structs, from which every JSON form and JSON Schema is made."""
