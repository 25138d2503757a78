"""The truth, independent of every engine: exact filtered neighbours, kept by content, and the answers of engines held
against them. Imports data, results and scenarios.
"""
