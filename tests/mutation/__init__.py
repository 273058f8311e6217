"""A sampler of mutants: does a room's own test folder notice when one expression of the room changes?"""
