"""How an output is computed: calling conventions, canonical JSON, time-outs."""
