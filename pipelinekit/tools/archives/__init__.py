"""Zips and trees of files, of our own and of strangers."""
