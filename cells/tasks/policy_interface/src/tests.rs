//! Packing loses nothing; a list is checked entry by entry.
use super::*;

fn entry(task: usize, cpu: u32) -> PolicyEntry {
    PolicyEntry { task: Slot::new(task).unwrap(), cpu, base: Priority::NORMAL, inherited: Priority::LOWEST }
}

#[test]
fn packing_is_lossless() {
    for (base, inherited, cpu) in [(0, 0, 0), (31, 7, 31), (12, 31, 5)] {
        let entry = PolicyEntry {
            task: Slot::new(77).unwrap(),
            cpu,
            base: Priority::new(base).unwrap(),
            inherited: Priority::new(inherited).unwrap(),
        };
        assert_eq!(PolicyEntry::unpack(entry.task, entry.pack()), Some(entry));
    }
    assert_eq!(PolicyEntry::unpack(Slot::new(1).unwrap(), 0), None);
}

#[test]
fn priorities_end_at_31() {
    assert!(Priority::new(32).is_none());
    assert_eq!(Priority::new(31), Some(Priority::HIGHEST));
}

#[test]
fn a_bad_list_is_refused_with_its_reason() {
    assert_eq!(check(&[entry(1, 0)], 3), Err(ImportError::NotEmpty { tasks: 3 }));
    assert_eq!(check(&[entry(1, 32)], 0), Err(ImportError::UnknownCpu { task: Slot::new(1).unwrap(), cpu: 32 }));
    assert_eq!(check(&[entry(1, 0), entry(1, 1)], 0), Err(ImportError::Duplicate { task: Slot::new(1).unwrap() }));
    assert_eq!(check(&[entry(1, 0), entry(2, 31)], 0), Ok(()));
}
