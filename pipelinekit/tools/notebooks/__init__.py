"""Notebooks: their parameters, the kernels that execute them, and what comes of it.

The names of this face are listed in `__init__.pyi`; each is loaded when it is first used.
May import: the standard library, the other tools, and what Jupyter and papermill offer (with the
first use only, since that takes a third of a second).
Must never hold: a noun of the model, a decision, a setting of the user.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
