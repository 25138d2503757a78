"""What a user asks for: scenarios read strictly from YAML, thresholds, engine parameters, and the plan of sessions and
cells that follows from them. Knows engines by their protocol only; reads no data.
"""
