#!/usr/bin/env python3
"""Verifies a Kontor audit log with nothing but Python's own library.

usage: verify_log.py FOLDER VERIFIER_KEY [OLDER_CHECKPOINT]

FOLDER holds `checkpoint` and `tile/`. VERIFIER_KEY is the text name+id+key that the appliance
shows as its log key. OLDER_CHECKPOINT is a checkpoint file you kept: the log must begin with it.
Formats: C2SP tlog-tiles, tlog-checkpoint, signed-note; RFC 6962 hashes; RFC 8032 signatures.
"""
import base64, hashlib, os, sys


def must(holds, what):  # not `assert`, which python -O leaves out
    if not holds:
        raise ValueError(what)


P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def add(a, b):  # points of edwards25519 in extended coordinates
    e, f = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    g, h = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, a):
    sum_ = (0, 1, 1, 0)
    while n:
        sum_, a, n = add(sum_, a) if n & 1 else sum_, add(a, a), n >> 1
    return sum_


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    x = x if x * x % P == xx else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != xx or (x == 0 and sign):
        raise ValueError("not a point")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


def signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    a, b = times(s, base), add(point(signature[:32]), times(k, point(key)))
    return s < L and (a[0] * b[2] - b[0] * a[2]) % P == 0 == (a[1] * b[2] - b[1] * a[2]) % P


def checkpoint(path, vkey):
    name, key_id, key = vkey.split("+", 2)
    key = base64.b64decode(key)
    must(hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8] == key_id, "bad verifier key")
    text, lines = open(path, "rb").read().decode().split("\n\n")
    origin, size, root = text.split("\n")
    must(origin == name, "checkpoint of another log")
    for line in lines.splitlines():
        dash, who, blob = line.split(" ")
        blob = base64.b64decode(blob, validate=True)
        if dash == "\u2014" and who == name and blob[:4].hex() == key_id:
            must(signed(key[1:], (text + "\n").encode(), blob[4:]), "bad signature")
            return int(size), base64.b64decode(root, validate=True)
    sys.exit("NOT SOUND: the checkpoint is not signed by this key")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\1", root_of(hashes[:k]), root_of(hashes[k:]))


def tile(folder, shelf, number, width):  # a wider tile begins with the same bytes
    path = "%03d" % (number % 1000)
    while number := number // 1000:
        path = "x%03d/%s" % (number % 1000, path)
    path = os.path.join(folder, "tile", str(shelf), path)
    wider = sorted(map(int, os.listdir(path + ".p"))) if os.path.isdir(path + ".p") else []
    names = [path + ".p/%d" % w for w in wider if w >= width] if width < 256 else []
    with open((names + [path])[0], "rb") as file:
        return file.read()


def main(folder, vkey, older=None):
    size, root = checkpoint(os.path.join(folder, "checkpoint"), vkey)
    level, below = 0, []
    for n in range(0, size, 256):  # leaf hashes from the entries themselves
        width, data = min(256, size - n), tile(folder, "entries", n // 256, min(256, size - n))
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            below.append(sha(b"\0", data[2 : 2 + length]))
            data = data[2 + length :]
    leaves = below
    while below:  # every hash tile against what lies below it
        for n in range(0, len(below), 256):
            part = b"".join(below[n : n + 256])
            found = tile(folder, level, n // 256, len(part) // 32)[: len(part)]
            must(found == part, "hash tile %d of level %d differs" % (n // 256, level))
        full = len(below) // 256 * 256
        below, level = [root_of(below[n : n + 256]) for n in range(0, full, 256)], level + 1
    must(root_of(leaves) == root, "the entries do not lead to the root in the checkpoint")
    if older:
        old_size, old_root = checkpoint(older, vkey)
        must(old_size <= size, "the log is shorter than the older checkpoint")
        must(root_of(leaves[:old_size]) == old_root, "the log does not begin with the older checkpoint")
    print("SOUND: %d entries, root %s" % (size, base64.b64encode(root).decode()))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (ValueError, OSError) as error:
        sys.exit("NOT SOUND: %s" % error)
