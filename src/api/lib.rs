//! Empty room, to be filled.
