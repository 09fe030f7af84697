#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""logged_statistics.py LOG: prints the statistics that gst-launch-1.0 logged with GST_DEBUG=zcloopbacksrc:4."""

import re
import sys

from capture import print_statistics


def logged(text):
    """The last run's, as the property has them."""
    structure = re.findall(r"application/x-zcloopback-stats, (.*);", text)[-1]
    fields = re.findall(r"([a-z-]+)=\((\w+)\)([^,;]+)", structure)
    return {name: float(value) if kind == "double" else int(value) for name, kind, value in fields}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], errors="replace") as log:
        text = log.read()
    if "application/x-zcloopback-stats" not in text:
        sys.exit(f"{sys.argv[1]} holds no statistics")
    print_statistics(logged(text))


if __name__ == "__main__":
    main()
