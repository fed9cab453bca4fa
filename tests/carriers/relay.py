"""A line that can break: ssh's ProxyCommand to a port of this machine, which stands still after so many bytes.

relay.py PORT BYTES MARK: MARK is made then, and holds our process id. It goes on when MARK is gone; killed, the line is cut.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from pathlib import Path

PIECE = 16_384


def main() -> None:
    port, allowed, mark = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with socket.create_connection(("127.0.0.1", port)) as line:

        def back() -> None:
            try:
                while piece := line.recv(PIECE):
                    os.write(sys.stdout.fileno(), piece)
            finally:
                os._exit(0)  # the other end is gone, or nobody listens any more

        threading.Thread(target=back, daemon=True).start()
        while piece := os.read(sys.stdin.fileno(), PIECE):
            line.sendall(piece)
            if allowed > 0 and (allowed := allowed - len(piece)) <= 0:
                mark.write_text(f"{os.getpid()}\n")
                while mark.exists():
                    time.sleep(0.01)


if __name__ == "__main__":
    main()
