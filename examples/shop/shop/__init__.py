"""A small web shop that needs nothing but Python."""
