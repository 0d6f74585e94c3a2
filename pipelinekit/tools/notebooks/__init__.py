"""Notebooks: their parameters, the kernels that execute them, and what comes of it.

May import: the standard library, the other tools, and what Jupyter and papermill offer (with the
first use only, since that takes a third of a second).
Must never hold: a noun of the model, a decision, a setting of the user.
"""

from pipelinekit.tools.notebooks.document import Cell, NotebookError, read_notebook
from pipelinekit.tools.notebooks.execution import CellFailed, Execution, execute, forget
from pipelinekit.tools.notebooks.limits import Caps, Limits, Record, resumed
from pipelinekit.tools.notebooks.parameters import Parameter, ParameterError, check, parameters
from pipelinekit.tools.notebooks.resume import Before, Kept, read_before
from pipelinekit.tools.notebooks.scraps import output, scraps
from pipelinekit.tools.notebooks.secrets import Secret, SecretMissing, resolver

__all__ = [
    "Before",
    "Caps",
    "Cell",
    "CellFailed",
    "Execution",
    "Kept",
    "Limits",
    "NotebookError",
    "Parameter",
    "ParameterError",
    "Record",
    "Secret",
    "SecretMissing",
    "check",
    "execute",
    "forget",
    "output",
    "parameters",
    "read_before",
    "read_notebook",
    "resolver",
    "resumed",
    "scraps",
]
