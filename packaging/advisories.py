#!/usr/bin/env python3
"""Writes the advisories of a checkout of the Rust advisory database as the one file that `kontor advisories` reads.

  advisories.py CHECKOUT > advisories.json
"""
import datetime
import json
import pathlib
import subprocess
import sys
import tomllib


def advisory(path):
    text = path.read_text()
    head = tomllib.loads(text.split("```toml", 1)[1].split("```", 1)[0])
    one, versions = head["advisory"], head.get("versions", {})
    if one.get("withdrawn"):
        return None
    title = next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("# ")), one["id"])
    return {
        "id": one["id"],
        "crate": one["package"],
        "patched": versions.get("patched", []),
        "unaffected": versions.get("unaffected", []),
        "severity": one.get("informational") or one.get("cvss") or "",
        "title": title,
        "link": one.get("url") or f"https://rustsec.org/advisories/{one['id']}.html",
    }


def main():
    checkout = pathlib.Path(sys.argv[1])
    found = [advisory(path) for path in sorted((checkout / "crates").glob("*/*.md"))]
    commit = subprocess.run(["git", "-C", str(checkout), "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    json.dump(
        {
            "made_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "source": f"RustSec advisory database {commit}".strip(),
            "advisories": [one for one in found if one],
        },
        sys.stdout,
        ensure_ascii=False,
    )


main()
