"""S3 for the artifacts of jobs: each opens to the credentials of its own job, and to no others."""

from pipelinekit.endpoint.gate import TOKEN, Scope, flaw_within
from pipelinekit.kit.kit import Kit
from pipelinekit.model.execution import Artifact
from pipelinekit.model.order import Order
from pipelinekit.operations.grants import order_of, secret_of, token_of
from pipelinekit.operations.jobs import uploaded
from pipelinekit.ports.artifacts import ArtifactCorruptedError
from pipelinekit.ports.store import Query
from pipelinekit.runtime.clock import now
from pipelinekit.tools.aws.job_objects import JobObjects
from pipelinekit.tools.aws.loopback import Call, CallRefused, Reply
from pipelinekit.tools.aws.signature import Flaw, signed


class Objects:
    """The artifacts of a kit, as S3.

    Args:
        kit: Whose artifacts they are.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def answer(self, call: Call, url: str) -> Reply:
        """Read or write an object of a job.

        Args:
            call: The call, its body unread.
            url: All of it, as it was asked for.

        Raises:
            CallRefused: With S3's own code.
        """
        said = signed(call.headers)
        key = said.key if said else ""
        scope = Scope("s3", {key: secret_of(self._kit, key)}, now())
        found = flaw_within(scope, call, url)
        order = self._order(key)
        if found is None and call.headers.get(TOKEN) != token_of(self._kit, key):
            found = Flaw.UNKNOWN_KEY
        if found is not None or order is None:
            flawed = found or Flaw.UNKNOWN_KEY
            raise CallRefused(
                JobObjects.flaws[flawed],
                f"the call is refused: {flawed.value}; use the artifactCredentials of a job that "
                f"goes on",
                403,
            )
        call.body.seek(0)
        return self._objects(order).answer(call)

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as S3 does."""
        return JobObjects({}, {}, self._kit.uploads).refusal(error)

    def _order(self, key: str) -> Order | None:
        identity = order_of(key)
        found = self._kit.find(Order, Query(id=identity)) if identity else ()
        return found[0] if found else None

    def _objects(self, order: Order) -> JobObjects:
        folder = self._kit.uploads / order.id
        folder.mkdir(parents=True, exist_ok=True)
        files = uploaded(self._kit, order)
        try:
            inputs = {_name(each): self._kit.object_file(each) for each in order.inputs}
        except ArtifactCorruptedError as error:
            raise CallRefused("NoSuchKey", str(error), 404) from error
        outputs = {_name(each): files[each.name] for each in order.outputs}
        return JobObjects(inputs, outputs, folder)


def _name(artifact: Artifact) -> str:
    return f"{artifact.bucket}/{artifact.object_key}"
