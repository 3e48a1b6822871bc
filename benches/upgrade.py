"""`make bench-upgrade`: how long an upgrade of a filled appliance takes, there and back, beside a plain copy of the same folder.

Works on a copy of SCRATCH/appliance. The version that comes is the same program under another number with two further steps of the schema:
an index over the audit log's table, the largest of those that steps may change, and a column. Its build must know trial steps (debug assertions
in three crates of ours); the libraries are those of a release. The bundle is made by the script of a release and signed by signify.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STEPS = ['CREATE INDEX "k_trial" ON "k_audit" ("at", "seq")', 'ALTER TABLE "k_preference" ADD COLUMN "trial" TEXT']
AIM_SECONDS = 120


def timed(*command, **more):
    begun = time.monotonic()
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if ran.returncode not in (0, 1):
        raise SystemExit(f"{command}: {ran.returncode}\n{ran.stdout}\n{ran.stderr}")
    return time.monotonic() - begun, ran.stdout


def prepare(work, kontor):
    """The program in a place of its own, and the bundle that brings the other version."""
    (work / "bin").mkdir()
    program = work / "bin/kontor"
    shutil.copy(kontor, program)
    released = len(list((ROOT / "migrations/sqlite").iterdir()))
    for at, text in enumerate(STEPS):
        step = work / f"steps/{released + 1 + at:04}_trial{at}"
        step.mkdir(parents=True)
        for name in ("sqlite.sql", "postgres.sql"):
            (step / name).write_text(text)
    other = work / "program"
    trial = f"KONTOR_TRIAL_VERSION=0.2.0 KONTOR_TRIAL_STEPS={work / 'steps'}"
    other.write_text(f'#!/bin/sh\n{trial} exec {kontor} "$@"\n')
    other.chmod(0o755)
    release, bundle, script = work / "release", work / "release.bundle", ROOT / "packaging/bundle.py"
    timed(sys.executable, script, "prepare", release, "--version", "0.2.0", "--binary", f"{platform.machine()}-linux={other}")
    timed(sys.executable, ROOT / "tests/support/trial_keys.py", work, 1, 3)
    for key in (1, 3):
        message, signature = release / "manifest.json", release / f"manifest.json.{key}.sig"
        timed("signify-openbsd", "-S", "-s", work / f"{key}.sec", "-m", message, "-x", signature)
    timed(sys.executable, script, "assemble", release, bundle)
    return program, bundle


def measure(options, work):
    source, folder = Path(options.scratch) / "appliance", work / "appliance"
    copied, _ = timed("cp", "-a", source, folder)
    synced, _ = timed("sync", "-f", folder)
    program, bundle = prepare(work, Path(options.kontor).resolve())
    _, plan = timed(program, "upgrade", "plan", "--json", "--dir", folder, bundle)
    plan = json.loads(plan)
    there, said = timed(program, "upgrade", "apply", "--binary", program, "--dir", folder, bundle)
    if "0.2.0 after" not in said:
        raise SystemExit(f"the upgrade was not done: {said}")
    back, _ = timed(program, "upgrade", "rollback", "--lose-newer", "--dir", folder)
    gigabytes = sum(file.stat().st_size for file in source.rglob("*") if file.is_file()) / 1e9
    return {"copy": copied + synced, "plan": plan["seconds"], "there": there, "back": back, "gigabytes": gigabytes}


def table(results):
    met = "yes" if results["there"] <= AIM_SECONDS else "**no**"
    ratio = results["there"] / results["copy"]
    return f"""Measured {results["date"]} with {results["version"]} on SQLite; the folder holds {results["gigabytes"]:.1f} GB and {results["records"]:,} contacts.

| aim | measured | met |
|---|---|---|
| upgrade of a million records with its self-test ≤ 2 minutes | {results["there"]:.1f} s | {met} |

| what | seconds | times a plain copy |
|---|---|---|
| a plain copy of the folder, synced | {results["copy"]:.1f} | 1.0 |
| the upgrade: copy, switch, migration, self-test | {results["there"]:.1f} | {ratio:.1f} |
| what `plan` had estimated | {results["plan"]} | {results["plan"] / results["copy"]:.1f} |
| the way back, to the copy | {results["back"]:.1f} | {results["back"] / results["copy"]:.1f} |

"""


def main():
    parser = argparse.ArgumentParser()
    for name in ("kontor", "scratch", "date", "results", "records"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--document")
    options = parser.parse_args()
    work = Path(options.scratch).resolve() / "upgrade-work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        version = timed(options.kontor, "version")[1].split()[1]
        results = {"date": options.date, "version": f"Kontor {version}", "records": int(options.records)} | measure(options, work)
    finally:
        shutil.rmtree(work, ignore_errors=os.environ.get("BENCH_KEEP") is None)
    Path(options.results).write_text(json.dumps(results, indent=2) + "\n")
    text = table(results)
    print(text)
    if options.document:
        document = Path(options.document)
        begin, end = "<!-- figures: upgrade -->\n", "<!-- end of figures: upgrade -->"
        before, rest = document.read_text().split(begin, 1)
        document.write_text(before + begin + text + end + rest.split(end, 1)[1])


main()
