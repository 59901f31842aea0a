extern crate std;

use super::*;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use std::sync::Mutex;

/// An output that a test can look into after the environment has taken it.
#[derive(Clone, Default)]
struct Record(Arc<Mutex<Vec<u8>>>);

impl Record {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Output for Record {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }
}

struct Gone;

impl Output for Gone {
    fn write(&mut self, _bytes: &[u8]) -> Result<(), StreamError> {
        Err(StreamError::Disconnected)
    }
}

struct Bytes(Vec<u8>);

impl Input for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamError> {
        let count = buffer.len().min(self.0.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        Ok(count)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| String::from(*word)).collect()
}

fn environment(output: Box<dyn Output>) -> (Environment, Record) {
    let error = Record::default();
    let streams = Streams {
        input: Box::new(Bytes(b"hello".to_vec())),
        output,
        error: Box::new(error.clone()),
        terminal: None,
        columns: None,
    };
    let environment = Environment::new(String::from("echo"), words(&["a", "b"]).into(), Inherited::new(), streams);
    (environment, error)
}

#[test]
fn formats_to_the_output() {
    let output = Record::default();
    let (mut environment, error) = environment(Box::new(output.clone()));
    for argument in environment.arguments().iter() {
        write!(environment, "[{argument}]").unwrap();
    }
    assert_eq!(output.text(), "[a][b]");
    assert_eq!(environment.conclude(Ok(())), ExitCode::SUCCESS);
    assert_eq!(error.text(), "");
}

#[test]
fn a_failure_is_one_line_on_the_error_output() {
    let (mut environment, error) = environment(Box::new(Record::default()));
    let code = environment.conclude(Err(Usage("echo WORD ...").into()));
    assert_eq!((code, error.text().as_str()), (ExitCode::USAGE, "echo: usage: echo WORD ...\n"));
}

#[test]
fn a_refusal_tells_its_cause() {
    let (mut environment, error) = environment(Box::new(Record::default()));
    let code = environment.conclude(Err(Failure::refused(StreamError::Full)));
    assert_eq!((code, error.text().as_str()), (ExitCode::FAILURE, "echo: there is no room for more output\n"));
}

#[test]
fn a_reader_that_left_is_no_news() {
    let (mut environment, error) = environment(Box::new(Gone));
    let result = writeln!(environment, "text").map_err(Failure::from);
    assert!(matches!(result, Err(Failure::Stream(StreamError::Disconnected))));
    assert_eq!(environment.conclude(result), ExitCode::FAILURE);
    assert_eq!(error.text(), "");
}

#[test]
fn copies_until_the_end() {
    let output = Record::default();
    let (mut environment, _) = environment(Box::new(output.clone()));
    let mut buffer = [0; 4];
    assert_eq!(environment.copy(&mut buffer), Ok(4));
    assert_eq!(environment.copy(&mut buffer), Ok(1));
    assert_eq!(environment.copy(&mut buffer), Ok(0));
    assert_eq!(output.text(), "hello");
}

#[test]
fn options_stand_before_arguments() {
    const CHOICES: &[Choice] = &[Choice::Flag('l'), Choice::Flag('w'), Choice::Value('n'), Choice::Number('n')];
    const USAGE: Usage = Usage("wc");
    let read = |line: &[&str]| {
        let words = words(line);
        Options::read(&words, CHOICES, USAGE)
            .map(|options| {
                let given = (options.has('l'), options.has('w'), options.value('n').map(String::from));
                (given, options.arguments().to_vec())
            })
            .map_err(|failure| failure.to_string())
    };
    let n = |value: &str| Some(String::from(value));
    assert_eq!(read(&["a", "-l"]), Ok(((false, false, None), words(&["a", "-l"]))));
    assert_eq!(read(&["-lw", "-n", "5", "a"]), Ok(((true, true, n("5")), words(&["a"]))));
    assert_eq!(read(&["-ln5"]), Ok(((true, false, n("5")), words(&[]))));
    assert_eq!(read(&["-12", "-3", "a"]), Ok(((false, false, n("3")), words(&["a"]))));
    assert_eq!(read(&["-l", "--", "-w", "-"]), Ok(((true, false, None), words(&["-w", "-"]))));
    assert_eq!(read(&["-", "-l"]), Ok(((false, false, None), words(&["-", "-l"]))));
    assert_eq!(read(&["-lx"]), Err("there is no option -x; usage: wc".into()));
    assert_eq!(read(&["-n"]), Err("option -n needs a value; usage: wc".into()));
}

#[test]
fn a_change_of_a_copy_changes_no_other() {
    let mut first = Inherited::new();
    first.set_variable("A", Some("1"));
    let mut second = first.clone();
    second.set_variable("A", Some("2"));
    second.set_variable("B", Some(""));
    second.set_directory("/tmp");
    assert_eq!((first.directory(), first.variable("A"), first.variable("B")), ("/", Some("1"), None));
    second.set_variable("A", None);
    assert_eq!(second.variables().collect::<Vec<_>>(), [("B", "")]);
    assert!(["A", "_a1"].iter().all(|name| is_variable(name)));
    assert!(!["", "1a", "a-b", "größe"].iter().any(|name| is_variable(name)));
}
