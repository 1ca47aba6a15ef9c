"""Who calls, what they may do, and the credentials that queues are used with."""
