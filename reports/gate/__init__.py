"""May this run replace those baselines? Cells matched, figures and counts compared, and the verdict as text.

`matching` brings the cells of all runs together, `noise` says how much worse a figure is and how surely, `figures` and
`counts` turn that into findings, `fingerprint` refuses runs that cannot be compared, `requirements` asks the decision.
`compare` puts them together; `text`, `markdown` and `junit` show the report. Reads results only.
"""
