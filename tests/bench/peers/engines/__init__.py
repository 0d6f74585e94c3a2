"""The engines that are compared: a script each, run by the Python of its own environment."""
