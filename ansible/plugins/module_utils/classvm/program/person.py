"""Read what a person types, as the request that a program would send."""

from __future__ import annotations

import argparse
from typing import Any, Dict, NoReturn, Sequence, Tuple

from .protocol import PROTOCOL, REQUEST, RefusedError
from .schema import VERBS

SUMMARY = {
    "release": "make a release live; only `make deploy` sends what it needs, with --json",
    "rollback": "go back to the previous release, or to the one named",
    "releases": "show the history of releases, and which one is live",
    "status": "show which release is live, and how it is",
    "logs": "show the last log lines",
    "start": "start the service",
    "stop": "stop it",
    "restart": "stop it and start it again",
    "maintenance": "answer 503, or stop that (strategy blue_green)",
    "verify-image": "tell whether the image of a release is what its labels say",
    "verify-provision": "tell whether this host is as its provision left it",
    "account": "show what this account may do on this host",
    "version": "show the protocol and the digest of this program",
}
SWITCH = {"on": True, "off": False}
EPILOG = "With --json, a program sends a request on standard input and gets the answer as JSON."


class _Parser(argparse.ArgumentParser):
    """A parser that raises where another one ends the process."""

    def error(self, message: str) -> NoReturn:
        raise RefusedError(REQUEST, message.capitalize(), fix="Read `classvm --help`.")


def read(words: Sequence[str]) -> Tuple[str, Dict[str, Any]]:
    """Return the verb and the request; whether the log is followed is its member "follow".

    Raises:
        RefusedError: the words are not valid.

    """
    given = {
        name: value
        for name, value in vars(_parser().parse_args(words)).items()
        if value is not None
    }
    verb = given.pop("verb")
    if "on" in given:
        given["on"] = SWITCH[given["on"]]
    if verb == "release":
        raise RefusedError(
            REQUEST, "A release comes with its contract", fix="Run `make deploy` in a clone."
        )
    return verb, {"protocol": PROTOCOL, **given}


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="classvm", description="The service of this host.", epilog=EPILOG)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in VERBS:
        one = verbs.add_parser(verb, help=SUMMARY[verb], description=SUMMARY[verb], epilog=EPILOG)
        if verb in ("rollback", "verify-image"):
            one.add_argument("release", nargs="?", help="id of the release")
        elif verb == "maintenance":
            one.add_argument("on", choices=SWITCH, metavar="on|off")
        elif verb == "logs":
            one.add_argument("--lines", type=int, help="how many (50)")
            one.add_argument("--all", action="store_true", default=None, help="health checks, too")
            one.add_argument("--follow", action="store_true", default=None, help="until Ctrl-C")
    return parser
