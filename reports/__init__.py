"""What is made of results: decisions, the gate, the report. Imports results and scenarios, never an engine."""
