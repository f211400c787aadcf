//! Building an index: rows sorted by hash → one file, in one pass.
//!
//! Input: the accounts in the order of their rows, then every identifier in
//! ascending order of its hash, and the names in any order. Output: the finished
//! bytes, in a file or in memory, after every hash and gate was looked up again.
//! Memory: about 18 bytes an account, 4 for each owner of a shared value, and the
//! distinct gates; the lines and the cold records go out as they are made.
//!
//! A cold record's word is the owner's number, or, with its highest bit set,
//! where a list begins among the lists: how many owners, and their numbers, 4
//! bytes each, little-endian.
//!
//! Invariants: the file is written under a name of its own, readable by its owner
//! only, and takes the index's name when it is whole and on the disk; whatever
//! ends a build leaves the old index as it was. Errors: [`IndexError`].

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::account::Kind;
use crate::guard::index::accounts::Accounts;
use crate::guard::index::base::{Base, Bytes};
use crate::guard::index::gate::{Gates, Gathered};
use crate::guard::index::header::{
    ACCOUNTS, ALIGN, COLD, Edition, GATES, HEADER, Header, IndexError, LINES, LISTS, Section, doing,
};
use crate::guard::index::{cold, lines};

/// A record's word points to a list.
pub const SHARED: u32 = 1 << 31;
/// What is written at once.
const BUFFER: usize = 1 << 20;

/// Builds one index.
pub struct Builder {
    header: Header,
    gates: Gates,
    accounts: Accounts,
    cold: cold::Writer<BufWriter<Part>>,
    lines: lines::Writer<BufWriter<Part>>,
    lists: Vec<u32>,
    gathered: Gathered,
    /// The hash whose owners are being gathered.
    hash: Option<u128>,
    owners: Vec<u32>,
    identifiers: u64,
    fresh: Option<Fresh>,
}

impl Builder {
    /// Begins an index of these accounts: a file that will be `file`, or, without
    /// one, in memory.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(
        file: Option<&Path>,
        key: [u8; 16],
        gates: Gates,
        edition: Edition,
        mut accounts: Accounts,
    ) -> Result<Self, IndexError> {
        accounts.close();
        let mut header = Header {
            key,
            edition,
            row_last: accounts.row_last(),
            accounts: accounts.count() as u64,
            homes: lines::homes(edition.identifiers),
            ..Header::default()
        };
        // No more records than identifiers: where the lines begin is known.
        let room = cold::blocks(edition.identifiers) * cold::BLOCK as u64;
        header.sections[COLD].start = HEADER as u64;
        header.sections[LINES].start = HEADER as u64 + room;
        let fresh = file.map(Fresh::make).transpose()?;
        let part = |section: usize| {
            let out = match &fresh {
                None => Out::Memory(Vec::new()),
                Some(fresh) => Out::File(fresh.at(header.sections[section].start)?),
            };
            Ok(BufWriter::with_capacity(BUFFER, Part { out, length: 0, sum: blake3::Hasher::new() }))
        };
        Ok(Self {
            cold: cold::Writer::new(part(COLD)?),
            lines: lines::Writer::new(part(LINES)?, header.homes),
            header,
            gates,
            accounts,
            lists: Vec::new(),
            gathered: Gathered::default(),
            hash: None,
            owners: Vec::new(),
            identifiers: 0,
            fresh,
        })
    }

    /// Adds an identifier of a row; a row of no account is passed over.
    ///
    /// # Errors
    /// Its hash is below the one before, there are more identifiers than were
    /// told, or the file cannot be written.
    pub fn push(&mut self, hash: u128, kind: Kind, row: i64) -> Result<(), IndexError> {
        let Some(owner) = self.accounts.number(row) else { return Ok(()) };
        self.identifiers += 1;
        if self.identifiers > self.header.edition.identifiers {
            return Err(self.incomplete());
        }
        self.header.secrets |= kind == Kind::Secret;
        match self.hash {
            Some(before) if before == hash => {
                if self.owners.last() != Some(&owner) {
                    self.owners.push(owner);
                }
                return Ok(());
            }
            Some(before) if before > hash => return Err(IndexError::Rows("identifiers came out of order")),
            Some(_) => self.close()?,
            None => {}
        }
        self.hash = Some(hash);
        self.owners.push(owner);
        Ok(())
    }

    /// Adds a canonical name of a row, which will be searched for.
    pub fn name(&mut self, name: &str, row: i64) {
        if self.accounts.number(row).is_some() {
            self.gathered.add(&self.gates, name);
        }
    }

    fn incomplete(&self) -> IndexError {
        IndexError::Incomplete { is: self.identifiers, asked: self.header.edition.identifiers }
    }

    /// Writes the gathered hash out.
    fn close(&mut self) -> Result<(), IndexError> {
        let Some(hash) = self.hash.take() else { return Ok(()) };
        let word = match *self.owners {
            [owner] => owner,
            _ => {
                let place = self.lists.len() as u32;
                if self.lists.len() + self.owners.len() >= SHARED as usize {
                    return Err(IndexError::Rows("there are too many shared values"));
                }
                self.lists.push(self.owners.len() as u32);
                self.lists.extend_from_slice(&self.owners);
                SHARED | place
            }
        };
        self.owners.clear();
        self.lines.push(hash).map_err(doing("written"))?;
        self.cold.push(hash, word).map_err(doing("written"))
    }

    /// Finishes: the bytes, looked through once more, under the index's name.
    ///
    /// # Errors
    /// There were fewer identifiers than told, the file cannot be written, or
    /// what was written does not read back.
    pub fn finish(mut self) -> Result<Base, IndexError> {
        self.close()?;
        if self.identifiers != self.header.edition.identifiers {
            return Err(self.incomplete());
        }
        let mut header = self.header;
        (header.records, header.reach) = (self.cold.records, self.gathered.reach);
        let cold = inner(self.cold.finish())?;
        let mut part = inner(self.lines.finish())?;
        header.sections[COLD].length = cold.length;
        part.end(&mut header.sections[LINES]);
        let mut start = header.sections[LINES].start + part.length;
        let mut next = |part: &mut Part, section: &mut Section, write: &mut Piece<'_>| {
            section.start = start;
            (part.length, part.sum) = (0, blake3::Hasher::new());
            write(part)?;
            part.end(section);
            let pad = part.length.next_multiple_of(ALIGN) - part.length;
            part.write_all(&[0; ALIGN as usize][..pad as usize]).map_err(doing("written"))?;
            start += part.length;
            Ok::<_, IndexError>(())
        };
        next(&mut part, &mut header.sections[LISTS], &mut |part| {
            self.lists.chunks(64 << 10).try_for_each(|chunk| {
                let bytes: Vec<u8> = chunk.iter().flat_map(|word| word.to_le_bytes()).collect();
                part.write_all(&bytes).map_err(doing("written"))
            })
        })?;
        let gates = self.gathered.sorted();
        header.gate_homes = lines::homes(gates.len() as u64);
        next(&mut part, &mut header.sections[GATES], &mut |part| {
            let mut lines = lines::Writer::new(&mut *part, header.gate_homes);
            gates
                .iter()
                .try_for_each(|gate| lines.push(*gate))
                .and_then(|()| lines.finish())
                .map_err(doing("written"))?;
            Ok(())
        })?;
        next(&mut part, &mut header.sections[ACCOUNTS], &mut |part| {
            self.accounts.write(|piece| part.write_all(piece).map_err(doing("written")))
        })?;
        let (bytes, file) = match &mut self.fresh {
            None => (Bytes::heap(&header, start, cold.out, part.out), None),
            Some(fresh) => fresh.close(&header, start, cold.out)?,
        };
        let base = Base::new(bytes)?;
        prove(&base, gates, file.as_ref())?;
        if let Some(fresh) = self.fresh {
            fresh.rename()?;
        }
        Ok(base)
    }
}

/// Looks everything through that was written, while the disk is waited for.
fn prove(base: &Base, gates: &[u128], file: Option<&File>) -> Result<(), IndexError> {
    std::thread::scope(|scope| {
        let synced = scope.spawn(|| file.map_or(Ok(()), File::sync_all));
        base.verify()?;
        let (lines, homes) = base.gates();
        if !gates.iter().all(|gate| lines::has(lines, homes, *gate)) {
            return Err(IndexError::Damaged("a gate that was written is not found"));
        }
        let synced = synced.join().unwrap_or_else(|_| Err(std::io::Error::other("the wait for the disk broke off")));
        synced.map_err(doing("written"))
    })
}

type Piece<'a> = dyn FnMut(&mut Part) -> Result<(), IndexError> + 'a;

fn inner(part: std::io::Result<BufWriter<Part>>) -> Result<Part, IndexError> {
    part.and_then(|part| part.into_inner().map_err(std::io::IntoInnerError::into_error)).map_err(doing("written"))
}

/// Where a part goes.
pub(in crate::guard::index) enum Out {
    Memory(Vec<u8>),
    File(File),
}

/// A part of the file being written, its length and its sum.
pub(in crate::guard::index) struct Part {
    out: Out,
    length: u64,
    sum: blake3::Hasher,
}

impl Part {
    fn end(&self, section: &mut Section) {
        (section.length, section.sum) = (self.length, self.sum.finalize().into());
    }
}

impl Write for Part {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match &mut self.out {
            Out::Memory(memory) => memory.extend_from_slice(bytes),
            Out::File(file) => file.write_all(bytes)?,
        }
        self.length += bytes.len() as u64;
        self.sum.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A file beside the one that it will be; removed again unless it becomes it.
struct Fresh {
    path: PathBuf,
    becomes: PathBuf,
}

impl Fresh {
    fn make(becomes: &Path) -> Result<Self, IndexError> {
        let mut name = becomes.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}-{:08x}.new", std::process::id(), fastrand::u32(..)));
        let path = becomes.with_file_name(name);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.map_err(doing("made"))?;
        Ok(Self { path, becomes: becomes.to_owned() })
    }

    /// The file, to be written from here on.
    fn at(&self, start: u64) -> Result<File, IndexError> {
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&self.path)?;
            file.seek(SeekFrom::Start(start))?;
            Ok(file)
        };
        open().map_err(doing("made"))
    }

    /// Writes the header and maps the file; it is on the disk when it is synced.
    fn close(&self, header: &Header, length: u64, out: Out) -> Result<(Bytes, Option<File>), IndexError> {
        let write = || {
            let file = match out {
                Out::Memory(_) => None,
                Out::File(mut file) => {
                    file.set_len(length)?;
                    file.seek(SeekFrom::Start(0))?;
                    file.write_all(&header.write())?;
                    Some(file)
                }
            };
            Ok((Bytes::map(&File::open(&self.path)?)?, file))
        };
        write().map_err(doing("written"))
    }

    fn rename(self) -> Result<(), IndexError> {
        let rename = || {
            std::fs::rename(&self.path, &self.becomes)?;
            let folder = self.becomes.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        };
        rename().map_err(doing("given its name"))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Once renamed it is not there any more.
        let _ = std::fs::remove_file(&self.path);
    }
}
