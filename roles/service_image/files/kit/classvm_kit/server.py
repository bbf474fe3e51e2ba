"""Serve an app with gunicorn's threaded worker, where the program called for a server.

The program continues to run in this one process, with its threads and all that it holds in memory;
gunicorn's master process, which would fork it, is not used.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import selectors
import socket
import sys
import threading
from datetime import datetime, timedelta, timezone
from typing import Any, Dict

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker
from gunicorn.workers.sync import SyncWorker

from . import EVERYWHERE, PORT, serving

BACKLOG = 128
# Seconds that requests in progress get when the container is told to stop.
GRACEFUL_SECONDS = 3
# Whoever calls himself so asks for the health; that is nobody's business in the access log.
HEALTH_AGENT = "classvm-health"


def serve(app: Any, threads: int) -> None:
    """Serve an app on all addresses until the container is told to stop.

    Args:
        app: an app of Flask or connexion, or any other WSGI application.
        threads: how many requests it can answer at a time.

    Raises:
        SystemExit: after the last answer, so that the program ends as it does on Ctrl-C.

    """
    if not serving.start():
        print("A second server was not started: a service has one port.", file=sys.stderr)
        threading.Event().wait()
    wsgi = app if callable(app) else app.app  # old versions of connexion
    if _is_green("gevent.monkey", "is_module_patched"):
        _serve_with_gevent(wsgi)
    else:
        worker = Worker if threads > 1 else OneThreadWorker
        worker(wsgi, listen(), settings(threads)).init_process()
    serving.stop()
    # What the program does at its end may take a moment, but may not keep the container.
    end = threading.Timer(GRACEFUL_SECONDS, os._exit, [0])
    end.daemon = True
    end.start()
    sys.exit(0)


def settings(threads: int) -> Any:
    """Return gunicorn's settings."""
    config = Config()
    config.set("threads", threads)
    config.set("graceful_timeout", GRACEFUL_SECONDS)
    config.set("accesslog", "-")
    config.set("loglevel", "warning")
    # In memory: it works on a read-only file system and never waits for a disk.
    config.set("worker_tmp_dir", "/dev/shm")  # noqa: S108 - gunicorn makes a private file in it
    # Whoever connects could send headers like X-Forwarded-Proto: believe nobody.
    config.set("forwarded_allow_ips", "")
    return config


def listen() -> socket.socket:
    """Return a socket that listens on all addresses."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((EVERYWHERE, PORT))
    listener.listen(BACKLOG)
    return listener


class WithoutMaster:
    """What gunicorn's workers do otherwise here, where they have no master process."""

    def __init__(self, wsgi: object, listener: socket.socket, config: Any) -> None:
        self.random_state = random.getstate()
        super().__init__(1, os.getppid(), [listener], None, 0, config, JsonLogger(config))  # type: ignore[call-arg] # of gunicorn's worker
        self.pid = os.getpid()
        self.wsgi = wsgi

    def load_wsgi(self) -> None:
        """Leave the app as it is; undo gunicorn's `random.seed()`: the program may have its own."""
        random.setstate(self.random_state)

    def init_signals(self) -> None:
        """Handle signals, which Python allows in the main thread only."""
        if threading.current_thread() is threading.main_thread():
            super().init_signals()  # type: ignore[misc] # of gunicorn's worker


class Worker(WithoutMaster, ThreadWorker):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's threaded worker."""

    def run(self) -> None:
        """Serve; a signal ends the wait for connections at once, not within a second."""
        self.poller.register(self.PIPE[0], selectors.EVENT_READ, lambda pipe: os.read(pipe, 1))
        super().run()

    def handle_usr1(self, _sig: object, _frame: object) -> None:
        """End each connection with its next answer, which says so, or when it is idle for long.

        A release that takes over sends this before it stops the process: to end an idle connection
        is to risk that its client sends a request just then.
        """
        self.max_keepalived = 0


class OneThreadWorker(WithoutMaster, SyncWorker):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's worker that answers in the thread of the program, one request after the other.

    A database in memory (`sqlite:///:memory:`) is there only in the thread that made it.
    """


class JsonLogger(Logger):  # type: ignore[misc] # gunicorn ships no types
    """gunicorn's logger with the access log of the lab's service: one JSON object per request."""

    def access(
        self,
        resp: Any,
        _req: object,
        environ: Dict[str, Any],
        request_time: timedelta,
    ) -> None:
        """Log one request; gunicorn calls it after the response is sent."""
        if environ.get("HTTP_USER_AGENT") != HEALTH_AGENT:
            self.access_log.info("%s", json.dumps(entry(resp, environ, request_time)))


def entry(response: Any, environ: Dict[str, Any], duration: timedelta) -> Dict[str, Any]:
    """Return the log entry of a request: its time is UTC, its duration in milliseconds."""
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "client": environ.get("REMOTE_ADDR"),
        "method": environ.get("REQUEST_METHOD"),
        "target": environ.get("RAW_URI"),
        "protocol": environ.get("SERVER_PROTOCOL"),
        "status": response.status_code,
        "bytes": response.sent,
        "duration_ms": round(duration.total_seconds() * 1000, 3),
        "user_agent": environ.get("HTTP_USER_AGENT"),
    }


def _is_green(module: str, question: str) -> bool:
    """Tell whether a program has made the standard library's sockets wait without threads."""
    patcher = sys.modules.get(module)
    return patcher is not None and bool(getattr(patcher, question)("socket"))


def _serve_with_gevent(wsgi: object) -> None:
    """Serve in gevent's own way: gunicorn's threads would not be threads."""
    # Here only, for most apps do not have gevent.
    baseserver = importlib.import_module("gevent.baseserver")
    pywsgi = importlib.import_module("gevent.pywsgi")
    server = pywsgi.WSGIServer((EVERYWHERE, PORT), wsgi, log=sys.stdout)
    baseserver.BaseServer.serve_forever(server)  # that of `WSGIServer` is replaced
