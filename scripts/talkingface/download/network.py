"""The only way to the network that yt-dlp has here: http(s), to public addresses, within limits."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from yt_dlp.networking import Request, Response
from yt_dlp.networking._requests import RequestsRH
from yt_dlp.networking.exceptions import HTTPError
from yt_dlp.utils.networking import select_proxy

from talkingface.download.addresses import first_private, is_public
from talkingface.download.errors import Stopped, VideoUnavailable
from talkingface.download.limits import Meter
from talkingface.download.manifests import count_addresses

# Bytes that are read from a connection at a time.
PIECE = 128 << 10
SCHEMES = ("http", "https")


class GuardedRH(RequestsRH):
    """A request handler of yt-dlp that refuses what a stranger's page should not lead to.

    The name ends as yt-dlp asks. It is the only one, so that requests for anything but http(s) find
    none. Every connection is looked at, those of redirects and of what playlists, manifests and
    pages refer to as well; with `private_addresses` they may lead into one's own network. A proxy
    is connected to wherever it is; then it looks names up, and only addresses written out and
    `localhost` are told from public ones.
    """

    _SUPPORTED_URL_SCHEMES = SCHEMES

    def __init__(self, *, meter: Meter, private_addresses: bool, **given: Any) -> None:
        self._meter = meter
        self._private_addresses = private_addresses
        super().__init__(**given)

    def _create_instance(self, **given: Any) -> requests.Session:
        session = super()._create_instance(**given)
        if not self._private_addresses:
            for adapter in session.adapters.values():
                adapter.poolmanager.pool_classes_by_scheme = {
                    "http": _PublicHTTPPool,
                    "https": _PublicHTTPSPool,
                }
        session.hooks["response"].append(self._check_redirect)
        return session

    def _send(self, request: Request) -> Response:
        self._check_proxied(request.url, self._get_proxies(request))
        try:
            with self._meter.asking():
                response = super()._send(request)
        except HTTPError as error:
            # Its body may be read, too.
            error.response = MeteredResponse(error.response, self._meter)
            raise
        return MeteredResponse(response, self._meter)

    def _check_redirect(
        self, response: requests.Response, proxies: dict[str, Any], **_: Any
    ) -> None:
        if not response.is_redirect:
            return
        # requests would read all of the body, which nobody needs.
        response.close()
        try:
            target = urljoin(response.url, response.headers["location"])
            scheme = urlsplit(target).scheme.lower()
        except ValueError as error:
            reason = f"it leads to what is no address: {error}"
            raise Stopped(VideoUnavailable("unsupported", reason)) from None
        if scheme not in SCHEMES:
            raise Stopped(VideoUnavailable("unsupported", f"it leads to an address of {scheme}:"))
        self._check_proxied(target, proxies)

    def _check_proxied(self, url: str, proxies: dict[str, Any]) -> None:
        if self._private_addresses or not select_proxy(url, proxies):
            return
        host = urlsplit(url).hostname or ""
        private = first_private(host, ask=False)
        if private:
            raise _refusal(host, private)


class MeteredResponse(Response):
    """An answer of which every byte is counted: read as a whole it is a page, else media."""

    def __init__(self, answer: Response, meter: Meter) -> None:
        super().__init__(
            fp=answer,
            headers=answer.headers,
            url=answer.url,
            status=answer.status,
            reason=answer.reason,
            extensions=answer.extensions,
        )
        self._meter = meter

    def read(self, amt: int | None = None) -> bytes:
        data = self._read_page() if amt is None else self._read_media(amt)
        if self.fp.closed:
            self.close()
        return data

    def _read_page(self) -> bytes:
        page = io.BytesIO()
        while piece := self._read_piece(PIECE):
            page.write(piece)
            self._meter.take_page(page.tell())
        most = self._meter.limits.max_fragments
        self._meter.take_list(count_addresses(page.getvalue(), most))
        return page.getvalue()

    def _read_media(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._read_piece(min(PIECE, size))):
            self._meter.take_media(len(piece))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _read_piece(self, size: int) -> bytes:
        self._meter.begin_piece()
        piece: bytes = b""
        try:
            piece = self.fp.read(size)
        finally:
            self._meter.end_piece(len(piece))
        return piece


class _PublicConnection(HTTPConnection):
    """A connection to a public address."""

    def _new_conn(self) -> Any:
        host = self._dns_host
        private = first_private(host, ask=True)
        if private:
            raise _refusal(host, private)
        connected = super()._new_conn()
        # The name may have been given another address since it was looked up.
        address = connected.getpeername()[0]
        if not is_public(address):
            connected.close()
            raise _refusal(host, address)
        return connected


class _PublicTLSConnection(_PublicConnection, HTTPSConnection):
    """The same for https."""


class _PublicHTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicHTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _PublicTLSConnection


def _refusal(host: str, address: str) -> Stopped:
    name = host if host == address else f"{host} ({address})"
    reason = f"{name} is in one's own network, see download.private_addresses"
    return Stopped(VideoUnavailable("own_network", reason))
