"""From what was handed in to a ledger, feedback and the gradebook."""
