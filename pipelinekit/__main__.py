"""`python -m pipelinekit`: the same as the command `pipelinekit`."""

from pipelinekit.cli import main

if __name__ == "__main__":
    main()
