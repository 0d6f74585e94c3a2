"""What a cart costs: discounts, shipping and rounding, in exact decimal numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from shop.catalog import find

CENT = Decimal("0.01")
MOST_PIECES = 999
DOZEN = 12
DOZEN_DISCOUNT = Decimal("0.10")
CODES = {"WELCOME": Decimal("0.05"), "FRIENDS": Decimal("0.15")}
SHIPPING = Decimal("4.90")
FREE_SHIPPING_FROM = Decimal("50.00")


class CartError(ValueError):
    """A cart that cannot be paid for."""


@dataclass(frozen=True, slots=True)
class Total:
    """What a cart costs, in euros; `goods` is before and `total` after `discount`."""

    goods: Decimal
    discount: Decimal
    shipping: Decimal

    @property
    def total(self) -> Decimal:
        """Give what is to be paid."""
        return self.goods - self.discount + self.shipping


def total(pieces: Mapping[str, int], code: str = "") -> Total:
    """Add up a cart.

    A dozen or more of one product cost 10 % less. A code takes its share of what is left, and
    shipping is free from 50 euros after discounts. Each amount is rounded once, half a cent up.

    Args:
        pieces: How many of each product, by its number.
        code: A discount code; none when empty.

    Raises:
        CartError: The code is unknown, or a number of pieces is not from 1 to 999.
        LookupError: A product is unknown.
    """
    if code and code not in CODES:
        raise CartError(f"code {code!r} was given and is not valid; leave it out")
    goods = sum((_line(sku, count) for sku, count in pieces.items()), Decimal(0))
    discount = _round(goods * CODES.get(code, Decimal(0)))
    is_free = not pieces or goods - discount >= FREE_SHIPPING_FROM
    return Total(_round(goods), discount, Decimal("0.00") if is_free else SHIPPING)


def _line(sku: str, count: int) -> Decimal:
    if not 1 <= count <= MOST_PIECES:
        raise CartError(f"{count} of {sku!r} were asked for; take from 1 to {MOST_PIECES}")
    price = find(sku).price * count
    return _round(price * (1 - DOZEN_DISCOUNT) if count >= DOZEN else price)


def _round(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)
