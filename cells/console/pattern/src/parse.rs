//! From the text of a pattern to its steps.
use crate::class::Class;
use crate::{PatternError, Step};
use alloc::vec::Vec;
use core::iter::Peekable;
use core::str::Chars;

/// Groups in each other, at most: each takes some stack.
const MAX_DEPTH: usize = 32;

/// The steps of a pattern.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Step>, PatternError> {
    let mut parser = Parser { characters: pattern.chars().peekable(), depth: 0 };
    let steps = parser.alternatives()?;
    // Only a closing bracket is left over.
    if parser.characters.next().is_some() { Err(PatternError::Unopened) } else { Ok(steps) }
}

struct Parser<'a> {
    characters: Peekable<Chars<'a>>,
    depth: usize,
}

/// The distance over so many steps.
fn distance(steps: usize) -> isize {
    // A pattern has fewer steps than a line has bytes.
    isize::try_from(steps).unwrap_or(isize::MAX)
}

impl Parser<'_> {
    /// `a|b|c`
    fn alternatives(&mut self) -> Result<Vec<Step>, PatternError> {
        let mut all = self.sequence()?;
        while self.characters.next_if_eq(&'|').is_some() {
            let other = self.sequence()?;
            let mut both = Vec::from([Step::Split(1, distance(all.len() + 2))]);
            both.append(&mut all);
            both.push(Step::Jump(distance(other.len() + 1)));
            both.extend(other);
            all = both;
        }
        Ok(all)
    }

    /// `abc`, up to `|` or `)` or the end.
    fn sequence(&mut self) -> Result<Vec<Step>, PatternError> {
        let mut steps = Vec::new();
        while let Some(sign) = self.characters.next_if(|sign| !matches!(sign, '|' | ')')) {
            let one = self.one(sign)?;
            steps.extend(self.repeated(one));
        }
        Ok(steps)
    }

    /// One character, class, group or end of the line.
    fn one(&mut self, sign: char) -> Result<Vec<Step>, PatternError> {
        Ok(Vec::from([match sign {
            '(' => return self.group(),
            '*' | '+' | '?' => return Err(PatternError::NothingToRepeat(sign)),
            '^' => Step::Start,
            '$' => Step::End,
            '.' => Step::Take(Class::any()),
            '[' => Step::Take(self.class()?),
            '\\' => {
                let letter = self.characters.next().ok_or(PatternError::TrailingBackslash)?;
                Step::Take(Class::escaped(letter).unwrap_or_else(|| Class::one(letter)))
            }
            _ => Step::Take(Class::one(sign)),
        }]))
    }

    fn group(&mut self) -> Result<Vec<Step>, PatternError> {
        if self.depth == MAX_DEPTH {
            return Err(PatternError::TooDeep);
        }
        self.depth += 1;
        let steps = self.alternatives()?;
        self.depth -= 1;
        self.characters.next_if_eq(&')').map(|_| steps).ok_or(PatternError::Unclosed('('))
    }

    /// The signs `*`, `+` and `?` behind a part.
    fn repeated(&mut self, mut part: Vec<Step>) -> Vec<Step> {
        while let Some(sign) = self.characters.next_if(|sign| matches!(sign, '*' | '+' | '?')) {
            let length = distance(part.len());
            let mut steps = Vec::new();
            match sign {
                '*' => {
                    steps.push(Step::Split(1, length + 2));
                    steps.append(&mut part);
                    steps.push(Step::Jump(-length - 1));
                }
                '+' => {
                    steps.append(&mut part);
                    steps.push(Step::Split(-length, 1));
                }
                _ => {
                    steps.push(Step::Split(1, length + 1));
                    steps.append(&mut part);
                }
            }
            part = steps;
        }
        part
    }

    /// The characters of a class, behind its `[`. A `]` or `-` at its beginning stands for itself.
    fn class(&mut self) -> Result<Class, PatternError> {
        let mut class = Class::default();
        let others = self.characters.next_if_eq(&'^').is_some();
        let mut is_first = true;
        loop {
            let first = match self.characters.next().ok_or(PatternError::Unclosed('['))? {
                ']' if !is_first => break,
                '\\' => {
                    let letter = self.characters.next().ok_or(PatternError::Unclosed('['))?;
                    match Class::escaped(letter) {
                        // A class of other characters cannot be a part of this one: its letter stands for itself.
                        Some(escaped) if letter.is_ascii_lowercase() => {
                            class.add_class(escaped);
                            is_first = false;
                            continue;
                        }
                        _ => letter,
                    }
                }
                sign => sign,
            };
            is_first = false;
            let mut ahead = self.characters.clone();
            let last = match (ahead.next(), ahead.next()) {
                (Some('-'), Some(last)) if last != ']' => {
                    self.characters = ahead;
                    last
                }
                _ => first,
            };
            if last < first {
                return Err(PatternError::EmptyRange(first, last));
            }
            class.add(first, last);
        }
        if others {
            class.complement();
        }
        Ok(class)
    }
}
