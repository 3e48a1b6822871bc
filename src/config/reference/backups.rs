//! The settings of backups, shipping and targets. Words only; nothing is read here.

use super::{Kind, SectionText, Setting};

pub(super) const BACKUP: SectionText = SectionText {
    name: "backup",
    what: [
        "When sets are made and proven, who opens them, how long they stay.",
        "何时制作和验证备份集，谁能打开，保留多久。",
    ],
    lines: &[],
    settings: &[
        Setting {
            key: "schedule",
            kind: Kind::Schedule,
            default: "\"15 2 * * *\"",
            example: "\"0 */6 * * *\"",
            what: [
                "When a backup set is made: minute, hour, day of month, month, day of week, in UTC, as cron has it. One that was \
                 missed while the appliance was down is made up for. \"\" makes none by itself.",
                "制作备份集的时间：分、时、日、月、星期，UTC，写法同 cron。设备停机时错过的会补做。\"\" 表示不自动制作。",
            ],
        },
        Setting {
            key: "drill",
            kind: Kind::Schedule,
            default: "\"45 3 * * *\"",
            example: "\"0 5 * * 0\"",
            what: [
                "When the newest set is restored into a scratch folder and looked through. \"\" never.",
                "何时把最新的备份集恢复到临时目录并检查。\"\" 表示从不。",
            ],
        },
        Setting {
            key: "proven_max_hours",
            kind: Kind::Number(0, 8_760),
            default: "48",
            example: "26",
            what: [
                "How old, in hours, the newest set may be that was proven so, before the health page and the mail say so; 0 never.",
                "最新的已验证备份集超过多少小时后，健康页面和邮件发出提醒；0 表示从不。",
            ],
        },
        Setting {
            key: "own_key",
            kind: Kind::Flag,
            default: "true",
            example: "false",
            what: [
                "Whether the appliance's unseal secret opens its sets. Without it there is no drill, and the recipients below alone open them.",
                "设备的解封凭据能否打开自己的备份集。为 false 时没有演练，只有下面的接收者能打开。",
            ],
        },
        Setting {
            key: "recipients",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"age1…\"]",
            what: [
                "Further keys that open the sets, as `age-keygen` prints them. At most 16.",
                "还能打开备份集的其他密钥，写法同 `age-keygen` 的输出。最多 16 个。",
            ],
        },
        Setting {
            key: "keep_daily",
            kind: Kind::Number(0, 1_000),
            default: "7",
            example: "14",
            what: ["How many days keep their newest set.", "保留最近多少天各自最新的备份集。"],
        },
        Setting {
            key: "keep_weekly",
            kind: Kind::Number(0, 1_000),
            default: "4",
            example: "8",
            what: ["How many weeks keep their newest set.", "保留最近多少周各自最新的备份集。"],
        },
        Setting {
            key: "keep_monthly",
            kind: Kind::Number(0, 1_000),
            default: "12",
            example: "24",
            what: ["How many months keep their newest set.", "保留最近多少个月各自最新的备份集。"],
        },
        Setting {
            key: "keep_yearly",
            kind: Kind::Number(0, 1_000),
            default: "7",
            example: "10",
            what: ["How many years keep their newest set.", "保留最近多少年各自最新的备份集。"],
        },
        Setting {
            key: "keep_at_least",
            kind: Kind::Number(1, 1_000),
            default: "3",
            example: "5",
            what: ["Sets that stay whatever their age.", "无论多旧都保留的备份集数量。"],
        },
        Setting {
            key: "delete_after_hours",
            kind: Kind::Number(0, 8_760),
            default: "72",
            example: "168",
            what: [
                "Hours between the decision that a set may go and its going.",
                "从决定删除备份集到真正删除之间的小时数。",
            ],
        },
        Setting {
            key: "mib_per_second",
            kind: Kind::Number(0, 100_000),
            default: "0",
            example: "50",
            what: ["MiB a second, at most; 0 means as fast as it goes.", "每秒最多多少 MiB；0 表示不限速。"],
        },
    ],
};

pub(super) const SHIP: SectionText = SectionText {
    name: "backup.ship",
    what: [
        "What is committed goes on at once, so that one can go back to any second (not on PostgreSQL, which has its own means).",
        "提交后立即传送，可恢复到任意一秒（PostgreSQL 有自己的办法，不适用）。",
    ],
    lines: &[],
    settings: &[
        Setting {
            key: "sync",
            kind: Kind::Text,
            default: "\"\"",
            example: "\"disk2\"",
            what: [
                "A target below that every answer waits for: what was answered survives the loss of this machine. A folder on another disk.",
                "每个应答都要等待的目标：已应答的内容在本机损毁后仍在。须为另一块磁盘上的目录。",
            ],
        },
        Setting {
            key: "also",
            kind: Kind::Texts,
            default: "[]",
            example: "[\"store\"]",
            what: ["Further targets that get everything within a second.", "一秒之内收到全部内容的其他目标。"],
        },
        Setting {
            key: "strict",
            kind: Kind::Flag,
            default: "false",
            example: "true",
            what: [
                "true: nothing is written while the target of sync does not take it. false: work goes on, and the health page says so.",
                "true：sync 目标无法写入时不接受任何写入。false：继续工作，健康页面给出提示。",
            ],
        },
        Setting {
            key: "spool_mib",
            kind: Kind::Number(64, 1_048_576),
            default: "1024",
            example: "8192",
            what: [
                "MiB that may wait for a target that does not answer; beyond them a new set is made when it is back.",
                "目标无应答时最多积压多少 MiB；超过后，待其恢复时重新制作备份集。",
            ],
        },
        Setting {
            key: "window_days",
            kind: Kind::Number(0, 3_650),
            default: "7",
            example: "30",
            what: ["How many days back one can go to any second.", "可以恢复到最近多少天内的任意一秒。"],
        },
    ],
};

pub(super) const TARGETS: SectionText = SectionText {
    name: "backup.targets",
    what: [
        "Where the sets go, each to all of them: a name of your own and a folder that is there, best on another disk or mounted \
         from another machine; or a store that speaks S3; or a server with SFTP. Without a line here there are no backups, and \
         the health page says so. Nothing but these and the relay below is ever connected to. At most 16.",
        "备份集存放的位置，每个目标都存一份：自取名称，加上一个已存在的目录（最好在另一块磁盘上，或从另一台机器挂载）；或支持 S3 的存储；或 SFTP 服务器。这里没有任何一行就没有备份，健康页面会提示。除这些目标和下面的邮件服务器外，设备从不连接任何地方。最多 16 个。",
    ],
    lines: &[
        "disk2 = \"/mnt/disk2/kontor\"",
        "store = { s3 = \"https://s3.example.org/bucket/prefix\", region = \"eu-central-1\", credentials_file = \"/etc/kontor/s3\" }",
        "nas = { sftp = \"sftp://kontor@nas.example.org/backups\", host_key = \"SHA256:…\", key_file = \"/etc/kontor/nas.key\" }",
    ],
    settings: &[],
};

pub(super) const S3: SectionText = SectionText {
    name: "backup.targets.NAME (S3)",
    what: ["A target in a store that speaks S3.", "支持 S3 的存储中的目标。"],
    lines: &[],
    settings: &[
        Setting {
            key: "s3",
            kind: Kind::Text,
            default: "",
            example: "\"https://s3.example.org/bucket/prefix\"",
            what: [
                "Address, bucket and prefix. http:// only for this machine itself.",
                "地址、存储桶和前缀。http:// 只能用于本机。",
            ],
        },
        Setting {
            key: "region",
            kind: Kind::Text,
            default: "\"us-east-1\"",
            example: "\"eu-central-1\"",
            what: ["The region as the store names it.", "存储所用的区域名称。"],
        },
        Setting {
            key: "path_style",
            kind: Kind::Flag,
            default: "true",
            example: "false",
            what: [
                "Whether the bucket stands in the path instead of the host name.",
                "存储桶是否写在路径中而不是主机名中。",
            ],
        },
        Setting {
            key: "ca_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/store-ca.pem\"",
            what: [
                "The authority that signed the store's certificate; without it those that the system trusts.",
                "签发存储证书的 CA；不写则使用系统信任的 CA。",
            ],
        },
        Setting {
            key: "credentials_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/s3\"",
            what: [
                "Needed. A file (mode 0600) with two lines: the id of the access key, and its secret.",
                "必填。一个文件（权限 0600），共两行：访问密钥的 ID 和密钥本身。",
            ],
        },
    ],
};

pub(super) const SFTP: SectionText = SectionText {
    name: "backup.targets.NAME (SFTP)",
    what: ["A target on a server with SFTP.", "SFTP 服务器上的目标。"],
    lines: &[],
    settings: &[
        Setting {
            key: "sftp",
            kind: Kind::Text,
            default: "",
            example: "\"sftp://kontor@nas.example.org:2222/backups\"",
            what: [
                "Account, host, port and folder; /~/FOLDER lies below the account's own.",
                "账号、主机、端口和目录；/~/目录 表示位于该账号的主目录下。",
            ],
        },
        Setting {
            key: "host_key",
            kind: Kind::Text,
            default: "",
            example: "\"SHA256:…\"",
            what: [
                "Needed. The fingerprint of the server's key, as `ssh-keygen -lf` shows it at the server.",
                "必填。服务器密钥的指纹，即在服务器上运行 `ssh-keygen -lf` 所显示的内容。",
            ],
        },
        Setting {
            key: "key_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/nas.key\"",
            what: [
                "A private key (mode 0600). Either this or password_file.",
                "私钥文件（权限 0600）。与 password_file 二选一。",
            ],
        },
        Setting {
            key: "password_file",
            kind: Kind::Path,
            default: "",
            example: "\"/etc/kontor/nas.password\"",
            what: ["A file (mode 0600) with the password.", "存放口令的文件（权限 0600）。"],
        },
    ],
};
