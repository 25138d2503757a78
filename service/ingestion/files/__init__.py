"""Files as a source: NDJSON and Parquet, alone or in folders.

`finding` names the files and what is wrong with them before anything is written; `ndjson` and `parquet` read them;
`columns` compares a Parquet file's columns with the catalogue; `progress` keeps how far each is; `ingesting` takes one
after the other.
"""
