"""The laws of Hostpulse, each a test that can fail."""
