"""The chaos harness: faults are done to real engines, and a checker reads what became of it.

`python -m tests.chaos --fault NAME --seed N --n COUNT --store sqlite` does one fault and prints a
line of JSON. What happened is in two files: the ledger, to which the actions, the callers and the
harness append, and the history, exported from the store. The checker knows only these two.
"""
