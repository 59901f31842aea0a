//! All mappings at a glance.

use alloc::vec::Vec;

use addresses::{Frame, Page};
use mapping::{Rights, for_each_mapping, translate};
use self_check::{Outcome, expect};

/// The content of the page tables.
#[derive(Debug, Default)]
pub struct Audit {
    /// Pages that can be read only.
    pub read_only: usize,
    /// Pages that can be written.
    pub writable: usize,
    /// Pages that can be executed.
    pub executable: usize,
    /// Pages of device registers.
    pub device: usize,
    /// Pages that are mapped but withheld.
    pub withheld: usize,
    /// Pages that are writable and executable, and pages with a frame that is writable through another page.
    pub violations: Vec<Page>,
}

/// Reads the page tables. While other tasks map and unmap, the counts are of slightly different moments. A frame that
/// seems writable and executable is looked at again, because it may have moved from one page to the other.
pub fn audit() -> Audit {
    let mut audit = Audit::default();
    // The lists grow between two readings of the tables, never during one: growing maps pages itself.
    let mut writable: Vec<(Frame, Page)> = Vec::with_capacity(count(Rights::Writable) + 256);
    let mut executable: Vec<(Frame, Page)> = Vec::with_capacity(count(Rights::Executable) + 256);
    for_each_mapping(|mapping| {
        if !mapping.present {
            audit.withheld += 1;
            return;
        }
        match mapping.rights {
            Some(Rights::ReadOnly) => audit.read_only += 1,
            Some(Rights::Device) => audit.device += 1,
            Some(Rights::Writable) => {
                audit.writable += 1;
                push(&mut writable, (mapping.frame, mapping.page));
            }
            Some(Rights::Executable) => {
                audit.executable += 1;
                push(&mut executable, (mapping.frame, mapping.page));
            }
            None => audit.violations.push(mapping.page),
        }
    });
    writable.sort_unstable();
    for (frame, page) in executable {
        let Ok(index) = writable.binary_search_by_key(&frame, |(frame, _)| *frame) else { continue };
        let is = |page: Page, rights| translate(page.start()) == Some((frame, rights));
        if is(writable[index].1, Rights::Writable) && is(page, Rights::Executable) {
            audit.violations.push(page);
        }
    }
    audit
}

fn count(rights: Rights) -> usize {
    let mut count = 0;
    for_each_mapping(|mapping| count += usize::from(mapping.present && mapping.rights == Some(rights)));
    count
}

/// Adds without growing: an item that came after the count is left to the next audit.
fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() < list.capacity() {
        list.push(item);
    }
}

pub(crate) fn write_or_execute() -> Outcome {
    let audit = audit();
    let first = audit.violations.first().map_or(0, |page| page.start().as_u64());
    expect("pages that are writable and executable, the first at", first, 0)?;
    expect("there are executable pages", u64::from(audit.executable > 0), 1)
}

pub(crate) fn no_quarantine() -> Outcome {
    mapping::retry_quarantine();
    expect("pages in quarantine", mapping::quarantined() as u64, 0)
}
