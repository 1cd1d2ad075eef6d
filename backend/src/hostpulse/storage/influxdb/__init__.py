"""Samples in an InfluxDB: line protocol and InfluxQL over HTTP."""
