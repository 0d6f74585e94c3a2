"""Programs that a child process starts with; nothing of this package is imported by them."""
