"""How the small models of the conversation are made; nothing of it is loaded in a call."""
