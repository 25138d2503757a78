"""The HTML report of a trained model, one self-contained file: how good it is, how it came about, what it answers.

From model.json, the figures, the catalogue, the test cases and the model's own answers. Draws as reports
of runs do.
"""
