"""The one place where rooms are wired together: what an export is, what an import is, and what is told of them."""
