"""Detached jobs: processes that outlive the engine, start at most once, and are ended whole."""
