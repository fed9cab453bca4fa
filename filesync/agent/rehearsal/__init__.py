"""What an export or import would do: the same code, at a copy of the ledger and at a tracker that is only read."""
