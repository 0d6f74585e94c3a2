"""Packs the shop, and all that a host needs to run it, into a folder."""

import json
import os
import shutil
import sys
import tempfile
import zipapp
from pathlib import Path


def main(target: Path) -> None:
    """Fill a new folder; `VERSION` and `COMMIT` come from the environment."""
    release = {"version": os.environ["VERSION"], "commit": os.environ["COMMIT"]}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    _write(target / "version.json", release)
    shutil.copy("appspec.yml", target)
    shutil.copytree("scripts", target / "scripts")
    with tempfile.TemporaryDirectory() as name:
        package = Path(name, "shop")
        shutil.copytree("shop", package, ignore=shutil.ignore_patterns("__pycache__"))
        _write(package / "version.json", release)
        zipapp.create_archive(name, target / "shop.pyz", main="shop.__main__:main")
    print(f"Shop {release['version']} of commit {release['commit'][:12]} is packed in {target}")


def _write(path: Path, release: dict[str, str]) -> None:
    path.write_text(json.dumps(release) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
