"""Answers S3 for the artifacts of one job: inputs are read, outputs are written."""

import re
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from pipelinekit.tools.aws.loopback import Call, CallRefused, Reply, copied
from pipelinekit.tools.aws.signature import Flaw
from pipelinekit.tools.durable import replaced

XML: Final = {"Content-Type": "application/xml"}
MOST_PARTS: Final = 10_000
MOST_DIGITS: Final = 19
"""Of a place in an object; what is larger is in none."""

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_PART: Final = re.compile(r"<PartNumber>([^<]*)</PartNumber>")
_NUMBER: Final = re.compile("[0-9]{1,5}")
_UPLOAD: Final = re.compile("[0-9a-f]{32}")


class JobObjects:
    """The objects of a job: those it may read, and those it may write.

    Answered are GetObject, HeadObject, PutObject and multipart uploads.

    Args:
        inputs: The file for each object that may be read, by `bucket/key`.
        outputs: The file that each object goes to, by `bucket/key`; it may be read then, too.
        folder: An existing folder for parts of uploads.
    """

    flaws: ClassVar[Mapping[Flaw, str]] = {
        Flaw.MISSING: "AccessDenied",
        Flaw.UNKNOWN_KEY: "InvalidAccessKeyId",
        Flaw.WRONG: "SignatureDoesNotMatch",
        Flaw.LOOSE: "AccessDenied",
        Flaw.FOREIGN: "SignatureDoesNotMatch",
        Flaw.EXPIRED: "RequestTimeTooSkewed",
        Flaw.ALTERED: "XAmzContentSHA256Mismatch",
    }

    def __init__(
        self, inputs: Mapping[str, Path], outputs: Mapping[str, Path], folder: Path
    ) -> None:
        self._inputs = inputs
        self._outputs = outputs
        self._folder = folder

    def answer(self, call: Call) -> Reply:
        """Do what is asked.

        Raises:
            CallRefused: With S3's own code.
        """
        name = unquote(call.path).lstrip("/")
        query = parse_qs(call.query, keep_blank_values=True)
        if call.method in {"GET", "HEAD"} and query.keys() <= {"x-id", "partNumber"}:
            return self._get(name, call)
        if "x-amz-copy-source" in call.headers:
            raise CallRefused("NotImplemented", "objects are not copied here; get and put", 501)
        target = self._target(name)
        if call.method == "PUT" and query.keys() <= {"x-id"}:
            copied(call, target)
            return Reply(headers={"ETag": _etag(target)})
        return self._upload(call, query, name, target)

    def refusal(self, error: CallRefused) -> Reply:
        """Write an error as S3 does."""
        inside = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
        return Reply(error.status, XML, f"<Error>{inside}</Error>".encode())

    def _get(self, name: str, call: Call) -> Reply:
        file = self._inputs.get(name) or self._outputs.get(name)
        if file is None:
            raise self._denied(name)
        if not file.exists():
            raise CallRefused("NoSuchKey", f"nothing was uploaded to {name} yet", 404)
        size = file.stat().st_size
        changed = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Type": "application/zip",
            "ETag": _etag(file),
            "Last-Modified": format_datetime(changed, usegmt=True),
        }
        part = _RANGE.fullmatch(call.headers.get("range", ""))
        if part is None:
            return Reply(200, headers, file=file, length=size)
        start, end = _bounds(part, size)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        return Reply(206, headers, file=file, start=start, length=end - start)

    def _target(self, name: str) -> Path:
        if name not in self._outputs:
            raise self._denied(name)
        return self._outputs[name]

    def _denied(self, name: str) -> CallRefused:
        known = ", ".join([*self._inputs, *self._outputs]) or "none"
        return CallRefused(
            "AccessDenied",
            f"{name or 'a list of buckets'} was asked for, and the objects of this job are "
            f"{known}; read its inputs and write its outputs",
            403,
        )

    def _upload(self, call: Call, query: dict[str, list[str]], name: str, target: Path) -> Reply:
        if call.method == "POST" and "uploads" in query:
            return self._begin(name)
        if "uploadId" not in query:
            raise CallRefused("MethodNotAllowed", f"{call.method} is not done here", 405)
        upload = query["uploadId"][0]
        folder = self._folder / upload
        if not _UPLOAD.fullmatch(upload) or not folder.is_dir():
            raise CallRefused("NoSuchUpload", "there is no such upload; begin it again", 404)
        if call.method == "PUT":
            return _take_part(call, folder, query.get("partNumber", [""])[0])
        if call.method == "POST":
            _join(folder, call.body.read(), target)
            shutil.rmtree(folder)
            return _told("CompleteMultipartUploadResult", name, ETag=_etag(target))
        shutil.rmtree(folder)  # AbortMultipartUpload
        return Reply(204)

    def _begin(self, name: str) -> Reply:
        upload = uuid.uuid4().hex
        (self._folder / upload).mkdir()
        return _told("InitiateMultipartUploadResult", name, UploadId=upload)


def _bounds(part: re.Match[str], size: int) -> tuple[int, int]:
    first, last = part.groups()
    if max(len(first), len(last)) > MOST_DIGITS:
        raise CallRefused("InvalidRange", f"a range of {size} bytes has no such numbers", 416)
    if first:
        start, end = int(first), int(last) + 1 if last else size
    else:
        start, end = max(0, size - int(last or 0)), size
    if start >= min(end, size):
        raise CallRefused("InvalidRange", f"{part[0]} of {size} bytes are no bytes", 416)
    return start, min(end, size)


def _take_part(call: Call, folder: Path, number: str) -> Reply:
    file = _part(folder, number)
    copied(call, file)
    return Reply(headers={"ETag": _etag(file)})


def _join(folder: Path, asked: bytes, target: Path) -> None:
    numbers = _PART.findall(asked.decode(errors="replace"))
    parts = [_part(folder, number.strip()) for number in numbers]
    if not parts or not all(part.is_file() for part in parts):
        raise CallRefused("InvalidPart", "a part that is to be joined was not uploaded")
    order = [int(part.name) for part in parts]
    if order != sorted(set(order)):
        raise CallRefused("InvalidPartOrder", "parts are joined once each, by their numbers")
    with replaced(target) as file:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, file)


def _part(folder: Path, number: str) -> Path:
    if not _NUMBER.fullmatch(number) or not 1 <= int(number) <= MOST_PARTS:
        found = f"partNumber is {number[:20]!r}, not 1 to {MOST_PARTS}"
        raise CallRefused("InvalidArgument", found)
    return folder / str(int(number))


def _told(kind: str, name: str, **more: str) -> Reply:
    bucket, _, key = name.partition("/")
    members = {"Bucket": bucket, "Key": key, **more}
    inside = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in members.items())
    space = "http://s3.amazonaws.com/doc/2006-03-01/"
    return Reply(headers=XML, body=f'<{kind} xmlns="{space}">{inside}</{kind}>'.encode())


def _etag(file: Path) -> str:
    # No digest: large objects are read range by range, and each answer bears it.
    known = file.stat()
    return f'"{known.st_mtime_ns:x}-{known.st_size:x}"'
