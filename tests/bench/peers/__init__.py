"""The same workloads on this engine, on its peers and on what the machine allows, side by side.

An engine is a script in `engines`: it is run by the Python of its own environment, imports that
engine and `talk`, and may import nothing else of this checkout, but for ours. The others measure
with it (`contest`, `recovery`), count (`figures`) and tell (`told`, `plot`).
"""
