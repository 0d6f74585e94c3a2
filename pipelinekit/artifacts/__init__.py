"""Where artifacts are kept: objects that are written once and checked at every read.

May import the model, the ports and the tools. Must never use a name as a path unquoted.
"""
