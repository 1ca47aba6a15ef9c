"""One program per peer, run by an interpreter that has the peer: it needs neither ewms nor anything else of this project."""
