"""The shop's way from a commit to its customers."""

import pipelinekit as pk

source = pk.git("source", ".", branch="main")
build = pk.codebuild("build", project="shop").reads(source).writes("shop")

unit = pk.codebuild_test("unit", project="shop", buildspec="ci/unit.yml").reads(source)
acceptance = pk.codebuild_test(
    "acceptance",
    project="shop",
    buildspec="ci/acceptance.yml",
    primary="source_artifact",
).reads(source, build)

staging = pk.codedeploy("staging", application="shop", group="staging").reads(build)
approve = pk.approval(
    "approve",
    note=f"Version {build['VERSION']} is ready: {source['CommitMessage']}",
    link="http://127.0.0.1:8101/",
)
production = pk.codedeploy("production", application="shop", group="production").reads(build)

pipeline = (
    pk.Pipeline("shop")
    >> pk.Stage("Source", source)
    >> pk.Stage("Build", build)
    >> pk.Stage("Test", unit + acceptance)
    >> pk.Stage("Staging", staging)
    >> pk.Stage("Production", approve >> production)
)
