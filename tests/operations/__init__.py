"""The API, asked by real clients."""
