"""Where rows, the journal and open orders are kept: plain SQL, no ORM.

May import the model, the ports and the wire. Must never hold a decision: it writes what it is
given, under the conditions it is given. Questions about the past belong to `analytics`.
"""
