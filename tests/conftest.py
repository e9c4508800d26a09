"""What every test starts from, whoever started the tests."""

from __future__ import annotations

import signal

# a shell ignores SIGINT for what it runs in the background, nohup ignores SIGHUP, and programs inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
