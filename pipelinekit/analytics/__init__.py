"""The past, read for people: history as pandas frames.

May import the model and the ports. Must never write anything. Its names are loaded when they are
first used (see `__init__.pyi`), since pandas takes longer to import than all the rest together.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
