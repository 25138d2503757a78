"""What is sold, who took what, and what is held back to judge a model by. Whatever is left out is counted.

Imports no other room of `models`.
"""
