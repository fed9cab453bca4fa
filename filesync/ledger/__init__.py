"""The durable state of a site: what was sent, taken, decided, and what each field's shadow is. No issue text but in `queue`."""
