"""An engine's collection as a projection of the catalogue: filled, followed, checked and replaced while it serves.

`following` applies the outbox to any projection; `collection` is an engine's; `live` owns the one that answers, which
a note in the catalogue points to (`generations`), and builds the next beside it; `checking` compares it with the truth.
A projection is always given the listings as they are now, so that neither repeats nor the order of changes matter.
"""
