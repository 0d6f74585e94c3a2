"""The four sources take real commits of real repositories."""

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelinekit.engine.catalog import TYPES
from pipelinekit.model.action import Action
from pipelinekit.model.execution import Revision
from pipelinekit.model.order import Failed, FailureType, Outcome, Succeeded
from pipelinekit.model.settings import Settings
from pipelinekit.ports.provider import Provider
from pipelinekit.providers.codecommit import codecommit
from pipelinekit.providers.connection import connection
from pipelinekit.providers.git import git
from pipelinekit.providers.github import github
from pipelinekit.wire.sources import MAX_MESSAGE_BYTES
from tests.fakes import FolderJob, order

ARN = "arn:aws:codestar-connections:eu-west-1:111122223333:connection/x"
TOKEN = "ghp_abc123"
WHO = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2024-05-01T12:00:00+0200",
    "GIT_COMMITTER_NAME": "Grace",
    "GIT_COMMITTER_EMAIL": "grace@example.org",
    "GIT_COMMITTER_DATE": "2024-05-02T08:30:00-0500",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}

pytestmark = pytest.mark.slow


class Repository:
    """A repository with one commit on each of its two branches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.first = self.commit("hello\n", "Say hello\n\nAt last.\n")
        self.git("checkout", "--quiet", "-b", "side")
        self.side = self.commit("aside\n", "Step aside")
        self.git("checkout", "--quiet", "main")

    def git(self, *arguments: str, given: str = "") -> str:
        """Run git in the repository."""
        command = ["git", "-C", str(self.folder), *arguments]
        done = subprocess.run(
            command, env=os.environ | WHO, input=given, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, content: str, message: str) -> str:
        """Commit a file, and give the commit's id."""
        (self.folder / "hello.txt").write_text(content, encoding="utf-8")
        self.git("add", ".")
        self.git("commit", "--quiet", "--cleanup=verbatim", "--file=-", given=message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop")


def _job(
    action: Action, home: Path, settings: Settings | None = None, **changes: object
) -> FolderJob:
    folder = home / "jobs" / action.name
    folder.mkdir(parents=True)
    return FolderJob(order(action, **changes), folder, settings or Settings())


def _taken(outcome: Outcome) -> Succeeded:
    assert isinstance(outcome, Succeeded), outcome
    return outcome


def _refused(outcome: Outcome) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome


def _check(declared: Provider[...], action: Action, settings: Settings) -> str | None:
    assert declared.traits.check is not None
    return declared.traits.check(action, settings)


# ------------------------------------------------------------------ git


def test_the_last_commit_of_a_branch_becomes_the_artifact(
    shop: Repository, tmp_path: Path
) -> None:
    job = _job(git("app", str(shop.folder)), tmp_path)
    done = _taken(git.carry_out(job))
    written = job.written["app_artifact"]
    assert [path.name for path in written.iterdir()] == ["hello.txt"]
    assert (written / "hello.txt").read_text(encoding="utf-8") == "hello\n"
    assert done.variables == {
        "AuthorDate": "2024-05-01T10:00:00Z",
        "AuthorDisplayName": "Ada",
        "AuthorEmail": "ada@example.org",
        "BranchName": "main",
        "CommitId": shop.first,
        "CommitMessage": "Say hello\n\nAt last.",
        "CommitterDate": "2024-05-02T13:30:00Z",
        "RepositoryName": "shop",
    }
    assert done.external_id == shop.first
    assert done.revision == Revision(
        id=shop.first,
        summary="Say hello",
        change="2024-05-02T13:30:00Z",
        created=datetime(2024, 5, 2, 13, 30, tzinfo=UTC),
        authors=("Ada", "ada@example.org"),
    )


def test_the_log_names_repository_branch_commit_and_author(
    shop: Repository, tmp_path: Path
) -> None:
    job = _job(git("app", str(shop.folder)), tmp_path)
    git.carry_out(job)
    assert job.said == [
        f"Repository {shop.folder}, branch main",
        f"Commit {shop.first} by Ada: Say hello",
        "1 files, 6 bytes",
    ]


def test_a_relative_path_starts_from_the_folder_of_the_project(
    shop: Repository, tmp_path: Path
) -> None:
    settings = Settings(folder=str(shop.folder))
    done = _taken(git.carry_out(_job(git("app", "."), tmp_path, settings)))
    assert done.variables["RepositoryName"] == "shop"
    assert git.carry_out(_job(git("lost", "nowhere"), tmp_path, settings)) == Failed(
        f"repository {shop.folder}/nowhere: fatal: '{shop.folder}/nowhere' does not appear to be "
        "a git repository | fatal: Could not read from remote repository. | Please make sure you "
        "have the correct access rights | and the repository exists.; "
        "check that it exists, and that you may read it",
        code=FailureType.CONFIGURATION_ERROR,
    )


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_a_given_commit_is_taken_from_whichever_branch(
    shop: Repository, tmp_path: Path, digits: int
) -> None:
    job = _job(git("app", str(shop.folder)), tmp_path, revision=shop.side[:digits].upper())
    done = _taken(git.carry_out(job))
    assert done.external_id == shop.side
    assert (job.written["app_artifact"] / "hello.txt").read_text(encoding="utf-8") == "aside\n"


@pytest.mark.parametrize("revision", ["0" * 7, "1" * 40, "abc", "main", "--all", "; rm -rf /"])
def test_a_commit_that_nobody_has_is_unavailable(
    shop: Repository, tmp_path: Path, revision: str
) -> None:
    job = _job(git("app", str(shop.folder)), tmp_path, revision=revision)
    failed = _refused(git.carry_out(job))
    assert failed.code == FailureType.REVISION_UNAVAILABLE
    assert revision in failed.message
    assert job.written == {}


def test_a_branch_that_is_missing_is_told_with_those_that_are_there(
    shop: Repository, tmp_path: Path
) -> None:
    failed = _refused(git.carry_out(_job(git("app", str(shop.folder), "production"), tmp_path)))
    assert failed.code == FailureType.REVISION_UNAVAILABLE
    assert "branch production" in failed.message
    assert "choose one of main, side" in failed.message


def test_a_url_that_would_run_a_command_is_refused_before_and_when_it_runs(
    tmp_path: Path,
) -> None:
    action = git("app", f"ext::sh -c touch% {tmp_path}/owned")
    assert "would be taken for an option or a command" in str(_check(git, action, Settings()))
    assert _refused(git.carry_out(_job(action, tmp_path))).code == FailureType.CONFIGURATION_ERROR
    assert not (tmp_path / "owned").exists()
    assert _check(git, git("app", "https://example.org/shop.git"), Settings()) is None


def test_jobs_share_one_repository_and_each_sees_what_is_new(
    shop: Repository, tmp_path: Path
) -> None:
    git.carry_out(_job(git("one", str(shop.folder)), tmp_path))
    second = shop.commit("again\n", "Say it again")
    done = _taken(git.carry_out(_job(git("two", str(shop.folder)), tmp_path)))
    assert done.external_id == second
    assert len([path for path in (tmp_path / "cache" / "git").iterdir() if path.is_dir()]) == 1


def test_an_attempt_that_was_killed_half_way_can_be_made_again(
    shop: Repository, tmp_path: Path
) -> None:
    job = _job(git("app", str(shop.folder)), tmp_path)
    (job.folder / "source").mkdir()
    (job.folder / "source-half").mkdir()
    (job.folder / "source-half" / "half.txt").touch()
    _taken(git.carry_out(job))
    assert [path.name for path in job.written["app_artifact"].iterdir()] == ["hello.txt"]


def test_a_hostile_message_reaches_neither_the_terminal_nor_breaks_the_database(
    shop: Repository, tmp_path: Path
) -> None:
    long = "x" * MAX_MESSAGE_BYTES
    shop.commit("!", f"$(touch owned) \x1b[31m#{{a.b}}\n\n{long}ü")
    job = _job(git("app", str(shop.folder)), tmp_path)
    done = _taken(git.carry_out(job))
    assert job.said[1].endswith("by Ada: $(touch owned)  [31m#{a.b}")
    assert len(done.variables["CommitMessage"].encode()) == MAX_MESSAGE_BYTES


def test_a_malformed_commit_is_refused(shop: Repository, tmp_path: Path) -> None:
    tree = shop.git("rev-parse", "HEAD^{tree}")
    person = "A <a@example.org> 1700000000 +0000"
    body = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nnothing\0here\n"
    void = shop.git("hash-object", "-t", "commit", "-w", "--stdin", given=body)
    shop.git("update-ref", "refs/heads/main", void)
    job = _job(git("app", str(shop.folder)), tmp_path)
    failed = _refused(git.carry_out(job))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert "nulInCommit" in failed.message
    assert job.written == {}


# ------------------------------------------------------------------ codecommit


def test_codecommit_reads_the_repository_that_the_project_names(
    shop: Repository, tmp_path: Path
) -> None:
    settings = Settings(folder=str(tmp_path), repositories={"store": "shop"})
    done = _taken(
        codecommit.carry_out(_job(codecommit("app", "store", "main"), tmp_path, settings))
    )
    assert done.variables == {
        "AuthorDate": "2024-05-01T10:00:00Z",
        "BranchName": "main",
        "CommitId": shop.first,
        "CommitMessage": "Say hello\n\nAt last.",
        "CommitterDate": "2024-05-02T13:30:00Z",
        "RepositoryName": "store",
    }


def test_codecommit_says_what_to_configure(tmp_path: Path) -> None:
    action = codecommit("app", "store", "main")
    found = _check(codecommit, action, Settings())
    assert found is not None
    assert found.endswith('such as\n\n[repositories]\n"store" = "../store.git"')
    failed = _refused(codecommit.carry_out(_job(action, tmp_path)))
    assert failed == Failed(found, code=FailureType.CONFIGURATION_ERROR)
    assert _check(codecommit, action, Settings(repositories={"store": "shop"})) is None


# ------------------------------------------------------------------ connection


def test_a_connection_fills_in_the_pattern_of_its_host(shop: Repository, tmp_path: Path) -> None:
    settings = Settings(connections={ARN: f"file://{tmp_path}/{{repository}}"})
    action = connection("app", ARN, "shop", "side", detect_changes=False)
    done = _taken(connection.carry_out(_job(action, tmp_path, settings)))
    assert done.variables == {
        "AuthorDate": "2024-05-01T10:00:00Z",
        "AuthorDisplayName": "Ada",
        "AuthorEmail": "ada@example.org",
        "AuthorId": "ada@example.org",
        "BranchName": "side",
        "CommitId": shop.side,
        "CommitMessage": "Step aside",
        "ConnectionArn": ARN,
        "FullRepositoryName": "shop",
        "ProviderType": "Git",
    }


def test_a_repository_of_the_project_goes_before_the_connection(
    shop: Repository, tmp_path: Path
) -> None:
    settings = Settings(
        repositories={"acme/shop": str(shop.folder)}, connections={ARN: "https://127.0.0.1:1/"}
    )
    action = connection("app", ARN, "acme/shop", "main")
    done = _taken(connection.carry_out(_job(action, tmp_path, settings)))
    assert done.external_id == shop.first


def test_a_connection_says_what_to_configure() -> None:
    found = _check(connection, connection("app", ARN, "acme/shop", "main"), Settings())
    assert found is not None
    assert f'[connections]\n"{ARN}" = "https://github.com/{{repository}}.git"' in found
    assert '[repositories]\n"acme/shop" = "../acme/shop.git"' in found


# ------------------------------------------------------------------ github


def test_github_is_read_from_where_the_project_says(shop: Repository, tmp_path: Path) -> None:
    settings = Settings(repositories={"acme/shop": str(shop.folder)})
    job = _job(github("app", "acme", "shop", "main", TOKEN), tmp_path, settings)
    done = _taken(github.carry_out(job))
    assert done.variables["RepositoryName"] == "shop"
    assert done.variables["CommitUrl"] == ""
    assert TOKEN not in "\n".join(job.said)


def test_the_token_is_a_secret_of_the_action_type() -> None:
    secrets = [each.name for each in github.type.properties if each.secret]
    assert secrets == ["OAuthToken"]


@contextmanager
def _served(folder: Path, seen: list[str], redirect: str = "") -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])))

        def _serve(self, body: bytes) -> None:
            if redirect:
                self.send_response(302)
                self.send_header("Location", redirect + self.path)
                self.end_headers()
                return
            given = self.headers.get("Authorization", "")
            seen.append(given)
            if not given:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            told = {
                "GIT_PROJECT_ROOT": str(folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            }
            command = ["git", "http-backend"]
            environment = os.environ | WHO | told
            done = subprocess.run(
                command, env=environment, input=body, capture_output=True, check=True
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().splitlines():
                self.send_header(*line.split(": ", 1))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_token_opens_a_private_repository_and_is_said_to_nobody_else(
    shop: Repository, tmp_path: Path
) -> None:
    seen: list[str] = []
    with _served(tmp_path, seen) as site:
        settings = Settings(repositories={"acme/shop": f"{site}/shop/.git"})
        job = _job(github("app", "acme", "shop", "main", TOKEN), tmp_path, settings)
        done = _taken(github.carry_out(job))
    assert done.external_id == shop.first
    password = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
    assert set(seen) == {"", f"Basic {password}"}
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in "\n".join(job.said)


def test_a_site_that_redirects_elsewhere_does_not_carry_the_token_along(
    shop: Repository, tmp_path: Path
) -> None:
    seen: list[str] = []
    with _served(tmp_path, seen) as thief, _served(tmp_path, [], redirect=thief) as site:
        settings = Settings(repositories={"acme/shop": f"{site}/{shop.folder.name}/.git"})
        job = _job(github("app", "acme", "shop", "main", TOKEN), tmp_path, settings)
        failed = _refused(github.carry_out(job))
    assert failed.code == FailureType.CONFIGURATION_ERROR
    assert set(seen) == {""}


def test_a_token_that_is_no_plain_text_is_refused_without_being_shown(tmp_path: Path) -> None:
    settings = Settings(repositories={"acme/shop": "https://127.0.0.1:1/shop.git"})
    action = github("app", "acme", "shop", "main", f"{TOKEN}\nurl=https://example.org")
    failed = _refused(github.carry_out(_job(action, tmp_path, settings)))
    assert "without line breaks" in failed.message
    assert TOKEN not in failed.message


# ------------------------------------------------------------------ all


@pytest.mark.parametrize("declared", [codecommit, connection, github])
def test_the_keys_and_variables_are_those_of_the_catalog(declared: Provider[...]) -> None:
    known = TYPES[declared.traits.id]
    assert {each.name: each.required for each in declared.type.properties} == {
        each.name: each.required for each in known.properties
    }
    assert declared.type.variables is not None
    assert known.variables is not None
    assert declared.type.variables <= known.variables
    assert (declared.type.inputs, declared.type.outputs) == (known.inputs, known.outputs)
    assert declared.type.timeout == known.timeout
