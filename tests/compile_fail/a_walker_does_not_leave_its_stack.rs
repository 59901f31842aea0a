// expect: borrowed data escapes outside of closure
// When the function that lent its stack has returned, the frames are gone.

#![no_std]
#![forbid(unsafe_code)]
#![deny(unused_must_use)]

use unwinder::Walker;

pub fn keep() -> usize {
    let (mut kept, mut count) = (None, 0); //~ wrong
    let (mut kept, mut count) = (Some(0), 0); //~ right
    unwinder::capture_here(&mut |walker: Walker<'_>| {
        kept = Some(walker); //~ wrong
        kept = walker.map_while(Result::ok).map(|frame| frame.function).next(); //~ right
        count += 1;
    });
    let _last = kept;
    count
}
