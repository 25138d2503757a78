"""What users get through an engine in place of exact search: the held-out users of a model's dataset, answers judged
by what they took next, and the file that says what approximation costs. Engines are asked elsewhere.
"""
