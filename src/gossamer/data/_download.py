"""Downloads: failures are retried, and a file appears only when it is complete."""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from gossamer._optional import optional_import
from gossamer._options import integer
from gossamer.data._files import atomic_write, checksum_algorithm, matches_checksum
from gossamer.errors import FileError, InvalidTypeError, InvalidValueError, MissingExtraError

_CHUNK = 1 << 16
# For the connection, and for each pause of the server after that.
_TIMEOUT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.5
# Temporary errors of the server; any other 4xx would be the same next time.
_TRANSIENT_STATUS = {408, 425, 429, 500, 502, 503, 504}


class _Transient(Exception):
    """A failure after which another attempt makes sense."""


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

    The content goes to a temporary file beside the target, which is renamed only when it is
    complete and its checksum is right. Broken connections, answers that stop for 10 seconds and
    temporary errors of the server are retried after pauses of 0.5, 1, 2, 4 ... seconds; no
    connection within 10 seconds ends it.

    Parameters
    ----------
    url : str
        An http or https address.
    path : str, optional
        Target file, or an existing folder to put it in. Default: the working folder, under the last
        part of the url.
    overwrite : bool, optional
        Whether to fetch a file again that is there already. One with a wrong checksum always is.
    sha1_hash : str, optional
        Expected SHA-1 (40 hexadecimal digits) or SHA-256 (64).
    retries : int, optional
        How many times to try at most.
    verify_ssl : bool, optional
        Whether to check the server's certificate.
    log : bool, optional
        Whether to show a progress bar (if `tqdm` is installed) and what is fetched.

    Returns
    -------
    str
        Path of the file.

    Raises
    ------
    FileError
        If there is no network, the server refuses, the content has another checksum, or the folder
        is not writable.
    """
    _check_arguments(url, sha1_hash, retries)
    target = _target(url, path)
    if target.exists() and not overwrite and (not sha1_hash or matches_checksum(target, sha1_hash)):
        return str(target)
    if log:
        # Flushed, since what follows may take long.
        print(f"Downloading {url} to {target}", flush=True)
    context = None if verify_ssl else ssl._create_unverified_context()
    for attempt in range(retries):
        if attempt:
            time.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            _fetch(url, target, sha1_hash, context, log)
            return str(target)
        except _Transient as error:
            reason = error
            if log:
                print(f"Attempt {attempt + 1} of {retries} failed: {error}", flush=True)
    raise FileError(
        f"Cannot download {url}: {reason} ({retries} attempts). "
        f"Try again later, or fetch it by other means and save it as {target}."
    )


def _check_arguments(url: str, checksum: str | None, retries: int) -> None:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
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


def _fetch(
    url: str, target: Path, checksum: str | None, context: ssl.SSLContext | None, log: bool
) -> None:
    """One attempt; raises _Transient where another one makes sense, FileError where not."""
    request = urllib.request.Request(url, headers={"User-Agent": "gossamer"})
    digest = hashlib.new(checksum_algorithm(checksum)) if checksum else None
    try:
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=context) as response,
            atomic_write(target) as file,
        ):
            for chunk in _chunks(response, target.name, log):
                _write(file, chunk, target)
                if digest is not None:
                    digest.update(chunk)
            if digest is not None and digest.hexdigest() != checksum.lower():
                raise FileError(
                    f"{url} has the {digest.name} checksum {digest.hexdigest()}, not "
                    f"{checksum.lower()}: its content has changed. "
                    f"Try again, or fetch the file by other means and save it as {target}."
                )
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in _TRANSIENT_STATUS:
            raise _Transient(f"the server answered {error.code} {error.reason}") from None
        raise FileError(
            f"Cannot download {url}: the server answered {error.code} {error.reason}. "
            f"Fetch the file by other means and save it as {target}."
        ) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, socket.gaierror):
            host = urllib.parse.urlsplit(url).hostname
            raise FileError(
                f"Cannot download {url}: no network, or no such host as {host}. "
                f"Connect, or copy the file from elsewhere and save it as {target}."
            ) from None
        # The system has retried by itself, so another attempt makes no sense.
        if isinstance(error.reason, TimeoutError):
            host = urllib.parse.urlsplit(url).hostname
            raise FileError(
                f"Cannot download {url}: no connection to {host} within {_TIMEOUT_SECONDS:g} s. "
                f"Check the network, or copy the file from elsewhere and save it as {target}."
            ) from None
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise FileError(
                f"Cannot download {url}: {error.reason.verify_message}. "
                f"Fix the certificates, or copy the file from elsewhere to {target}."
            ) from None
        raise _Transient(str(error.reason)) from None
    except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
        raise _Transient(f"{type(error).__name__}: {error}") from None


def _chunks(response: Any, label: str, log: bool) -> Iterator[bytes]:
    """The body in pieces, checked for completeness at its end."""
    declared = response.headers.get("Content-Length")
    total = int(declared) if declared and declared.isdigit() else None
    received = 0
    with _progress_bar(label, total, log) as bar:
        while chunk := response.read(_CHUNK):
            received += len(chunk)
            if bar is not None:
                bar.update(len(chunk))
            yield chunk
    # http.client does not notice a connection that closes early when it is read in pieces.
    if total is not None and received != total:
        raise _Transient(f"the connection closed after {received} of {total} bytes")


def _write(file: BinaryIO, chunk: bytes, target: Path) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise FileError(
            f"Cannot write {target}: {error.strerror}. Free some space or choose another folder."
        ) from None


def _progress_bar(label: str, total: int | None, log: bool) -> Any:
    if not log:
        return nullcontext()
    try:
        tqdm = optional_import("tqdm", "the progress bar", "data").tqdm
    except MissingExtraError:
        return nullcontext()
    return tqdm(total=total, unit="B", unit_scale=True, desc=label, leave=False)
