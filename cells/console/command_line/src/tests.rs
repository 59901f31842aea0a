extern crate std;

use super::*;
use alloc::string::ToString;
use alloc::vec;
use xorshift::Random;

fn words(line: &str) -> Vec<String> {
    let pipelines = parse(line).unwrap();
    assert_eq!((pipelines.len(), pipelines[0].commands.len()), (1, 1), "{line}");
    let command = pipelines[0].commands[0].clone();
    let mut words = vec![command.name];
    words.extend(command.arguments);
    words
}

/// A line in a notation that shows its structure.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for pipeline in parse(line).unwrap() {
        for (index, command) in pipeline.commands.iter().enumerate() {
            shape += if index == 0 { "(" } else { " | " };
            shape += &command.name;
            for argument in &command.arguments {
                shape += ",";
                shape += argument;
            }
            if let Some(path) = &command.input {
                shape += "<";
                shape += path;
            }
            if let Some(Redirection { path, append }) = &command.output {
                shape += if *append { ">>" } else { ">" };
                shape += path;
            }
        }
        shape += if pipeline.background { ")&" } else { ")" };
    }
    shape
}

#[test]
fn nothing_asks_for_nothing() {
    for line in ["", "   ", "# a comment", " \t# |"] {
        assert_eq!(parse(line), Ok(vec![]), "{line:?}");
    }
}

#[test]
fn words_and_quotes() {
    assert_eq!(words("  echo  a\tb "), ["echo", "a", "b"]);
    assert_eq!(words("echo 'a  |b' \"c\\\"d\\\\e\\f\""), ["echo", "a  |b", "c\"d\\e\\f"]);
    assert_eq!(words("echo a' 'b\\ c \"\""), ["echo", "a b c", ""]);
    assert_eq!(words("echo a#b #c"), ["echo", "a#b"]);
    assert_eq!(words("echo größe '漢'"), ["echo", "größe", "漢"]);
}

#[test]
fn pipes_jobs_and_files() {
    assert_eq!(shape("ps|cat"), "(ps | cat)");
    assert_eq!(shape("top & ps; ls /a|cat&"), "(top)&(ps)(ls,/a | cat)&");
    assert_eq!(shape("cat <a >b"), "(cat<a>b)");
    assert_eq!(shape("cat < a | echo>>b x"), "(cat<a | echo,x>>b)");
}

#[test]
fn refusals() {
    use Operator::*;
    use ParseError::*;
    for (line, error) in [
        ("echo 'a", UnclosedQuote('\'')),
        ("echo \"a\\\"", UnclosedQuote('"')),
        ("echo a\\", TrailingBackslash),
        ("| ps", MissingCommand(Pipe)),
        ("ps |", MissingCommand(Pipe)),
        ("ps || cat", MissingCommand(Pipe)),
        ("&", MissingCommand(Background)),
        ("ps ; ; ps", MissingCommand(Sequence)),
        ("> a", MissingCommand(Output)),
        ("< a", MissingCommand(Input)),
        ("''", EmptyCommand),
        ("ps | \"\" a", EmptyCommand),
        ("ps >", MissingFile(Output)),
        ("ps > | cat", MissingFile(Output)),
        ("ps >> ;", MissingFile(Append)),
        ("ps > a > b", Ambiguous(Output)),
        ("ps > a | cat", Ambiguous(Pipe)),
        ("ps | cat < a", Ambiguous(Input)),
    ] {
        assert_eq!(parse(line), Err(error), "{line:?}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn the_word_to_complete() {
    assert_eq!(word_at_end(""), ("", true));
    assert_eq!(word_at_end("ec"), ("ec", true));
    assert_eq!(word_at_end("echo "), ("", false));
    assert_eq!(word_at_end("echo x|c"), ("c", true));
    assert_eq!(word_at_end("cat /a/b"), ("/a/b", false));
    assert_eq!(word_at_end("cat <a"), ("a", false));
}

/// No line, however odd, makes the parser panic, and what it accepts has no empty pipeline.
#[test]
fn any_line_is_accepted_or_refused() {
    let alphabet = ['a', ' ', '|', '&', ';', '<', '>', '\'', '"', '\\', '#', 'é'];
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let mut line = String::new();
        for _ in 0..12 {
            line.push(alphabet[random.below(alphabet.len())]);
        }
        if let Ok(pipelines) = parse(&line) {
            assert!(pipelines.iter().all(|pipeline| !pipeline.commands.is_empty()), "{line:?}");
        }
        word_at_end(&line);
    }
}
