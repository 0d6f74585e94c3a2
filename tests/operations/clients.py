"""Which clients of others are on this machine, and where."""

import os
import shutil
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pipelinekit"
NODE_PACKAGES = CACHE / "node"
"""Where `.ci/node-packages` installs."""

SDK = NODE_PACKAGES / "node_modules" / "@aws-sdk" / "client-codepipeline"
TERRAFORM = shutil.which("terraform") or ""
TERRAFORM_PLUGINS = Path(os.environ.get("TF_PLUGINS") or "/opt/tf-plugins")


def sdk_js_obstacle() -> str | None:
    """Say why the AWS SDK for JavaScript cannot be tried here."""
    if shutil.which("node") is None:
        return "node is not installed"
    return (
        None if SDK.is_dir() else "the AWS SDK for JavaScript is not in the cache of npm packages"
    )


def terraform_obstacle() -> str | None:
    """Say why Terraform cannot be tried here."""
    if not TERRAFORM:
        return "terraform is not installed"
    found = any(TERRAFORM_PLUGINS.glob("*/hashicorp/aws/*/*/terraform-provider-aws*"))
    return None if found else "Terraform's provider of AWS is not on this machine (TF_PLUGINS)"
