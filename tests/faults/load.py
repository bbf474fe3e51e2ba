"""The load during a fault: clients that send requests all the time, and what they saw.

Four kinds of clients send requests to one address and port, from a process of their own: some open
a connection for each request, some keep theirs, some send their head slowly, and some POST an id
that has to be executed exactly once. Requests are sent at a fixed rate, whether the earlier ones
were answered or not; so a service that hangs does not get fewer.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import json
import math
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from faults.background import CONTEXT, BackgroundProcess

NEW, KEPT, SLOW, POST = "new", "kept", "slow", "post"
# Requests per second of each kind: together about a tenth of what the service can answer.
RATES = {NEW: 20.0, KEPT: 32.0, SLOW: 4.0, POST: 16.0}
KEPT_CLIENTS = 4
# Seconds after which a client gives up, as a student would.
PATIENCE = 5.0
SLOW_PIECES, SLOW_SECONDS = 4, 0.6
# The load ends by itself after this many requests or seconds.
MAX_REQUESTS, MAX_SECONDS = 250_000, 2700.0
# Reports of the clients and of the tally arrive through pipes: usually within HEARD_SECONDS; a
# report that is missing after LATEST_SECONDS will not come.
HEARD_SECONDS, LATEST_SECONDS = 0.1, 10.0
# How a request fails behind HAProxy whose connection to the service is cut: before the answer has
# begun, HAProxy answers 502; later the client gets a part of the answer, and then the end or a
# reset. Status 503 would mean that HAProxy did not hold the request until the service was back.
CUT = {"status 502", "torn", "reset"}
# A kill cuts all requests in flight at once; but the kernel closes the connections of the killed
# process one by one, and on a busy machine another request can be accepted in between.
KILL_SECONDS = 0.25
LARGEST_HEAD = 65536
OK = 200
USER_AGENT = "classvm-load"


class LoadError(RuntimeError):
    """The load has ended, or never began."""


class NoAnswerError(Exception):
    """A request got no complete answer; the text names the reason in a word.

    Attributes:
        untouched: whether the connection ended before the first byte of an answer.

    """

    def __init__(self, reason: str, *, untouched: bool = False) -> None:
        super().__init__(reason)
        self.untouched = untouched


@dataclass(frozen=True)
class Paths:
    """Paths of the requests: a page for GET, and the path to which ids are posted."""

    page: str
    tally: str


@dataclass(frozen=True)
class Record:
    """One request; times are those of ``time.monotonic``.

    Attributes:
        kind: the kind of client.
        started: when the client began to connect.
        asked: when the request was complete, so that the service could answer.
        ended: when the answer was complete, or the request had failed.
        reason: why it failed, in a word or two; "" for a good answer.
        id: the id that a POST carried.
        retried: whether it was sent twice, because the server had closed the kept connection.

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
    """What the clients saw in a period of time.

    Attributes:
        requests: number of requests.
        failed: number of failed requests, by reason.
        doubled: POSTs that were executed more than once.
        lost: POSTs that got a good answer and were never executed.
        apart: seconds by which the failed requests miss being in flight at one common moment; 0
            when there is such a moment, or nothing failed.
        retried: requests that had to be sent a second time on a new connection.
        p50, p99: of the good answers, in seconds.
        gap: longest time without a good answer, in seconds.
        healthy_after: seconds from the beginning to the first good answer after the last failure.

    """

    requests: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    doubled: int = 0
    lost: int = 0
    apart: float = 0.0
    retried: int = 0
    p50: float = math.nan
    p99: float = math.nan
    gap: float = math.nan
    healthy_after: float = 0.0

    @property
    def failures(self) -> int:
        """How many requests failed."""
        return sum(self.failed.values())

    @property
    def only_cut_at_one_moment(self) -> bool:
        """Whether each failure is that of a request which was in flight at one kill."""
        return set(self.failed) <= CUT and self.apart <= KILL_SECONDS

    def __str__(self) -> str:
        """Describe it in one line."""
        why = ", ".join(f"{count} {reason}" for reason, count in sorted(self.failed.items()))
        return (
            f"{self.requests} requests, {self.failures} failed{f' ({why})' if why else ''},"
            f" {self.doubled} doubled, {self.lost} lost, {self.retried} retried,"
            f" p50 {self.p50 * 1000:.0f} ms, p99 {self.p99 * 1000:.0f} ms, gap {self.gap:.2f} s"
        )


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that a share (0..1) of all values does not exceed."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def summary(
    records: Sequence[Record], begin: float, end: float, executed: Mapping[str, int]
) -> Seen:
    """Return what the clients saw between two moments.

    Args:
        records: requests; those that were open at any time between the moments count.
        begin: a moment of ``time.monotonic``.
        end: a later moment.
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
        apart=apart([one for one in mine if one.reason]),
        retried=sum(one.retried for one in mine),
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        gap=max((b - a for a, b in itertools.pairwise(times)), default=math.nan),
        healthy_after=healthy_after(good, bad, begin),
    )


def gap_summary(gaps: Sequence[float | None]) -> str:
    """Return the median and the largest of some gaps, in seconds.

    A gap is None where nobody saw it: a busy service took too long to answer before the swap.
    """
    seen = [one for one in gaps if one is not None]
    parts = [f"{len(gaps) - len(seen)} not seen"] if len(seen) < len(gaps) else []
    if seen:
        middle, largest = statistics.median(seen), max(seen)
        parts = [f"{middle:.2f} s (median)", f"{largest:.2f} s (maximum)", *parts]
    return ", ".join(parts)


def apart(records: Sequence[Record]) -> float:
    """Return the seconds by which requests miss a common moment at which all are in flight."""
    if not records:
        return 0.0
    return max(0.0, max(one.started for one in records) - min(one.ended for one in records))


def healthy_after(good: Sequence[float], bad: Sequence[float], begin: float) -> float:
    """Return the seconds until the first good answer after the last failure.

    It is 0 when nothing failed, and infinity when no good answer followed.

    Args:
        good: when good answers outcome, in order.
        bad: when requests failed.
        begin: when the period began.

    """
    if not bad:
        return 0.0
    return next((moment for moment in good if moment > max(bad)), math.inf) - begin


# --- One request --------------------------------------------------------------------------------


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
        NoAnswerError: the connection is not accepted.

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
        NoAnswerError: there is no answer, or it is incomplete.

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
        # After a reset, the reader no longer returns the bytes that outcome before it.
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


# --- All of them --------------------------------------------------------------------------------


class Load:
    """The clients, from `start` to `stop`.

    Attributes:
        records: every request that has ended.
        ended: why the clients ended before `stop`; "" while they run.

    """

    def __init__(
        self,
        address: str,
        port: int,
        paths: Paths,
        executed: Callable[[], Mapping[str, int]] = dict,
        rates: Mapping[str, float] = RATES,
    ) -> None:
        """Prepare the clients.

        Args:
            address: numeric address of the machine under load; the caller has made sure that it
                belongs to a lab.
            port: its TCP port.
            paths: paths of the requests.
            executed: returns how often each id was executed.
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
        self._background = BackgroundProcess(self._work, self._take)

    def start(self) -> None:
        """Start the clients."""
        self._background.start()

    def stop(self) -> None:
        """Stop sending, and wait for the last answers."""
        self._stopping.set()
        self._background.join(PATIENCE * 3)

    @contextlib.contextmanager
    def watch(self) -> Iterator[Watch]:
        """Watch what the clients see while the block runs; afterwards the watch has `seen`."""
        watch = Watch(self)
        yield watch
        watch.close()

    def require(self) -> None:
        """Make sure that the clients still run: without requests, nothing could fail.

        Raises:
            LoadError: they do not run.

        """
        if self.ended or not self._background.is_running:
            raise LoadError(self.ended or "the clients have died; their output stands above")

    def settle(self, moment: float) -> None:
        """Wait until every request that began before a moment has ended."""
        deadline = time.monotonic() + PATIENCE * 3
        time.sleep(HEARD_SECONDS)
        while any(began < moment for began in list(self._open.values())):
            if time.monotonic() > deadline:
                raise LoadError("requests are open that should have ended long ago")
            time.sleep(0.02)

    def _take(self, message: Any) -> None:
        """Take a message of the clients.

        It is a request's number with its start or its record, or the reason why the load ended.
        """
        if isinstance(message, str):
            self.ended = message
            return
        number, start_or_record = message
        if isinstance(start_or_record, Record):
            self.records.append(start_or_record)
            del self._open[number]
        else:
            self._open[number] = start_or_record

    # --- In the other process ---

    def _work(self, report: Callable[[Any], None]) -> None:
        self._report = report
        asyncio.run(self._ask())

    async def _ask(self) -> None:
        began = time.monotonic()
        clients = [self._often(kind, self._one) for kind in (NEW, SLOW, POST)]
        clients += [self._keep() for _ in range(KEPT_CLIENTS)]
        tasks = [asyncio.create_task(client) for client in clients]
        while not self._stopping.is_set():
            await asyncio.sleep(0.05)
            if self._sent >= MAX_REQUESTS or time.monotonic() - began > MAX_SECONDS:
                self._report(f"the load has ended: {self._sent} requests")
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
        """Send one request and record its result."""
        self._sent += 1
        number, started = self._sent, time.monotonic()
        self._report((number, started))
        mark = f"{self._run}-{number}" if kind == POST else ""
        details = Details(started)
        try:
            async with asyncio.timeout(PATIENCE + (SLOW_SECONDS if kind == SLOW else 0)):
                reason = await self._try(kind, mark, held if held is not None else [], details)
        except TimeoutError:
            reason = "timeout"
        except NoAnswerError as error:
            reason = str(error)
        ended = time.monotonic()
        record = Record(kind, started, details.asked, ended, reason, mark, details.retried)
        self._report((number, record))

    async def _try(self, kind: str, mark: str, held: list[Connection], details: Details) -> str:
        """Send a request, and again where any HTTP client would; return why it failed, or ""."""
        reused = bool(held)
        connection = held.pop() if held else await connect(self.address, self.port)
        try:
            status, stays = await self._over(connection, kind, mark, details)
        except NoAnswerError as error:
            # RFC 9110, 9.2.2: repeat only idempotent requests, and only without any answer.
            if not (reused and error.untouched and not mark):
                raise
            details.retried = True
            connection = await connect(self.address, self.port)
            status, stays = await self._over(connection, kind, mark, details)
        if kind == KEPT and stays:
            held.append(connection)
        else:
            connection.close()
        return "" if status == OK else f"status {status}"

    async def _over(
        self, connection: Connection, kind: str, mark: str, details: Details
    ) -> tuple[int, bool]:
        """Send a request over a connection, which is closed when that fails."""
        try:
            return await self._exchange(connection, kind, mark, details)
        except BaseException:
            connection.close()
            raise

    async def _exchange(
        self, connection: Connection, kind: str, mark: str, details: Details
    ) -> tuple[int, bool]:
        if mark:
            body = json.dumps({"id": mark}).encode()
            message = request("POST", self.paths.tally, self._host, body)
        else:
            message = request("GET", self.paths.page, self._host, keep=kind == KEPT)
        pieces = SLOW_PIECES if kind == SLOW else 1
        try:
            await send(connection, message, pieces, SLOW_SECONDS)
        except ConnectionError as error:
            raise NoAnswerError("reset", untouched=True) from error
        if kind == SLOW:
            details.asked = time.monotonic()
        return await receive(connection)


@dataclass
class Details:
    """Details of a request that are known even when it fails."""

    asked: float
    retried: bool = False


class Watch:
    """A period of time under load.

    Attributes:
        began: when it began, of ``time.monotonic``.
        seen: what the clients saw; set by `close`.

    """

    def __init__(self, load: Load) -> None:
        """Begin the period."""
        self.load = load
        self.began = time.monotonic()
        self.seen = Seen()
        self._first = len(load.records)

    def close(self) -> Seen:
        """End the period, wait for the requests that are open, and return what was seen.

        Raises:
            LoadError: the clients do not run any more.

        """
        moment = time.monotonic()
        self.load.settle(moment)
        self.load.require()
        records = self.load.records[self._first :]
        deadline = time.monotonic() + LATEST_SECONDS
        while True:
            self.seen = summary(records, self.began, moment, self.load.executed())
            # On a busy machine a POST's answer can be here before the report of its execution.
            if not self.seen.lost or time.monotonic() > deadline:
                return self.seen
            time.sleep(HEARD_SECONDS)


async def beats(seconds: float) -> AsyncIterator[None]:
    """Yield at a fixed rate; beats that were missed while this machine was busy are left out."""
    due = time.monotonic()
    while True:
        yield
        due = max(due + seconds, time.monotonic() - seconds)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
