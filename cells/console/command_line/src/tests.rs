extern crate std;

use super::*;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use xorshift::Random;

/// The value of a variable in these tests.
fn value(name: &str) -> Option<&'static str> {
    match name {
        "A" => Some("one two"),
        "EMPTY" => Some(""),
        "_b1" => Some("b"),
        _ => None,
    }
}

fn expanded(line: &str) -> Result<Vec<Pipeline>, ParseError> {
    parse(line)?.iter().map(|typed| typed.expand(value)).collect()
}

fn words(line: &str) -> Vec<String> {
    let pipelines = expanded(line).unwrap();
    assert_eq!((pipelines.len(), pipelines[0].commands.len()), (1, 1), "{line}");
    pipelines[0].commands[0].words.clone()
}

/// A line in a notation that shows its structure.
fn shape(line: &str) -> String {
    let mut shape = String::new();
    for pipeline in expanded(line).unwrap() {
        for (index, command) in pipeline.commands.iter().enumerate() {
            shape += if index == 0 { "(" } else { " | " };
            for (name, value) in &command.assignments {
                shape += &format!("[{name}={value}]");
            }
            shape += &command.words.join(",");
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
        ("> a | cat", Ambiguous(Pipe)),
        ("cat | > a", MissingCommand(Pipe)),
        ("A=1 | cat", MissingCommand(Pipe)),
        ("$EMPTY | cat", MissingCommand(Pipe)),
        ("echo ${A", BadVariable),
        ("echo ${}", BadVariable),
        ("echo \"${1}\"", BadVariable),
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
        assert_eq!(expanded(line), Err(error), "{line:?}");
        assert!(!error.to_string().contains('\n'));
    }
}

#[test]
fn variables_and_quotes() {
    assert_eq!(words("echo $A"), ["echo", "one two"]);
    assert_eq!(words("echo x$A.y ${_b1}c '$A' \"$A!\""), ["echo", "xone two.y", "bc", "$A", "one two!"]);
    assert_eq!(words("echo \\$A \"\\$A\" $ $1 a$"), ["echo", "$A", "$A", "$", "$1", "a$"]);
    assert_eq!(words("echo $EMPTY $none \"$none\" x"), ["echo", "", "x"]);
    assert_eq!(words("echo '|'$_b1"), ["echo", "|b"]);
}

#[test]
fn assignments_stand_in_front() {
    assert_eq!(shape("N=1"), "([N=1])");
    assert_eq!(shape("N=$A M= echo A=2"), "([N=one two][M=]echo,A=2)");
    assert_eq!(shape("N='a b'$_b1 ; echo"), "([N=a bb])(echo)");
    // These are words: no name, a digit first, a quoted sign.
    assert_eq!(shape("=x"), "(=x)");
    assert_eq!(shape("1a=x"), "(1a=x)");
    assert_eq!(shape("N\\=x 'M'=y"), "(N=x,M=y)");
}

#[test]
fn a_redirection_alone_makes_a_file() {
    assert_eq!(shape("> a"), "(>a)");
    assert_eq!(shape(">> $_b1 ; ps"), "(>>b)(ps)");
}

#[test]
fn the_word_to_complete() {
    let of = |line: &str| {
        let found = Incomplete::of(line);
        (found.before.join(","), found.word, found.typed, found.is_file)
    };
    let is = |before: &str, word: &str, typed, is_file| (String::from(before), String::from(word), typed, is_file);
    assert_eq!(of(""), is("", "", 0, false));
    assert_eq!(of("ec"), is("", "ec", 2, false));
    assert_eq!(of("echo "), is("echo", "", 0, false));
    assert_eq!(of("echo x|c"), is("", "c", 1, false));
    assert_eq!(of("cp /a/b c"), is("cp,/a/b", "c", 1, false));
    assert_eq!(of("cat <a"), is("cat", "a", 1, true));
    assert_eq!(of("cat < a b"), is("cat", "b", 1, false));
    assert_eq!(of("ls a\\ b"), is("ls", "a b", 4, false));
    assert_eq!(of("ls 'a b"), is("ls", "a b", 4, false));
    assert_eq!(of("ls ''"), is("ls", "", 2, false));
    let typed = |line: &str, candidate: &str| Incomplete::of(line).typed_like(line, candidate).unwrap();
    assert_eq!(typed("ls a\\ b", "a b c"), "a\\ b\\ c");
    assert_eq!(typed("ls 'a b", "a b c"), "'a b c");
    assert_eq!(typed("ls x", "x$"), "x\\$");
    assert_eq!(Incomplete::of("ls x").typed_like("ls x", "y"), None);
}

/// No line, however odd, makes the parser panic, and a line that it accepts has no empty pipeline.
#[test]
fn any_line_is_accepted_or_refused() {
    let alphabet = ['a', ' ', '|', '&', ';', '<', '>', '\'', '"', '\\', '#', 'é', '$', '{', '}', '='];
    let mut random = Random::new(1);
    for _ in 0..20_000 {
        let mut line = String::new();
        for _ in 0..12 {
            line.push(alphabet[random.below(alphabet.len())]);
        }
        if let Ok(pipelines) = parse(&line) {
            assert!(pipelines.iter().all(|pipeline| !pipeline.commands.is_empty()), "{line:?}");
        }
        // A word that is completed by nothing stays as it is.
        let found = Incomplete::of(&line);
        assert_eq!(found.typed_like(&line, &found.word).as_deref(), line.get(line.len() - found.typed..), "{line:?}");
    }
}
