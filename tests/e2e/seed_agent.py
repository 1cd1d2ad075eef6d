"""The agent anybody would write from the seed's page alone: psutil, requests, raw counters."""

import datetime
import os
import socket
import sys
import time

import psutil
import requests


def partition(found):
    usage = psutil.disk_usage(found.mountpoint)
    names = {"device": found.device, "mountpoint": found.mountpoint, "fstype": found.fstype}
    return {**names, **usage._asdict()}


def report():
    memory = psutil.virtual_memory()
    network, disks = psutil.net_io_counters(pernic=True), psutil.disk_io_counters(perdisk=True)
    return {
        "hostname": sys.argv[2] if len(sys.argv) > 2 else socket.gethostname(),
        "timestamp": datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(),
        "cpu": {
            "cpu_percent_total": psutil.cpu_percent(),
            "cpu_percent_per_core": psutil.cpu_percent(percpu=True),
            "cpu_count_logical": psutil.cpu_count(),
            "load_average": os.getloadavg(),
        },
        "memory": {
            "memory_total": memory.total,
            "memory_used": memory.used,
            "memory_percent": memory.percent,
        },
        "disk": {"partitions": [partition(one) for one in psutil.disk_partitions()]},
        "io": {
            "network": {name: one._asdict() for name, one in network.items()},
            "disk_io": {name: one._asdict() for name, one in disks.items()},
        },
    }


while True:
    requests.post(sys.argv[1] + "/api/metrics", json=report(), timeout=10)
    time.sleep(float(os.environ.get("EVERY", "5")))
