"""Letters to people, and the mail server that takes them."""
