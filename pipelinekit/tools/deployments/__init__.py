"""Deployments to folders and hosts: revisions, waves, traffic, and the program on the host."""
