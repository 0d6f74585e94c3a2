from .commands import build_commands as build_commands
from .compute import place_obstacle as place_obstacle
from .project import build_project as build_project
from .project import project_obstacle as project_obstacle
