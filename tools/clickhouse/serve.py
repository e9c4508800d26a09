"""The process that is an embedded ClickHouse: ``python serve.py PACKAGE DATA RUN``, up until its standard input ends.

chdb-core's one-shot entry runs clickhouse-local, which can start ClickHouse's own listeners. It reads config.xml of
the working directory; the last statement ends with standard input, and with it the server.
"""

import os
import select
import sys
import threading
import time

GRACE = 8.0  # seconds to shut down by itself; the engine gives open connections five of them
LAUNCH = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; SELECT * FROM file('/dev/stdin', 'LineAsString')"


def end_with_input() -> None:
    """End this process at the latest some time after its standard input has ended."""
    ended = select.poll()
    ended.register(0, 0)  # a hang-up is reported without being asked for
    ended.poll()
    time.sleep(GRACE)
    os._exit(3)


def main() -> int:
    """Serve, and say on standard output why when that fails."""
    package, data, run = sys.argv[1:]
    sys.path.insert(0, package)
    from chdb import _chdb  # type: ignore[import-not-found]  # noqa: PLC0415 - its folder is an argument

    os.chdir(run)  # only now: the import opens an engine of its own, which must not see our config.xml
    threading.Thread(target=end_with_input, daemon=True).start()
    _chdb.set_signal_handlers_enabled(0)
    # the format becomes the default of all HTTP clients, as it is on a server
    result = _chdb.query(LAUNCH, "TabSeparated", path=data)
    if result.has_error():
        sys.stdout.write(f"{result.error_message()}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
