//! What the sources of a cell say about `unsafe`.
//!
//! The count is of the places where a human promises something that the compiler does not check: `unsafe` blocks, `unsafe`
//! functions and `unsafe` implementations, also those inside macros; test code does not count. It is taken from all files
//! under the crate's source folder, so a file that some configuration leaves out counts too: the number is never too small.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// What was found in one crate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// The crate root says `#![forbid(unsafe_code)]`.
    pub forbids_unsafe: bool,
    /// Number of `unsafe` blocks, functions and implementations.
    pub unsafe_places: u32,
}

/// Why a crate could not be surveyed.
#[derive(Debug)]
pub enum SurveyError {
    /// A file or folder cannot be read.
    File { path: PathBuf, error: io::Error },
    /// The crate root is not Rust.
    Syntax { path: PathBuf, error: syn::Error },
}

impl fmt::Display for SurveyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Syntax { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for SurveyError {}

/// Surveys the crate with the root file `root`.
///
/// # Errors
/// [`SurveyError`]: the root cannot be read or parsed, or a folder cannot be listed.
pub fn survey(root: &Path) -> Result<Survey, SurveyError> {
    let text = read(root)?;
    let file = syn::parse_file(&text).map_err(|error| SurveyError::Syntax { path: root.to_owned(), error })?;
    let forbids_unsafe = file.attrs.iter().any(forbids_unsafe);
    let mut unsafe_places = 0;
    for path in files(root.parent().unwrap_or(Path::new(".")))? {
        let text = read(&path)?;
        // Files that are included as data, or belong to another edition, may not parse: their words count then.
        unsafe_places += match syn::parse_file(&text) {
            Ok(file) => places(&file),
            Err(_) => u32::try_from(text.matches("unsafe").count()).unwrap_or(u32::MAX),
        };
    }
    Ok(Survey { forbids_unsafe, unsafe_places })
}

fn read(path: &Path) -> Result<String, SurveyError> {
    fs::read_to_string(path).map_err(|error| SurveyError::File { path: path.to_owned(), error })
}

/// All Rust files under a folder, but those of tests and benches.
fn files(folder: &Path) -> Result<Vec<PathBuf>, SurveyError> {
    let failed = |error| SurveyError::File { path: folder.to_owned(), error };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if !matches!(&*name, "tests" | "benches" | "examples" | "target") {
                found.extend(files(&path)?);
            }
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
    Ok(found)
}

fn forbids_unsafe(attribute: &syn::Attribute) -> bool {
    let mut found = false;
    if attribute.path().is_ident("forbid") {
        // Other lints in the list may have a tool's path or a reason: not of interest, so errors are not either.
        let _ = attribute.parse_nested_meta(|meta| {
            found |= meta.path.is_ident("unsafe_code");
            Ok(())
        });
    }
    found
}

/// The number of places in one file.
fn places(file: &syn::File) -> u32 {
    let mut counter = Counter(0);
    counter.visit_file(file);
    counter.0
}

struct Counter(u32);

/// True for `#[test]` and `#[cfg(test)]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Counter {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.0 += 1;
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.0 += u32::from(matches!(signature.safety, syn::Safety::Unsafe(_)));
        visit::visit_signature(self, signature);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.0 += u32::from(item.unsafety.is_some());
        visit::visit_item_impl(self, item);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.0 += tokens(call.tokens.clone());
    }
}

/// Places inside a macro, where there is no syntax tree: `unsafe` before a block, a function or an implementation.
fn tokens(stream: TokenStream) -> u32 {
    let mut count = 0;
    let mut after_unsafe = false;
    for token in stream {
        let mut is_unsafe = false;
        match &token {
            TokenTree::Group(group) => {
                count += u32::from(after_unsafe && group.delimiter() == Delimiter::Brace) + tokens(group.stream());
            }
            TokenTree::Ident(word) => {
                count += u32::from(after_unsafe && (word == "fn" || word == "impl" || word == "extern"));
                is_unsafe = word == "unsafe";
            }
            _ => {}
        }
        after_unsafe = is_unsafe;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> u32 {
        places(&syn::parse_file(text).unwrap())
    }

    #[test]
    fn blocks_functions_and_implementations_count() {
        assert_eq!(count("fn f() { unsafe { g() } }"), 1);
        assert_eq!(count("unsafe fn f() { unsafe { unsafe { g() } } }"), 3);
        assert_eq!(count("unsafe impl Send for T {} impl Sync for T {}"), 1);
        assert_eq!(count("trait T { unsafe fn f(&self); }"), 1);
        assert_eq!(count("// unsafe\nfn f() { let unsafe_ = \"unsafe {}\"; }"), 0);
    }

    #[test]
    fn macros_count_and_tests_do_not() {
        assert_eq!(count("macro_rules! m { () => { unsafe { g() } } }"), 1);
        assert_eq!(count("fn f() { assert!(unsafe { g() }); }"), 1);
        assert_eq!(count("#[cfg(test)] mod tests { fn f() { unsafe { g() } } }"), 0);
        assert_eq!(count("#[cfg(not(test))] mod real { fn f() { unsafe { g() } } }"), 1);
    }

    #[test]
    fn only_forbid_forbids() {
        let forbids = |text: &str| syn::parse_file(text).unwrap().attrs.iter().any(forbids_unsafe);
        assert!(forbids("#![no_std]\n#![forbid(unsafe_code)]"));
        assert!(forbids("#![forbid(missing_docs, unsafe_code)]"));
        assert!(!forbids("#![deny(unsafe_code)]"));
    }

    #[test]
    fn this_crate_is_surveyed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
        assert_eq!(survey(&root).unwrap(), Survey { forbids_unsafe: false, unsafe_places: 0 });
    }
}
