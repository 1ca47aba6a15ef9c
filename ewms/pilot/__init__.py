"""The executor inside a slot: leases messages, runs tasks in processes of their own, reports every outcome, then acks."""
