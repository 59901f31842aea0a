//! Loading a set of cells: all of them, or none.

use alloc::{boxed::Box, string::ToString, sync::Arc, vec::Vec};

use layout::Layout;
use linker::{CellId, Function, Index, Layered};
use manifest::CellEntry;
use object::Object;

use crate::{
    LoadError,
    cell::Cell,
    draft::{Candidate, Draft, ThreadLocals, duplicate},
    state::State,
};

/// The cells that see the names which a set of cells defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every cell that is loaded later.
    Shared,
    /// The set alone: an application may run twice at a time, each time as a cell of its own.
    Private,
}

/// A set of cells that has been loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) ids: Vec<CellId>,
    /// The names that the cells define.
    pub(crate) names: Index,
}

/// A set of cells in memory, linked, mapped and known to the unwinder, of which the namespace does not know yet.
pub(crate) struct Ready {
    pub(crate) cells: Vec<Box<Cell>>,
    /// The names that the cells define.
    names: Index,
    /// The functions for which stubs were made.
    pub(crate) stubs: Vec<Function>,
}

impl State {
    /// Fetches cells of the build that the system is from the archive. Their digests have been checked when this returns.
    pub(crate) fn fetch(&self, names: &[&str]) -> Result<Vec<Candidate>, LoadError> {
        names.iter().map(|name| Candidate::fetch(&self.archive, self.known(name)?)).collect()
    }

    /// The manifest's entry of the cell called `name` in the build that the system is.
    pub(crate) fn known(&self, name: &str) -> Result<Arc<CellEntry>, LoadError> {
        let entry = self.entry(name).ok_or_else(|| LoadError::Unknown { cell: name.to_string() })?;
        Ok(Arc::new(entry.clone()))
    }

    /// Loads all `candidates`, of which `objects` were read; they may refer to each other and to everything loaded. On an
    /// error the namespace is as it was.
    pub(crate) fn load(
        &mut self,
        candidates: &[Candidate],
        objects: &[Object<'_>],
        scope: Scope,
    ) -> Result<Loaded, LoadError> {
        let Ready { cells, names, .. } = self.prepare(candidates, objects, scope)?;
        let ids = cells.iter().map(|cell| cell.id).collect();
        if scope == Scope::Shared {
            self.index.merge(names.clone());
        }
        self.enter(cells.into_iter());
        Ok(Loaded { ids, names })
    }

    /// Does all of a load that can fail. On an error everything is as it was; a success has only made stubs, which may be taken
    /// back ([`crate::stubs::StubTable::take_back`]) as long as no code of the cells runs.
    pub(crate) fn prepare(
        &mut self,
        candidates: &[Candidate],
        objects: &[Object<'_>],
        scope: Scope,
    ) -> Result<Ready, LoadError> {
        self.check_names(candidates, scope)?;
        let mut own = Index::new();
        let mut drafts: Vec<Draft<'_>> = Vec::with_capacity(candidates.len());
        for (candidate, object) in candidates.iter().zip(objects) {
            let draft = Draft::new(self.take_id(), candidate, object, Layout::new(object), ThreadLocals::New)?;
            draft.export(&mut own).map_err(|error| duplicate(error, draft.cell(), drafts.iter().map(Draft::cell)))?;
            drafts.push(draft);
        }
        if let (Scope::Shared, Some((error, id))) = (scope, self.index.conflict(&own))
            && let Some(draft) = drafts.iter().find(|draft| draft.cell().id == id)
        {
            return Err(duplicate(error, draft.cell(), self.cells.values()));
        }
        let names = Layered { upper: &own, lower: &self.index };
        let mut stage = self.stubs.stage();
        drafts.iter_mut().try_for_each(|draft| draft.link(&names, &mut stage))?;
        let cells = drafts.into_iter().map(Draft::finish).collect::<Result<Vec<_>, _>>()?;
        // Last, so that on any error before no stub was made. The cells refer to the stubs already, but no code of theirs runs.
        let stubs = stage.commit().map_err(LoadError::Stubs)?;
        Ok(Ready { cells, names: own, stubs })
    }

    fn check_names(&self, candidates: &[Candidate], scope: Scope) -> Result<(), LoadError> {
        for candidate in candidates {
            if scope == Scope::Shared && self.id_of(&candidate.entry.name).is_some() {
                return Err(LoadError::AlreadyLoaded { cell: candidate.name() });
            }
            let missing = candidate.entry.dependencies.iter().find(|&dependency| {
                self.id_of(dependency).is_none() && !candidates.iter().any(|other| other.entry.name == *dependency)
            });
            if let Some(dependency) = missing {
                return Err(LoadError::DependencyMissing { cell: candidate.name(), dependency: dependency.clone() });
            }
        }
        Ok(())
    }

    /// Makes finished cells part of the namespace, and notes them at the cells that they use. Takes no memory if room was made before.
    pub fn enter(&mut self, cells: impl Iterator<Item = Box<Cell>>) {
        let mut numbers: Option<(CellId, CellId)> = None;
        // All of them first, because they may refer to each other.
        for cell in cells {
            // The debugger's script reads these lines.
            let digest = u64::from_be_bytes(*cell.entry.object.digest.first_chunk().unwrap_or(&[0; 8]));
            log::trace!("loaded {} {digest:016x}, text at {:#x}", cell.entry.name, cell.bases.text.get());
            let first = numbers.map_or(cell.id, |(first, _)| first);
            numbers = Some((first, cell.id));
            self.cells.insert(cell);
        }
        let Some((CellId(first), CellId(last))) = numbers else { return };
        // The numbers of a set are consecutive.
        for user in (first..=last).map(CellId) {
            let Some(cell) = self.cells.get_mut(user) else { continue };
            let references = core::mem::take(&mut cell.references);
            for reference in &references {
                if let Some(used) = self.cells.get_mut(reference.cell) {
                    used.add_user(user);
                }
            }
            if let Some(cell) = self.cells.get_mut(user) {
                cell.references = references;
            }
        }
    }
}
