"""Downloads with retries, resumed transfers and atomic creation of files."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO

from gossamer._files import put_in_place
from gossamer._optional import optional_import
from gossamer._options import integer, require
from gossamer.data._files import (
    checksum_algorithm,
    file_checksum,
    make_folder,
    matches_checksum,
)
from gossamer.data._retry_after import retry_after
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError, MissingExtraError

_CHUNK = 1 << 16
# Limit for connecting, and for each pause of the server after that.
_TIMEOUT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.5
# The longest delay that a busy server may request; if it requests more, there is no retry.
_LONGEST_PAUSE_SECONDS = 60.0
_FIX = "Choose a folder that you may write to."
# Temporary errors of the server; any other 4xx error would occur again.
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}
_PARTIAL_CONTENT = 206
_RANGE_NOT_SATISFIABLE = 416


class _Transient(Exception):
    """A failure that may be retried, after at least `pause` seconds."""

    def __init__(self, reason: str, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.pause = pause


def download(
    url: str,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = True,
    sha1_hash: str | None = None,
    retries: int = 5,
    verify_ssl: bool = True,
    log: bool = True,
) -> str:
    """Download `url` to a file.

    The content is written to ``.NAME.part`` in the folder of the target, and renamed once it is
    complete and its checksum is correct. Broken connections, responses that stall for 10 seconds
    and temporary errors of the server are retried after pauses of 0.5, 1, 2, 4 ... seconds, or
    longer if the server requests it with ``Retry-After``. The download fails if there is no
    connection within 10 seconds, or the server requests a pause of more than 60 seconds. The next
    attempt or call requests only the missing bytes if the server identified the version of the file
    (by a strong ETag or Last-Modified) and still has that version; otherwise it starts again. If
    another process is downloading the same file, this one waits for it.

    Parameters
    ----------
    url : str
        An http or https address.
    path : str, optional
        Target file, or an existing folder for it. Default: a file in the working folder, named like
        the last part of the URL.
    overwrite : bool, optional
        Whether to download a file again if it exists. A file with a wrong checksum is always
        downloaded again.
    sha1_hash : str, optional
        Expected SHA-1 (40 hexadecimal digits) or SHA-256 (64).
    retries : int, optional
        Maximum number of attempts.
    verify_ssl : bool, optional
        Whether to check the server's certificate.
    log : bool, optional
        Whether to print the URL and show a progress bar (if `tqdm` is installed).

    Returns
    -------
    str
        Path of the file.

    Raises
    ------
    FileError
        If there is no network, the server refuses the request, the checksum of the content is
        wrong, or the folder is not writable.
    """
    _check_arguments(url, sha1_hash, retries)
    target = _target(url, path)

    def present() -> bool:
        return (
            not overwrite
            and target.exists()
            and (not sha1_hash or matches_checksum(target, sha1_hash))
        )

    if present():
        return str(target)
    if log:
        # Flushed, since the download may take long.
        print(f"Downloading {url} to {target}", flush=True)
    context = None if verify_ssl else ssl._create_unverified_context()
    with _partial(target) as partial:
        # Another process may have fetched it while this one waited for the lock.
        if present():
            return str(target)
        pause = 0.0
        for attempt in range(retries):
            if attempt:
                time.sleep(max(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), pause))
            try:
                _fetch(url, partial, context, log)
                _check_content(url, partial, sha1_hash)
                partial.complete()
                return str(target)
            except _Transient as error:
                reason, pause = error, error.pause
                if log:
                    print(f"Attempt {attempt + 1} of {retries} failed: {error}", flush=True)
    attempts = "1 attempt" if retries == 1 else f"{retries} attempts"
    raise FileError(
        f"Cannot download {url}: {reason} ({attempts}). "
        f"Try again later, or fetch it by other means and save it as {target}."
    )


def _check_arguments(url: str, checksum: str | None, retries: int) -> None:
    require(url, str, "download", "url")
    try:
        known = urllib.parse.urlsplit(url).scheme in ("http", "https")
    except ValueError:
        known = False
    if not known:
        raise InvalidValueError(f"download: expected an http or https url, got '{url}'.")
    if integer(retries) is None:
        raise InvalidTypeError(f"download: retries must be an int, got {type(retries).__name__}.")
    if retries < 1:
        raise InvalidValueError(f"download: retries must be at least 1, got {retries}.")
    if checksum is not None:
        checksum_algorithm(checksum)


def _target(url: str, path: str | os.PathLike[str] | None) -> Path:
    name = urllib.parse.unquote(urllib.parse.urlsplit(url).path).rpartition("/")[2]
    if path is not None and not Path(path).expanduser().is_dir():
        return Path(path).expanduser().absolute()
    if name in ("", ".", ".."):
        raise InvalidValueError(
            f"download: '{url}' ends without a file name. Give path a file name."
        )
    return Path(path or ".").expanduser().absolute() / name


class _Partial:
    """The bytes of `target` received so far, with their URL and version."""

    def __init__(self, target: Path, path: Path, file: BinaryIO) -> None:
        self.target = target
        self._path = path
        self._file = file
        self._note = path.with_name(f"{path.name}.json")

    @property
    def size(self) -> int:
        self._file.flush()
        return os.fstat(self._file.fileno()).st_size

    def headers(self, url: str) -> dict[str, str]:
        """Return headers that request only the missing bytes, if the version is unchanged."""
        source = self._source()
        if not self.size or source.get("url") != url or not source["version"]:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": source["version"]}

    def continues(self, url: str, response: Any) -> bool:
        """Whether the body continues the received bytes; otherwise it replaces them."""
        if response.status == _PARTIAL_CONTENT:
            span, _, total = response.headers.get("Content-Range", "").rpartition("/")
            known = self._source()
            # A response to If-Range may omit the version.
            return (
                span.startswith(f"bytes {self.size}-")
                and _version(response) in ("", known["version"])
                and (not known["total"] or total == known["total"])
            )
        self.discard()
        total = response.headers.get("Content-Length", "")
        source = {"url": url, "version": _version(response), "total": total}
        self._note.write_text(json.dumps(source), "utf-8")
        return True

    def write(self, chunk: bytes) -> None:
        try:
            self._file.write(chunk)
        except OSError as error:
            self.discard()
            raise FileError(
                f"Cannot write {self.target}: {error.strerror}. "
                "Free some space or choose another folder."
            ) from None

    def discard(self) -> None:
        self._file.truncate(0)

    def complete(self) -> None:
        """Rename the file to `target`."""
        self._file.flush()
        self._note.unlink(missing_ok=True)
        put_in_place(self._path, self.target, _FIX)

    def tidy(self) -> None:
        """Delete partial content that no later call could continue."""
        if not self.size or not self._source().get("version"):
            self._path.unlink(missing_ok=True)
            self._note.unlink(missing_ok=True)

    def checksum(self, algorithm: str) -> str:
        self._file.flush()
        return file_checksum(self._path, algorithm)

    def _source(self) -> dict[str, str]:
        # The file may be incomplete after a crash.
        with suppress(FileNotFoundError, ValueError):
            return json.loads(self._note.read_text("utf-8"))
        return {}


def _version(response: Any) -> str:
    """Return the identifier of the exact content (a weak ETag does not identify it)."""
    tag = response.headers.get("ETag", "")
    if tag and not tag.startswith("W/"):
        return tag
    return response.headers.get("Last-Modified", "")


@contextmanager
def _partial(target: Path) -> Iterator[_Partial]:
    """Open the partial file of `target` and lock it."""
    made = [folder for folder in target.parents if not folder.exists()]
    make_folder(target.parent)
    path = target.with_name(f".{target.name}.part")
    with _locked(path) as file:
        partial = _Partial(target, path, file)
        try:
            yield partial
        finally:
            if _is_at(file, path):
                partial.tidy()
            # Only if it is empty.
            with suppress(OSError):
                for folder in made:
                    folder.rmdir()


def _locked(path: Path) -> BinaryIO:
    while True:
        try:
            file = open(path, "a+b")  # noqa: SIM115  (the caller closes it)
        except OSError as error:
            raise FileError(f"Cannot write {path}: {error.strerror}. {_FIX}") from None
        # Some network file systems have no locks.
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        # The process that held the lock may have renamed or deleted the file.
        if _is_at(file, path):
            return file
        file.close()


def _is_at(file: BinaryIO, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False


def _fetch(url: str, partial: _Partial, context: ssl.SSLContext | None, log: bool) -> None:
    """Make one attempt; raise _Transient if it may be retried, otherwise FileError."""
    headers = {"User-Agent": "gossamer", **partial.headers(url)}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as response:
            if partial.continues(url, response):
                for chunk in _chunks(response, partial, log):
                    partial.write(chunk)
                return
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != _RANGE_NOT_SATISFIABLE or "Range" not in headers:
            raise _refusal(url, error, partial.target) from None
    except urllib.error.URLError as error:
        raise _no_connection(url, error.reason, partial.target) from None
    except TimeoutError:
        raise _Transient(f"the server sent nothing for {_TIMEOUT_SECONDS:g} s") from None
    except (http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
        raise _Transient(f"{type(error).__name__}: {_line(error)}") from None
    except ValueError as error:
        # The URL itself, or the one to which the server redirects.
        raise FileError(
            f"Cannot download {url}: it is or leads to a malformed address ({_line(error)}). "
            f"Fetch the file by other means and save it as {partial.target}."
        ) from None
    # The server has a new version. An empty file requests no range, so the recursion ends.
    partial.discard()
    _fetch(url, partial, context, log)


def _check_content(url: str, partial: _Partial, checksum: str | None) -> None:
    if checksum is None:
        return
    algorithm = checksum_algorithm(checksum)
    found = partial.checksum(algorithm)
    if found != checksum.lower():
        partial.discard()
        raise FileError(
            f"{url} has the {algorithm} checksum {found}, not {checksum.lower()}: its content has "
            "changed. Try again, or fetch the file by other means and save it as "
            f"{partial.target}."
        )


def _refusal(url: str, error: urllib.error.HTTPError, target: Path) -> Exception:
    answer = f"the server answered {error.code} {_line(error.reason)}"
    fix = "Fetch the file by other means and"
    if error.code in _TRANSIENT_STATUS:
        pause = retry_after(error.headers)
        answer += f" and asked to wait for {pause:,.0f} s" if pause else ""
        if pause <= _LONGEST_PAUSE_SECONDS:
            return _Transient(answer, pause)
        fix = "Try again later, or fetch it by other means and"
    return FileError(f"Cannot download {url}: {answer}. {fix} save it as {target}.")


def _line(text: object) -> str:
    """Return the text of a server or a library on one line."""
    return " ".join(str(text).split())


def _no_connection(url: str, reason: object, target: Path) -> Exception:
    host = urllib.parse.urlsplit(url).hostname
    if isinstance(reason, socket.gaierror):
        return FileError(
            f"Cannot download {url}: no network, or no such host as {host}. "
            f"Connect, or copy the file from elsewhere and save it as {target}."
        )
    # The system has already retried, so there is no further attempt.
    if isinstance(reason, TimeoutError):
        return FileError(
            f"Cannot download {url}: no connection to {host} within {_TIMEOUT_SECONDS:g} s. "
            f"Check the network, or copy the file from elsewhere and save it as {target}."
        )
    if isinstance(reason, ssl.SSLCertVerificationError):
        return FileError(
            f"Cannot download {url}: {reason.verify_message}. "
            f"Fix the certificates, or copy the file from elsewhere to {target}."
        )
    return _Transient(str(reason))


def _chunks(response: Any, partial: _Partial, log: bool) -> Iterator[bytes]:
    """Yield the body in pieces; raise if it ends early."""
    # None if the server declares no length, or an invalid one.
    length = response.length
    start = received = partial.size
    total = None if length is None else start + length
    with _progress_bar(partial.target.name, start, total, log) as bar:
        while chunk := response.read(_CHUNK):
            received += len(chunk)
            if bar is not None:
                bar.update(len(chunk))
            yield chunk
    # http.client does not notice a connection that closes early when it is read in pieces.
    if total is not None and received != total:
        raise _Transient(f"the connection closed after {received} of {total} bytes")


def _progress_bar(label: str, start: int, total: int | None, log: bool) -> Any:
    if not log:
        return nullcontext()
    try:
        tqdm = optional_import("tqdm", "the progress bar", "data").tqdm
    except MissingExtraError:
        return nullcontext()
    return tqdm(initial=start, total=total, unit="B", unit_scale=True, desc=label, leave=False)
