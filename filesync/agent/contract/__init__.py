"""Changes of a contract, from the proposal to both sides being at work under it."""
