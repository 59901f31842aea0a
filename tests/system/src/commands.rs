//! The commands on files and text, and the shell's own, each with its output and its refusals.

use std::time::Duration;

use machine::{PROMPT, Shell};

use crate::claim;
use crate::harness::{Batch, Check, Outcome, Places};
use crate::shell::{contains, one_line, says};

/// Four CPUs, and everything that a user types.
pub(crate) fn batches() -> Vec<Batch> {
    vec![Batch { name: "commands", machine: Places::machine, checks: CHECKS, self_checks: &[] }]
}

const CHECKS: &[Check] = &[
    Check { name: "cd changes where relative paths begin, and pwd tells", run: directory },
    Check { name: "applications inherit the directory and the variables", run: inherited },
    Check { name: "a variable is replaced outside single quotes, and stays one word", run: variables },
    Check { name: "export and unset change variables", run: export },
    Check { name: "mkdir makes directories, with -p also those above", run: mkdir },
    Check { name: "touch and > make empty files", run: touch },
    Check { name: "mv moves files and directories, and replaces with -f only", run: mv },
    Check { name: "cp replaces with -f only, and copies into directories", run: cp },
    Check { name: "rm -r removes a tree, rm -f is content with nothing", run: rm },
    Check { name: "ls -l tells kind and size", run: ls },
    Check { name: "head and tail show the ends of a text", run: ends },
    Check { name: "wc counts lines, words and bytes", run: wc },
    Check { name: "grep finds lines by a regular expression", run: grep },
    Check { name: "sort puts lines in order", run: sort },
    Check { name: "hexdump shows bytes", run: hexdump },
    Check { name: "tee writes to files and goes on", run: tee },
    Check { name: "seq and yes write lines until their reader has enough", run: endless },
    Check { name: "sleep waits, and time tells how long", run: time },
    Check { name: "history lists the lines that were typed", run: history },
    Check { name: "jobs lists the jobs in the background, and fg waits for one", run: jobs },
    Check { name: "Ctrl-C ends watch and its pause", run: watch },
    Check { name: "less and clear leave an output that is no terminal alone", run: no_terminal },
    Check { name: "every command explains itself", run: help },
    Check { name: "a wrong option gets one line", run: wrong_options },
    Check { name: "a command that changes the shell is no part of a pipe", run: alone },
];

/// For commands that end with a key.
const ANSWER: Duration = Duration::from_secs(30);

fn directory(shell: &mut Shell) -> Outcome {
    says(shell, "pwd", "/")?;
    says(shell, "cd tmp ; pwd", "/tmp")?;
    says(shell, "mkdir in ; cd in/../in/. ; pwd", "/tmp/in")?;
    says(shell, "echo text > file ; cat /tmp/in/file ; cat < file ; cat ../in/file", "text\ntext\ntext")?;
    says(shell, "cd .. ; ls in", "file")?;
    says(shell, "cd - ; pwd", "/tmp/in")?;
    says(shell, "cd ../../../.. ; pwd", "/")?;
    says(shell, "cd /none", "cd: /none: no such file or directory")?;
    says(shell, "cd /tmp/in/file", "cd: /tmp/in/file: not a directory")?;
    says(shell, "cd a b", "cd: usage: cd [DIRECTORY]")?;
    says(shell, "cd /tmp ; cd ; pwd ; rm -r /tmp/in", "/")
}

fn inherited(shell: &mut Shell) -> Outcome {
    says(shell, "cd /tmp ; N=1", "")?;
    says(shell, "pwd | cat ; env | grep ^N=", "/tmp\nN=1")?;
    says(shell, "N=2 env | grep ^N= ; echo $N", "N=2\n1")?;
    says(shell, "cd / ; unset N", "")
}

fn variables(shell: &mut Shell) -> Outcome {
    says(shell, "A='one  two' ; echo $A ; echo \"<$A>\" '$A' \\$A ${A}!", "one  two\n<one  two> $A $A one  two!")?;
    says(shell, "echo $A > \"/tmp/$A\" ; wc -l \"/tmp/one  two\" ; rm /tmp/one\\ \\ two", "1 /tmp/one  two")?;
    says(shell, "echo [$NONE] $NONE x", "[] x")?;
    says(shell, "C=echo ; $C word", "word")?;
    says(shell, "echo ${A", "shell: '${' needs a name and '}'")
}

fn export(shell: &mut Shell) -> Outcome {
    says(shell, "export E=1 F ; env | grep '^[EF]='", "E=1\nF=")?;
    says(shell, "unset E F ; env | grep '^[EF]='", "")?;
    says(shell, "export 1=2", "'1' cannot be the name of a variable")
}

fn mkdir(shell: &mut Shell) -> Outcome {
    says(shell, "mkdir /tmp/m/n", "mkdir: /tmp/m/n: no such file or directory")?;
    says(shell, "mkdir -p /tmp/m/n ; mkdir -p /tmp/m ; ls -l /tmp/m", "         0 directory n/")?;
    says(shell, "mkdir /tmp/m", "mkdir: /tmp/m: exists already")?;
    says(shell, "touch /tmp/m/f ; mkdir -p /tmp/m/f", "mkdir: /tmp/m/f: exists already")?;
    says(shell, "rm -r /tmp/m ; ls /tmp", "")
}

fn touch(shell: &mut Shell) -> Outcome {
    says(shell, "echo kept > /tmp/t1 ; touch /tmp/t1 /tmp/t2 ; cat /tmp/t1 /tmp/t2", "kept")?;
    says(shell, "> /tmp/t1 ; >> /tmp/t3 ; wc -c /tmp/t1 ; ls /tmp", "0 /tmp/t1\nt1\nt2\nt3")?;
    says(shell, "> /none/f", "shell: /none/f: no such file or directory")?;
    says(shell, "rm /tmp/t1 /tmp/t2 /tmp/t3", "")
}

fn mv(shell: &mut Shell) -> Outcome {
    says(shell, "mkdir /tmp/d ; echo a > /tmp/a ; echo b > /tmp/b", "")?;
    says(shell, "mv /tmp/a /tmp/b", "mv: /tmp/b: exists already; -f replaces it")?;
    says(shell, "mv -f /tmp/a /tmp/b ; cat /tmp/b ; ls /tmp", "a\nb\nd/")?;
    says(shell, "touch /tmp/c ; cd /tmp ; mv b c d ; cd / ; ls /tmp/d", "b\nc")?;
    says(shell, "mv /tmp/d /tmp/d/e", "mv: /tmp/d: a directory cannot move into itself")?;
    says(shell, "mv /tmp/d /tmp/e ; cat /tmp/e/b", "a")?;
    says(shell, "mv /none /tmp/x", "mv: /none: no such file or directory")?;
    says(shell, "mv /tmp/e/b /tmp/e/c /tmp/x", "mv: /tmp/x: not a directory")?;
    says(shell, "rm -r /tmp/e", "")
}

fn cp(shell: &mut Shell) -> Outcome {
    says(shell, "mkdir /tmp/d ; echo a > /tmp/a ; echo b > /tmp/b", "")?;
    says(shell, "cp /tmp/a /tmp/b ; cat /tmp/b", "cp: /tmp/b: exists already; -f replaces it\nb")?;
    says(shell, "cp -f /tmp/a /tmp/b ; cat /tmp/b", "a")?;
    says(shell, "cp /tmp/a /tmp/b /tmp/d ; ls /tmp/d", "a\nb")?;
    says(shell, "cp -f /tmp/a /tmp/a ; cat /tmp/a", "cp: /tmp/a: exists already\na")?;
    says(shell, "cp /tmp/d /tmp/e", "cp: /tmp/d: is a directory")?;
    says(shell, "rm -r /tmp/d /tmp/a /tmp/b", "")
}

fn rm(shell: &mut Shell) -> Outcome {
    says(shell, "mkdir -p /tmp/d/e/f ; touch /tmp/d/a /tmp/d/e/b", "")?;
    says(shell, "rm /tmp/d", "rm: /tmp/d: directory not empty")?;
    says(shell, "rm -r /tmp/d ; ls /tmp", "")?;
    says(shell, "rm -f /tmp/d", "")?;
    says(shell, "rm -r /tmp/d", "rm: /tmp/d: no such file or directory")
}

fn ls(shell: &mut Shell) -> Outcome {
    says(shell, "mkdir /tmp/d ; echo text > /tmp/f", "")?;
    says(shell, "ls /tmp", "d/\nf")?;
    says(shell, "ls -l /tmp", "         0 directory d/\n         5 file      f")?;
    says(shell, "ls /tmp/d /tmp/f", "/tmp/d:\n/tmp/f:\n/tmp/f")?;
    says(shell, "rm -r /tmp/d /tmp/f", "")
}

fn ends(shell: &mut Shell) -> Outcome {
    says(shell, "seq 20 | head | wc -l ; seq 20 | tail | wc -l", "10\n10")?;
    says(shell, "seq 20 | head -2 ; seq 20 | tail -n 2 ; seq 5 | tail -0", "1\n2\n19\n20")?;
    says(shell, "seq 3 > /tmp/s ; head -1 /tmp/s - < /tmp/s ; rm /tmp/s", "1\n1")?;
    says(shell, "head -n x", "head: usage: head [-n LINES] [FILE ...]")?;
    says(shell, "tail -n", "tail: option -n needs a value; usage: tail [-n LINES] [FILE ...]")
}

fn wc(shell: &mut Shell) -> Outcome {
    says(shell, "echo 'a  b c' > /tmp/w ; wc /tmp/w ; wc -w < /tmp/w", "1 3 7 /tmp/w\n3")?;
    says(shell, "wc -lc /tmp/w /tmp/w ; rm /tmp/w", "1 7 /tmp/w\n1 7 /tmp/w\n2 14 total")
}

fn grep(shell: &mut Shell) -> Outcome {
    says(shell, "seq 30 | grep '^[12]?3$'", "3\n13\n23")?;
    says(shell, "echo Word | grep -i word ; seq 3 | grep -v 2 ; seq 9 | grep -c '[5-9]'", "Word\n1\n3\n5")?;
    says(shell, "seq 9 | grep -n [78]", "7:7\n8:8")?;
    says(shell, "seq 2 > /tmp/g ; grep 2 /tmp/g /tmp/g ; rm /tmp/g", "/tmp/g:2\n/tmp/g:2")?;
    one_line(shell, "grep '('")?;
    one_line(shell, "grep")
}

fn sort(shell: &mut Shell) -> Outcome {
    says(shell, "seq 8 11 | sort", "10\n11\n8\n9")?;
    says(shell, "seq 8 11 | sort -nr", "11\n10\n9\n8")?;
    says(shell, "seq 2 > /tmp/s ; sort -u /tmp/s /tmp/s ; rm /tmp/s", "1\n2")
}

fn hexdump(shell: &mut Shell) -> Outcome {
    says(
        shell,
        "echo 0123456789abcdefg | hexdump",
        "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n\
         00000010  67 0a                                             |g.|\n\
         00000012",
    )
}

fn tee(shell: &mut Shell) -> Outcome {
    says(shell, "seq 2 | tee /tmp/t /tmp/u | wc -l ; cat /tmp/t /tmp/u", "2\n1\n2\n1\n2")?;
    says(shell, "echo 3 | tee -a /tmp/t ; cat /tmp/t ; rm /tmp/t /tmp/u", "3\n1\n2\n3")
}

fn endless(shell: &mut Shell) -> Outcome {
    says(shell, "yes | head -3", "y\ny\ny")?;
    says(shell, "yes no more | head -1", "no more")?;
    says(shell, "seq 3 -1 1 ; seq 2 3", "3\n2\n1\n2\n3")?;
    one_line(shell, "seq 1 0 2")?;
    let machine = shell.machine();
    machine.send_line("yes")?;
    machine.expect("y\ny\n", ANSWER)?;
    machine.send(b"\x03")?;
    machine.expect("yes: killed\n", ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    Ok(())
}

fn time(shell: &mut Shell) -> Outcome {
    let output = shell.run("time sleep 0.3 | cat")?;
    let seconds = output.text.strip_prefix("time: ").and_then(|rest| rest.strip_suffix(" s"));
    let seconds: f64 = seconds.and_then(|text| text.parse().ok()).unwrap_or_default();
    claim!((0.3..10.0).contains(&seconds), "{:?}", output.text);
    one_line(shell, "sleep x")?;
    says(shell, "time", "time: usage: time COMMAND ...")
}

fn history(shell: &mut Shell) -> Outcome {
    says(shell, "echo one", "one")?;
    let output = shell.run("history | tail -2")?;
    let lines: Vec<&str> = output.lines().map(str::trim_start).collect();
    let texts: Vec<&str> = lines.iter().filter_map(|line| line.split_once("  ").map(|(_, text)| text)).collect();
    claim!(texts == ["echo one", "history | tail -2"], "{:?}", output.text);
    one_line(shell, "history x")
}

fn jobs(shell: &mut Shell) -> Outcome {
    says(shell, "jobs", "")?;
    says(shell, "fg", "fg: there is no job in the background")?;
    let first = shell.run("sleep 61 | cat &")?;
    let number = first.text.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default().to_owned();
    says(shell, "jobs | cat", &format!("[{number}] sleep 61 | cat"))?;
    says(shell, "fg 999", "fg: there is no job 999; 'jobs' lists them")?;
    let machine = shell.machine();
    let mark = machine.mark();
    machine.send_line(&format!("fg {number}"))?;
    machine.line_since(mark, "sleep 61 | cat", ANSWER)?;
    machine.send(b"\x03")?;
    machine.line_since(mark, "sleep: killed", ANSWER)?;
    machine.line_since(mark, &format!("[{number}] done"), ANSWER)?;
    machine.expect(PROMPT, ANSWER)?;
    says(shell, "jobs", "")
}

fn watch(shell: &mut Shell) -> Outcome {
    let machine = shell.machine();
    machine.send_line("watch -n 0 echo again")?;
    for _ in 0..3 {
        machine.expect("again\n", ANSWER)?;
    }
    machine.send(b"\x03")?;
    machine.expect(PROMPT, ANSWER)?;
    machine.send_line("watch -n 3600 echo slow")?;
    machine.expect("slow\n", ANSWER)?;
    machine.expect("slow\n", ANSWER)?;
    machine.send(b"\x03")?;
    machine.expect(PROMPT, ANSWER)?;
    one_line(shell, "watch -n x ps")?;
    says(shell, "watch frobnicate", "frobnicate: unknown command; 'help' lists them")
}

fn no_terminal(shell: &mut Shell) -> Outcome {
    says(shell, "seq 99 | less | wc -l ; clear", "99")?;
    let output = shell.run("seq 99")?;
    claim!(output.lines().count() == 99, "a script is not paged: {:?}", output.text);
    Ok(())
}

fn help(shell: &mut Shell) -> Outcome {
    contains(shell, "man grep", "grep [-ivnc] PATTERN [FILE ...]\n")?;
    contains(shell, "help grep", "for example: ps | grep")?;
    for command in ["ls", "cd", "history", "time", "swap"] {
        contains(shell, &format!("{command} --help"), "for example: ")?;
    }
    says(shell, "man none", "man: there is no command 'none'; 'help' lists them")
}

fn wrong_options(shell: &mut Shell) -> Outcome {
    for command in
        ["ls", "cp", "mv", "rm", "mkdir", "touch", "cat", "head", "wc", "grep", "sort", "hexdump", "tee", "less"]
    {
        let output = shell.run(&format!("{command} -x a"))?;
        let expected = format!("{command}: there is no option -x; usage: {command}");
        claim!(output.lines().count() == 1 && output.text.starts_with(&expected), "{command}: {:?}", output.text);
    }
    Ok(())
}

fn alone(shell: &mut Shell) -> Outcome {
    says(shell, "cd /tmp | cat", "cd: cannot be part of a pipe or job")?;
    says(shell, "echo x | cd /tmp", "cd: cannot be part of a pipe or job")?;
    says(shell, "cd /tmp &", "cd: cannot be part of a pipe or job")?;
    says(shell, "pwd", "/")
}
