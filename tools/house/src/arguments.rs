//! Places with `unsafe` in our own cells, and how many of them argue for themselves.
//!
//! A place is an `unsafe` block, function or implementation outside of tests. A block or an implementation argues in a comment
//! with `SAFETY:` right above it or above the statement that it is in; a function in its documentation, under `# Safety`.

use std::path::Path;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::{HouseError, crates, files, read};

/// Numbers of places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arguments {
    /// All.
    pub places: u32,
    /// Those with an argument.
    pub argued: u32,
}

/// Counts the places in all crates of the tree at `root`.
///
/// # Errors
/// A file that cannot be read or is not Rust.
pub fn measure(root: &Path) -> Result<Arguments, HouseError> {
    let mut all = Arguments::default();
    for folder in crates(root)? {
        for path in files(&folder.join("src"), "rs")? {
            if path.ends_with("tests.rs") {
                continue;
            }
            let text = read(&path)?;
            let Arguments { places, argued } =
                of_file(&text).map_err(|error| HouseError::Syntax { path: path.clone(), error })?;
            all.places += places;
            all.argued += argued;
        }
    }
    Ok(all)
}

fn of_file(text: &str) -> syn::Result<Arguments> {
    let mut search = Search { lines: text.lines().collect(), found: Arguments::default() };
    search.visit_file(&syn::parse_file(text)?);
    Ok(search.found)
}

struct Search<'a> {
    lines: Vec<&'a str>,
    found: Arguments,
}

impl Search<'_> {
    fn place(&mut self, argued: bool) {
        self.found.places += 1;
        self.found.argued += u32::from(argued);
    }

    /// Whether a comment argues for the place at this line, which is counted from 1.
    fn is_argued_above(&self, line: usize) -> bool {
        let mut above = self.lines[..line - 1].iter().rev().map(|line| line.trim()).peekable();
        // The lines of the statement that the place is in.
        let ends = |line: &str| line.is_empty() || line.ends_with([';', '}', '{']) || line.starts_with("//");
        while above.next_if(|line| !ends(line)).is_some() {}
        above.take_while(|line| line.starts_with("//")).any(|line| line.contains("SAFETY:"))
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn has_safety_section(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).any(|attribute| {
        let value = attribute.meta.require_name_value();
        value.is_ok_and(|value| match &value.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => text.value().contains("# Safety"),
            _ => false,
        })
    })
}

fn is_unsafe(signature: &syn::Signature) -> bool {
    matches!(signature.safety, syn::Safety::Unsafe(_))
}

impl<'ast> Visit<'ast> for Search<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if is_test(&item.attrs) {
            return;
        }
        if is_unsafe(&item.sig) {
            self.place(has_safety_section(&item.attrs));
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if is_unsafe(&item.sig) {
            // The contract of a trait's method is at the trait.
            let line = item.sig.span().start().line;
            self.place(has_safety_section(&item.attrs) || self.is_argued_above(line));
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if is_unsafe(&item.sig) {
            self.place(has_safety_section(&item.attrs));
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        let line = block.unsafe_token.span.start().line;
        self.place(self.is_argued_above(line));
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if let Some(word) = item.unsafety {
            let line = word.span.start().line;
            self.place(self.is_argued_above(line));
        }
        visit::visit_item_impl(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (u32, u32) {
        let Arguments { places, argued } = of_file(text).unwrap();
        (places, argued)
    }

    #[test]
    fn a_block_argues_above_itself_or_its_statement() {
        assert_eq!(count("fn f() {\n    // SAFETY: true.\n    unsafe { g() };\n}"), (1, 1));
        assert_eq!(
            count("fn f() {\n    // SAFETY: true,\n    // as is this.\n    let a =\n        unsafe { g() };\n}"),
            (1, 1)
        );
        assert_eq!(count("fn f() {\n    // SAFETY: true.\n    h();\n    unsafe { g() };\n}"), (1, 0));
        assert_eq!(count("fn f() {\n    // Nothing.\n    unsafe { g() };\n}"), (1, 0));
    }

    #[test]
    fn a_function_argues_in_its_documentation() {
        assert_eq!(count("/// Does.\n///\n/// # Safety\n/// Never.\nunsafe fn f() {}"), (1, 1));
        assert_eq!(count("/// Does.\nunsafe fn f() {}\n// SAFETY: none.\nunsafe impl Send for T {}"), (2, 1));
        assert_eq!(count("#[cfg(test)]\nmod tests { fn f() { unsafe { g() } } }"), (0, 0));
    }
}
