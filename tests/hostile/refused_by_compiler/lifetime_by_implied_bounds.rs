// expect: lifetime may not live long enough
// A nested reference implies a bound, and a function pointer forgets it (rust-lang issue 25860).

#![no_std]
#![forbid(unsafe_code)]

static UNIT: &&() = &&();

fn lend<'a, 'b, T: ?Sized>(_bound: &'a &'b (), value: &'b T) -> &'a T {
    value
}

pub fn lengthen<'a, 'b, T: ?Sized>(value: &'a T) -> &'b T { //~ wrong
pub fn lengthen<'a: 'b, 'b, T: ?Sized>(value: &'a T) -> &'b T { //~ right
    let lent: fn(&'static &'static (), &'a T) -> &'b T = lend; //~ wrong
    let lent: fn(&'b &'a (), &'a T) -> &'b T = lend; //~ right
    lent(UNIT, value)
}
