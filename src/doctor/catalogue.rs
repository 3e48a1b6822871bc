//! Every finding that there can be: its name, its weight, what it means and what to do, in both languages. The page for
//! administrators is made from it, so a finding without words cannot be.

use super::Weight::{self, Error, Note, Warning};

/// A finding that there can be.
pub(crate) struct Known {
    pub(crate) id: &'static str,
    pub(crate) weight: Weight,
    /// What it means, in English and Chinese.
    pub(crate) what: [&'static str; 2],
    /// What to do, in English and Chinese.
    pub(crate) todo: [&'static str; 2],
}

const fn known(id: &'static str, weight: Weight, what: [&'static str; 2], todo: [&'static str; 2]) -> Known {
    Known { id, weight, what, todo }
}

/// All of them.
pub(crate) const CATALOGUE: &[Known] = &[
    known(
        "config_invalid",
        Error,
        ["the configuration, or a file it names, cannot be used", "配置或其中写明的文件不可用"],
        [
            "mend what is named; look again with `kontor config check`",
            "修正所指出的内容，再用 `kontor config check` 检查",
        ],
    ),
    known(
        "folder_unreadable",
        Error,
        ["a folder of the appliance cannot be looked into", "无法查看设备的目录"],
        ["run this as the service's user", "以服务用户身份运行"],
    ),
    known(
        "file_open",
        Error,
        ["files or folders can be read by other accounts", "其他账户可以读取文件或目录"],
        ["chmod 600 the files, chmod 700 the folders", "对文件执行 chmod 600，对目录执行 chmod 700"],
    ),
    known(
        "file_foreign",
        Warning,
        ["files belong to another account than the folder", "文件与目录不属于同一账户"],
        ["chown them to the service's user; run commands as that user", "用 chown 改为服务用户；以该用户运行命令"],
    ),
    known(
        "upgrade_closed",
        Error,
        ["root keeps from the server how far an upgrade is", "root 未让服务器读取升级进度"],
        [
            "as root: chmod 755 the folder upgrade, chmod 644 the files",
            "以 root 身份：对目录 upgrade 执行 chmod 755，对文件执行 chmod 644",
        ],
    ),
    known(
        "disk_low",
        Error,
        ["less than 1 GiB is free", "可用空间不足 1 GiB"],
        [
            "free some; without space the log cannot grow, and nothing is answered",
            "释放空间；没有空间日志无法增长，就什么都不应答",
        ],
    ),
    known(
        "inodes_low",
        Warning,
        ["fewer than 5 of 100 inodes are free", "可用 inode 不足 5%"],
        [
            "remove small files, or make the file system anew with more inodes",
            "删除小文件，或用更多 inode 重建文件系统",
        ],
    ),
    known(
        "disk_network",
        Error,
        [
            "the embedded database lies on a file system of another machine, whose locks and syncs cannot be relied on",
            "内嵌数据库位于其他机器的文件系统上，其锁和同步不可靠",
        ],
        ["move the folder to a disk of this machine, or use PostgreSQL", "把目录移到本机磁盘，或使用 PostgreSQL"],
    ),
    known(
        "disk_memory",
        Error,
        ["the appliance lies in memory, and is gone after a restart", "设备位于内存中，重启后即消失"],
        ["move the folder to a disk", "把目录移到磁盘"],
    ),
    known(
        "slots_unreadable",
        Error,
        ["the unseal slots cannot be read", "无法读取解封槽"],
        ["restore keys/slots.json from a backup set", "从备份集恢复 keys/slots.json"],
    ),
    known(
        "slot_single",
        Warning,
        ["there is one way to unseal, and no other when it is lost", "只有一种解封方式，丢失后别无他法"],
        [
            "add a second, best recovery shares: `kontor slot add-shares`",
            "再添加一种，最好是恢复份额：`kontor slot add-shares`",
        ],
    ),
    known(
        "slot_unknown",
        Note,
        ["a slot is of a kind that this version does not know", "有一个槽的类型本版本不认识"],
        ["nothing, if a newer version made it", "如由更新的版本创建，则无需处理"],
    ),
    known(
        "key_beside_data",
        Warning,
        [
            "the key file lies on the disk of the data: whoever takes the disk can read everything",
            "密钥文件与数据在同一磁盘：拿走磁盘者可读取一切",
        ],
        [
            "give it to the service as a credential (`key_file = \"credential:NAME\"`), keep it on another disk, or unseal with a passphrase",
            "作为服务凭据提供（`key_file = \"credential:NAME\"`），放在另一块磁盘，或用口令解封",
        ],
    ),
    known(
        "clock_behind",
        Error,
        ["files are of the future: the clock was set back", "文件时间在未来：时钟被回拨"],
        [
            "set the clock right before you start; retention and certificates go by it",
            "启动前校正时钟；保留计划和证书都依赖它",
        ],
    ),
    known(
        "clock_unsynchronised",
        Warning,
        ["the clock follows no time source", "时钟没有时间源"],
        [
            "switch on chrony or systemd-timesyncd with a source of your site",
            "启用 chrony 或 systemd-timesyncd，并使用本单位的时间源",
        ],
    ),
    known(
        "clock_unknown",
        Note,
        ["whether the clock is synchronised cannot be seen", "无法得知时钟是否同步"],
        ["look at the time source yourself", "请自行查看时间源"],
    ),
    known(
        "clock_skew",
        Error,
        [
            "the clocks of this machine and of the database server differ by more than 2 seconds",
            "本机与数据库服务器的时钟相差超过 2 秒",
        ],
        ["let both follow the same time source", "让两者使用同一时间源"],
    ),
    known(
        "memory_low",
        Warning,
        ["less than 2 GB of memory, or less than 256 MiB available", "内存不足 2 GB，或可用不足 256 MiB"],
        ["give the machine more memory, or move other services away", "增加内存，或移走其他服务"],
    ),
    known(
        "swap_plain",
        Warning,
        ["memory may be swapped to a disk that is not known to be encrypted", "内存可能被换出到未加密的磁盘"],
        ["encrypt the swap area, use zram, or switch swap off", "加密交换区，使用 zram，或关闭交换"],
    ),
    known(
        "service_stopped",
        Note,
        ["no process serves this folder", "没有进程服务此目录"],
        [
            "start it, if it should run: `systemctl start kontor` or `kontor serve`",
            "如应运行则启动：`systemctl start kontor` 或 `kontor serve`",
        ],
    ),
    known(
        "service_sealed",
        Warning,
        ["it runs and is sealed", "正在运行，处于封存状态"],
        ["`kontor unseal`", "`kontor unseal`"],
    ),
    known(
        "service_not_ready",
        Error,
        ["it runs and says that it is not ready", "正在运行，但表示未就绪"],
        ["do what the reason says", "按原因处理"],
    ),
    known(
        "service_silent",
        Error,
        ["a process serves the folder and does not answer", "有进程服务此目录但不应答"],
        ["look at its lines: `journalctl -u kontor -p warning`", "查看其日志：`journalctl -u kontor -p warning`"],
    ),
    known(
        "port_taken",
        Error,
        ["the address to listen on cannot be had", "无法使用监听地址"],
        [
            "stop what holds it, or change server.listen; ports below 1024 need a socket unit or CAP_NET_BIND_SERVICE",
            "停止占用者，或更改 server.listen；1024 以下端口需要套接字单元或 CAP_NET_BIND_SERVICE",
        ],
    ),
    known(
        "certificate_unusable",
        Error,
        ["the certificate cannot be read", "无法读取证书"],
        [
            "start the appliance, which issues a new one; or restore tls/ from a backup set",
            "启动设备，它会签发新证书；或从备份集恢复 tls/",
        ],
    ),
    known(
        "certificate_ends",
        Error,
        ["the certificate ends in less than 14 days, or has ended", "证书将在 14 天内到期或已到期"],
        ["reload or restart the appliance: it issues a new one", "重新加载或重启设备：它会签发新证书"],
    ),
    known(
        "certificate_names",
        Warning,
        ["the certificate lacks names of server.names", "证书缺少 server.names 中的名称"],
        ["reload the appliance: `systemctl reload kontor`", "重新加载设备：`systemctl reload kontor`"],
    ),
    known(
        "certificate_site_unusable",
        Error,
        ["the certificate of the site cannot be read", "无法读取本单位签发的证书"],
        [
            "`kontor tls import` again, or back to the own one: `kontor tls own`",
            "重新运行 `kontor tls import`，或用 `kontor tls own` 换回设备自己的证书",
        ],
    ),
    known(
        "certificate_due",
        Warning,
        ["the certificate of the site ends in less than 30 days", "本单位签发的证书将在 30 天内到期"],
        [
            "ask for a new one: `kontor tls csr`, then `kontor tls import`",
            "申请新证书：`kontor tls csr`，再 `kontor tls import`",
        ],
    ),
    known(
        "certificate_site_ends",
        Error,
        [
            "the certificate of the site ends in less than 14 days, or has ended",
            "本单位签发的证书将在 14 天内到期或已到期",
        ],
        [
            "ask for a new one: `kontor tls csr`, then `kontor tls import`; until it is there, `kontor tls own`",
            "申请新证书：`kontor tls csr`，再 `kontor tls import`；在此之前可用 `kontor tls own`",
        ],
    ),
    known(
        "certificate_site_names",
        Warning,
        ["the certificate of the site lacks names of server.names", "本单位签发的证书缺少 server.names 中的名称"],
        [
            "ask for one with all names: `kontor tls csr`; or take the names out of kontor.toml",
            "申请包含全部名称的证书：`kontor tls csr`；或从 kontor.toml 中删去这些名称",
        ],
    ),
    known(
        "database_unreadable",
        Error,
        ["the database does not open", "无法打开数据库"],
        [
            "look at the reason; a database server has to be reachable from here, a file readable for this account",
            "查看原因；数据库服务器须可从本机访问，文件须可由此账户读取",
        ],
    ),
    known(
        "database_damaged",
        Error,
        ["pages of the database are damaged", "数据库页已损坏"],
        [
            "stop the appliance and restore the newest set: `kontor backup restore`; look at the disk",
            "停止设备并恢复最新备份集：`kontor backup restore`；检查磁盘",
        ],
    ),
    known(
        "database_empty_pages",
        Note,
        ["more than half of the database file is empty", "数据库文件一半以上为空"],
        ["nothing; the room is used again", "无需处理；空间会再次使用"],
    ),
    known(
        "postgres_old",
        Error,
        ["PostgreSQL is older than version 15", "PostgreSQL 低于版本 15"],
        ["upgrade the database server", "升级数据库服务器"],
    ),
    known(
        "postgres_fsync",
        Error,
        ["fsync is off: a power cut loses what was answered", "fsync 已关闭：断电会丢失已应答的内容"],
        ["set fsync = on", "设置 fsync = on"],
    ),
    known(
        "postgres_full_page_writes",
        Error,
        ["full_page_writes is off: a power cut can damage pages", "full_page_writes 已关闭：断电可能损坏页"],
        ["set full_page_writes = on", "设置 full_page_writes = on"],
    ),
    known(
        "postgres_synchronous_commit",
        Error,
        [
            "synchronous_commit is off: an answer leaves before its audit entry is on disk",
            "synchronous_commit 已关闭：应答会先于审计记录落盘",
        ],
        ["set synchronous_commit = on", "设置 synchronous_commit = on"],
    ),
    known(
        "postgres_checksums",
        Warning,
        ["the database server does not check its pages", "数据库服务器不校验页"],
        [
            "switch data checksums on: `pg_checksums --enable` on the stopped server",
            "启用数据校验：在停止的服务器上运行 `pg_checksums --enable`",
        ],
    ),
    known(
        "postgres_connections",
        Warning,
        ["more than 80 of 100 connections are in use", "连接数已使用 80% 以上"],
        ["raise max_connections, or find who holds them", "提高 max_connections，或查找占用者"],
    ),
    known(
        "postgres_plain",
        Warning,
        ["the connection to the database server is not encrypted", "与数据库服务器的连接未加密"],
        [
            "switch ssl on there and name its authority: database.ca_file",
            "在服务器启用 ssl，并写明其机构：database.ca_file",
        ],
    ),
    known(
        "log_broken",
        Error,
        ["the audit log does not verify", "审计日志验证不通过"],
        [
            "keep everything as it is, tell the auditor, and look with `kontor audit verify --level 4`",
            "保持原样，通知审计员，并用 `kontor audit verify --level 4` 查看",
        ],
    ),
    known(
        "log_unverified",
        Error,
        ["the audit log could not be verified", "无法验证审计日志"],
        ["look at the reason, then `kontor audit verify`", "查看原因，然后运行 `kontor audit verify`"],
    ),
    known(
        "backup_none",
        Error,
        ["no backups are made", "没有制作备份"],
        ["name a schedule and a target under [backup]", "在 [backup] 下写明时间表和目标"],
    ),
    known(
        "backup_late",
        Error,
        ["a target should have a newer set", "目标应有更新的备份集"],
        [
            "look with `kontor backup list` and `kontor backup target test`; make one: `kontor backup run`",
            "用 `kontor backup list` 和 `kontor backup target test` 查看；制作：`kontor backup run`",
        ],
    ),
    known(
        "backup_target_away",
        Error,
        ["the folder of a target cannot be reached", "无法访问目标目录"],
        ["mount it, or mend its mode", "挂载它，或修正其权限"],
    ),
    known(
        "backup_room",
        Error,
        ["the next set may not fit", "下一个备份集可能放不下"],
        ["free room on the target, or keep fewer sets", "在目标上释放空间，或少保留一些备份集"],
    ),
    known(
        "backup_unproven",
        Warning,
        ["the newest proven set is too old", "最新的已验证备份集过旧"],
        ["`kontor backup drill`", "`kontor backup drill`"],
    ),
    known(
        "drill_failed",
        Error,
        ["the last drill found that a set cannot be restored", "最近一次演练发现备份集无法恢复"],
        [
            "make a new set and prove it: `kontor backup run`, `kontor backup drill`",
            "制作新的备份集并验证：`kontor backup run`、`kontor backup drill`",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::path::Path;

    const HEADS: [&str; 2] = [
        "# What the doctor finds

`kontor doctor` looks an appliance over from beside: stopped, sealed or serving. It needs no unseal secret, changes nothing, and takes no lock that
anybody waits for. Run it as the service's user (`sudo -u kontor kontor doctor`; root is told less), after an installation, before an upgrade, and when something is odd.

```
kontor doctor --dir /srv/kontor
kontor doctor --dir /srv/kontor --deep
kontor doctor --dir /srv/kontor --json
```

`--deep` reads every page of the embedded database and every entry of the log, which takes minutes on a large appliance. With `--json` there is one
line: `{\"ok\",\"findings\":[{\"id\",\"weight\",\"seen\",\"means\",\"todo\"}],\"well\":[…]}`.

| exit code | meaning |
|---|---|
| 0 | well; notes at most |
| 1 | warnings or errors |
| 2 | the folder is none of an appliance, or cannot be read |

This table is made from the program. A finding keeps its name.

| finding | weight | what it means | what to do |
|---|---|---|---|
",
        "# 检查能发现什么

`kontor doctor` 从旁检查设备：停止、封存或服务中均可。不需要解封凭据，不改变任何东西，也不占用他人等待的锁。请以服务用户身份运行（`sudo -u kontor kontor doctor`；root 看到的较少）：安装之后、升级之前，以及情况异常时。

```
kontor doctor --dir /srv/kontor
kontor doctor --dir /srv/kontor --deep
kontor doctor --dir /srv/kontor --json
```

`--deep` 读取内嵌数据库的每一页和日志的每条记录，大型设备需要几分钟。`--json` 输出一行：
`{\"ok\",\"findings\":[{\"id\",\"weight\",\"seen\",\"means\",\"todo\"}],\"well\":[…]}`。

| 退出码 | 含义 |
|---|---|
| 0 | 正常；至多有提示 |
| 1 | 有警告或错误 |
| 2 | 该目录不是设备，或无法读取 |

此表由程序生成。每项的名称不会改变。

| 名称 | 程度 | 含义 | 处理 |
|---|---|---|---|
",
    ];

    fn page(language: usize) -> String {
        let weights = [["note", "warning", "error"], ["提示", "警告", "错误"]];
        let mut text = HEADS[language].to_owned();
        for known in CATALOGUE {
            let weight = weights[language][known.weight as usize];
            writeln!(text, "| `{}` | {weight} | {} | {} |", known.id, known.what[language], known.todo[language])
                .unwrap();
        }
        text
    }

    #[test]
    fn the_pages_are_those_of_the_program() {
        for (language, file) in ["doctor.md", "doctor.zh-CN.md"].iter().enumerate() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/admin").join(file);
            if std::env::var_os("KONTOR_UPDATE").is_some() {
                std::fs::write(&path, page(language)).unwrap();
            }
            let found = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(found, page(language), "{file} is stale: KONTOR_UPDATE=1 cargo test writes it anew");
        }
    }

    #[test]
    fn every_finding_that_is_told_is_in_the_catalogue_once() {
        let ids: BTreeSet<&str> = CATALOGUE.iter().map(|known| known.id).collect();
        assert_eq!(ids.len(), CATALOGUE.len());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/doctor");
        let sources: String = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| !path.ends_with("catalogue.rs"))
            .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("src/doctor.rs")])
            .map(|path| std::fs::read_to_string(path).unwrap())
            .collect();
        for id in ids {
            assert!(sources.contains(&format!("\"{id}\"")), "nobody tells of {id}");
        }
    }
}
