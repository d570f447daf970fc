# SPDX-License-Identifier: Apache-2.0
"""The modules that every MIB file imports. Debian does not package them, since their licences do not let them be
changed; the npm package net-snmp has them."""
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import unittest

from support import SOURCE

MIBS = SOURCE / "agentx" / "mibs"
NAMES = ("SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF", "SNMPv2-MIB")


def fetch():
    """A new folder with the modules, to be removed by who asked; skips the test where they cannot be had."""
    npm = shutil.which("npm")
    if not npm:
        raise unittest.SkipTest("no npm, from whose package net-snmp the base modules come")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="busbar-mibs-"))
    try:
        done = subprocess.run([npm, "pack", "--silent", "net-snmp"], cwd=folder, capture_output=True, text=True,
                              timeout=60, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"npm pack net-snmp does not work here: {done.stderr.strip()[-200:]}")
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            for name in NAMES:
                with archive.extractfile(f"package/lib/mibs/{name}.mib") as module:
                    (folder / name).write_bytes(module.read())
    except subprocess.TimeoutExpired:
        shutil.rmtree(folder)
        raise unittest.SkipTest("npm pack net-snmp takes more than a minute") from None
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder
