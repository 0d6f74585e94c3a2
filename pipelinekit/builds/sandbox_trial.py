"""Tries, when it is loaded, whether a sandbox can be made here: once for all forks that follow."""

from pipelinekit.tools.commands.sandbox import sandbox_obstacle

if sandbox_obstacle():
    sandbox_obstacle.cache_clear()  # what failed is tried again by each of them
