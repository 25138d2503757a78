"""One index for several processes, on one machine or several: one leads and keeps it up, the others follow and ask it.

`shared` is the index of a process, whichever it is, and takes the lead where nobody has it. `leading` is what the one
does for the others, `followed` what these see; they tell each other by notes in the catalogue (`board`).
"""
