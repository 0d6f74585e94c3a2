"""Puts an engine to work for a kit; one that only asks and looks is spared what is loaded here."""

from pipelinekit.artifacts.folder import FolderArtifacts
from pipelinekit.kit.errand import written
from pipelinekit.kit.local import LocalControl
from pipelinekit.kit.registry import discover
from pipelinekit.kit.runners import TARGET
from pipelinekit.runtime.bench import Starter
from pipelinekit.runtime.clock import new_id
from pipelinekit.runtime.engines import Incarnation
from pipelinekit.runtime.hands import Done, Hands, Place
from pipelinekit.runtime.worker import Worker
from pipelinekit.tools.jobs.process import Spawner


def engine(control: LocalControl, spawner: Spawner, starter: Starter) -> Worker:
    """Put an engine to work.

    Args:
        control: Whose store it works on, with whose settings.
        spawner: Starts its runners.
        starter: Starts another pipeline for an action.
    """
    home, store = control.home, control.store
    place = Place(
        jobs=home.jobs,
        artifacts=FolderArtifacts(home.artifacts),
        settings=control.settings,
        target=TARGET,
        payload=written(home.jobs, home.artifacts, control.settings),
        spawner=spawner,
        starter=starter,
    )

    def hands(done: Done) -> Hands:
        return Hands(place, discover(), done)

    life = Incarnation(home.engines, new_id(), store.leases, store.past.holders)
    return Worker(store, life, hands)
