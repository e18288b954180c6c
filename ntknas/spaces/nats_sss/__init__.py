"""The size space of NATS-Bench: one fixed cell, eight widths at each of five places."""
