"""What a plan can see of its sources without the network: whether a local commit is there."""

from pipelinekit.builds.repository import repository_url
from pipelinekit.engine.planned import PlannedAction
from pipelinekit.model.settings import Settings
from pipelinekit.tools.git.checkout import Wanted, address, seek
from pipelinekit.tools.git.repository import GitError


def missing(action: PlannedAction, settings: Settings) -> str:
    """Say what a source would look for in vain on this machine; empty where nothing is known.

    Args:
        action: The action; one that is no git source is not looked at.
        settings: Of the project's folder.
    """
    if action.obstacle or any(each.later for each in action.settings):
        return ""
    try:
        if url := _url(action, settings):
            branch = action.setting("BranchName") or "main"
            seek(Wanted(url, branch, action.revision or None))
    except (GitError, TimeoutError) as error:
        return str(error)
    return ""


def _url(action: PlannedAction, settings: Settings) -> str:
    match action.type:
        case "Source/Custom/Git/1":
            return address(action.setting("RepositoryUrl"), settings.folder)
        case "Source/AWS/CodeCommit/1":
            return repository_url(settings, action.setting("RepositoryName"))
        case "Source/AWS/CodeStarSourceConnection/1":
            repository, arn = action.setting("FullRepositoryId"), action.setting("ConnectionArn")
            return repository_url(settings, repository, arn)
        case _:
            return ""
