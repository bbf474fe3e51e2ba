"""Exit with 0 if the app in this container answers HTTP requests, with 1 if it does not.

Any answer counts: an app owes nobody a page at "/", and a 404 was sent by a running app.
"""

import http.client
import os
import sys

# The port of the container that Docker publishes.
PORT = int(os.environ["CLASSVM_PORT"])
# The lines of the access log leave out whoever has this name.
USER_AGENT = "classvm-health"
# Shorter than the time-out of the HEALTHCHECK, so that the reason reaches its log.
TIMEOUT = 2


def main() -> int:
    """Ask the app for any answer and return the exit code."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=TIMEOUT)
    try:
        connection.request("HEAD", "/", headers={"User-Agent": USER_AGENT})
        print(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
