//! The directory and the variables that an application has of its starter.
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;

/// A working directory and variables. A copy is cheap, and a change of a copy changes no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    directory: Arc<str>,
    variables: Arc<BTreeMap<String, String>>,
}

impl Inherited {
    /// The root directory, and no variables.
    pub fn new() -> Self {
        Self { directory: Arc::from("/"), variables: Arc::default() }
    }

    /// The directory that relative paths begin in, as an absolute path.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// Changes the directory, to an absolute path.
    pub fn set_directory(&mut self, path: &str) {
        self.directory = Arc::from(path);
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All variables with their values, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Gives a variable a value, or takes the variable away.
    pub fn set_variable(&mut self, name: &str, value: Option<&str>) {
        let variables = Arc::make_mut(&mut self.variables);
        match value {
            Some(value) => variables.insert(String::from(name), String::from(value)),
            None => variables.remove(name),
        };
    }
}

impl Default for Inherited {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether `name` can name a variable: letters, digits and `_`, and no digit first.
pub fn is_variable(name: &str) -> bool {
    let fits = |character: char| character == '_' || character.is_ascii_alphanumeric();
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit())
}
