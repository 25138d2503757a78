"""Items, interactions and preferences from users' files: every column read as its values suggest or as the user says.

What is inferred is told with its reason, and what is left out is counted.
"""
