#!/usr/bin/env python3
"""Makes the signed off-line bundle of an upgrade; the format is in docs/auditor/upgrade-bundle.md. Signs nothing itself.

  bundle.py prepare FOLDER --version 0.2.0 --binary x86_64-linux=kontor [--deb x86_64-linux=FILE] [--rpm …]
            [--sbom FILE] [--advisories FILE] [--notes FILE]… [--release packaging/release.json] [--keys keys-2.json]…
      puts the files and manifest.json into FOLDER. FOLDER goes on a medium to each signer, who looks at manifest.json and signs it
      on a machine without a network:  signify-openbsd -S -s NAME.sec -m manifest.json -x manifest.json.NAME.sig
      A key set that follows is signed in the same way by two holders of the present set: keys-2.json.NAME.sig
  bundle.py assemble FOLDER BUNDLE
      once two signatures lie in FOLDER, writes the bundle: a tar in the fixed order.
"""
import argparse
import datetime
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import sys
import tarfile

PLAIN = re.compile(r"[A-Za-z0-9_+~][A-Za-z0-9._+~-]{0,99}")


def fail(what):
    sys.exit(f"bundle: {what}")


def described(path, name, kind, platform):
    if not PLAIN.fullmatch(name):
        fail(f"{name!r} cannot be the name of a file in a bundle")
    digest, length = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            length += len(block)
    return {"name": name, "kind": kind, "platform": platform, "bytes": length, "sha256": digest.hexdigest()}


def prepare(arguments):
    folder = pathlib.Path(arguments.folder)
    folder.mkdir(parents=True)
    release = json.loads(pathlib.Path(arguments.release).read_text())
    files = []

    def add(path, name, kind, platform=""):
        shutil.copyfile(path, folder / name)
        files.append(described(folder / name, name, kind, platform))

    for kind in ("binary", "deb", "rpm"):
        for pair in getattr(arguments, kind):
            platform, path = pair.split("=", 1)
            add(path, f"kontor-{platform}" if kind == "binary" else os.path.basename(path), kind, platform)
    for kind, name in (("sbom", "sbom.cdx.json"), ("advisories", "advisories.json")):
        if getattr(arguments, kind):
            add(getattr(arguments, kind), name, kind)
    for path in arguments.notes:
        add(path, os.path.basename(path), "notes")
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now(datetime.timezone.utc).timestamp()))
    manifest = {
        "format": 1,
        "product": "kontor",
        "version": arguments.version,
        "upgrades_from": release["upgrades_from"],
        "formats": release["formats"],
        "keys_epoch": release["keys_epoch"],
        "made_at": datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "files": files,
        "settings": release["settings"],
        "api": release["api"],
        "steps": release["steps"],
    }
    for path in arguments.keys:
        shutil.copyfile(path, folder / os.path.basename(path))
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    print(f"bundle: {folder}/manifest.json waits for two signatures")


def assemble(arguments):
    folder = pathlib.Path(arguments.folder)
    manifest = json.loads((folder / "manifest.json").read_text())

    def signed(name):
        signatures = sorted(folder.glob(f"{name}.*.sig"))
        if len(signatures) < 2:
            fail(f"{name} has {len(signatures)} signatures; two are needed")
        return [folder / name, *signatures]

    members = signed("manifest.json")
    key_sets = sorted(folder.glob("keys-*.json"), key=lambda path: int(path.stem.removeprefix("keys-")))
    for path in key_sets:
        members += signed(path.name)
    for file in manifest["files"]:
        path = folder / file["name"]
        if described(path, file["name"], file["kind"], file["platform"]) != file:
            fail(f"{path} is not what was signed")
        members.append(path)
    half = pathlib.Path(arguments.bundle + ".part")
    with tarfile.open(half, "w", format=tarfile.USTAR_FORMAT) as tar:
        for path in members:
            member = tarfile.TarInfo(path.name)
            member.size, member.mode = path.stat().st_size, 0o644
            with open(path, "rb") as file:
                tar.addfile(member, file if member.size else io.BytesIO())
    half.rename(arguments.bundle)
    print(f"bundle: {arguments.bundle}")


def main():
    parser = argparse.ArgumentParser(description="Makes the signed off-line bundle of an upgrade.")
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("prepare")
    one.add_argument("folder")
    one.add_argument("--version", required=True)
    one.add_argument("--release", default=str(pathlib.Path(__file__).with_name("release.json")))
    for kind in ("binary", "deb", "rpm", "notes", "keys"):
        one.add_argument(f"--{kind}", action="append", default=[])
    for kind in ("sbom", "advisories"):
        one.add_argument(f"--{kind}")
    one.set_defaults(run=prepare)
    two = verbs.add_parser("assemble")
    two.add_argument("folder")
    two.add_argument("bundle")
    two.set_defaults(run=assemble)
    arguments = parser.parse_args()
    arguments.run(arguments)


main()
