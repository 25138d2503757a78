"""How long and how precise the vectors of a trained model have to be: shorter ones and bytes beside the full ones.

`material` reads the model and its data again, `variants` makes vectors and answers, `quality` judges them, `enough`
chooses, `throughput` lets the harness measure engines on each, `job` is all of it in order. What is measured is kept
in the model's folder, so that an interrupted comparison goes on. Only `throughput` knows the harness' runs.
"""
