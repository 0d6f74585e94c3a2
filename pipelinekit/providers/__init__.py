"""The hands that do the work of actions: one file, one function each.

A provider may import the model, the ports, the wire and the tools. It must never know another
provider, nor the store, nor the runtime: it is handed a job and gives back an outcome.
"""
