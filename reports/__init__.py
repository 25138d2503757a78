"""What is read off results: decisions, the gate, the report. Imports results and scenarios, never an engine."""
