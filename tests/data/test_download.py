"""Downloads from a server that misbehaves in every way."""

from __future__ import annotations

import gc
import hashlib
import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gossamer.data import _download
from gossamer.data._retry_after import retry_after
from gossamer.data.utils import check_sha1, download, get_download_dir
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError

CONTENT = bytes(range(256)) * 1000


class Server:
    """Answers requests with the queued replies, then with CONTENT."""

    def __init__(self) -> None:
        self.replies: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests += 1
                (outer.replies.pop(0) if outer.replies else send)(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        # With the default it takes half a second to shut down.
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/folder/file.bin"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def send(handler: BaseHTTPRequestHandler, announced: int = len(CONTENT)) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(announced))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def truncated(handler: BaseHTTPRequestHandler) -> None:
    send(handler, len(CONTENT) + 7)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


class Versioned:
    """Serves `content` with `headers`; heeds Range as told; stops after `stop` bytes of a body."""

    def __init__(self, content: bytes = CONTENT, **headers: str) -> None:
        self.content = content
        self.headers = headers or {"ETag": '"one"'}
        self.stop: list[int] = []
        self.ranges = self.checks = True
        self.asked: list[str | None] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers["Range"]
        self.asked.append(wanted)
        start = int(wanted[len("bytes=") : -1]) if wanted and self.ranges else 0
        if self.checks and handler.headers["If-Range"] not in self.headers.values():
            start = 0
        if start >= len(self.content):
            return handler.send_error(416)
        handler.send_response(206 if start else 200)
        for name, value in self.headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if start:
            total = len(self.content)
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        body = self.content[start:]
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: self.stop.pop(0) if self.stop else None])
        return None


def status(code: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: handler.send_error(code)


def busy(code: int, retry_after: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        handler.send_header("Retry-After", retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return reply


def in_seconds(seconds: float) -> str:
    return formatdate(time.time() + seconds, usegmt=True)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(_download.time, "sleep", pauses.append)
    return pauses


def test_writes_the_content_and_returns_the_path(server: Server, tmp_path: Path) -> None:
    path = download(server.url, str(tmp_path / "new" / "x.bin"), log=False)
    assert path == str(tmp_path / "new" / "x.bin")
    assert Path(path).read_bytes() == CONTENT


def test_takes_the_name_from_the_url_in_a_folder(server: Server, tmp_path: Path) -> None:
    assert download(server.url, str(tmp_path), log=False) == str(tmp_path / "file.bin")


@pytest.mark.parametrize(
    "reply", [truncated, hang_up, status(500), status(503), status(429)], ids=range(5)
)
def test_retries_with_growing_pauses(
    server: Server, tmp_path: Path, pauses: list[float], reply: Callable
) -> None:
    server.replies = [reply, reply, reply]
    path = download(server.url, str(tmp_path), log=False)
    assert Path(path).read_bytes() == CONTENT
    assert server.requests == 4
    assert pauses == [0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    ("code", "text", "pause"),
    [
        (503, "7", 7),
        (429, "60", 60),
        # Its own pause is longer, or what it says is no time.
        (429, "0", 0.5),
        (503, "soon", 0.5),
        (503, "-3", 0.5),
        (503, "\xb2", 0.5),
        (503, "Sun, 06 Nov 1994 08:49:37 GMT", 0.5),
        (503, "Sun, 06 Nov 99999999999999999999 08:49:37 GMT", 0.5),
    ],
)
def test_waits_as_long_as_a_busy_server_asks(
    server: Server, tmp_path: Path, pauses: list[float], code: int, text: str, pause: float
) -> None:
    server.replies = [busy(code, text), hang_up]
    path = download(server.url, str(tmp_path), log=False)
    assert Path(path).read_bytes() == CONTENT
    assert pauses == [pause, 1.0]


def test_waits_until_a_date(server: Server, tmp_path: Path, pauses: list[float]) -> None:
    server.replies = [lambda handler: busy(429, in_seconds(40))(handler)]
    download(server.url, str(tmp_path), log=False)
    # Dates are in whole seconds, and the machine may be busy.
    assert pauses == [pytest.approx(40, abs=10)]


def test_a_date_counts_from_the_clock_of_the_server() -> None:
    now = "Sun, 06 Nov 1994 08:49:37 GMT"
    later = "Sun, 06 Nov 1994 08:50:07 GMT"
    assert retry_after({"Retry-After": later, "Date": now}) == 30
    assert retry_after({"Retry-After": later, "Date": "yesterday"}) == 0
    assert retry_after({"Retry-After": in_seconds(30)}) == pytest.approx(30, abs=10)
    assert retry_after({"Retry-After": "9" * 5000}) > 1e9
    assert retry_after({}) == 0


@pytest.mark.parametrize("wait", ["61", "9" * 5000, None])
def test_a_server_that_asks_to_wait_for_long_is_not_tried_again(
    server: Server, tmp_path: Path, pauses: list[float], wait: str | None
) -> None:
    server.replies = [busy(503, wait or in_seconds(3600))]
    with pytest.raises(FileError, match=r"answered 503 .* asked to wait for [\d,]+ s\. Try again"):
        download(server.url, str(tmp_path), log=False)
    assert (pauses, server.requests) == ([], 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reply", [truncated, hang_up, status(500)], ids=range(3))
def test_gives_up_and_leaves_nothing(
    server: Server, tmp_path: Path, pauses: list[float], reply: Callable
) -> None:
    server.replies = [reply] * 2
    with pytest.raises(FileError, match=r"Cannot download http.*2 attempts.*save it as"):
        download(server.url, str(tmp_path), retries=2, log=False)
    assert list(tmp_path.iterdir()) == []


# urllib leaves a connection to the garbage collector when it cannot read where it is redirected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("http://[", "it is or leads to a malformed address"),
        ("file:///etc/passwd", "the server answered 302 .*is not allowed"),
        ("/folder/file.bin", "the server answered 302 .*infinite loop"),
    ],
)
def test_a_redirection_that_leads_nowhere(server: Server, tmp_path, target, message) -> None:
    def redirect(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.replies = [redirect] * 20
    with pytest.raises(FileError, match=message) as error:
        download(server.url, str(tmp_path), log=False)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    del error
    gc.collect()


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "-5", "many"])
def test_a_length_that_is_no_number(server: Server, tmp_path: Path, length: str) -> None:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", length)
        handler.end_headers()
        handler.wfile.write(CONTENT)

    server.replies = [reply]
    path = download(server.url, str(tmp_path), log=False, retries=1)
    assert Path(path).read_bytes() == CONTENT


def test_a_server_that_stalls(server: Server, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(_download, "_TIMEOUT_SECONDS", 0.3)
    done = threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        done.wait(5)

    server.replies = [stall]
    with pytest.raises(FileError, match=r"sent nothing for 0\.3 s \(1 attempt\)"):
        download(server.url, str(tmp_path), retries=1, log=False)
    done.set()


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_refusal_is_not_retried(
    server: Server, tmp_path: Path, pauses: list[float], code: int
) -> None:
    server.replies = [status(code)]
    with pytest.raises(FileError, match=f"the server answered {code}"):
        download(server.url, str(tmp_path), log=False)
    assert pauses == []
    assert server.requests == 1


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksum(server: Server, tmp_path: Path, algorithm: str) -> None:
    right = hashlib.new(algorithm, CONTENT).hexdigest()
    path = Path(download(server.url, str(tmp_path), sha1_hash=right.upper(), log=False))
    path.write_bytes(b"kept")
    wrong = "0" * len(right)
    with pytest.raises(FileError, match=f"has the {algorithm} checksum {right}, not {wrong}"):
        download(server.url, str(tmp_path), sha1_hash=wrong, log=False)
    assert path.read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [path]


def test_overwrite(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")
    right = hashlib.sha1(CONTENT).hexdigest()
    download(server.url, str(path), overwrite=False, log=False)
    assert path.read_bytes() == b"old"
    download(server.url, str(path), overwrite=False, sha1_hash=right, log=False)
    assert path.read_bytes() == CONTENT
    download(server.url, str(path), overwrite=False, sha1_hash=right, log=False)
    assert server.requests == 1


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    def unknown(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(FileError, match=r"no network, or no such host as nowhere\.invalid"):
        download("https://nowhere.invalid/a.zip", str(tmp_path / "new" / "er" / "a.zip"), log=False)
    assert pauses == []
    assert list(tmp_path.iterdir()) == []


def test_a_connection_is_not_waited_for_long_nor_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    written, calls = io.BytesIO(), []

    def connect(address: object, timeout: float, *rest: object) -> None:
        calls.append((timeout, written.getvalue()))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written))
    monkeypatch.setenv("no_proxy", "*")
    with pytest.raises(
        FileError, match=r"no connection to far\.invalid within 10 s\. Check .* save"
    ):
        download("http://far.invalid/a.zip", str(tmp_path / "a.zip"))
    assert pauses == []
    [(timeout, shown)] = calls
    assert timeout == 10
    assert shown.startswith(b"Downloading http://far.invalid/a.zip to ")


def test_progress_is_shown_only_if_asked(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    download(server.url, str(tmp_path), log=False)
    assert capsys.readouterr() == ("", "")
    download(server.url, str(tmp_path), log=True)
    shown = capsys.readouterr()
    assert f"Downloading {server.url}" in shown.out
    assert "file.bin:" in shown.err


def test_works_without_tqdm(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    path = download(server.url, str(tmp_path), log=True)
    assert Path(path).read_bytes() == CONTENT


def test_unwritable_folder(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match=r"Cannot create the folder .*raw_dir"):
        download(server.url, str(tmp_path / "file" / "x"), log=False)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"url": "http://["}, InvalidValueError, "http or https url, got"),
        ({"url": 3}, InvalidTypeError, "url must be a str, got int"),
        ({"url": "file:///etc/passwd"}, InvalidValueError, "http or https url, got 'file:"),
        ({"url": "http://host/"}, InvalidValueError, "ends without a file name"),
        ({"url": "http://host/.."}, InvalidValueError, "ends without a file name"),
        ({"url": "http://host/%2e%2e%2f"}, InvalidValueError, "ends without a file name"),
        ({"url": "http://host/a", "retries": 0}, InvalidValueError, "at least 1, got 0"),
        ({"url": "http://host/a", "retries": 2.0}, InvalidTypeError, "an int, got float"),
        ({"url": "http://host/a", "sha1_hash": "abc"}, InvalidValueError, "digits, got 3"),
    ],
)
def test_bad_arguments(arguments: dict, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        download(**arguments, log=False)


def test_check_sha1(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"abc")
    right = hashlib.sha1(b"abc").hexdigest()
    assert check_sha1(file, right)
    assert not check_sha1(file, right[::-1])
    with pytest.raises(InvalidValueError, match="expected 40 hexadecimal digits, got 64"):
        check_sha1(file, "0" * 64)
    with pytest.raises(FileError, match="Cannot read"):
        check_sha1(tmp_path / "b", right)


def test_download_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSAMER_DOWNLOAD_DIR", str(tmp_path / "cache"))
    assert get_download_dir() == str(tmp_path / "cache")
    assert (tmp_path / "cache").is_dir()
    monkeypatch.delenv("GOSSAMER_DOWNLOAD_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert get_download_dir() == str(tmp_path / ".gossamer")


STOP = 100_000


@pytest.mark.parametrize("headers", [{"ETag": '"1"'}, {"ETag": 'W/"1"', "Last_Modified": "Mon"}])
def test_an_attempt_goes_on_where_the_last_one_stopped(
    server: Server, tmp_path: Path, pauses: list[float], headers: dict[str, str]
) -> None:
    file = Versioned(**headers)
    file.stop = [STOP, 50_000]
    server.replies = [file] * 3
    path = Path(download(server.url, str(tmp_path), log=False))
    assert path.read_bytes() == CONTENT
    assert file.asked == [None, f"bytes={STOP}-", f"bytes={STOP + 50_000}-"]
    assert list(tmp_path.iterdir()) == [path]


def _interrupted(server: Server, folder: Path, file: Versioned) -> None:
    file.stop, server.replies = [STOP], [file]
    with pytest.raises(FileError, match=f"closed after {STOP} of {len(CONTENT)} bytes"):
        download(server.url, str(folder), retries=1, log=False)
    assert (folder / ".file.bin.part").read_bytes() == CONTENT[:STOP]
    assert not (folder / "file.bin").exists()


@pytest.mark.parametrize(
    ("change", "asked"),
    [
        ({}, 2),
        ({"ranges": False}, 2),
        # The server notices that the version has changed; it does not, but says which it sends.
        ({"headers": {"ETag": '"two"'}, "content": CONTENT[::-1]}, 2),
        ({"headers": {"ETag": '"two"'}, "content": CONTENT[::-1], "checks": False}, 3),
        # Nothing but the size tells.
        ({"headers": {"X": "y"}, "content": CONTENT[::-1] + b"!", "checks": False}, 3),
        # The new version ends before the part that is asked for.
        ({"content": b"short"}, 3),
    ],
    ids=["same", "no ranges", "changed", "If-Range ignored", "size", "416"],
)
def test_the_next_call_goes_on(server: Server, tmp_path: Path, change: dict, asked: int) -> None:
    file = Versioned()
    _interrupted(server, tmp_path, file)
    vars(file).update(change)
    server.replies = [file] * 2
    # One attempt is enough.
    checksum = hashlib.sha256(file.content).hexdigest()
    path = Path(download(server.url, str(tmp_path), True, checksum, retries=1, log=False))
    assert path.read_bytes() == file.content
    assert file.asked == [None, f"bytes={STOP}-", None][:asked]
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_of_another_address_or_without_a_note_is_not_used(
    server: Server, tmp_path: Path
) -> None:
    for damage in ("address", "note"):
        file = Versioned()
        _interrupted(server, tmp_path, file)
        if damage == "note":
            (tmp_path / ".file.bin.part.json").write_text('{"url": ')
        server.replies = [file]
        url = server.url if damage == "note" else f"{server.url}?mirror"
        path = Path(download(url, str(tmp_path), log=False))
        assert path.read_bytes() == CONTENT and file.asked == [None, None]
        path.unlink()
        assert list(tmp_path.iterdir()) == []


def test_a_refusal_keeps_the_part_of_another_address(server: Server, tmp_path: Path) -> None:
    _interrupted(server, tmp_path, Versioned())
    server.replies = [status(404)]
    with pytest.raises(FileError, match="answered 404"):
        download(f"{server.url}?mirror", str(tmp_path / "file.bin"), log=False)
    assert (tmp_path / ".file.bin.part").read_bytes() == CONTENT[:STOP]


def test_a_wrong_continuation_is_found_by_the_checksum(server: Server, tmp_path: Path) -> None:
    file = Versioned()
    _interrupted(server, tmp_path, file)
    file.content = CONTENT[::-1]
    server.replies = [file]
    with pytest.raises(FileError, match="its content has changed"):
        download(server.url, str(tmp_path), sha1_hash="0" * 40, log=False)
    assert list(tmp_path.iterdir()) == []


def test_two_downloads_of_one_file_take_turns(server: Server, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(handler: BaseHTTPRequestHandler) -> None:
        begun.set()
        go_on.wait(10)
        Versioned()(handler)

    server.replies = [slow]
    arguments = (server.url, str(tmp_path / "file.bin"), False)
    threads = [
        threading.Thread(target=download, args=arguments, kwargs={"log": False}) for _ in range(2)
    ]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert server.requests == 1
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert len(list(tmp_path.iterdir())) == 1
