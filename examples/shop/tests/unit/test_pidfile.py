"""A pid file names the server that holds it, and nobody else."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from shop import pidfile


class PidFileTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name, "shop.pid")

    def test_there_is_nothing_to_stop_without_a_file(self) -> None:
        self.assertFalse(pidfile.stop(self.path, seconds=1))

    def test_a_file_that_is_left_over_stops_nobody(self) -> None:
        self.path.write_text(str(os.getpid()), encoding="ascii")
        self.assertFalse(pidfile.stop(self.path, seconds=1))

    def test_a_second_server_is_refused(self) -> None:
        with (
            pidfile.hold(self.path),
            self.assertRaisesRegex(pidfile.StillRunningError, "stop it first"),
        ):
            pidfile.hold(self.path)

    def test_a_server_is_stopped_and_gone_afterwards(self) -> None:
        command = [sys.executable, "-m", "shop", "serve", "--port=0", f"--pid-file={self.path}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            self.assertIn("Open at", server.stdout.readline() if server.stdout else "")
            self.assertTrue(pidfile.stop(self.path, seconds=5))
            self.assertEqual(server.wait(timeout=5), 0)
        self.assertFalse(pidfile.stop(self.path, seconds=1))
