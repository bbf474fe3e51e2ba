"""Settings of gunicorn, the web server in production.

Source of the names: https://docs.gunicorn.org/en/23.0.0/settings.html
"""

# Must come first: it makes the standard library wait without blocking, and
# modules imported before it would keep the blocking functions.
from gevent import monkey

monkey.patch_all()

import gc
import socket
from pathlib import Path
from typing import Any

from src.access_log import JsonLogger
from src.guard import LONGEST_REQUEST_LINE
from src.settings import read_ports
from src.worker import Worker

# What is loaded now stays in use: searching it for garbage would only slow the start down.
gc.disable()


def any_address() -> str:
    """Return the address that means "all addresses of this machine".

    On Linux "[::]" takes IPv4 connections as well, but some containers have
    no IPv6 at all.
    """
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return "0.0.0.0"  # noqa: S104 - Docker publishes the port
    return "[::]"


bind = f"{any_address()}:{read_ports().container}"

# Loading the application once, instead of once per worker, lets it start in
# 0.6 s instead of 1 s on a machine with one processor (measured).
wsgi_app = "server:create_app()"
preload_app = True


def when_ready(_server: Any) -> None:  # noqa: ANN401 - gunicorn ships no types
    """Collect garbage from now on, but never among what is loaded; gunicorn calls it once.

    The processes share that memory, and end in 0.3 s instead of 0.5 s, because Python does
    not search all of it once more (measured).
    """
    gc.freeze()
    gc.enable()


# Two processes: one continues to serve while the other is replaced after a crash.
workers = 2

# A silent client holds a worker (sync) or one of its threads (gthread) for as
# long as it likes. A gevent worker gives it a greenlet, which costs a few kB, so that
# thousands of silent clients delay nobody until their time is over (`keepalive`).
worker_class = Worker
worker_connections = 4000

# Whoever connects could send headers like X-Forwarded-Proto or SCRIPT_NAME: believe nobody.
forwarded_allow_ips = ""

# Browsers send about 20 header fields of at most 2 KiB. More only takes processor time.
limit_request_line = LONGEST_REQUEST_LINE
limit_request_fields = 60
limit_request_field_size = 4094

# Seconds a client may take to send the head of its next request.
keepalive = 5

# Seconds to finish the requests in progress when told to stop. They take
# milliseconds; idle clients must not delay the stop.
graceful_timeout = 1

# Workers report their health through a file. In memory, it works on a read-only
# file system and never waits for a disk. Only Linux has this folder.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes a private file in it

# "-" is standard output; errors go to standard error by default.
accesslog = "-"
logger_class = JsonLogger
