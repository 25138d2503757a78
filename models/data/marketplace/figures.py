"""What the marketplace is drawn from: figures measured on real second-hand listings, and what is assumed beside them.

Brands, conditions, sizes, colours and prices are those of `datasets/fashion-mnist.yaml`, where each says whether it
was measured; there is no second copy of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.data.manifest import read_manifest
from harness.data.shipped.listings_manifest import Listings, ListingsManifest
from harness.paths import shipped


@dataclass(frozen=True, slots=True)
class Garment:
    """A category: the share of it, the sizes it comes in, and what it is made of (a key of MATERIALS)."""

    category: str
    share: float
    sizes: str
    made_of: str


# Per cent of the articles of a large fashion shop's catalogue, by type; underwear, socks and sets are left out, so
# that they sum up to less than 100.
GARMENTS = (
    Garment("Trousers", 10.6, "clothes", "cloth"),
    Garment("Dress", 9.8, "clothes", "light"),
    Garment("Sweater", 8.8, "clothes", "knit"),
    Garment("T-shirt", 7.5, "clothes", "light"),
    Garment("Top", 3.9, "clothes", "light"),
    Garment("Blouse", 3.8, "clothes", "light"),
    Garment("Jacket", 3.7, "clothes", "cloth"),
    Garment("Shorts", 3.7, "clothes", "cloth"),
    Garment("Shirt", 3.2, "clothes", "light"),
    Garment("Skirt", 2.6, "clothes", "cloth"),
    Garment("Hoodie", 2.2, "clothes", "knit"),
    Garment("Sneakers", 1.5, "shoes", "leather"),
    Garment("Cardigan", 1.5, "clothes", "knit"),
    Garment("Hat", 1.3, "none", "knit"),
    Garment("Bag", 1.2, "none", "leather"),
    Garment("Blazer", 1.1, "clothes", "cloth"),
    Garment("Boots", 1.0, "shoes", "leather"),
    Garment("Scarf", 1.0, "none", "knit"),
    Garment("Sandals", 0.7, "shoes", "leather"),
    Garment("Coat", 0.4, "clothes", "cloth"),
    Garment("Belt", 0.4, "none", "leather"),
)

# Assumed. What a garment is made of follows its category alone.
MATERIALS = {
    "light": {"cotton": 45, "polyester": 20, "viscose": 20, "linen": 8, "silk": 7},
    "cloth": {"cotton": 35, "denim": 30, "polyester": 20, "wool": 10, "linen": 5},
    "knit": {"cotton": 35, "acrylic": 25, "wool": 30, "cashmere": 10},
    "leather": {"leather": 50, "synthetic": 35, "suede": 15},
}
UNKNOWN_MATERIAL = 0.2
UNDESCRIBED = 0.1

# The numeric sizes that a letter spans, as European shops print them on their labels.
LETTERS = {"XS": (34, 34), "S": (36, 36), "M": (38, 40), "L": (42, 44)}

# Assumed: how much better than "very good" a condition is to a buyer.
CONDITION_SCORES = {
    "never worn with tag": 1.0,
    "never worn": 0.6,
    "very good": 0.0,
    "good": -0.6,
    "fair": -2.0,
}

# Assumed: how much more than a view an event says.
EVENT_WEIGHTS = {"view": 1.0, "favourite": 2.0, "purchase": 4.0}

# Assumed: the share of users who are used to luxury prices, and how much budgets differ (natural logarithm).
LUXURY_USERS = 0.05
BUDGET_SD = 0.4

# Invented: styles are what tastes differ in, and each is told of in words of its own. Frequency falls with rank.
STYLE_EXPONENT = 0.5
STYLES = {
    "minimal": ("plain", "clean", "understated", "structured", "monochrome", "simple", "sleek", "tailored"),
    "sporty": ("technical", "running", "gym", "breathable", "stretch", "zipped", "track", "quick-drying"),
    "street": ("graphic", "boxy", "logo", "baggy", "skate", "cropped", "hooded", "printed"),
    "romantic": ("lace", "ruffled", "floral", "puff-sleeved", "satin", "ribboned", "delicate", "pastel"),
    "vintage": ("retro", "seventies", "corduroy", "flared", "patchwork", "antique", "crocheted", "ribbed"),
    "business": ("pinstriped", "office", "double-breasted", "pencil", "lined", "crisp", "formal", "belted"),
    "boho": ("fringed", "embroidered", "flowing", "paisley", "tiered", "tasselled", "hand-dyed", "beaded"),
    "preppy": ("pleated", "collegiate", "checked", "cable-knit", "varsity", "crested", "buttoned", "polo"),
    "evening": ("sequinned", "draped", "backless", "velvet", "shimmering", "fitted", "glamorous", "cocktail"),
    "coastal": ("striped", "nautical", "airy", "beach", "relaxed", "sun-bleached", "gauzy", "sailor"),
    "outdoor": (
        "fleece",
        "waterproof",
        "insulated",
        "hiking",
        "windproof",
        "thermal",
        "padded",
        "drawstring",
    ),
    "grunge": ("distressed", "ripped", "flannel", "washed-out", "oversized", "studded", "faded", "frayed"),
    "workwear": ("utility", "canvas", "carpenter", "heavy-duty", "pocketed", "quilted", "chore", "rugged"),
    "country": ("tweed", "waxed", "rustic", "herringbone", "riding", "woollen", "tartan", "fair-isle"),
    "millennium": ("rhinestone", "low-rise", "metallic", "butterfly", "mesh", "halter", "glossy", "shiny"),
    "gothic": (
        "corseted",
        "black-lace",
        "buckled",
        "pointed",
        "dramatic",
        "high-necked",
        "chained",
        "draping",
    ),
}


def measured() -> Listings:
    """Frequencies of brands, conditions, sizes and colours, and prices, from the shipped manifest."""
    manifest = read_manifest(shipped("datasets") / "fashion-mnist.yaml")
    assert isinstance(manifest, ListingsManifest)
    return manifest.listings
