"""Files of ours in a folder that commands can reach too."""

import os
from contextlib import suppress
from pathlib import Path


class ExposedFolder:
    """A folder in which commands may put links in the place of files, and of the folder itself.

    So the folder is known by a descriptor of its own, and no link in it is followed.
    """

    def __init__(self, path: Path, owner: int) -> None:
        """Open it; it is made if it is missing.

        Args:
            path: Where it is; nothing is to be in it.
            owner: The number of the user whose it and its files are; -1 for this process's own.
        """
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path.resolve()
        self._owner = owner
        self._at = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def fifo(self, name: str, flags: int) -> int:
        """Make a fifo, and open it, while nobody else can reach the folder.

        Args:
            name: Its name.
            flags: As `os.open` takes them.

        Returns:
            Its descriptor.
        """
        os.mkfifo(name, 0o600, dir_fd=self._at)
        fifo = os.open(name, flags | os.O_CLOEXEC, dir_fd=self._at)
        os.chown(fifo, self._owner, -1)
        return fifo

    def hand_over(self) -> None:
        """Give the folder itself to its user, whose commands reach it from now on."""
        os.chown(self._at, self._owner, -1)

    def write(self, name: str, text: str) -> None:
        """Put a new file in the place of whatever is there."""
        self.remove(name)
        new = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(name, new, 0o600, dir_fd=self._at)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.chown(descriptor, self._owner, -1)
            file.write(text)

    def read(self, name: str) -> str:
        """Read a file.

        Raises:
            OSError: It is not there, or is a link.
        """
        only = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(name, only, dir_fd=self._at)
        with os.fdopen(descriptor, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()

    def has(self, name: str) -> bool:
        """Tell whether there is something of that name."""
        with suppress(FileNotFoundError):
            return bool(os.stat(name, dir_fd=self._at, follow_symlinks=False))
        return False

    def move(self, name: str, to: str) -> None:
        """Put a file in the place of another one, which goes first.

        A file that is written over, ext4 would put on the disk at once.
        """
        self.remove(to)
        os.rename(name, to, src_dir_fd=self._at, dst_dir_fd=self._at)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens where it is missing."""
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._at)

    def close(self) -> None:
        """Let go of it; what is in it stays."""
        os.close(self._at)
