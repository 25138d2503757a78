"""What a run measures on: datasets with their attributes and filters, opened memory-mapped, and the workloads made of
them. `user` reads users' files, `shipped` builds what comes with the project. Imports scenarios and engines' values.
"""
