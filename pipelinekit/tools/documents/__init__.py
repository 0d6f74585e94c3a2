"""YAML and JSON text of strangers as plain data whose places are known."""
