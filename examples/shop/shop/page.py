"""The shop's page, as HTML."""

from html import escape
from string import Template

from shop.catalog import PRODUCTS, Product
from shop.release import Release

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>The Pipeline Shop</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; color: #23303d; background: #f5f3ee }
  main, footer { max-width: 40rem; margin: auto; padding: 1.5rem }
  ul { list-style: none; padding: 0 }
  li { display: flex; gap: 1rem; align-items: center; margin: .6rem 0; padding: .8rem 1rem;
       background: #fff; border-radius: .6rem; box-shadow: 0 1px 3px #0002 }
  .picture { font-size: 1.6rem }
  .price { margin-left: auto; font-variant-numeric: tabular-nums }
  footer { color: #5d6b78; font-size: .85rem }
</style>
</head>
<body>
<main>
<h1>The Pipeline Shop</h1>
<ul>
$products
</ul>
</main>
<footer>
Version <b id="version">$version</b>, commit <code id="commit">$commit</code>,
in <span id="environment">$environment</span>
</footer>
</body>
</html>
""")


def page(release: Release) -> str:
    """Draw the page with all products and the release that shows it."""
    return _PAGE.substitute(
        products="\n".join(_item(product) for product in PRODUCTS),
        version=escape(release.version),
        commit=escape(release.commit[:12]),
        environment=escape(release.environment),
    )


def _item(product: Product) -> str:
    return (
        f'<li><span class="picture" aria-hidden="true">{product.picture}</span>'
        f'<span class="name">{escape(product.name)}</span>'
        f'<span class="price">€ {product.price}</span></li>'
    )
