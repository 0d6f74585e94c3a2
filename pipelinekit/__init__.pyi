from .kit.kit import Kit as Kit
from .kit.run import Run as Run
from .model.action import Action as Action
from .model.errors import PipelineKitError as PipelineKitError
from .model.order import Failed as Failed
from .model.order import FailureType as FailureType
from .model.order import Outcome as Outcome
from .model.order import Succeeded as Succeeded
from .model.order import Waiting as Waiting
from .model.pipeline import Pipeline as Pipeline
from .model.pipeline import Stage as Stage
from .model.pipeline import Variable as Variable
from .model.settings import DeploymentGroup as DeploymentGroup
from .model.settings import Project as Project
from .model.settings import Settings as Settings
from .ports.provider import Job as Job
from .ports.provider import action as action
from .providers.approval import approval as approval
from .providers.codebuild import codebuild as codebuild
from .providers.codebuild import codebuild_test as codebuild_test
from .providers.codecommit import codecommit as codecommit
from .providers.codedeploy import codedeploy as codedeploy
from .providers.connection import connection as connection
from .providers.git import git as git
from .providers.github import github as github

__version__: str
