"""Bare hands: tools that grip one outside thing each and know no pipeline.

May import: the standard library and the library made for the thing that is gripped.
Must never hold: a noun of the model, a decision, a setting of the user.
"""
