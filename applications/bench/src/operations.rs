//! What is measured. Each round does its operation so many times and gives the ticks that took.
use alloc::sync::Arc;
use alloc::vec::Vec;
use clock::Instant;
use core::fmt;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};
use cpu_local::{CpuId, CpuSet};
use frames::Purpose;
use mapping::{MapError, Writable};
use task::{Builder, Ended, SpawnError};
use vfs::{File, FsError};

/// The file that the file operation makes.
const PATH: &str = "/bench.tmp";
const PAGE: usize = 4096;

/// An operation.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    /// How often a round does it.
    pub(crate) iterations: u32,
    /// How many of what is measured one iteration is made of.
    pub(crate) parts: u32,
    /// The instructions that it is to take at most.
    pub(crate) goal: u32,
    pub(crate) round: fn(u32) -> Result<u64, BenchError>,
}

/// All of them.
pub(crate) const OPERATIONS: &[Operation] = &[
    Operation { name: "null_call", iterations: 10_000, parts: 1, goal: 10, round: null_call },
    Operation { name: "yield", iterations: 1_000, parts: 2, goal: 260, round: yields },
    Operation { name: "spawn_join", iterations: 50, parts: 1, goal: 12_000, round: spawn_join },
    Operation { name: "map_1", iterations: 50, parts: 1, goal: 6_700, round: |count| map(count, 1) },
    Operation { name: "map_1000", iterations: 2, parts: 1, goal: 2_000_000, round: |count| map(count, 1_000) },
    Operation { name: "rendezvous", iterations: 200, parts: 1, goal: 1_700, round: rendezvous_round_trip },
    Operation { name: "async_channel", iterations: 200, parts: 1, goal: 1_700, round: async_round_trip },
    Operation { name: "file", iterations: 100, parts: 1, goal: 7_700, round: file },
    Operation { name: "heap_64", iterations: 2_000, parts: 1, goal: 150, round: heap },
];

/// Why an operation could not be measured.
pub(crate) enum BenchError {
    Spawn(SpawnError),
    Ended(Ended),
    Map(MapError),
    File(FsError),
    Disconnected,
}

impl fmt::Display for BenchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spawn(error) => error.fmt(formatter),
            Self::Ended(ended) => write!(formatter, "a measuring task {ended}"),
            Self::Map(error) => error.fmt(formatter),
            Self::File(error) => error.fmt(formatter),
            Self::Disconnected => formatter.write_str("a measuring task went away"),
        }
    }
}

/// The ticks that some work takes.
fn time(work: impl FnOnce()) -> u64 {
    let start = clock::now();
    work();
    ticks_since(start)
}

fn ticks_since(start: Instant) -> u64 {
    clock::now().ticks - start.ticks
}

fn null_call(count: u32) -> Result<u64, BenchError> {
    Ok(time(|| {
        for _ in 0..count {
            null_call::null();
        }
    }))
}

fn heap(count: u32) -> Result<u64, BenchError> {
    Ok(time(|| {
        for _ in 0..count {
            drop(black_box(Vec::<u8>::with_capacity(64)));
        }
    }))
}

fn map(count: u32, pages: usize) -> Result<u64, BenchError> {
    let start = clock::now();
    for _ in 0..count {
        let mut mapped = mapping::allocate(pages, Writable, Purpose::Other).map_err(BenchError::Map)?;
        for byte in mapped.bytes_mut().iter_mut().step_by(PAGE) {
            *byte = black_box(1);
        }
    }
    Ok(ticks_since(start))
}

fn file(count: u32) -> Result<u64, BenchError> {
    let start = clock::now();
    for _ in 0..count {
        let mut file = File::create(PATH).map_err(BenchError::File)?;
        file.write(b"contents").map_err(BenchError::File)?;
        drop(file);
        vfs::remove(PATH).map_err(BenchError::File)?;
    }
    Ok(ticks_since(start))
}

fn spawn_join(count: u32) -> Result<u64, BenchError> {
    let start = clock::now();
    for _ in 0..count {
        let task = Builder::new().name("bench").spawn(|| ()).map_err(BenchError::Spawn)?;
        task.join().map_err(BenchError::Ended)?;
    }
    Ok(ticks_since(start))
}

/// Runs two tasks on one CPU, so that their exchange is a matter of switching and not of waking another CPU; gives
/// what the first returns.
fn together(
    first: impl FnOnce() -> Result<u64, BenchError> + Send + 'static,
    second: impl FnOnce() + Send + 'static,
) -> Result<u64, BenchError> {
    let cpu = CpuSet::EMPTY.with(CpuId::BOOT);
    let partner = Builder::new().name("bench partner").affinity(cpu).spawn(second).map_err(BenchError::Spawn)?;
    let measured = Builder::new().name("bench").affinity(cpu).spawn(first);
    let result = match measured {
        Ok(task) => task.join().map_err(BenchError::Ended).flatten(),
        Err(error) => Err(BenchError::Spawn(error)),
    };
    partner.join().map_err(BenchError::Ended)?;
    result
}

fn yields(count: u32) -> Result<u64, BenchError> {
    let started = Arc::new(AtomicBool::new(false));
    let has_started = Arc::clone(&started);
    let first = move || {
        while !has_started.load(Ordering::Relaxed) {
            task::yield_now();
        }
        Ok(time(|| (0..count).for_each(|_| task::yield_now())))
    };
    let second = move || {
        started.store(true, Ordering::Relaxed);
        // One more than the other, which must never be alone.
        (0..=count).for_each(|_| task::yield_now());
    };
    together(first, second)
}

/// Sends a byte to a partner and receives it back, over two channels of the same kind.
fn round_trip<S: Send + 'static, R: Send + 'static>(
    count: u32,
    [(to_partner, from_first), (to_first, from_partner)]: [(S, R); 2],
    send: impl Fn(&S, u8) -> bool + Copy + Send + 'static,
    receive: impl Fn(&R) -> Option<u8> + Copy + Send + 'static,
) -> Result<u64, BenchError> {
    let first = move || {
        let start = clock::now();
        for _ in 0..count {
            if !send(&to_partner, 1) {
                return Err(BenchError::Disconnected);
            }
            black_box(receive(&from_partner).ok_or(BenchError::Disconnected)?);
        }
        Ok(ticks_since(start))
    };
    let second = move || {
        while let Some(byte) = receive(&from_first)
            && send(&to_first, byte)
        {}
    };
    together(first, second)
}

fn rendezvous_round_trip(count: u32) -> Result<u64, BenchError> {
    let channels = [rendezvous::channel(), rendezvous::channel()];
    round_trip(count, channels, |to, byte| to.send(byte).is_ok(), |from| from.receive().ok())
}

fn async_round_trip(count: u32) -> Result<u64, BenchError> {
    let channel = || async_channel::channel(1).map_err(|_| BenchError::Disconnected);
    round_trip(count, [channel()?, channel()?], |to, byte| to.send(byte).is_ok(), |from| from.receive().ok())
}
