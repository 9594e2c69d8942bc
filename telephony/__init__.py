"""The phone and the record of the call: legs, bridge, hold, handoff, recorder, watchdog. Knows no model."""
