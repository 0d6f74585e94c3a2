"""Sockets: what the hands must offer, and how a plug-in declares itself.

Protocols and decorators. May import the model. Must never hold an implementation of a hand.
"""
