"""A cart costs what the customer was promised, to the cent."""

import unittest
from decimal import Decimal

from shop.cart import CartError, Total, total


class CartTest(unittest.TestCase):
    def test_an_empty_cart_costs_nothing(self) -> None:
        self.assertEqual(total({}).total, Decimal("0.00"))

    def test_goods_and_shipping_are_added_up(self) -> None:
        asked = total({"mug": 2, "socks": 1})
        self.assertEqual(asked, Total(Decimal("32.95"), Decimal("0.00"), Decimal("4.90")))
        self.assertEqual(asked.total, Decimal("37.85"))

    def test_a_dozen_of_one_product_is_cheaper(self) -> None:
        self.assertEqual(total({"mug": 11}).goods, Decimal("137.50"))
        self.assertEqual(total({"mug": 12}).goods, Decimal("135.00"))

    def test_half_a_cent_is_rounded_up(self) -> None:
        # 15 x 3.33 - 10 % = 44.955
        self.assertEqual(total({"stickers": 15}).goods, Decimal("44.96"))

    def test_a_code_takes_its_share_of_what_is_left(self) -> None:
        asked = total({"mug": 12}, "FRIENDS")
        self.assertEqual(asked.discount, Decimal("20.25"))
        self.assertEqual(asked.total, Decimal("114.75"))

    def test_shipping_is_free_from_fifty_euros_after_discounts(self) -> None:
        self.assertEqual(total({"mug": 4}).shipping, Decimal("0.00"))
        self.assertEqual(total({"mug": 4}, "WELCOME").shipping, Decimal("4.90"))

    def test_what_cannot_be_sold_is_refused(self) -> None:
        for pieces in ({"mug": 0}, {"mug": -1}, {"mug": 1000}):
            with self.subTest(pieces), self.assertRaisesRegex(CartError, "from 1 to 999"):
                total(pieces)
        with self.assertRaisesRegex(LookupError, "'car' was asked for"):
            total({"car": 1})
        with self.assertRaisesRegex(CartError, "is not valid"):
            total({"mug": 1}, "BLACK")
