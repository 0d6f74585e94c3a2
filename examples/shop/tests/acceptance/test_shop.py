"""A customer opens the shop in a browser, looks around and fills a cart."""

import json
import os
import subprocess
import sys
import unittest
from html.parser import HTMLParser
from http.client import HTTPConnection


class Page(HTMLParser):
    """The texts of a page by the class or id of what they stand in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {}
        self._name = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note in what the next text stands."""
        names = dict(attrs)
        self._name = names.get("class") or names.get("id") or tag

    def handle_data(self, data: str) -> None:
        """Keep a text."""
        if data.strip():
            self.texts.setdefault(self._name, []).append(data)


class ShopTest(unittest.TestCase):
    address: str

    @classmethod
    def setUpClass(cls) -> None:
        built = os.environ.get("SHOP")
        program = [built] if built else ["-m", "shop"]
        command = [sys.executable, *program, "serve", "--port=0"]
        environment = os.environ | {"ENVIRONMENT": "acceptance"}
        server = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        cls.enterClassContext(server)
        cls.addClassCleanup(server.terminate)
        opened = server.stdout.readline() if server.stdout else ""
        cls.address = opened.strip().removeprefix("Open at http://").rstrip("/")

    def ask(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection(self.address, timeout=5)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_the_first_page_shows_what_is_sold_and_for_how_much(self) -> None:
        status, text = self.ask("/")
        shown = Page(text).texts
        self.assertEqual(status, 200)
        self.assertEqual(shown["h1"], ["The Pipeline Shop"])
        offers = dict(zip(shown["name"], shown["price"], strict=True))
        self.assertEqual(offers["Enamel mug"], "€ 12.50")
        self.assertEqual(shown["environment"], ["acceptance"])

    def test_each_product_can_be_put_into_a_cart(self) -> None:
        for product in json.loads(self.ask("/api/products")[1]):
            status, text = self.ask(f"/api/cart?{product['sku']}=1")
            self.assertEqual((status, json.loads(text)["goods"]), (200, product["price"]))

    def test_a_cart_is_added_up(self) -> None:
        status, text = self.ask("/api/cart?mug=2&socks=1&code=WELCOME")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(text)["total"], "36.20")

    def test_a_mistake_is_explained(self) -> None:
        status, text = self.ask("/api/cart?car=1")
        self.assertEqual(status, 400)
        self.assertIn("is not sold here", json.loads(text)["error"])
        self.assertEqual(self.ask("/nowhere")[0], 404)

    def test_the_shop_is_healthy(self) -> None:
        status, text = self.ask("/health")
        self.assertEqual((status, json.loads(text)["status"]), (200, "ok"))
