"""Which clients of others are on this machine, and where."""

import os
import shutil
from functools import cache
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pipelinekit"
NODE_PACKAGES = CACHE / "node"
"""Where `.ci/node-packages` installs."""

SDK = NODE_PACKAGES / "node_modules" / "@aws-sdk" / "client-codepipeline"
TERRAFORM = shutil.which("terraform") or ""
PROVIDER = "*/hashicorp/aws/*/*/terraform-provider-aws*"


def sdk_js_obstacle() -> str | None:
    """Say why the AWS SDK for JavaScript cannot be tried here."""
    if shutil.which("node") is None:
        return "node is not installed"
    return (
        None if SDK.is_dir() else "the AWS SDK for JavaScript is not in the cache of npm packages"
    )


@cache
def terraform_plugins() -> Path | None:
    """Find a folder of Terraform's plugins that holds the provider of AWS."""
    named = os.environ.get("TF_PLUGINS")
    shared = [Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins")]
    own = Path.home() / ".terraform.d" / "plugins"
    places = [*([Path(named)] if named else []), own, *shared, *Path("/opt").glob("*")]
    return next((place for place in places if any(place.glob(PROVIDER))), None)


def terraform_obstacle() -> str | None:
    """Say why Terraform cannot be tried here."""
    if not TERRAFORM:
        return "terraform is not installed"
    missing = "Terraform's provider of AWS is not on this machine; TF_PLUGINS may say where"
    return None if terraform_plugins() else missing
