extern crate std;

use super::*;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use xorshift::Random;

fn found(pattern: &str, line: &str) -> bool {
    Pattern::new(pattern, false).unwrap().is_match(line)
}

#[test]
fn what_is_found_and_what_is_not() {
    for (pattern, lines, others) in [
        ("", &["", "a"][..], &[][..]),
        ("b", &["abc", "b"], &["", "ac"]),
        ("^b", &["bc"], &["ab", ""]),
        ("b$", &["ab"], &["ba", ""]),
        ("^$", &[""], &["a"]),
        ("a.c", &["abc", "aäc"], &["ac", "abbc"]),
        ("^a*$", &["", "aaa"], &["ab"]),
        ("^a+$", &["a", "aaa"], &["", "ab"]),
        ("^ab?c$", &["ac", "abc"], &["abbc"]),
        ("^(ab|c)*$", &["", "abcab", "c"], &["a", "abb"]),
        ("^(a|b|)c$", &["ac", "bc", "c"], &["abc"]),
        ("[a-c_]", &["xb", "_"], &["d-", "]"]),
        ("^[^a-c]+$", &["xyz"], &["xbz"]),
        ("^[]-]+$", &["]-"], &["["]),
        ("^[a-]+$", &["a-"], &["b"]),
        ("\\.\\*", &["a.*"], &["a..", "ab"]),
        ("^\\d+\\s\\w+$", &["12 ab_", "1\tc"], &["12ab", "x y"]),
        ("^[\\d.]+$", &["1.2"], &["1,2"]),
        ("\\D", &["1a"], &["12"]),
        ("(a*)*b", &["aab", "b"], &["aaa"]),
        ("idle.*0", &["12 idle cpu0"], &["12 idle cpu1"]),
    ] {
        for line in lines {
            assert!(found(pattern, line), "{pattern} in {line:?}");
        }
        for line in others {
            assert!(!found(pattern, line), "{pattern} not in {line:?}");
        }
    }
    let pattern = Pattern::new("^größe [a-c]$", true).unwrap();
    assert!(pattern.is_match("GRÖßE B") && !pattern.is_match("GRÖßE D"));
}

#[test]
fn refusals() {
    use PatternError::*;
    for (pattern, error) in [
        ("(a", Unclosed('(')),
        ("[a", Unclosed('[')),
        ("[a\\", Unclosed('[')),
        ("a)", Unopened),
        ("*a", NothingToRepeat('*')),
        ("a|+", NothingToRepeat('+')),
        ("(?a)", NothingToRepeat('?')),
        ("[z-a]", EmptyRange('z', 'a')),
        ("a\\", TrailingBackslash),
    ] {
        assert_eq!(Pattern::new(pattern, false).unwrap_err(), error, "{pattern}");
    }
    assert_eq!(Pattern::new(&"(".repeat(10_000), false).unwrap_err(), TooDeep);
}

#[test]
fn a_pattern_that_is_made_to_take_long_does_not() {
    let pattern = format!("^{}{}$", "a?".repeat(200), "a".repeat(200));
    assert!(found(&pattern, &"a".repeat(300)));
    assert!(!found("^(a*)*(a*)*(a*)*b$", &"a".repeat(5_000)));
}

/// A pattern as a tree, which a simple search goes through with all its choices.
enum Tree {
    Letter(char),
    Both(Box<Tree>, Box<Tree>),
    Either(Box<Tree>, Box<Tree>),
    Optional(Box<Tree>),
    Many(Box<Tree>),
}

impl Tree {
    fn random(random: &mut Random, depth: usize) -> Self {
        let below = |random: &mut Random| Box::new(Self::random(random, depth.saturating_sub(1)));
        match if depth == 0 { 0 } else { random.below(5) } {
            1 => Self::Both(below(random), below(random)),
            2 => Self::Either(below(random), below(random)),
            3 => Self::Optional(below(random)),
            4 => Self::Many(below(random)),
            _ => Self::Letter(['a', 'b'][random.below(2)]),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Letter(letter) => String::from(*letter),
            Self::Both(one, other) => format!("{}{}", one.text(), other.text()),
            Self::Either(one, other) => format!("({}|{})", one.text(), other.text()),
            Self::Optional(part) => format!("({})?", part.text()),
            Self::Many(part) => format!("({})*", part.text()),
        }
    }

    /// The places in `line` where a match that begins at `from` can end.
    fn ends(&self, line: &[char], from: usize) -> Vec<usize> {
        let mut ends = match self {
            Self::Letter(letter) => {
                if line.get(from) == Some(letter) {
                    vec![from + 1]
                } else {
                    vec![]
                }
            }
            Self::Both(one, other) => {
                one.ends(line, from).into_iter().flat_map(|middle| other.ends(line, middle)).collect()
            }
            Self::Either(one, other) => [one.ends(line, from), other.ends(line, from)].concat(),
            Self::Optional(part) => [vec![from], part.ends(line, from)].concat(),
            Self::Many(part) => {
                let mut all = vec![from];
                let mut done = 0;
                while let Some(&place) = all.get(done) {
                    let more = part.ends(line, place).into_iter().filter(|end| !all.contains(end)).collect::<Vec<_>>();
                    all.extend(more);
                    done += 1;
                }
                all
            }
        };
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

#[test]
fn finds_what_a_search_with_all_choices_finds() {
    let mut random = Random::new(3);
    for _ in 0..3_000 {
        let tree = Tree::random(&mut random, 4);
        let pattern = Pattern::new(&format!("^({})$", tree.text()), false).unwrap();
        let line: Vec<char> = (0..random.below(8)).map(|_| ['a', 'b'][random.below(2)]).collect();
        let text: String = line.iter().collect();
        assert_eq!(pattern.is_match(&text), tree.ends(&line, 0).contains(&line.len()), "{} in {text:?}", tree.text());
    }
}
