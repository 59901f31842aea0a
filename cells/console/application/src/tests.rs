extern crate std;

use super::*;
use alloc::vec;
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

fn environment(output: Box<dyn Output>) -> (Environment, Record) {
    let error = Record::default();
    let environment = Environment::new(
        String::from("echo"),
        vec![String::from("a"), String::from("b")].into(),
        Box::new(Bytes(b"hello".to_vec())),
        output,
        Box::new(error.clone()),
    );
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
