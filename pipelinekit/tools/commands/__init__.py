"""Commands and shells, and what they see of this machine: the host, a sandbox, a container."""
