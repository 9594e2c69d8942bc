"""The ear: samples in, numbers with units out. Imports neither ``telephony`` nor ``voice``."""
