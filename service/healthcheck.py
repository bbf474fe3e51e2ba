"""Exit with 0 if the service in this container is ready, with 1 if it is not."""

import socket
import sys

from src.settings import read_ports

# Shorter than the time-out of the HEALTHCHECK, so that the reason reaches its log.
TIMEOUT = 2
# In HTTP 1.0 an answer ends with its connection. http.client would take longer to load than all
# that is asked here, every ten seconds and before a release goes live.
REQUEST = b"GET /e222/health HTTP/1.0\r\nHost: localhost\r\n\r\n"
CHUNK = 4096


def main() -> int:
    """Ask the service how it is and return the exit code."""
    try:
        with socket.create_connection(("127.0.0.1", read_ports().container), TIMEOUT) as service:
            service.sendall(REQUEST)
            answer = b"".join(iter(lambda: service.recv(CHUNK), b"")).decode()
    except OSError as error:
        print(f"no answer: {error}")
        return 1
    head, _, body = answer.partition("\r\n\r\n")
    print(head.partition("\r\n")[0], body)
    return 0 if head.split()[1:2] == ["200"] else 1


if __name__ == "__main__":
    sys.exit(main())
