"""What a process has to know before it works on a pipeline."""

from pipelinekit.cli.surroundings import functions_of
from pipelinekit.model.condition import Rule, RuleTypeId
from pipelinekit.model.gate import gate
from pipelinekit.model.pipeline import Stage
from tests.build import build, deploy, pipeline, rule, source
from tests.engine.world import step


def test_actions_and_rules_that_nobody_installed_are_functions_of_a_file() -> None:
    own = Rule("calm", RuleTypeId("NobodyKnows", "Custom"))
    shop = pipeline(
        Stage("Source", source()),
        Stage("Build", build(), step("own"), before_entry=gate(rule(), own)),
        Stage("Deploy", deploy(), on_failure=own),
    )
    assert functions_of(shop) == ["Build/own", "Build/calm", "Deploy/calm"]
