"""What an operator does between runs: prune, sort out the quarantine, settle what is stuck."""
