"""Clients that never stop asking, and what they saw: the load under which faults are made.

Four kinds of clients ask one address of one port, from a process of their own: some open a
connection for each request, some keep theirs, some send their head slowly, and some POST an id
that has to be executed exactly once. A request is sent when its time has come, whether the ones
before were answered or not; so a service that hangs is not asked less.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import json
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aside import CONTEXT, Aside

NEW, KEPT, SLOW, POST = "new", "kept", "slow", "post"
# Requests per second of each kind: together about a tenth of what the service can do.
RATES = {NEW: 20.0, KEPT: 32.0, SLOW: 4.0, POST: 16.0}
KEPT_CLIENTS = 4
# A client of the class waits no longer for a page than that.
PATIENCE = 5.0
SLOW_PIECES, SLOW_SECONDS = 4, 0.6
# Whatever happens, it ends: with the last of so many requests, or after that time.
MAX_REQUESTS, MAX_SECONDS = 250_000, 2700.0
# What the clients tell is heard within that time.
HEARD_SECONDS = 0.1
LARGEST_HEAD = 65536
OK = 200
USER_AGENT = "classvm-load"


class LoadError(RuntimeError):
    """The load has come to its end, or never began."""


class NoAnswerError(Exception):
    """A request got no whole answer; the text says why in a word.

    Attributes:
        untouched: whether the server closed the connection before any byte of an answer.

    """

    def __init__(self, reason: str, *, untouched: bool = False) -> None:
        super().__init__(reason)
        self.untouched = untouched


@dataclass(frozen=True)
class Paths:
    """What is asked: a page, and where ids are posted to."""

    page: str
    tally: str


@dataclass(frozen=True)
class Record:
    """One request; times are those of ``time.monotonic``.

    Attributes:
        kind: which kind of client asked.
        started: when it began, with its connection.
        asked: when the service could have begun to answer: a slow client has sent its head.
        ended: when the answer was there, or it was clear that none will come.
        reason: why it failed, in a word or two; "" for a good answer.
        id: what a POST carried.
        retried: whether the first try fell on a connection that the server had closed.

    """

    kind: str
    started: float
    asked: float
    ended: float
    reason: str = ""
    id: str = ""
    retried: bool = False


@dataclass(frozen=True)
class Seen:
    """What the clients saw in a stretch of time.

    Attributes:
        requests: how many there were.
        failed: how many failed, by reason.
        doubled: POSTs that were executed more than once.
        lost: POSTs that were answered well and never executed.
        at_one_moment: whether all that failed were on their way at one and the same moment.
        retried: requests that had to be sent a second time on a new connection.
        p50, p99: of the good answers, in seconds.
        gap: longest time without a good answer, in seconds.
        healthy_after: seconds from the beginning to the first good answer after the last failure.

    """

    requests: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    doubled: int = 0
    lost: int = 0
    at_one_moment: bool = True
    retried: int = 0
    p50: float = math.nan
    p99: float = math.nan
    gap: float = math.nan
    healthy_after: float = 0.0

    @property
    def failures(self) -> int:
        """How many requests failed."""
        return sum(self.failed.values())

    def __str__(self) -> str:
        """Say it in a line."""
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(self.failed.items()))
        return (
            f"{self.requests} requests, {self.failures} failed{f' ({why})' if why else ''},"
            f" {self.doubled} doubled, {self.lost} lost, {self.retried} retried,"
            f" p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms, gap {self.gap:.2f} s"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share (0..1) of all does not exceed."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summary(
    records: Sequence[Record], begin: float, end: float, executed: Mapping[str, int]
) -> Seen:
    """Return what was seen between two moments.

    Args:
        records: requests; those that were open at any moment of this time count.
        begin: a moment of ``time.monotonic``.
        end: a later one.
        executed: how often each id was executed.

    """
    mine = [one for one in records if begin <= one.ended and one.started < end]
    good = sorted(one.ended for one in mine if not one.reason)
    bad = [one.ended for one in mine if one.reason]
    times = [begin, *good, end] if good else [begin, end]
    latencies = [one.ended - one.asked for one in mine if not one.reason]
    posts = [one for one in mine if one.id]
    return Seen(
        requests=len(mine),
        failed=dict(collections.Counter(one.reason for one in mine if one.reason)),
        doubled=sum(executed.get(one.id, 0) > 1 for one in posts),
        lost=sum(not one.reason and not executed.get(one.id) for one in posts),
        at_one_moment=share_a_moment([one for one in mine if one.reason]),
        retried=sum(one.retried for one in mine),
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        gap=max((b - a for a, b in itertools.pairwise(times)), default=math.nan),
        healthy_after=healthy_after(good, bad, begin),
    )


def share_a_moment(records: Sequence[Record]) -> bool:
    """Tell whether there is a moment at which all of the requests were on their way."""
    return not records or max(one.started for one in records) <= min(one.ended for one in records)


def healthy_after(good: Sequence[float], bad: Sequence[float], begin: float) -> float:
    """Return after how many seconds all was well; infinity when it never was.

    Args:
        good: when good answers came, in order.
        bad: when requests failed.
        begin: when it began.

    """
    if not bad:
        return 0.0
    return next((moment for moment in good if moment > max(bad)), math.inf) - begin


# --- One request ----------------------------------------------------------------------------------


@dataclass
class Connection:
    """A TCP connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        """Close it without waiting for the other side."""
        self.writer.transport.abort()


async def connect(address: str, port: int) -> Connection:
    """Open a connection.

    Raises:
        NoAnswerError: nobody accepts it.

    """
    try:
        return Connection(*await asyncio.open_connection(address, port, limit=LARGEST_HEAD))
    except ConnectionRefusedError as error:
        raise NoAnswerError("refused") from error
    except ConnectionResetError as error:
        raise NoAnswerError("reset") from error
    except OSError as error:
        raise NoAnswerError("unreachable") from error


async def send(connection: Connection, request: bytes, pieces: int, seconds: float) -> None:
    """Send a request, all at once or in pieces over a time."""
    size = math.ceil(len(request) / pieces)
    for start in range(0, len(request), size):
        connection.writer.write(request[start : start + size])
        await connection.writer.drain()
        if start + size < len(request):
            await asyncio.sleep(seconds / (pieces - 1))


async def receive(connection: Connection) -> tuple[int, bool]:
    """Read an answer; return its status, and whether the connection may be used again.

    Raises:
        NoAnswerError: there is none, or it is torn.

    """
    head = b""
    try:
        head = await connection.reader.readuntil(b"\r\n\r\n")
        status, headers = parsed(head)
        if "content-length" in headers:
            await connection.reader.readexactly(int(headers["content-length"]))
        else:
            await connection.reader.read()
    except asyncio.IncompleteReadError as error:
        untouched = not head and not error.partial
        raise NoAnswerError("closed" if untouched else "torn", untouched=untouched) from error
    except ConnectionError as error:
        # What has come before the reset is no longer told.
        raise NoAnswerError("reset", untouched=not head) from error
    except (ValueError, LookupError, asyncio.LimitOverrunError) as error:
        raise NoAnswerError("not HTTP") from error
    stays = "content-length" in headers and headers.get("connection", "").lower() != "close"
    return status, stays


def parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the headers, by their names in small letters, of an answer."""
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


def request(method: str, path: str, host: str, body: bytes = b"", *, keep: bool = False) -> bytes:
    """Return the bytes of a request (RFC 9112)."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"User-Agent: {USER_AGENT}"]
    if not keep:
        lines.append("Connection: close")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


# --- All of them ----------------------------------------------------------------------------------


class Load:
    """The clients, from `start` to `stop`.

    Attributes:
        records: every request that has ended.
        ended: why nobody asks any more, before `stop`.

    """

    def __init__(
        self,
        address: str,
        port: int,
        paths: Paths,
        executed: Callable[[], Mapping[str, int]] = dict,
        rates: Mapping[str, float] = RATES,
    ) -> None:
        """Prepare to ask.

        Args:
            address: numeric address of the machine that is asked; the caller has made sure that
                it may be.
            port: its TCP port.
            paths: what is asked.
            executed: tells how often each id was executed.
            rates: requests per second by kind.

        """
        self.address, self.port, self.paths = address, port, paths
        self.executed = executed
        self.rates = rates
        self.records: list[Record] = []
        self.ended = ""
        self._host = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self._run = secrets.token_hex(4)
        self._sent = 0
        self._open: dict[int, float] = {}
        self._stopping = CONTEXT.Event()
        self._aside = Aside(self._work, self._hear)

    def start(self) -> None:
        """Begin to ask."""
        self._aside.start()

    def stop(self) -> None:
        """Send no more, and wait for the last answers."""
        self._stopping.set()
        self._aside.join(PATIENCE * 3)

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch what is seen while the block runs; `seen` is there after it."""
        watch = Watch(self)
        yield watch
        watch.close()

    def require(self) -> None:
        """Make sure that the clients still ask: where nobody asks, nothing fails.

        Raises:
            LoadError: they do not.

        """
        if self.ended or not self._aside.goes_on:
            raise LoadError(self.ended or "the clients have died; what they said stands above")

    def settle(self, moment: float) -> None:
        """Wait until no request is open that began before a moment."""
        deadline = time.monotonic() + PATIENCE * 3
        time.sleep(HEARD_SECONDS)
        while any(began < moment for began in list(self._open.values())):
            if time.monotonic() > deadline:
                raise LoadError("requests are open that should have ended long ago")
            time.sleep(0.02)

    def _hear(self, told: Any) -> None:
        """Take what is told: a request's number with its beginning or its record; or the end."""
        if isinstance(told, str):
            self.ended = told
            return
        number, what = told
        if isinstance(what, Record):
            self.records.append(what)
            del self._open[number]
        else:
            self._open[number] = what

    # --- In the other process ---

    def _work(self, tell: Callable[[Any], None]) -> None:
        self._tell = tell
        asyncio.run(self._ask())

    async def _ask(self) -> None:
        began = time.monotonic()
        clients = [self._often(kind, self._one) for kind in (NEW, SLOW, POST)]
        clients += [self._keep() for _ in range(KEPT_CLIENTS)]
        tasks = [asyncio.create_task(client) for client in clients]
        while not self._stopping.is_set():
            await asyncio.sleep(0.05)
            if self._sent >= MAX_REQUESTS or time.monotonic() - began > MAX_SECONDS:
                self._tell(f"the load has ended: {self._sent} requests")
                break
        for task in tasks:
            task.cancel()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(rest, timeout=PATIENCE * 2) if rest else None

    async def _often(self, kind: str, one: Callable[[str], Coroutine[None, None, None]]) -> None:
        """Send requests of a kind at their rate, each on its own."""
        pending: set[asyncio.Task[None]] = set()
        async for _ in beats(1 / self.rates[kind]):
            task = asyncio.create_task(one(kind))
            pending.add(task)
            task.add_done_callback(pending.discard)

    async def _keep(self) -> None:
        """Send requests one after the other over one connection, as long as it lasts."""
        held: list[Connection] = []
        async for _ in beats(KEPT_CLIENTS / self.rates[KEPT]):
            await asyncio.shield(asyncio.create_task(self._one(KEPT, held)))

    async def _one(self, kind: str, held: list[Connection] | None = None) -> None:
        """Send one request and record what became of it."""
        self._sent += 1
        number, started = self._sent, time.monotonic()
        self._tell((number, started))
        mark = f"{self._run}-{number}" if kind == POST else ""
        told = Told(started)
        try:
            async with asyncio.timeout(PATIENCE + (SLOW_SECONDS if kind == SLOW else 0)):
                reason = await self._try(kind, mark, held if held is not None else [], told)
        except TimeoutError:
            reason = "timeout"
        except NoAnswerError as error:
            reason = str(error)
        ended = time.monotonic()
        record = Record(kind, started, told.asked, ended, reason, mark, told.retried)
        self._tell((number, record))

    async def _try(self, kind: str, mark: str, held: list[Connection], told: Told) -> str:
        """Ask once, and once more where any HTTP client would; return why it failed, or ""."""
        reused = bool(held)
        connection = held.pop() if held else await connect(self.address, self.port)
        try:
            status, stays = await self._over(connection, kind, mark, told)
        except NoAnswerError as error:
            # RFC 9110, 9.2.2: only what is idempotent, and only when it was not answered.
            if not (reused and error.untouched and not mark):
                raise
            told.retried = True
            connection = await connect(self.address, self.port)
            status, stays = await self._over(connection, kind, mark, told)
        if kind == KEPT and stays:
            held.append(connection)
        else:
            connection.close()
        return "" if status == OK else f"status {status}"

    async def _over(
        self, connection: Connection, kind: str, mark: str, told: Told
    ) -> tuple[int, bool]:
        """Ask over a connection, which is closed unless all went well."""
        try:
            return await self._exchange(connection, kind, mark, told)
        except BaseException:
            connection.close()
            raise

    async def _exchange(
        self, connection: Connection, kind: str, mark: str, told: Told
    ) -> tuple[int, bool]:
        if mark:
            body = json.dumps({"id": mark}).encode()
            words = request("POST", self.paths.tally, self._host, body)
        else:
            words = request("GET", self.paths.page, self._host, keep=kind == KEPT)
        pieces = SLOW_PIECES if kind == SLOW else 1
        try:
            await send(connection, words, pieces, SLOW_SECONDS)
        except ConnectionError as error:
            raise NoAnswerError("reset", untouched=True) from error
        if kind == SLOW:
            told.asked = time.monotonic()
        return await receive(connection)


@dataclass
class Told:
    """What a request tells beside its answer."""

    asked: float
    retried: bool = False


class Watch:
    """A stretch of time under load.

    Attributes:
        began: when it began, of ``time.monotonic``.
        seen: what the clients saw; there once it is closed.

    """

    def __init__(self, load: Load) -> None:
        """Begin to watch."""
        self.load = load
        self.began = time.monotonic()
        self.seen = Seen()
        self._first = len(load.records)

    def close(self) -> Seen:
        """Keep what was seen up to now, and return it; the requests that are open are waited for.

        Raises:
            LoadError: nobody asks any more.

        """
        moment = time.monotonic()
        self.load.settle(moment)
        self.load.require()
        records = self.load.records[self._first :]
        self.seen = summary(records, self.began, moment, self.load.executed())
        return self.seen


async def beats(seconds: float) -> AsyncIterator[None]:
    """Yield at a steady rate; what was missed while this machine was busy is not made up for."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + seconds, time.monotonic() - seconds)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
