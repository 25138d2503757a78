"""The truth, independent of every engine: exact filtered neighbours, cached by content, and engines' answers judged
by them. Imports data, results and scenarios.
"""
