"""Where snapshots live: layout, codec, store, the syrupy extension, manifest and ledger."""
