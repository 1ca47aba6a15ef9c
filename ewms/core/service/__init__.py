"""What service, driver hosts and TMS tell each other: documents and phases as data. Pure."""
