//! Frames and pages have one owner, and come back.

use addresses::{PAGE_SIZE, PhysAddr};
use frames::{FramesError, Purpose};
use mapping::{Device, MapError, Writable};
use pages::PagesError;
use self_check::{CheckError, Outcome, expect};

use crate::refused;

pub(crate) fn frames_come_back() -> Outcome {
    let mut mapping = mapping::allocate(3, Writable, Purpose::Device)?;
    mapping.bytes_mut().fill(0xa5);
    let (pages, frame) = (mapping.pages(), mapping.frame(0));
    expect("device frames are counted", u64::from(frames::statistics().held(Purpose::Device) >= 3), 1)?;
    drop(mapping);
    expect("translated after drop", u64::from(mapping::translate(pages.start()).is_some()), 0)?;
    // Another task is not likely to take exactly these in between; if so, that is no fault.
    let again = frame.map(|frame| frames::allocate_at(frame.as_range(), Purpose::Device));
    match again {
        Some(Ok(_) | Err(FramesError::Taken(_))) => Ok(()),
        Some(Err(error)) => Err(error.into()),
        None => Err(CheckError::Value { what: "frame of a mapped page", found: 0, expected: 1 }),
    }
}

pub(crate) fn one_owner() -> Outcome {
    let frames = frames::allocate(2, Purpose::Device)?;
    let second = refused("a second owner of frames", frames::allocate_at(frames.range(), Purpose::Device))?;
    expect("the frame named", u64::from(second == FramesError::Taken(frames.range().first())), 1)?;
    let pages = pages::allocate(2)?;
    let second = refused("a second owner of pages", pages::allocate_at(pages.range()))?;
    expect("the page named", u64::from(second == PagesError::Taken(pages.range().first())), 1)?;
    let (head, tail) = match frames.split(1) {
        Ok(halves) => halves,
        Err(_) => return Err(CheckError::Value { what: "split of two frames", found: 1, expected: 2 }),
    };
    expect("halves adjoin", tail.range().first().number(), head.range().end_number())?;
    match head.merge(tail) {
        Ok(both) => expect("frames after split and merge", both.count() as u64, 2),
        Err(_) => Err(CheckError::NotRefused("adjoining frames were not merged")),
    }
}

/// Asks for more than there is. Taking all there is would make other tasks fail.
pub(crate) fn exhaustion() -> Outcome {
    let count = frames::statistics().total + 1;
    let error = refused("more frames than there are", frames::allocate(count, Purpose::Other))?;
    expect("the error named", u64::from(error == FramesError::OutOfMemory { count }), 1)?;
    let error = refused("a mapping larger than memory", mapping::allocate(count, Writable, Purpose::Other))?;
    let named = matches!(error, MapError::Frames(FramesError::OutOfMemory { .. }) | MapError::Pages(_));
    expect("the error named", u64::from(named), 1)
}

pub(crate) fn no_foreign_alias() -> Outcome {
    let frame = frames::allocate(1, Purpose::Other)?;
    let start: PhysAddr = frame.range().start();
    // SAFETY: it must be refused; if not, nothing is accessed through it.
    let outcome = unsafe { mapping::map_physical(start, PAGE_SIZE, Device) };
    let error = refused("mapping the system's memory as a device", outcome)?;
    expect("the range named", u64::from(error == MapError::NotForeign(frame.range())), 1)
}
