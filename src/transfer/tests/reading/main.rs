//! Black-box tests of the reading half: real files, the shipped mappings, and properties over invented tables.

#[cfg(test)]
mod common;
#[cfg(test)]
mod detection;
#[cfg(test)]
mod mappings;
#[cfg(test)]
mod properties;
