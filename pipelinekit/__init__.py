"""Release pipelines for people who work in notebooks: AWS CodePipeline's semantics, on a laptop.

The names of this face are listed in `__init__.pyi`; each is loaded when it is first used. It may
import every room; it must never hold anything of its own.
"""

import lazy_loader

from pipelinekit.tools.loading import loading as _loading
from pipelinekit.widgets.formatters import register as _draw_in_notebooks

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    with _loading():
        found: object = _load(name)
    globals()[name] = found
    return found


_draw_in_notebooks()
