CREATE TABLE "values" (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    id TEXT NOT NULL,
    rank BLOB NOT NULL,
    codec TEXT NOT NULL,
    data BLOB NOT NULL,
    headers BLOB
);
CREATE UNIQUE INDEX events_by_id ON events (task, id);
CREATE TABLE terminals (
    seq INTEGER PRIMARY KEY,
    "order" INTEGER NOT NULL,
    outputs BLOB,
    many INTEGER NOT NULL DEFAULT 0,
    reason TEXT
);
CREATE INDEX letters ON terminals (seq) WHERE reason IS NOT NULL;
CREATE TABLE lives (seq INTEGER PRIMARY KEY, life BLOB NOT NULL);
CREATE TABLE attempts (
    number INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    attempt BLOB NOT NULL
);
CREATE INDEX attempts_by_event ON attempts (seq);
CREATE TABLE messages (id TEXT PRIMARY KEY, contents BLOB NOT NULL) WITHOUT ROWID;
