"""Recommenders that learn nothing, or count only: what a trained model must be better than.

All leave out the user's history and whatever is no candidate. Equal scores stand by popularity, then by row, so that
equal arguments give equal answers.
"""
