"""The webhooks of a repository at GitHub, by its REST API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

SECONDS: Final = 10.0
PAGE: Final = 100
"""GitHub lets a repository have fewer webhooks for an event."""


class GitHubError(Exception):
    """GitHub could not be reached, or did not do what it was asked."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository whose webhooks are looked after.

    Attributes:
        api: The URL of the REST API, `https://api.github.com` for github.com.
        owner: Whose it is.
        name: What it is called.
        token: What may change its webhooks.
    """

    api: str
    owner: str
    name: str
    token: str

    def add_hook(self, url: str, secret: str) -> None:
        """Have pushes told to a URL; a webhook that is there for it is brought up to date.

        Args:
            url: Where deliveries go.
            secret: What they are signed with; unsigned when empty.

        Raises:
            GitHubError: GitHub did not do it.
        """
        config = {"url": url, "content_type": "json", "insecure_ssl": "0"}
        wanted: dict[str, object] = {"active": True, "events": ["push"]}
        wanted["config"] = {**config, "secret": secret} if secret else config
        if there := self._hooks_for(url):
            self._ask("PATCH", f"/{there[0]}", wanted)
        else:
            self._ask("POST", "", {"name": "web", **wanted})

    def remove_hook(self, url: str) -> None:
        """Have nothing told to a URL any more; one that is told nothing is no fault.

        Raises:
            GitHubError: GitHub did not do it.
        """
        for identity in self._hooks_for(url):
            self._ask("DELETE", f"/{identity}")

    def _hooks_for(self, url: str) -> list[int]:
        listed = self._ask("GET", f"?per_page={PAGE}")
        if not isinstance(listed, list):
            raise GitHubError(f"{self._place} answered with no list of webhooks; look at the URL")
        return [each["id"] for each in listed if each.get("config", {}).get("url") == url]

    @property
    def _place(self) -> str:
        owner, name = (quote(part, safe="") for part in (self.owner, self.name))
        return f"{self.api.rstrip('/')}/repos/{owner}/{name}/hooks"

    def _ask(self, method: str, rest: str, body: Mapping[str, object] | None = None) -> object:
        import urllib3  # noqa: PLC0415 - only who has webhooks registered needs it

        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.token}",
            "User-Agent": "pipelinekit",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        try:
            with urllib3.PoolManager(timeout=SECONDS, retries=False) as pool:
                answer = pool.request(method, self._place + rest, json=body, headers=headers)
                data = json.loads(answer.data or b"null")
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise GitHubError(f"{method} {self._place} failed: {error}") from None
        if answer.status not in range(200, 300):
            said = data.get("message", "") if isinstance(data, dict) else ""
            raise GitHubError(
                f"{method} {self._place} was answered {answer.status} {said}".strip()
            )
        return data
