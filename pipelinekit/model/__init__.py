"""Nouns: what a release is made of, in AWS's own words.

Frozen structs and enums, and the state that holds them. May import the standard library and
msgspec, of which the structs are, and nothing else. Must never hold a decision, a clock, an id
generator, or anything that reads or writes.
"""
