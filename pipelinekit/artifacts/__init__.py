"""Where artifacts are kept: objects that are written once and checked at every read.

May import the model, the ports and the tools. Must never hold a name of a pipeline as a path.
"""
