"""How edits from both sides meet: verdicts first (plan, decide), then the calls (carry). docs/merge.md has the rules."""
