//! The note that lies in every set: how to open it without us, in both languages.

/// Its name.
pub(crate) const NAME: &str = "readme.txt";

/// Its text.
pub(crate) fn text() -> &'static str {
    "A backup set of a Kontor appliance.

With Kontor, on a blank machine:

  kontor backup restore --from THIS_FOLDER --dir /srv/kontor

It asks for the passphrase or key file that unseals the appliance.

Without Kontor, with age, zstd, tar and sqlite3 alone:

  kontor backup key --dir DIR > key.txt     (once, beforehand, while the appliance works; keep it in a safe)
  sha256sum *.age                           (compare with manifest.json)
  mkdir restored
  for file in *.tar.zst.age; do age -d -i key.txt \"$file\" | zstd -d | tar -x -C restored; done
  sqlite3 restored/data/kontor.db 'PRAGMA integrity_check'

Sealed fields stay sealed: they open with the unseal secret only. manifest.sig is a signed note (C2SP signed-note, Ed25519)
over the SHA-256 of manifest.json; the key is log-key.pub. Compare that key with the copy your auditors keep.

Kontor 设备的一份备份集。

使用 Kontor，在一台全新的机器上：

  kontor backup restore --from 本文件夹 --dir /srv/kontor

它会要求输入解封设备的口令或密钥文件。

不使用 Kontor，只用 age、zstd、tar 和 sqlite3：

  kontor backup key --dir DIR > key.txt     （事先在设备正常时执行一次，妥善保管）
  sha256sum *.age                           （与 manifest.json 核对）
  mkdir restored
  for file in *.tar.zst.age; do age -d -i key.txt \"$file\" | zstd -d | tar -x -C restored; done
  sqlite3 restored/data/kontor.db 'PRAGMA integrity_check'

加密字段仍是密文，只有解封秘密才能打开。manifest.sig 是对 manifest.json 的 SHA-256 的签名（C2SP signed-note，Ed25519），
公钥为 log-key.pub；请与审计人员手中的副本核对。
"
}
