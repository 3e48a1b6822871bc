#!/usr/bin/env python3
"""Writes the advisories of a checkout of the Rust advisory database as the one file that `kontor advisories` reads.

    packaging/advisories.py CHECKOUT > advisories.json

All of them, not only those about today's parts: the file is also held against other versions. One checkout gives the same bytes.
"""

import json
import os
import pathlib
import subprocess
import sys
import tomllib


def database():
    """The checkout to read: what KONTOR_ADVISORY_DB names, else the newest that cargo-deny keeps; None where there is neither."""
    named = os.environ.get("KONTOR_ADVISORY_DB")
    if named:
        return pathlib.Path(named)
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    kept = [path for path in home.glob("advisory-dbs/*") if (path / "crates").is_dir()]
    return max(kept, key=lambda path: changed(path)[1], default=None)


def changed(checkout):
    """Its last change and when that was, in UTC."""
    git = ["git", "-C", str(checkout), "log", "-1", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"]
    return subprocess.run(git, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"TZ": "UTC"}).stdout.split()


def advisory(path):
    """One file of the database; None for what was withdrawn."""
    _, head, text = path.read_text(encoding="utf-8").split("```", 2)
    told = tomllib.loads(head.removeprefix("toml"))
    one, versions = told["advisory"], told.get("versions", {})
    if one.get("withdrawn"):
        return None
    return {
        "id": one["id"],
        "crate": one["package"],
        "patched": versions.get("patched", []),
        "unaffected": versions.get("unaffected", []),
        "severity": one.get("informational") or one.get("cvss") or "",
        "title": next((line.removeprefix("# ").strip() for line in text.splitlines() if line.startswith("# ")), one["id"]),
        "link": one.get("url") or f"https://rustsec.org/advisories/{one['id']}.html",
    }


def snapshot(checkout):
    """What is known as of the last change of a checkout."""
    commit, when = changed(checkout)
    found = [advisory(path) for path in sorted(pathlib.Path(checkout).glob("crates/*/RUSTSEC-*.md"))]
    return {
        "made_at": when,
        "source": f"RustSec advisory database {commit}",
        "advisories": [one for one in found if one],
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(snapshot(sys.argv[1]), sys.stdout, ensure_ascii=False)
