"""One module a command; the first line of each says what it does."""
