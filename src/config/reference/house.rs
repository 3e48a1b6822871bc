//! The settings of the machine itself: node, network, database, key, messages. Words only; nothing is read here.

use super::{Kind, SectionText, Setting};

pub(super) const ROOT: SectionText = SectionText {
    name: "",
    what: ["", ""],
    lines: &[],
    settings: &[Setting {
        key: "node",
        kind: Kind::Text,
        default: "\"kontor\"",
        example: "\"kontor-a\"",
        what: [
            "The name of this node in the audit log; with several nodes each has its own.",
            "本节点在审计日志中的名称；多节点时各不相同。",
        ],
    }],
};

pub(super) const SERVER: SectionText = SectionText {
    name: "server",
    what: ["The network side.", "网络。"],
    lines: &[],
    settings: &[
        Setting {
            key: "listen",
            kind: Kind::Text,
            default: "\"127.0.0.1:8443\"",
            example: "\"[::]:443\"",
            what: ["Address and port of the web interface and the API.", "网页界面和 API 的地址与端口。"],
        },
        Setting {
            key: "plain_http_on_loopback",
            kind: Kind::Flag,
            default: "false",
            example: "true",
            what: [
                "HTTP instead of HTTPS. Possible on a loopback address only, for a proxy on the same machine.",
                "用 HTTP 代替 HTTPS。只能用于本机回环地址，供同一台机器上的代理使用。",
            ],
        },
        Setting {
            key: "names",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"crm.example.org\"]",
            what: [
                "Names and addresses by which browsers reach this machine, beside localhost; they stand in the certificate. At most 50.",
                "除 localhost 外，浏览器访问本机所用的名称和地址，写入证书。最多 50 个。",
            ],
        },
        Setting {
            key: "drain_seconds",
            kind: Kind::Number(0, 300),
            default: "0",
            example: "15",
            what: [
                "Seconds in which a stopping appliance still answers, while /readyz says that it stops: for a load balancer in front of it.",
                "停止时继续应答的秒数，期间 /readyz 说明正在停止：供前面的负载均衡器使用。",
            ],
        },
        Setting {
            key: "proxies",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"10.0.0.5\", \"10.0.1.0/24\"]",
            what: [
                "Addresses or networks of proxies and load balancers before the appliance. What they write into X-Forwarded-For is taken for \
                 the address that a request comes from, in the audit log and in all limits; from anybody else the header is not looked at. \
                 At most 50.",
                "设备前面的代理和负载均衡器的地址或网段。它们写入 X-Forwarded-For 的内容被当作请求的来源地址，用于审计日志和所有限制；其他来源的该标头不予理会。最多 50 个。",
            ],
        },
    ],
};

pub(super) const DATABASE: SectionText = SectionText {
    name: "database",
    what: ["Where the data lies.", "数据存放的位置。"],
    lines: &[],
    settings: &[
        Setting {
            key: "engine",
            kind: Kind::Choice(&["sqlite", "postgres"]),
            default: "\"sqlite\"",
            example: "\"postgres\"",
            what: [
                "\"sqlite\": one file below data/. \"postgres\": a PostgreSQL server, version 15 or newer.",
                "\"sqlite\"：data/ 下的一个文件。\"postgres\"：PostgreSQL 15 或更新版本的服务器。",
            ],
        },
        Setting {
            key: "url_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/database-url\"",
            what: [
                "For \"postgres\": a file (mode 0600) that holds postgres://user:password@host:5432/database",
                "用于 \"postgres\"：一个文件（权限 0600），内容为 postgres://user:password@host:5432/database",
            ],
        },
        Setting {
            key: "ca_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/database-ca.pem\"",
            what: [
                "The PEM file of the authority that signed the server's certificate; needed unless it runs on this machine.",
                "签发数据库服务器证书的 CA 的 PEM 文件；服务器不在本机时必须提供。",
            ],
        },
    ],
};

pub(super) const FILES: SectionText = SectionText {
    name: "files",
    what: [
        "Where the sealed files lie: those of records, imports and exports.",
        "加密文件（记录附件、导入和导出）存放的位置。",
    ],
    lines: &[],
    settings: &[Setting {
        key: "folder",
        kind: Kind::Path,
        default: "",
        example: "\"/mnt/kontor-files\"",
        what: [
            "A folder; data/files without it. Several nodes need one that all of them see, such as a mount over NFS; each start \
             looks whether it is the same.",
            "文件夹；不写则为 data/files。多个节点需要一个共同可见的文件夹，例如 NFS 挂载；每次启动都会检查是否为同一个。",
        ],
    }],
};

pub(super) const UNSEAL: SectionText = SectionText {
    name: "unseal",
    what: ["How the root key is found at a start.", "启动时如何取得根密钥。"],
    lines: &[],
    settings: &[Setting {
        key: "key_file",
        kind: Kind::Path,
        default: "",
        example: "\"keys/unseal.key\"",
        what: [
            "The key file with which the appliance unseals itself at start. Without it, it starts sealed and waits for \
             `kontor unseal`. Whoever has this file and the data can read everything: keep them on different disks.",
            "设备启动时用来自动解封的密钥文件。没有它，设备以封存状态启动，等待 `kontor unseal`。同时拿到此文件和数据的人可以读取一切：请把两者放在不同的磁盘上。",
        ],
    }],
};

pub(super) const LOG: SectionText = SectionText {
    name: "log",
    what: [
        "What the process writes to its error stream. Not the audit log, which is always whole.",
        "进程写到标准错误的内容。与审计日志无关，审计日志始终完整。",
    ],
    lines: &[],
    settings: &[
        Setting {
            key: "level",
            kind: Kind::Choice(&["error", "warn", "info", "debug"]),
            default: "\"info\"",
            example: "\"warn\"",
            what: ["From which level on.", "从哪个级别开始输出。"],
        },
        Setting {
            key: "format",
            kind: Kind::Choice(&["text", "json"]),
            default: "\"text\"",
            example: "\"json\"",
            what: ["\"text\" for people, \"json\" for collectors.", "\"text\" 供人阅读，\"json\" 供日志采集程序。"],
        },
    ],
};

pub(super) const METRICS: SectionText = SectionText {
    name: "metrics",
    what: [
        "Figures for a monitoring system at /metrics; switched off without a token.",
        "供监控系统使用的 /metrics 指标；没有令牌则关闭。",
    ],
    lines: &[],
    settings: &[Setting {
        key: "token_file",
        kind: Kind::Path,
        default: "",
        example: "\"/etc/kontor/metrics-token\"",
        what: [
            "A file (mode 0600) with the token that a monitoring system shows: at least 32 characters. It is read anew each time.",
            "存放监控系统所用令牌的文件（权限 0600），至少 32 个字符。每次重新读取。",
        ],
    }],
};
