"""Drawings of pipelines and runs for notebooks, and their plain twins for terminals.

May import the kit and everything below it. Must never hold a rule, change anything, or need a
browser's script or a file from elsewhere: a drawing is one piece of HTML that stands alone. Its
names are loaded when they are first used (see `__init__.pyi`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
