"""Release pipelines for people who work in notebooks: AWS CodePipeline's semantics, on a laptop.

The names of this face are listed in `__init__.pyi`; each is loaded when it is first used. It may
import every room; it must never hold anything of its own.
"""

import lazy_loader

from pipelinekit.widgets.formatters import register as _draw_in_notebooks

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"

_draw_in_notebooks()
