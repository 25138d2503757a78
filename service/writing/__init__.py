"""Documents made into changes of the catalogue, whoever brings them: HTTP, files or a topic.

`carrying` checks, encodes and writes; `destination` is what that needs: the store, and what makes vectors.
"""
