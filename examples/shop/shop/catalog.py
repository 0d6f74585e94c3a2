"""What the shop sells."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """Something to buy; the price is in euros for one piece."""

    sku: str
    name: str
    picture: str
    price: Decimal


PRODUCTS = (
    Product("mug", "Enamel mug", "☕", Decimal("12.50")),
    Product("poster", "Pipeline poster, A2", "🖼", Decimal("18.00")),
    Product("socks", "Socks, one pair", "🧦", Decimal("7.95")),
    Product("stickers", "Stickers, set of five", "✨", Decimal("3.33")),
)


def find(sku: str) -> Product:
    """Give the product with this number.

    Raises:
        LookupError: There is none.
    """
    for product in PRODUCTS:
        if product.sku == sku:
            return product
    known = ", ".join(product.sku for product in PRODUCTS)
    raise LookupError(f"product {sku!r} was asked for and is not sold here; there are {known}")
