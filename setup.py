# setup.py - the version of the Python package nanorpc; all else about it is in pyproject.toml.
# Layer: tool. Source: nanorpc/version.h, the one place that says which version this is.
# SPDX-License-Identifier: Apache-2.0
import os
import re

from setuptools import setup

VERSION_H = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nanorpc", "version.h")


def version():
    """ "MAJOR.MINOR.PATCH"."""
    with open(VERSION_H, encoding="utf-8") as file:
        text = file.read()
    parts = ("MAJOR", "MINOR", "PATCH")
    return ".".join(
        re.search(r"^#define NRPC_VERSION_%s (\d+)$" % part, text, re.M).group(1) for part in parts
    )


setup(version=version())
