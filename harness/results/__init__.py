"""What a run leaves behind and the maths on it: cells, samples, summaries, statistics. Pure but for reading and writing
files; imports nothing of the harness but errors.
"""
