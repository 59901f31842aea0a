extern crate std;

use super::*;
use std::string::ToString;

#[test]
fn pages_are_sorted_and_found() {
    assert!(PAGES.is_sorted_by(|one, other| one.name < other.name));
    assert_eq!(page("kill").map(|page| page.usage), Some(Usage("kill TASK")));
    assert!(page("none").is_none());
}

#[test]
fn every_page_is_whole() {
    for page in PAGES {
        let words = [page.usage.0, page.example].map(|text| text.split(' ').any(|word| word == page.name));
        assert_eq!(words, [true, true], "{}: usage and example name it", page.name);
        assert!(!page.summary.is_empty() && !page.summary.ends_with('.'), "{}", page.name);
        assert!(page.to_string().lines().all(|line| line.len() <= 115), "{}", page.name);
        assert!(Subject::ALL.contains(&page.subject));
    }
}
