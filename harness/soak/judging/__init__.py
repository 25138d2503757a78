"""From samples to a verdict.

`figures` sums them up, `written` says what must be in the catalogue afterwards, `promises` judges.
"""
