"""Decisions: what follows from an event, and what is wrong with a definition.

Imports the model. Must never hold a clock, an id generator, anything that reads or writes, or a
log: the journal is the log. Rule of the room: a status changes in `decide` and nowhere else.

Docstrings cite the rules by section of `codepipeline.md`, the digest of AWS's user guide and
service model by which this engine was written; its sections are named as in the user guide.
"""
