//! `kontor node`: the nodes of an appliance on PostgreSQL. A kit is written on one that is there, a further one joins with it;
//! nodes are listed, and one that is gone for good is taken away.

use crate::appliance::{Appliance, NewNode, join, kit, layout};
use crate::cli::Dir;
use crate::cli::audit_verify::seal_after;
use crate::cli::failure::{EXIT_ANSWER_BAD, Failure};
use crate::cli::new_file::{self, NewFile};
use crate::cli::out::Out;
use crate::cli::secret::{self, PassphraseFrom};
use crate::config::{DEFAULT_LISTEN, host_name_is_plain};
use audit::Verb;
use clap::Subcommand;
use identity::Channel;
use kernel::Code;
use serde_json::json;
use std::net::SocketAddr;
use std::path::PathBuf;
use store::{LeaseRow, NodeRow};

/// The nodes of an appliance: several processes on one PostgreSQL database.
#[derive(Subcommand)]
pub(crate) enum NodeVerb {
    /// Lists the nodes: which serve, since when, and who does what only one may do.
    #[command(after_help = "Examples:
  kontor node list --dir /srv/kontor
  kontor node list --dir /srv/kontor --json

Alive is a node that said so in the last quarter of a minute, by the clock of the database. Sealing is signing the audit log,
schedule is what is due by the clock (backups, drills, mail), backup is making a set right now.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    List(ListArgs),
    /// Writes the kit with which a further node joins.
    #[command(after_help = "Example:
  kontor node kit --dir /srv/kontor /media/stick/kontor-node.kit

The file (mode 0600) holds the configuration, the address of the database, the public key of the log and the appliance's own
certificate authority, sealed: only the unseal secret opens it. The key file is not in it.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Kit(KitArgs),
    /// Makes the folder of a further node from a kit.
    #[command(after_help = "Examples:
  kontor node join --kit kontor-node.kit --dir /srv/kontor --node n2 --listen 0.0.0.0:443 --name crm.example.org
  kontor node join --kit kontor-node.kit --dir /srv/kontor --node n2 --key-file /media/stick/unseal.key

DIR must not exist yet, or be empty. Asks for the passphrase of the appliance, or takes the key file and keeps a copy in DIR.
Looks whether the database answers and the name is free, makes a certificate, and brings the log's tiles up to date. The
folder of files (files.folder) must be one that all nodes see. When something fails, what was made is taken away again.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 not done.")]
    Join(JoinArgs),
    /// Takes a node away that is gone for good.
    #[command(after_help = "Example:
  kontor node remove --dir /srv/kontor n2

Only the entry among the nodes goes. A node that serves is refused; stop it first. Whoever still has its folder and the unseal
secret can start it again: destroy both.
Exit codes: 0 done; 1 the passphrase opens nothing; 2 there is no such node, or it serves.")]
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// As one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct KitArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The file to write; it must not be there yet.
    file: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct JoinArgs {
    #[command(flatten)]
    dir: Dir,
    /// The kit, as `kontor node kit` wrote it.
    #[arg(long, value_name = "FILE")]
    kit: PathBuf,
    /// The name of the node in the audit log, unlike those of the others.
    #[arg(long, value_name = "NAME")]
    node: String,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Host names or addresses by which browsers will reach it; those of the kit without it.
    #[arg(long = "name", value_name = "HOST", num_args = 1..)]
    names: Vec<String>,
    /// The key file that unseals the appliance, instead of the passphrase; the node then unseals itself.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    from: PassphraseFrom,
}

#[derive(clap::Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    dir: Dir,
    #[command(flatten)]
    from: PassphraseFrom,
    /// The name of the node.
    name: String,
}

pub(crate) fn run(verb: &NodeVerb, out: &mut Out) -> Result<u8, Failure> {
    match verb {
        NodeVerb::List(args) => list(args, out),
        NodeVerb::Kit(args) => write_kit(args, out),
        NodeVerb::Join(args) => make(args, out),
        NodeVerb::Remove(args) => remove(args, out),
    }
}

fn list(args: &ListArgs, out: &mut Out) -> Result<u8, Failure> {
    let (_, desk) = secret::desk_of(&args.dir, &args.from)?;
    let (nodes, leases) = desk.store.read(|tx| Ok((tx.nodes()?, tx.leases()?))).wait()?;
    let embedded = !desk.store.is_shared();
    desk.close()?;
    let tasks = |node: &NodeRow| -> Vec<String> {
        let of = |lease: &&LeaseRow| lease.held && lease.node == node.name;
        leases.iter().filter(of).map(|lease| lease.name.clone()).collect()
    };
    if args.json {
        let node = |node: &NodeRow| {
            json!({"name": node.name, "version": node.version, "alive": node.lives, "started_at": node.started_at,
                "seen_at": node.beat_at, "stopped_at": node.stopped_at, "tasks": tasks(node)})
        };
        out.json(&nodes.iter().map(node).collect::<Vec<_>>())?;
        return Ok(0);
    }
    if embedded {
        out.line("The embedded database has one node; whether it serves says /healthz.");
        return Ok(0);
    }
    let row = |node: &NodeRow| {
        let state = match (node.lives, node.stopped_at) {
            (true, _) => "alive",
            (false, Some(_)) => "stopped",
            (false, None) => "silent",
        };
        let seen = node.stopped_at.unwrap_or(node.beat_at).to_string();
        vec![
            node.name.clone(),
            state.to_owned(),
            node.version.clone(),
            node.started_at.to_string(),
            seen,
            tasks(node).join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = nodes.iter().map(row).collect();
    out.table(&["NODE", "STATE", "VERSION", "STARTED", "SEEN", "DOES"], &rows);
    Ok(0)
}

fn write_kit(args: &KitArgs, out: &mut Out) -> Result<u8, Failure> {
    let file = NewFile::make(&args.file, new_file::PRIVATE)?;
    let (appliance, desk) = secret::desk_of(&args.dir, &args.from)?;
    let bytes = kit(&appliance)?;
    // The log knows of it before anybody can take it.
    desk.note(Verb::ConfigChange, "kit for a further node written")?;
    desk.close()?;
    file.write(&bytes)?;
    out.line(format!("The kit is {}. With it and the unseal secret a further node joins:", args.file.display()));
    out.line("  kontor node join --kit FILE --dir DIR --node NAME --listen ADDR");
    Ok(0)
}

fn make(args: &JoinArgs, out: &mut Out) -> Result<u8, Failure> {
    if let Some(bad) = args.names.iter().find(|name| !host_name_is_plain(name)) {
        return Err(Failure::new(Code::ParameterInvalid, format!("{bad} is neither a host name nor an IP address"))
            .kept("nothing was made"));
    }
    if let Some(file) = &args.key_file {
        layout::require_private(file)?;
    }
    let listen = args.listen.to_string();
    let new = NewNode {
        dir: &args.dir.dir,
        kit: &args.kit,
        node: &args.node,
        listen: &listen,
        names: &args.names,
        key_file: args.key_file.as_deref(),
    };
    let settle = |appliance: &Appliance, opened: &crate::appliance::Opened| {
        let operator = crate::appliance::local_operator(
            &appliance.layout,
            Channel::Cli,
            appliance.clock.as_ref(),
            appliance.random.as_ref(),
        )?;
        let mut entry = opened.store.entry(&operator, Verb::ConfigChange);
        entry.note = format!("{}; node joined", entry.note);
        opened.store.append(vec![entry]).wait()?;
        seal_after(opened)
    };
    let joined = join(&new, |vault| args.from.secret(vault), settle);
    let appliance = joined.map_err(|failure| {
        let bad = failure.code == Code::UnsealFailed;
        let failure = failure.kept_if_silent("nothing: what was half made was taken away again");
        if bad { failure.exit(EXIT_ANSWER_BAD) } else { failure }
    })?;
    let dir = appliance.layout.dir().display();
    out.line(format!("The node {:?} was made in {dir}; its log is up to date.", args.node));
    out.line("What to do next:");
    out.line(format!(
        "  1. Mount the folder of files that the other nodes use: {}",
        appliance.layout.files().display()
    ));
    out.line(format!("  2. kontor config check --dir {dir}      (files that kontor.toml names are not in the kit)"));
    out.line(format!("  3. kontor serve --dir {dir}, then put it behind the load balancer"));
    Ok(0)
}

fn remove(args: &RemoveArgs, out: &mut Out) -> Result<u8, Failure> {
    let (_, desk) = secret::desk_of(&args.dir, &args.from)?;
    let mut entry = desk.store.entry(&desk.operator, Verb::ConfigChange);
    entry.note = format!("{}; node {:?} removed", entry.note, args.name);
    let removed = desk.store.node_remove(&args.name, entry)?;
    desk.close()?;
    if !removed {
        return Err(Failure::new(Code::RecordNotFound, format!("there is no node {:?}", args.name))
            .kept("nothing was changed")
            .todo("`kontor node list` shows the names"));
    }
    out.line(format!("The node {:?} is no longer one of this appliance.", args.name));
    Ok(0)
}
