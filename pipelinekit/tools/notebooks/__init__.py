"""Notebooks: their parameters, the kernels that execute them, and what comes of it.

May import: the standard library, the other tools, and what Jupyter and papermill offer (with the
first use only, since that takes a third of a second).
Must never hold: a noun of the model, a decision, a setting of the user.
"""

from pipelinekit.tools.notebooks.document import Cell, NotebookError, read_notebook
from pipelinekit.tools.notebooks.parameters import Parameter, ParameterError, check, parameters

__all__ = [
    "Cell",
    "NotebookError",
    "Parameter",
    "ParameterError",
    "check",
    "parameters",
    "read_notebook",
]
