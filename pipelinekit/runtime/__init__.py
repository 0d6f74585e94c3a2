"""The shell round the engine: the worker that takes events in and hands orders out.

May import the model, the engine, the ports, the wire and the tools. Clocks, ids, threads and
processes live here. Must never hold a rule of CodePipeline, nor know a store or a provider by
name.
"""
