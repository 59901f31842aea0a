use std::thread;

use super::*;

fn free(account: Account, bytes: usize) {
    if !account.discharge(bytes) {
        account.undo(bytes);
    }
}

#[test]
fn what_is_taken_and_not_freed_is_on_the_account() {
    let account = Account::open(1);
    account.charge(100);
    account.charge(28);
    free(account, 100);
    assert_eq!(account.bytes(), 28);
    assert_eq!(Account::of_number(account.number()), account);
}

#[test]
fn blocks_of_an_earlier_holder_are_not_the_present_ones() {
    let earlier = Account::open(2);
    earlier.charge(1000);
    let present = Account::open(2);
    assert_eq!((earlier.bytes(), present.bytes()), (0, 0));
    present.charge(16);
    free(earlier, 1000);
    assert_eq!(present.bytes(), 16);
}

#[test]
fn nobody_has_nothing() {
    let first = Account::open(0);
    first.charge(8);
    free(Account::NOBODY, 4096);
    assert_eq!((first.bytes(), Account::NOBODY.bytes()), (8, 0));
}

#[test]
fn free_memory_is_on_no_open_account() {
    assert!(!Account::FREE.discharge(64));
    Account::FREE.undo(64);
    assert_eq!(Account::FREE.bytes(), 0);
}

#[test]
fn places_are_apart() {
    let (one, other) = (Account::open(3), Account::open(PLACES - 1));
    one.charge(1);
    assert_eq!((one.bytes(), other.bytes()), (1, 0));
}

#[test]
fn it_is_exact_whoever_frees_and_whoever_is_forgotten_meanwhile() {
    const ROUNDS: usize = 20_000;
    let earlier = Account::open(4);
    earlier.charge(ROUNDS);
    let present = Account::open(4);
    present.charge(ROUNDS * 64);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..ROUNDS / 2).for_each(|_| free(present, 64)));
            scope.spawn(|| (0..ROUNDS / 2).for_each(|_| free(earlier, 1)));
        }
        scope.spawn(|| (0..ROUNDS).for_each(|_| present.charge(3)));
    });
    assert_eq!(present.bytes(), 3 * ROUNDS as u64);
}

#[test]
fn bytes_do_not_reach_the_count() {
    let account = Account::open(5);
    account.charge(1 << 38);
    assert_eq!(account.bytes(), 1 << 38);
    free(account, 1 << 38);
    assert_eq!(account.bytes(), 0);
}
