"""Exit with 0 if the service in this container is ready, with 1 if it is not."""

import http.client
import sys

from src.settings import read_ports

# Shorter than the time-out of the HEALTHCHECK, so that the reason reaches its log.
TIMEOUT = 2


def main() -> int:
    """Ask the service how it is and return the exit code."""
    connection = http.client.HTTPConnection("127.0.0.1", read_ports().container, timeout=TIMEOUT)
    try:
        connection.request("GET", "/e222/health")
        answer = connection.getresponse()
    except OSError as error:
        print(f"no answer: {error}")
        return 1
    print(answer.status, answer.read().decode())
    return 0 if answer.status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main())
