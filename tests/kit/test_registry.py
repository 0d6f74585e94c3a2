"""Providers are found by the type of an action, and loaded when they are needed."""

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelinekit import providers
from pipelinekit.kit.registry import GROUP, action_type, discover, provider
from pipelinekit.model.action import ActionTypeId, Category, Owner
from pipelinekit.ports.provider import DECLARED

GIT = ActionTypeId(Category.SOURCE, Owner.CUSTOM, "Git")


@pytest.mark.parametrize("type_id", providers.FILES, ids=str)
def test_the_file_that_is_told_for_an_action_type_declares_it(type_id: ActionTypeId) -> None:
    found = discover()[type_id]
    assert found.traits.id == type_id
    assert found.__module__ == f"pipelinekit.providers.{providers.FILES[type_id]}"


def test_every_file_of_the_providers_is_told() -> None:
    assert {each.name for each in pkgutil.iter_modules(providers.__path__)} == {
        *providers.FILES.values()
    }


def test_all_that_the_files_of_the_providers_declare_is_told() -> None:
    lines = (
        "import pkgutil; from importlib import import_module; from pipelinekit import providers",
        "from pipelinekit.ports.provider import DECLARED",
        "for each in pkgutil.iter_modules(providers.__path__):",
        "    import_module(f'pipelinekit.providers.{each.name}')",
        "assert set(DECLARED) == set(providers.FILES), set(DECLARED) ^ set(providers.FILES)",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_an_action_type_that_nobody_declared_is_unknown() -> None:
    odd = ActionTypeId(Category.SOURCE, Owner.CUSTOM, "Nowhere")
    assert odd not in discover()
    assert discover().get(odd) is None
    assert action_type(odd) is None


def test_a_provider_is_loaded_when_it_is_asked_for_and_no_other_one(tmp_path: Path) -> None:
    lines = (
        "import sys; from pathlib import Path; import pipelinekit as pk",
        "kit = pk.Kit(Path(sys.argv[1]))",
        "from tests.kit.test_registry import GIT; from pipelinekit.kit.registry import discover",
        "rooms = lambda: {m for m in sys.modules if m.startswith('pipelinekit.providers.')}",
        "before = rooms(); assert GIT in discover(); assert not before, before",
        "discover()[GIT]; assert rooms() == {'pipelinekit.providers.git'}, rooms()",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines), tmp_path], check=True)


def test_what_a_user_declared_stands_before_a_built_in_one() -> None:
    lines = (
        "import pipelinekit as pk; from pipelinekit.kit.registry import discover",
        "own = pk.action('Build', 'Notebook')(lambda job: pk.Succeeded())",
        "from pipelinekit.model.action import ActionTypeId, Category, Owner",
        "kind = lambda each: ActionTypeId(Category(each), Owner.CUSTOM, 'Notebook')",
        "discover()[kind('Test')]; assert discover()[kind('Build')] is own",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)


def test_a_runner_takes_the_provider_of_the_module_that_its_engine_names() -> None:
    built_in = f"{providers.__name__}.git"
    found = provider(GIT, built_in)
    assert (found, found.__module__) == (discover()[GIT], built_in)
    DECLARED.pop(GIT)  # as where the module could not be loaded beforehand
    del sys.modules[built_in]
    assert provider(GIT, built_in).__module__ == built_in


def test_a_runner_of_a_module_that_declares_nothing_of_the_kind_looks_among_all() -> None:
    assert provider(GIT, "nowhere") is discover()[GIT]


FOREIGN = """
import pipelinekit as pk

@pk.action("Test", "Foreign")
def foreign(job: pk.Job) -> pk.Outcome:
    return pk.Succeeded()
"""


def test_a_provider_of_another_installed_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "foreign_room.py").write_text(FOREIGN, encoding="utf-8")
    installed = tmp_path / "foreign-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: foreign\nVersion: 1.0\n", encoding="utf-8")
    told = f"[{GROUP}]\nforeign = foreign_room:foreign\n"
    (installed / "entry_points.txt").write_text(told, encoding="utf-8")
    lines = (
        "import sys; sys.path.insert(0, sys.argv[1])",
        "from pipelinekit.kit.registry import discover",
        "from pipelinekit.model.action import ActionTypeId, Category, Owner",
        "kind = ActionTypeId(Category.TEST, Owner.CUSTOM, 'Foreign')",
        "assert discover()[kind].__module__ == 'foreign_room'",
    )
    subprocess.run([sys.executable, "-c", "\n".join(lines), tmp_path], check=True)
