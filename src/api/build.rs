//! Puts the manual (`docs/**/*.md` and the scripts beside) and the web interface (`src/ui/dist/site`, when it was built)
//! into the binary: tables of file names and contents.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    manual(&here, &out)?;
    interface(&here, &out)
}

fn manual(here: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let root = here.join("../../docs").canonicalize()?;
    let mut files = Vec::new();
    collect(&root, &["md", "py"], &mut files)?;
    files.sort();
    let mut table = "pub(crate) const FILES: &[(&str, &str)] = &[\n".to_owned();
    for file in files {
        let name = file.strip_prefix(&root)?.to_string_lossy().into_owned();
        let path = file.to_string_lossy().into_owned();
        writeln!(table, "    ({name:?}, include_str!({path:?})),")?;
    }
    table.push_str("];\n");
    fs::write(out.join("manual_files.rs"), table)?;
    Ok(())
}

/// The folder `dist` is part of the tree; `site` in it only after a build of the interface.
fn interface(here: &Path, out: &Path) -> Result<(), Box<dyn Error>> {
    let dist = here.join("../ui/dist").canonicalize()?;
    watch(&dist);
    let root = dist.join("site");
    let mut files = Vec::new();
    if root.is_dir() {
        collect(&root, &["html", "js", "css", "svg", "png", "json", "webmanifest"], &mut files)?;
    }
    files.sort();
    let mut table = "pub(crate) const FILES: &[File] = &[\n".to_owned();
    for file in files {
        let name = file.strip_prefix(&root)?.to_string_lossy().into_owned();
        let packed = |extension: &str| {
            let path = PathBuf::from(format!("{}.{extension}", file.display()));
            let text = path.display().to_string();
            if path.is_file() { format!("Some(include_bytes!({text:?}))") } else { "None".to_owned() }
        };
        let plain = file.display().to_string();
        writeln!(
            table,
            "    File {{ name: {name:?}, plain: include_bytes!({plain:?}), brotli: {}, gzip: {} }},",
            packed("br"),
            packed("gz")
        )?;
    }
    table.push_str("];\n");
    fs::write(out.join("ui_files.rs"), table)?;
    Ok(())
}

/// Folders are watched too, so that a new page is noticed.
fn collect(folder: &Path, wanted: &[&str], files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    watch(folder);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, wanted, files)?;
        } else if path.extension().is_some_and(|extension| wanted.iter().any(|one| extension == *one)) {
            watch(&path);
            files.push(path);
        }
    }
    Ok(())
}

fn watch(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
