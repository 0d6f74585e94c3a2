"""The engine `pipelinekit` of papermill: kernels that are warm, outputs without secrets.

```python
papermill.execute_notebook("a.ipynb", "b.ipynb", engine_name="pipelinekit")
```

papermill loads it while it is itself being loaded, so that the rest comes with the first use.
"""

from typing import Any, Final

NAME: Final = "pipelinekit"


class PipelinekitEngine:
    """Executes notebooks in kernels on loan; papermill finds it by the name `pipelinekit`."""

    @staticmethod
    def execute_notebook(nb: Any, kernel_name: str, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - papermill's
        """Execute a notebook, and give it with its outputs."""
        from pipelinekit.tools.notebooks.executor import Executor  # noqa: PLC0415 - see above

        return Executor.execute_notebook(nb, kernel_name, *given, **named)

    @staticmethod
    def nb_kernel_name(nb: Any, name: str | None = None) -> str:  # noqa: ANN401 - papermill's
        """Name the kernel of a notebook."""
        from papermill.utils import nb_kernel_name  # noqa: PLC0415 - see above

        return str(nb_kernel_name(nb, name))

    @staticmethod
    def nb_language(nb: Any, language: str | None = None) -> str:  # noqa: ANN401 - papermill's
        """Name the language of a notebook."""
        from papermill.utils import nb_language  # noqa: PLC0415 - see above

        return str(nb_language(nb, language))
