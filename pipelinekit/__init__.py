"""Release pipelines for people who work in notebooks: AWS CodePipeline's semantics, on a laptop.

The names of this face are listed in `__init__.pyi`; each is loaded when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
