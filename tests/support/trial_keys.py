#!/usr/bin/env python3
"""Writes the secret halves of the trial keys as files of signify, so that tests sign bundles with the real tool.

  trial_keys.py FOLDER NUMBER…     writes FOLDER/NUMBER.sec; the seed of a trial key is its number 32 times over

Builds with debug assertions trust the keys 1, 2 and 3 (src/upgrade/trial-keys.json); no release does.
"""
import base64
import hashlib
import pathlib
import subprocess
import sys

PKCS8 = bytes.fromhex("302e020100300506032b657004220420")


def main():
    folder = pathlib.Path(sys.argv[1])
    for number in map(int, sys.argv[2:]):
        seed = bytes([number]) * 32
        ran = subprocess.run(
            ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"], input=PKCS8 + seed, capture_output=True, check=True
        )
        secret = seed + ran.stdout[-32:]
        parts = [b"Ed", b"BK", bytes(4), bytes(16), hashlib.sha512(secret).digest()[:8], bytes([number]) * 8, secret]
        text = base64.b64encode(b"".join(parts)).decode()
        path = folder / f"{number}.sec"
        path.write_text(f"untrusted comment: trial key {number}\n{text}\n")
        path.chmod(0o600)


main()
