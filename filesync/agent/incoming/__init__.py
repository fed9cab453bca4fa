"""From the inbox to our tracker: verified and stored (receive), then decided and applied (importer)."""
