"""BUILDS: what actions and rules of several types have in common, carried out.

A build is what a buildspec asks for: environment, phases, artifacts, cache, reports; CodeBuild and
Commands actions, and rules of these kinds, are all builds. `function` invokes the handler of a
Lambda function for a job. Imports ports, wire, model and tools. Never holds an action type: those
are declared by `providers`.

What runs a build is as large as the rest of an engine, which does without it: so the names by
which providers ask for one are listed in `__init__.pyi`, and each is loaded when it is first used.
What only some builds need, a batch or reports, say, builds ask for by the same door.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
