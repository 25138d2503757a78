"""What is told of single requests.

`asked` is a request while it is worked on, with the ids by which it is found again; `logs` writes lines that carry
them, `slow` tells which answers took long and where, `spans` sends traces to a collector.
"""
