"""Answers the shop's few addresses over HTTP."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from shop.cart import CartError, total
from shop.catalog import PRODUCTS
from shop.page import page
from shop.release import Release, this_release

Json = Mapping[str, object] | list[dict[str, str]]


class ShopServer(ThreadingHTTPServer):
    """The shop at a port of this machine; 0 takes a free one."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.release = this_release()

    @property
    def url(self) -> str:
        """Give the address of the shop's page."""
        return f"http://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: ShopServer

    def do_GET(self) -> None:
        """Answer one address."""
        address = urlsplit(self.path)
        match address.path:
            case "/":
                self._answer(HTTPStatus.OK, "text/html", page(self.server.release))
            case "/health":
                self._answer_json(health(self.server.release))
            case "/api/products":
                self._answer_json(products())
            case "/api/cart":
                self._answer_cart(address.query)
            case _:
                self._answer_json({"error": "there is no such page"}, HTTPStatus.NOT_FOUND)

    def _answer_cart(self, query: str) -> None:
        try:
            self._answer_json(cart(query))
        except (CartError, LookupError) as error:
            self._answer_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    def _answer_json(self, value: Json, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(status, "application/json", json.dumps(value))

    def _answer(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def health(release: Release) -> dict[str, object]:
    """Tell that the shop is open, and which release of it."""
    return {"status": "ok", **asdict(release)}


def products() -> list[dict[str, str]]:
    """List what is sold; a price is text, for JSON has no exact decimals."""
    return [{"sku": each.sku, "name": each.name, "price": str(each.price)} for each in PRODUCTS]


def cart(query: str) -> dict[str, object]:
    """Add up a cart that is written like `mug=2&socks=1&code=WELCOME`.

    Raises:
        CartError: It cannot be read or paid for.
        LookupError: A product is unknown.
    """
    given = dict(parse_qsl(query, keep_blank_values=True))
    code = given.pop("code", "")
    amounts = total({sku: _count(sku, text) for sku, text in given.items()}, code)
    return {
        "goods": str(amounts.goods),
        "discount": str(amounts.discount),
        "shipping": str(amounts.shipping),
        "total": str(amounts.total),
    }


def _count(sku: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise CartError(f"{text!r} of {sku!r} were asked for; give a whole number")
    return int(text[:10])
