use super::*;

fn page(address: u64) -> Page {
    Page::containing(VirtAddr::new(address))
}

#[test]
fn a_page_in_the_hole_does_not_exist() {
    assert!(Page::from_number(0x0000_8000_0000_0000 >> 12).is_none());
    assert!(Page::from_number(u64::MAX).is_none());
    assert_eq!(Page::from_number(0xffff_8000_0000_0000 >> 12), Some(page(0xffff_8000_0000_0000)));
}

#[test]
fn a_frame_above_52_bits_does_not_exist() {
    assert!(Frame::from_number(FRAME_LIMIT).is_none());
    assert!(FrameRange::new(Frame::from_number(FRAME_LIMIT - 1).unwrap(), 2).is_none());
}

#[test]
fn a_range_stays_on_one_side_of_the_hole() {
    assert!(PageRange::new(page(0x0000_7fff_ffff_f000), 1).is_some());
    assert!(PageRange::new(page(0x0000_7fff_ffff_f000), 2).is_none());
    assert!(PageRange::new(page(0x0000_7fff_ffff_f000), (1 << 36) + 2).is_none());
}

#[test]
fn the_last_page_of_all_can_be_named() {
    let last = page(0xffff_ffff_ffff_f000);
    assert!(PageRange::new(last, 1).is_some());
    assert!(PageRange::new(last, 2).is_none());
}

#[test]
fn covering_counts_the_bytes_before_and_after() {
    let range = PageRange::covering(VirtAddr::new(0x1fff), 2).unwrap();
    assert_eq!((range.start(), range.count()), (VirtAddr::new(0x1000), 2));
    assert_eq!(PageRange::covering(VirtAddr::new(0x1000), 0).unwrap().count(), 0);
    assert!(PageRange::covering(VirtAddr::new(0x1fff), usize::MAX).is_none());
}

#[test]
fn split_and_join_are_inverse() {
    let range = PageRange::new(page(0x4000), 5).unwrap();
    let (head, tail) = range.split_at(2).unwrap();
    assert_eq!(head.join(&tail), Some(range));
    assert_eq!(tail.join(&head), None);
    assert!(range.split_at(6).is_none());
    assert!(!head.overlaps(&tail) && head.overlaps(&range));
}
