from .batch import carry_out_batch as carry_out_batch
from .commands import build_commands as build_commands
from .compute import place_obstacle as place_obstacle
from .project import build_project as build_project
from .project import project_obstacle as project_obstacle
from .repository import clone_reference as clone_reference
from .results import collect as collect
from .secrets import fetch as fetch
