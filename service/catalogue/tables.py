"""The tables of a catalogue, and what older ones lack."""

from __future__ import annotations

from service.database.database import Database, Session

SCHEMA = "schema"  # the note that says what a catalogue was made for
OPTIONAL = "optional"  # in it: the fields that its listings may lack
# Of a listing that was removed the fields stay, for whoever took it; of one that never was there are none.
TABLES = """
create table if not exists catalogue_listings (
    number {integer} primary key,
    id text not null unique,
    version {integer} not null,
    seq {integer} not null unique,
    attributes text,
    details text,
    vector {blob},
    model text not null,
    listed_at_ms {integer} not null,
    updated_at_ms {integer} not null,
    removed {integer} not null default 0
){strict};
create table if not exists catalogue_state (
    one {integer} primary key check (one = 1), seq {integer} not null, numbers {integer} not null,
    live {integer} not null
){strict};
create table if not exists catalogue_meta (key text primary key, value text not null){strict};
insert into catalogue_state values (1, 0, 0, 0) on conflict do nothing;
"""


def migrate(session: Session, database: Database) -> None:
    """Adds what a catalogue lacks that was made before removed listings kept their fields.

    In one transaction, and one after the other where several services open a catalogue at once.
    """
    session.read(f"select seq from catalogue_state{database.lock}")
    if ("removed",) not in session.read(database.columns, ["catalogue_listings"]):
        session.run("alter table catalogue_listings add column removed integer not null default 0", [()])
        session.run("update catalogue_listings set removed = 1 where vector is null", [()])
