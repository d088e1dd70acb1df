//! The catalogue: the closed lists of failures, freeze periods, and the reference data that fills
//! it.

mod failures;
mod freezes;
mod seeds;
