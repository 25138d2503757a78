"""How the service is to run: one YAML file, environment variables and the command line, and what these name.

`model` says what can be set, `reading` puts the sources together and reports every problem at once, `told` prints what
holds with secrets masked. `decision` reads which engine a run of the benchmark picked, `keys` who may do what. Opens
and starts nothing.
"""
