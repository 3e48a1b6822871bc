//! The settings of mail. Words only; nothing is read here.

use super::{Kind, SectionText, Setting};

pub(super) const MAIL: SectionText = SectionText {
    name: "mail",
    what: [
        "Alarms at once and a digest each day, by mail through the relay of the site. Without a relay none is sent. Try it out \
         with `kontor mail test`.",
        "通过本单位的邮件服务器即时发送警报，每天发送摘要。未配置服务器则不发送。用 `kontor mail test` 试一试。",
    ],
    lines: &[],
    settings: &[
        Setting {
            key: "relay",
            kind: Kind::Text,
            default: "\"\"",
            example: "\"mail.example.org\"",
            what: [
                "The host name of the relay, as its certificate has it. \"\" sends nothing.",
                "邮件服务器的主机名，须与其证书一致。\"\" 表示不发送。",
            ],
        },
        Setting {
            key: "port",
            kind: Kind::Number(1, 65_535),
            default: "",
            example: "2525",
            what: ["Its port, unless it is the usual one of tls.", "端口；不写则按 tls 采用常用端口。"],
        },
        Setting {
            key: "tls",
            kind: Kind::Choice(&["starttls", "tls", "none"]),
            default: "\"starttls\"",
            example: "\"tls\"",
            what: [
                "\"starttls\" (port 587) encrypts before anything is said, \"tls\" (port 465) from the first byte, \"none\" (port 25) not at all.",
                "\"starttls\"（端口 587）先加密再通信，\"tls\"（端口 465）从第一个字节起加密，\"none\"（端口 25）不加密。",
            ],
        },
        Setting {
            key: "ca_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/relay-ca.pem\"",
            what: [
                "The PEM file of the authority that signed the relay's certificate; without it those that the system trusts.",
                "签发邮件服务器证书的 CA 的 PEM 文件；不写则使用系统信任的 CA。",
            ],
        },
        Setting {
            key: "user",
            kind: Kind::Text,
            default: "",
            example: "\"kontor\"",
            what: ["Whom to sign in as, where the relay asks for it.", "邮件服务器要求登录时使用的账号。"],
        },
        Setting {
            key: "password_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/relay-password\"",
            what: [
                "A file (mode 0600) with the password; together with user.",
                "存放口令的文件（权限 0600）；与 user 一起使用。",
            ],
        },
        Setting {
            key: "from",
            kind: Kind::Text,
            default: "",
            example: "\"kontor@example.org\"",
            what: ["The address that letters come from. Needed with a relay.", "发件人地址。配置了邮件服务器时必填。"],
        },
        Setting {
            key: "language",
            kind: Kind::Choice(&["en", "zh"]),
            default: "\"en\"",
            example: "\"zh\"",
            what: ["The language of letters.", "邮件所用的语言。"],
        },
        Setting {
            key: "digest",
            kind: Kind::Schedule,
            default: "\"0 6 * * *\"",
            example: "\"0 6 * * 1-5\"",
            what: [
                "When the digest is sent, in UTC, as cron has it; \"\" never.",
                "发送摘要的时间，UTC，写法同 cron；\"\" 表示从不。",
            ],
        },
        Setting {
            key: "quiet_minutes",
            kind: Kind::Number(1, 10_080),
            default: "60",
            example: "240",
            what: ["Minutes in which the same thing is not told twice.", "多少分钟内同一件事不重复通知。"],
        },
    ],
};

pub(super) const MAIL_TO: SectionText = SectionText {
    name: "mail.to",
    what: ["Who gets what: lists of addresses, at most 16 each.", "谁收到什么：地址列表，每项最多 16 个。"],
    lines: &[],
    settings: &[
        Setting {
            key: "digest",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"it@example.org\"]",
            what: ["Each day.", "每天的摘要。"],
        },
        Setting {
            key: "backup",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"it@example.org\"]",
            what: ["Backups and drills.", "备份和演练。"],
        },
        Setting {
            key: "system",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"it@example.org\"]",
            what: ["Disk, database, certificate.", "磁盘、数据库、证书。"],
        },
        Setting {
            key: "audit",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"audit@example.org\"]",
            what: ["The audit log.", "审计日志。"],
        },
    ],
};
