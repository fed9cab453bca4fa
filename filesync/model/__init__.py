"""The ground: identifiers, the canonical issue, one frozen class for each kind of change. No file, clock or random here."""
