"""What the shop answers is made of its catalog and its release."""

import unittest

from shop import server
from shop.cart import CartError
from shop.page import page
from shop.release import Release, this_release

RELEASE = Release(version="1.2.3", commit="0123456789abcdef", environment="staging")


class AnswersTest(unittest.TestCase):
    def test_health_names_the_release(self) -> None:
        self.assertEqual(
            server.health(RELEASE),
            {
                "status": "ok",
                "version": "1.2.3",
                "commit": "0123456789abcdef",
                "environment": "staging",
            },
        )

    def test_prices_are_text_for_json_has_no_decimals(self) -> None:
        self.assertIn(
            {"sku": "poster", "name": "Pipeline poster, A2", "price": "18.00"}, server.products()
        )

    def test_a_cart_is_read_from_the_address(self) -> None:
        self.assertEqual(
            server.cart("mug=2&code=WELCOME"),
            {"goods": "25.00", "discount": "1.25", "shipping": "4.90", "total": "28.65"},
        )

    def test_a_cart_that_is_not_made_of_numbers_is_refused(self) -> None:
        for query in ("mug=two", "mug=", "mug=1.5", "mug=-1", "mug=²"):
            with self.subTest(query), self.assertRaisesRegex(CartError, "whole number"):
                server.cart(query)

    def test_the_page_shows_products_and_release(self) -> None:
        drawn = page(RELEASE)
        self.assertIn("€ 12.50", drawn)
        self.assertIn('<b id="version">1.2.3</b>', drawn)
        self.assertIn('<code id="commit">0123456789ab</code>', drawn)

    def test_nothing_on_the_page_is_taken_for_html(self) -> None:
        hostile = Release(version="<script>", commit="&", environment='"')
        self.assertNotIn("<script>", page(hostile))

    def test_a_shop_that_was_not_built_says_so(self) -> None:
        self.assertEqual(this_release().version, "unreleased")
