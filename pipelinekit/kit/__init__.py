"""The joiner: knows every hand, and wires them once.

May import everything below the faces. Must never hold a rule: it wires, builds events and reads.
"""
