"""The two-tower model: listings and users encoded so that the listings nearest to a user are those they will want.

`data` reads what is sold and who took what, and splits it; `features` turns listings into numbers; `towers` and
`training` need JAX; `encoding` is the trained model without it; `evaluation` judges models beside baselines;
`publishing` writes what engines are measured on; `report` draws. Imports what the harness offers about data, truth and
statistics, and no engine.
"""
