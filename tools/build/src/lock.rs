//! One build at a time in one checkout.
//!
//! The operating system gives the lock back when its holder ends, however that comes, so no lock is ever stale.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{BuildError, Tree};

/// A build in progress: no other one begins in this checkout while it lives.
#[derive(Debug)]
pub struct BuildLock {
    _file: File,
}

impl BuildLock {
    /// Waits until no other process builds, and says for which one it waits.
    ///
    /// # Errors
    /// The file cannot be opened, or the file system has no locks.
    pub fn acquire(tree: &Tree) -> Result<Self, BuildError> {
        Self::acquire_file(&tree.root.join("target/build.lock"), |holder| {
            eprintln!("mitos: waits for another build in this checkout: {holder}");
        })
    }

    fn acquire_file(path: &Path, waits: impl FnOnce(&str)) -> Result<Self, BuildError> {
        let failed = |source| BuildError::file(path, source);
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder).map_err(|source| BuildError::file(folder, source))?;
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = open.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                waits(holder.trim());
                file.lock().map_err(failed)?;
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let holder = format!("process {}, since {} UTC\n", std::process::id(), time_of_day(SystemTime::now()));
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.write_all(holder.as_bytes()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Hours, minutes and seconds of the day.
fn time_of_day(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() % (24 * 3600);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn a_second_build_waits_and_says_for_whom() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("build.lock");
        let first = BuildLock::acquire_file(&path, |holder| panic!("waits for {holder}")).unwrap();
        let (said, says) = mpsc::channel();
        let (got, gets) = mpsc::channel();
        let second = std::thread::spawn(move || {
            let lock = BuildLock::acquire_file(&path, |holder| said.send(holder.to_owned()).unwrap()).unwrap();
            got.send(()).unwrap();
            drop(lock);
        });
        let holder = says.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(holder.starts_with(&format!("process {}, since ", std::process::id())), "{holder}");
        assert!(gets.recv_timeout(Duration::from_millis(100)).is_err(), "two builds at once");
        drop(first);
        gets.recv_timeout(Duration::from_secs(10)).unwrap();
        second.join().unwrap();
    }

    #[test]
    fn a_time_of_day_has_two_digits_each() {
        assert_eq!(time_of_day(UNIX_EPOCH + Duration::from_secs(86_400 + 3_723)), "01:02:03");
    }
}
