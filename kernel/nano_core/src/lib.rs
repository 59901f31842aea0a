//! The seed of Mitos: entry from the boot loader and only what is needed to load the first cell.
#![no_std]
